"""What every way to a registry offers, whatever it speaks.

``perform`` takes any command with a client transaction id and is idempotent by that id: asked
again, after a crash say, it tells what came of the first time or finds it out with ``info``. The
methods beside it name the operations.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter

from registrar import commands as ask
from registrar.commands import Command, TransferOperation
from registrar.objects import (
    Availability,
    ContactInfo,
    Created,
    CreatedDomain,
    DomainInfo,
    HostInfo,
    Message,
    Period,
    QueueLength,
    Renewed,
    Restored,
    RestoreReport,
    TransferState,
)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

UNDONE: Final = 2400  # "command failed": what a registry says of its own faults


@dataclass(frozen=True, slots=True)
class RegistryReason:
    """Why a registry refuses: a result code of RFC 5730 section 3, its words, what it is about."""

    code: int
    text: str
    value: str | None = None

    def __str__(self) -> str:
        about = f" ({self.value})" if self.value else ""
        return f"{self.code} {self.text}{about}"


@dataclass(frozen=True, slots=True)
class Done(Generic[R_co]):
    """It is done; ``server_trid`` is the registry's name for the transaction."""

    value: R_co
    server_trid: str | None = None


@dataclass(frozen=True, slots=True)
class Pending(Generic[R_co]):
    """It is accepted and takes its time (code 1001); a poll message will tell of the end."""

    value: R_co
    server_trid: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed."""

    reasons: tuple[RegistryReason, ...]
    server_trid: str | None = None

    @property
    def code(self) -> int:
        """Return the code of the first reason."""
        return self.reasons[0].code

    def __str__(self) -> str:
        return "; ".join(map(str, self.reasons))


Outcome: TypeAlias = Done[R_co] | Pending[R_co] | Refused


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a registry does and wants for the names below one TLD."""

    tld: str
    host_objects: bool  # name servers are objects of their own, or else attributes of the domain
    expiry: bool  # registrations have an expiry date and are renewed
    auto_renew: bool
    transfer_answer: timedelta | None  # until approved by itself; None: transfers are immediate
    redemption: timedelta
    restore_report: bool
    transit: bool  # DENIC's TRANSIT
    key_data: bool  # DNSSEC by DNSKEY, or else by DS (RFC 5910 4)
    auth_lifetime: timedelta | None = None  # the longest that the registry keeps an auth code


