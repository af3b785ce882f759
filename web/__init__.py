"""HTTP API and the pages of customers and operators."""
