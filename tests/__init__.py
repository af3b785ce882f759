"""Tests, by what they need: nothing, a running server, or real peers."""
