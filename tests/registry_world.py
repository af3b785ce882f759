"""A registry to test against: a clock that is driven, contacts, hosts, and commands at hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from registrar import commands as ask
from registrar.commands import Command
from registrar.connector import Done, Outcome, Pending, Refused
from registrar.file_registry import Registry
from registrar.objects import (
    ContactData,
    ContactRole,
    DomainContact,
    DsData,
    KeyData,
    NameServer,
    Period,
    PostalInfo,
    RestoreReport,
    SecDns,
)

R = TypeVar("R")

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OURS = "PROVIDER-1"
OTHERS = "ELSEWHERE-2"
HOLDER = ContactData(
    postal=(
        PostalInfo(
            name="Änne Örtel <& Söhne>",
            organisation="Beispiel GmbH",
            street=("Hauptstraße 1", "Hinterhaus"),
            city="Köln",
            state="NW",
            postal_code="50667",
            country="DE",
        ),
    ),
    email="holder@example.org",
    voice="+49.2211234567x12",
    fax="+49.2211234568",
)
DS = DsData(12345, 13, 2, "A1" * 32)
KEY = KeyData(257, 3, 13, "gi2MDEXAMPLE+gi2MDEXAMPLE/gi2MDEXAMPLE==")


class Clock:
    """A clock that only goes when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> datetime:
        """Let time pass."""
        self.now += timedelta(days=days, hours=hours, seconds=seconds)
        return self.now


class World:
    """A registry with a clock, asked directly; a new transaction id for each command."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.clock = Clock()
        self.registry = Registry() if registry is None else registry
        self._last = 0

    def perform(
        self, command: Command[R], client: str = OURS, trid: str | None = None
    ) -> Outcome[R]:
        """Send a command now."""
        self._last += 1
        return self.registry.perform(client, command, trid or f"CL-{self._last}", self.clock.now)

    def done(self, command: Command[R], client: str = OURS) -> R:
        """Send a command that has to be carried out at once; return its value."""
        outcome = self.perform(command, client)
        assert isinstance(outcome, Done), outcome
        return outcome.value

    def pending(self, command: Command[R], client: str = OURS) -> R:
        """Send a command that has to be accepted and to take its time; return its value."""
        outcome = self.perform(command, client)
        assert isinstance(outcome, Pending), outcome
        return outcome.value

    def refused(self, command: Command[Any], client: str = OURS) -> Refused:
        """Send a command that has to be refused."""
        outcome = self.perform(command, client)
        assert isinstance(outcome, Refused), outcome
        return outcome

    def info(self, name: str, client: str = OURS) -> Any:
        """Return what the registry tells of a domain."""
        return self.done(ask.InfoDomain(name), client)

    def messages(self, client: str = OURS) -> list[Any]:
        """Take all messages out of a registrar's queue."""
        taken = []
        while (message := self.done(ask.Poll(), client)) is not None:
            taken.append(message)
            self.done(ask.Acknowledge(message.id), client)
        return taken


def set_up(world: World) -> None:
    """Have contacts and name servers for domains below any TLD."""
    for contact in ("HOLDER-1", "ADMIN-1"):
        world.done(ask.CreateContact(contact, HOLDER, "contact-secret"))
    for host in ("ns1.example.net", "ns2.example.net"):
        world.done(ask.CreateHost(host))


def domain(name: str = "example.org", **changes: Any) -> ask.CreateDomain:
    """Return the order of a domain as its TLD wants it."""
    tld = name.rpartition(".")[2]
    wanted: dict[str, Any] = {
        "name": name,
        "registrant": "HOLDER-1",
        "contacts": (DomainContact(ContactRole.ADMIN, "ADMIN-1"),),
        "name_servers": (NameServer("ns1.example.net"), NameServer("ns2.example.net")),
        "period": None if tld == "de" else Period(1),
        "auth": "first-secret",
        "sec_dns": SecDns(keys=(KEY,)) if tld in ("de", "eu") else SecDns(ds=(DS,)),
    }
    return ask.CreateDomain(**{**wanted, **changes})


def report(deleted_at: datetime, restored_at: datetime) -> RestoreReport:
    """Return a restore report with all that ICANN wants."""
    return RestoreReport(
        before="as it was",
        after="as it is",
        deleted_at=deleted_at,
        restored_at=restored_at,
        reason="Registrant error",
        statements=("not in order to assume the rights of others", "true to our knowledge"),
        other="none",
    )
