"""``nsctl domain``: the table of its commands; each group of them has a module."""

from __future__ import annotations

from cli.command import Group

domain = Group(
    "domain",
    help="Domains: their registrations, and the checks before a delegation.",
    lazy={
        "check": ("cli.domain_check:check", "Check name servers as the registry will."),
    },
)
