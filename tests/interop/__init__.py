"""Tests with real BIND, Knot, NSD and PowerDNS."""
