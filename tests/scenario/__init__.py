"""Whole stories, told to a running server."""
