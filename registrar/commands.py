"""Commands to a registry as values: what is journalled, sent, and compared with what came of it.

Each class names in ``result`` what a registry answers where it does as it is told. A command that
transforms an object is never sent twice without a look at the object in between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import TypeAdapter

from registrar.objects import (
    NO_SEC_DNS,
    Availability,
    ContactData,
    ContactInfo,
    Created,
    CreatedDomain,
    DomainContact,
    DomainInfo,
    HostInfo,
    Message,
    NameServer,
    Period,
    QueueLength,
    Renewed,
    Restored,
    RestoreReport,
    SecDns,
    TransferState,
)
from registrar.statuses import Status

R = TypeVar("R")


class Command(Generic[R]):
    """Something asked of a registry; ``R`` is the answer of one that agrees."""

    __slots__ = ()
    result: ClassVar[Any]
    transforms: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class CheckDomains(Command[tuple[Availability, ...]]):
    """Ask whether names can be registered (RFC 5731 3.1.1)."""

    result = tuple[Availability, ...]
    transforms = False
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateDomain(Command[CreatedDomain]):
    """Register a domain (RFC 5731 3.2.1); ``period`` is the registry's own where ``None``."""

    result = CreatedDomain
    name: str
    registrant: str | None = None
    contacts: tuple[DomainContact, ...] = ()
    name_servers: tuple[NameServer, ...] = ()
    period: Period | None = None
    auth: str = field(default="", repr=False)
    sec_dns: SecDns = NO_SEC_DNS


@dataclass(frozen=True, slots=True)
class InfoDomain(Command[DomainInfo]):
    """Ask for all about a domain (RFC 5731 3.1.2); ``auth`` opens another sponsor's."""

    result = DomainInfo
    transforms = False
    name: str
    auth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DomainChange:
    """What is added to or removed from a domain."""

    name_servers: tuple[NameServer, ...] = ()
    contacts: tuple[DomainContact, ...] = ()
    statuses: frozenset[Status] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.name_servers or self.contacts or self.statuses)


@dataclass(frozen=True, slots=True)
class SecDnsChange:
    """A change of the DNSSEC data: removed first, then added (RFC 5910 5.2.5)."""

    add: SecDns = NO_SEC_DNS
    remove: SecDns = NO_SEC_DNS
    remove_all: bool = False
    max_sig_life: int | None = None

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.remove_all or self.max_sig_life)


NO_CHANGE: Final = DomainChange()
NO_SEC_DNS_CHANGE: Final = SecDnsChange()


@dataclass(frozen=True, slots=True)
class UpdateDomain(Command[None]):
    """Change a domain (RFC 5731 3.2.5); what is ``None`` stays."""

    result = None
    name: str
    add: DomainChange = NO_CHANGE
    remove: DomainChange = NO_CHANGE
    registrant: str | None = None
    sec_dns: SecDnsChange = NO_SEC_DNS_CHANGE


@dataclass(frozen=True, slots=True)
class SetAuth(Command[None]):
    """Set the authorisation of a transfer, or take it away (``auth`` is ``None``).

    ``valid_until`` is for registries that let it end by themselves (DENIC's AuthInfo1).
    """

    result = None
    name: str
    auth: str | None = field(repr=False)
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class RenewDomain(Command[Renewed]):
    """Lengthen a registration (RFC 5731 3.2.3).

    ``current_expiry`` is what we take the expiry to be: a renewal that already happened is
    refused, never repeated.
    """

    result = Renewed
    name: str
    current_expiry: date
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class DeleteDomain(Command[None]):
    """Give a domain back; ``transit`` leaves a .de domain to DENIC instead of ending it."""

    result = None
    name: str
    transit: bool = False


@dataclass(frozen=True, slots=True)
class RestoreDomain(Command[Restored]):
    """Bring a domain back from redemption: the request, or with ``report`` the report."""

    result = Restored
    name: str
    report: RestoreReport | None = None


