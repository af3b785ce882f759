"""One command at a registry: who sends it, when, and what is allowed to him."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from registrar.file_registry.profiles import Profile, profile_of
from registrar.file_registry.refusal import (
    ABSENT,
    NOT_AUTHORISED,
    OUT_OF_RANGE,
    POLICY,
    STATUS,
    SYNTAX,
    Refusal,
)
from registrar.file_registry.state import DomainRecord, ObjectRecord, State
from registrar.objects import NameServer, Sponsorship
from registrar.statuses import CLIENT, Status

LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
MAX_NAME: Final = 253

# Tells whether the name servers of a domain answer for it, as registries check that do.
DelegationCheck = Callable[[str, tuple[NameServer, ...]], bool]


@dataclass(frozen=True, slots=True)
class Call:
    """What the functions that carry out a command get beside it."""

    state: State
    client: str
    now: datetime
    client_trid: str
    server_trid: str
    delegation_check: DelegationCheck

    def record(self, kind: str) -> ObjectRecord:
        """Return the record of a new object; ``kind`` begins its roid."""
        roid = f"{kind}{self.state.number()}-NSCTL"
        return ObjectRecord(roid, self.client, self.client, self.now)

    def touch(self, held: ObjectRecord) -> None:
        """Note a change."""
        held.updated_by = self.client
        held.updated_at = self.now

    def domain(self, name: str) -> DomainRecord:
        """Return a domain; raises ``Refusal``."""
        try:
            return self.state.domains[name]
        except KeyError:
            raise Refusal(ABSENT, value=name) from None

    def own_domain(self, name: str) -> DomainRecord:
        """Return a domain of the client; raises ``Refusal``."""
        domain = self.domain(name)
        self.need_sponsor(domain.held, name)
        return domain

    def need_sponsor(self, held: ObjectRecord, name: str) -> None:
        """Refuse who does not sponsor an object."""
        if held.sponsor != self.client:
            raise Refusal(NOT_AUTHORISED, "another registrar is the sponsor", name)


def profile_for(name: str) -> Profile:
    """Return the rules for a domain; refuse what is not right below a TLD."""
    check_host_name(name)
    if name.count(".") != 1:
        raise Refusal(POLICY, "not right below a TLD", name)
    return profile_of(name.rpartition(".")[2])


def check_host_name(name: str) -> None:
    """Refuse what is not a host name in lower-case A-labels."""
    labels = name.split(".")
    if len(labels) < 2 or len(name) > MAX_NAME or not all(map(LABEL.fullmatch, labels)):
        raise Refusal(SYNTAX, "not a host name", name)


def check_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return addresses as ``ipaddress`` writes them; refuse others."""
    checked = []
    for value in addresses:
        try:
            checked.append(str(ip_address(value)))
        except ValueError:
            raise Refusal(SYNTAX, "not an address", value) from None
    return tuple(checked)


def changed_statuses(
    have: set[Status], add: frozenset[Status], remove: frozenset[Status], allowed: frozenset[Status]
) -> set[Status]:
    """Return statuses after an update; a client sets those of clients alone (RFC 5731 2.3)."""
    for status in sorted(add | remove):
        if status not in CLIENT & allowed:
            raise Refusal(POLICY, "not for clients to set", status)
    if twice := add & have:
        raise Refusal(POLICY, "set already", min(twice))
    if absent := remove - have:
        raise Refusal(POLICY, "not set", min(absent))
    return (have | add) - remove


def refuse_prohibited(statuses: Iterable[Status], name: str) -> None:
    """Refuse because of statuses, if there are any."""
    if found := sorted(statuses):
        raise Refusal(STATUS, ", ".join(found), name)


def hashed(auth: str, name: str) -> str:
    """Return an authorisation as it is kept; the name is its salt (RFC 9154 4.3)."""
    return hashlib.sha256(f"{name}\0{auth}".encode()).hexdigest()


def fits(auth: str | None, kept: str | None, name: str) -> bool:
    """Return whether an authorisation is the one that is kept; none never is."""
    return bool(auth and kept) and hmac.compare_digest(hashed(auth or "", name), kept or "")


def sponsorship(held: ObjectRecord) -> Sponsorship:
    """Return who sponsors an object, as ``info`` tells it."""
    return Sponsorship(
        roid=held.roid,
        sponsor=held.sponsor,
        created_by=held.created_by,
        created_at=held.created_at,
        updated_by=held.updated_by,
        updated_at=held.updated_at,
        transferred_at=held.transferred_at,
    )


def check_count(count: int, most: int, what: str) -> None:
    """Refuse a number outside 1 to ``most``."""
    if not 1 <= count <= most:
        raise Refusal(OUT_OF_RANGE, f"{what}: 1 to {most}", str(count))
