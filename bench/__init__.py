"""Measurements against the machine's limit and real peers."""