class TransferOperation(StrEnum):
    """What is asked about a transfer (RFC 5730 2.9.3.4)."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class TransferDomain(Command[TransferState]):
    """Ask for, answer, withdraw or look at a transfer of sponsorship (RFC 5731 3.2.4)."""

    result = TransferState
    operation: TransferOperation
    name: str
    auth: str | None = field(default=None, repr=False)
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class CheckContacts(Command[tuple[Availability, ...]]):
    """Ask whether contact ids are free (RFC 5733 3.1.1)."""

    result = tuple[Availability, ...]
    transforms = False
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateContact(Command[Created]):
    """Make a contact (RFC 5733 3.2.1)."""

    result = Created
    id: str
    data: ContactData
    auth: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class InfoContact(Command[ContactInfo]):
    """Ask for all about a contact (RFC 5733 3.1.2)."""

    result = ContactInfo
    transforms = False
    id: str
    auth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UpdateContact(Command[None]):
    """Change a contact (RFC 5733 3.2.5); ``data`` replaces what the contact says of itself."""

    result = None
    id: str
    data: ContactData | None = None
    add_statuses: frozenset[Status] = frozenset()
    remove_statuses: frozenset[Status] = frozenset()


@dataclass(frozen=True, slots=True)
class DeleteContact(Command[None]):
    """Delete a contact that no domain uses (RFC 5733 3.2.2)."""

    result = None
    id: str


@dataclass(frozen=True, slots=True)
class CheckHosts(Command[tuple[Availability, ...]]):
    """Ask whether host objects exist (RFC 5732 3.1.1)."""

    result = tuple[Availability, ...]
    transforms = False
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateHost(Command[Created]):
    """Make a host object (RFC 5732 3.2.1); addresses are glue, for hosts below our domains."""

    result = Created
    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InfoHost(Command[HostInfo]):
    """Ask for all about a host object (RFC 5732 3.1.2)."""

    result = HostInfo
    transforms = False
    name: str


@dataclass(frozen=True, slots=True)
class UpdateHost(Command[None]):
    """Change a host object (RFC 5732 3.2.5)."""

    result = None
    name: str
    add_addresses: tuple[str, ...] = ()
    remove_addresses: tuple[str, ...] = ()
    add_statuses: frozenset[Status] = frozenset()
    remove_statuses: frozenset[Status] = frozenset()
    new_name: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteHost(Command[None]):
    """Delete a host object that no domain uses (RFC 5732 3.2.2)."""

    result = None
    name: str


@dataclass(frozen=True, slots=True)
class Poll(Command[Message | None]):
    """Ask for the oldest message; ``None`` where there is none (RFC 5730 2.9.2.3)."""

    result = Message | None
    transforms = False


@dataclass(frozen=True, slots=True)
class Acknowledge(Command[QueueLength]):
    """Take a message out of the queue."""

    result = QueueLength
    message_id: str


COMMANDS: Final[dict[str, type[Command[Any]]]] = {
    command.__name__: command
    for command in (
        CheckDomains, CreateDomain, InfoDomain, UpdateDomain, SetAuth, RenewDomain, DeleteDomain,
        RestoreDomain, TransferDomain, CheckContacts, CreateContact, InfoContact, UpdateContact,
        DeleteContact, CheckHosts, CreateHost, InfoHost, UpdateHost, DeleteHost, Poll, Acknowledge,
    )
}  # fmt: skip


def transforms(command: Command[Any]) -> bool:
    """Return whether the command changes something; a transfer query does not."""
    if isinstance(command, TransferDomain):
        return command.operation is not TransferOperation.QUERY
    return command.transforms


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(COMMANDS[kind])


def encode(command: Command[Any]) -> str:
    """Return the command as JSON, equal for equal commands; ``decode`` reads it."""
    kind = type(command).__name__
    data = _adapter(kind).dump_python(command, mode="json")
    return json.dumps({"command": kind, **_sorted_sets(data)}, sort_keys=True, ensure_ascii=False)


def _sorted_sets(data: dict[str, Any]) -> dict[str, Any]:
    """Put sets of statuses in order: they alone come in any."""
    ordered: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            ordered[name] = _sorted_sets(value)
        elif name.endswith("statuses"):
            ordered[name] = sorted(value)
        else:
            ordered[name] = value
    return ordered


def decode(text: str) -> Command[Any]:
    """Return the command that ``encode`` wrote; raises ``ValueError``."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("command") not in COMMANDS:
        raise ValueError("not a command to a registry")
    kind = data.pop("command")
    command: Command[Any] = _adapter(kind).validate_python(data)
    return command
