"""What a registry keeps, and its form in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from registrar.objects import (
    ActionNotice,
    ContactData,
    DomainContact,
    DomainInfo,
    NameServer,
    Period,
    Renewed,
    SecDns,
    TransferState,
)
from registrar.statuses import RgpStatus, Status

TRANSIT_SPONSOR: Final = "TRANSIT"  # who sponsors what was left to the registry


class Stage(StrEnum):
    """Where a domain is in its life at the registry."""

    REVIEW = "review"  # pendingCreate
    REGISTERED = "registered"
    REDEMPTION = "redemption"
    RESTORING = "restoring"  # waits for the report
    RELEASING = "releasing"  # pendingDelete of RFC 3915
    TRANSIT = "transit"


@dataclass(slots=True)
class Grace:
    """A grace period under way."""

    status: RgpStatus
    ends: datetime


@dataclass(slots=True)
class ObjectRecord:
    """What all objects have: who sponsors them and when they were touched."""

    roid: str
    sponsor: str
    created_by: str
    created_at: datetime
    updated_by: str | None = None
    updated_at: datetime | None = None
    transferred_at: datetime | None = None
    statuses: set[Status] = field(default_factory=set)  # those that were set, not the computed


@dataclass(slots=True)
class DomainRecord:
    """A domain. ``auth`` is a hash; ``stage_ends`` is when the stage ends by itself."""

    name: str
    held: ObjectRecord
    registrant: str | None
    contacts: tuple[DomainContact, ...]
    name_servers: tuple[NameServer, ...]
    sec_dns: SecDns
    client_trid: str
    server_trid: str
    period: Period | None = None
    auth: str | None = None
    auth_ends: datetime | None = None
    expires_at: datetime | None = None
    stage: Stage = Stage.REGISTERED
    stage_ends: datetime | None = None
    redemption_left: float = 0.0  # seconds, while a restore waits for its report
    graces: list[Grace] = field(default_factory=list)
    transfer: TransferState | None = None
    transfer_period: Period | None = None
    failed_since: datetime | None = None

    @property
    def tld(self) -> str:
        """Return the top level domain."""
        return self.name.rpartition(".")[2]

    def in_grace(self, status: RgpStatus) -> bool:
        """Return whether a grace period is under way."""
        return any(grace.status is status for grace in self.graces)


@dataclass(slots=True)
class HostRecord:
    """A host object; ``superordinate`` is the domain here that it is below."""

    name: str
    held: ObjectRecord
    addresses: tuple[str, ...]
    superordinate: str | None = None


@dataclass(slots=True)
class ContactRecord:
    """A contact."""

    id: str
    held: ObjectRecord
    data: ContactData
    auth: str | None = None


@dataclass(slots=True)
class StoredMessage:
    """A message in a registrar's queue."""

    id: str
    text: str
    queued_at: datetime
    data: TransferState | ActionNotice | DomainInfo | Renewed | None = None


@dataclass(slots=True)
class Commit:
    """Something that was carried out: the registry's own history."""

    at: datetime
    client: str
    client_trid: str
    server_trid: str
    command: str
    about: str


@dataclass(slots=True)
class Transaction:
    """The hash of a command that transforms and its outcome as JSON, told when it comes again."""

    command: str
    outcome: str


@dataclass(slots=True)
class State:
    """All that a registry knows. ``reviewed`` names are created only after a decision."""

    last_number: int = 0
    now: datetime | None = None  # up to when time has been lived through
    domains: dict[str, DomainRecord] = field(default_factory=dict)
    hosts: dict[str, HostRecord] = field(default_factory=dict)
    contacts: dict[str, ContactRecord] = field(default_factory=dict)
    queues: dict[str, list[StoredMessage]] = field(default_factory=dict)
    reviewed: set[str] = field(default_factory=set)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    history: list[Commit] = field(default_factory=list)

    def number(self) -> int:
        """Return the next number: for ids of objects, transactions and messages."""
        self.last_number += 1
        return self.last_number

    def tell(
        self,
        client: str,
        text: str,
        now: datetime,
        data: TransferState | ActionNotice | DomainInfo | Renewed | None = None,
    ) -> None:
        """Put a message into a registrar's queue."""
        queue = self.queues.setdefault(client, [])
        queue.append(StoredMessage(str(self.number()), text, now, data))

    def hosts_below(self, domain: str) -> list[HostRecord]:
        """Return the host objects below a domain."""
        return [host for host in self.hosts.values() if host.superordinate == domain]

    def domains_served_by(self, host: str) -> list[DomainRecord]:
        """Return the domains that have a host as their name server."""
        return [
            domain
            for domain in self.domains.values()
            if any(server.name == host for server in domain.name_servers)
        ]


@cache
def _adapter() -> TypeAdapter[State]:
    return TypeAdapter(State)


def dump(state: State) -> bytes:
    """Return the state as JSON, equal for equal states; ``load`` reads it."""
    data = _adapter().dump_python(state, mode="json")
    data["reviewed"] = sorted(data["reviewed"])
    for kind in ("domains", "hosts", "contacts"):
        for record in data[kind].values():
            record["held"]["statuses"] = sorted(record["held"]["statuses"])
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False).encode()


def load(octets: bytes) -> State:
    """Return the state that ``dump`` wrote; raises ``ValueError``."""
    return _adapter().validate_json(octets)
