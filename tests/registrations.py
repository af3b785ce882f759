"""Registrations for tests: the shipped policies, and stories told in facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from registrar import facts, policy_files
from registrar.days import moment_after_months
from registrar.fact import Fact
from registrar.model import Registration
from registrar.policy import Policies

SUFFIXES: Final = {"gtld": "org", "gtld-reform": "org", "de": "de", "eu": "eu"}
START: Final = datetime(2024, 3, 15, 10, 0, tzinfo=UTC)
NAME_SERVERS: Final = ("ns1.example.net", "ns2.example.net")


@cache
def policies() -> Policies:
    """Return the shipped policies."""
    return policy_files.load()


def day(text: str, hour: int = 12) -> datetime:
    """Return the moment at an hour, UTC, of a day written as ``2024-03-15``."""
    return datetime.fromisoformat(text).replace(hour=hour, tzinfo=UTC)


def draft(*story: Fact, contract: str = "n", tld: str = "gtld") -> Registration:
    """Return a registration with nothing but these facts."""
    known = policies()
    name = f"example.{SUFFIXES[tld]}"
    return Registration(name, known.contracts[contract], known.tlds[tld], story)


def registered(
    *story: Fact, contract: str = "n", tld: str = "gtld", at: datetime = START
) -> Registration:
    """Return a registration that was ordered, delegated and registered at ``at``, and then these."""
    profile = policies().tlds[tld]
    months = profile.term.first_months.value
    expires = moment_after_months(at, months) if months else None
    return draft(
        facts.Submitted(at - timedelta(days=2)),
        facts.NameServersSet(at - timedelta(days=2), NAME_SERVERS),
        facts.Sent(at - timedelta(hours=1)),
        facts.Registered(at, expires),
        *story,
        contract=contract,
        tld=tld,
    )
