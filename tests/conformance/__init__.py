"""What the RFCs ask, section by section."""