class ContactOperations(Protocol):
    """Operations on contacts."""

    async def check(self, *ids: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        """Ask whether ids are free."""

    async def create(self, command: ask.CreateContact, *, trid: str) -> Outcome[Created]:
        """Make a contact."""

    async def info(self, contact: str, *, trid: str) -> Outcome[ContactInfo]:
        """Ask for all about a contact."""

    async def update(self, command: ask.UpdateContact, *, trid: str) -> Outcome[None]:
        """Change a contact."""

    async def delete(self, contact: str, *, trid: str) -> Outcome[None]:
        """Delete a contact."""


class HostOperations(Protocol):
    """Operations on host objects."""

    async def check(self, *names: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        """Ask whether hosts exist."""

    async def create(self, command: ask.CreateHost, *, trid: str) -> Outcome[Created]:
        """Make a host."""

    async def info(self, name: str, *, trid: str) -> Outcome[HostInfo]:
        """Ask for all about a host."""

    async def update(self, command: ask.UpdateHost, *, trid: str) -> Outcome[None]:
        """Change a host."""

    async def delete(self, name: str, *, trid: str) -> Outcome[None]:
        """Delete a host."""


class RegistryConnector(Protocol):
    """A way to a registry. What it answers are values; ``RegistrarError`` says it has no answer."""

    @property
    def contact(self) -> ContactOperations:
        """Operations on contacts."""

    @property
    def host(self) -> HostOperations:
        """Operations on host objects."""

    def capabilities(self, tld: str) -> Capabilities:
        """Tell what the registry does below this TLD; raises ``RegistrarError`` for others."""

    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out exactly once under this client transaction id."""

    async def check(self, *names: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        """Ask whether names can be registered."""

    async def create(self, command: ask.CreateDomain, *, trid: str) -> Outcome[CreatedDomain]:
        """Register a domain."""

    async def info(self, name: str, *, trid: str, auth: str | None = None) -> Outcome[DomainInfo]:
        """Ask for all about a domain."""

    async def update(self, command: ask.UpdateDomain, *, trid: str) -> Outcome[None]:
        """Change a domain."""

    async def renew(self, command: ask.RenewDomain, *, trid: str) -> Outcome[Renewed]:
        """Lengthen a registration."""

    async def delete(self, name: str, *, trid: str, transit: bool = False) -> Outcome[None]:
        """Give a domain back."""

    async def restore(
        self, name: str, *, trid: str, report: RestoreReport | None = None
    ) -> Outcome[Restored]:
        """Bring a domain back from redemption."""

    async def transfer(
        self,
        operation: TransferOperation,
        name: str,
        *,
        trid: str,
        auth: str | None = None,
        period: Period | None = None,
    ) -> Outcome[TransferState]:
        """Ask for, answer, withdraw or look at a transfer."""

    async def set_auth(self, command: ask.SetAuth, *, trid: str) -> Outcome[None]:
        """Set the authorisation of a transfer."""

    async def poll(self, *, trid: str) -> Outcome[Message | None]:
        """Ask for the oldest message."""

    async def ack(self, message: str, *, trid: str) -> Outcome[QueueLength]:
        """Take a message out of the queue."""


class Performer(Protocol):
    """What carries out commands."""

    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out."""


class _Contacts:
    """``ContactOperations`` over ``perform``."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def check(self, *ids: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        return await self._performer.perform(ask.CheckContacts(ids), trid)

    async def create(self, command: ask.CreateContact, *, trid: str) -> Outcome[Created]:
        return await self._performer.perform(command, trid)

    async def info(self, contact: str, *, trid: str) -> Outcome[ContactInfo]:
        return await self._performer.perform(ask.InfoContact(contact), trid)

    async def update(self, command: ask.UpdateContact, *, trid: str) -> Outcome[None]:
        return await self._performer.perform(command, trid)

    async def delete(self, contact: str, *, trid: str) -> Outcome[None]:
        return await self._performer.perform(ask.DeleteContact(contact), trid)


class _Hosts:
    """``HostOperations`` over ``perform``."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def check(self, *names: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        return await self._performer.perform(ask.CheckHosts(names), trid)

    async def create(self, command: ask.CreateHost, *, trid: str) -> Outcome[Created]:
        return await self._performer.perform(command, trid)

    async def info(self, name: str, *, trid: str) -> Outcome[HostInfo]:
        return await self._performer.perform(ask.InfoHost(name), trid)

    async def update(self, command: ask.UpdateHost, *, trid: str) -> Outcome[None]:
        return await self._performer.perform(command, trid)

    async def delete(self, name: str, *, trid: str) -> Outcome[None]:
        return await self._performer.perform(ask.DeleteHost(name), trid)


class Connector(ABC):
    """The named operations of ``RegistryConnector``, for connectors that only write ``perform``."""

    @property
    def contact(self) -> ContactOperations:
        """Operations on contacts."""
        return _Contacts(self)

    @property
    def host(self) -> HostOperations:
        """Operations on host objects."""
        return _Hosts(self)

    @abstractmethod
    def capabilities(self, tld: str) -> Capabilities:
        """Tell what the registry does below this TLD; raises ``RegistrarError`` for others."""

    @abstractmethod
    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out exactly once under this client transaction id."""

    async def check(self, *names: str, trid: str) -> Outcome[tuple[Availability, ...]]:
        """Ask whether names can be registered."""
        return await self.perform(ask.CheckDomains(names), trid)

    async def create(self, command: ask.CreateDomain, *, trid: str) -> Outcome[CreatedDomain]:
        """Register a domain."""
        return await self.perform(command, trid)

    async def info(self, name: str, *, trid: str, auth: str | None = None) -> Outcome[DomainInfo]:
        """Ask for all about a domain."""
        return await self.perform(ask.InfoDomain(name, auth), trid)

    async def update(self, command: ask.UpdateDomain, *, trid: str) -> Outcome[None]:
        """Change a domain."""
        return await self.perform(command, trid)

    async def renew(self, command: ask.RenewDomain, *, trid: str) -> Outcome[Renewed]:
        """Lengthen a registration."""
        return await self.perform(command, trid)

    async def delete(self, name: str, *, trid: str, transit: bool = False) -> Outcome[None]:
        """Give a domain back."""
        return await self.perform(ask.DeleteDomain(name, transit), trid)

    async def restore(
        self, name: str, *, trid: str, report: RestoreReport | None = None
    ) -> Outcome[Restored]:
        """Bring a domain back from redemption."""
        return await self.perform(ask.RestoreDomain(name, report), trid)

    async def transfer(
        self,
        operation: TransferOperation,
        name: str,
        *,
        trid: str,
        auth: str | None = None,
        period: Period | None = None,
    ) -> Outcome[TransferState]:
        """Ask for, answer, withdraw or look at a transfer."""
        return await self.perform(ask.TransferDomain(operation, name, auth, period), trid)

    async def set_auth(self, command: ask.SetAuth, *, trid: str) -> Outcome[None]:
        """Set the authorisation of a transfer."""
        return await self.perform(command, trid)

    async def poll(self, *, trid: str) -> Outcome[Message | None]:
        """Ask for the oldest message."""
        return await self.perform(ask.Poll(), trid)

    async def ack(self, message: str, *, trid: str) -> Outcome[QueueLength]:
        """Take a message out of the queue."""
        return await self.perform(ask.Acknowledge(message), trid)


@cache
def _adapter(result: Any) -> TypeAdapter[Any]:
    return TypeAdapter(result)


def encode_outcome(command: type[Command[Any]], outcome: Outcome[Any]) -> str:
    """Return the outcome of a command as JSON; ``decode_outcome`` reads it."""
    data: dict[str, Any] = {"server_trid": outcome.server_trid}
    if isinstance(outcome, Refused):
        data["refused"] = _adapter(tuple[RegistryReason, ...]).dump_python(
            outcome.reasons, mode="json"
        )
    else:
        kind = "done" if isinstance(outcome, Done) else "pending"
        data[kind] = _adapter(command.result).dump_python(outcome.value, mode="json")
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def decode_outcome(command: type[Command[R]], text: str) -> Outcome[R]:
    """Return the outcome that ``encode_outcome`` wrote; raises ``ValueError``."""
    data = json.loads(text)
    server_trid = data["server_trid"]
    if "refused" in data:
        reasons = _adapter(tuple[RegistryReason, ...]).validate_python(data["refused"])
        return Refused(reasons, server_trid)
    if "done" in data:
        return Done(_adapter(command.result).validate_python(data["done"]), server_trid)
    return Pending(_adapter(command.result).validate_python(data["pending"]), server_trid)
