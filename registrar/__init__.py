"""Registrations: life cycle, contacts, products, policies and registry connectors."""
