"""Registrations in the store: finding them, and reading them as facts under rules."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from pydantic import TypeAdapter

from registrar import kept_course
from registrar.course import Course
from registrar.desk.desk import Desk, moment, moment_or_none
from registrar.errors import PolicyError, RegistrarError
from registrar.fact import Fact
from registrar.fact_codec import decode
from registrar.model import Registration
from registrar.objects import NO_SEC_DNS, NameServer, SecDns
from registrar.policy import Contract, Tld
from registrar.products import Booking
from storage import registrations as stored
from storage.session import Session
from zones.zone import Mode

SERVERS: Final = TypeAdapter(tuple[NameServer, ...])
SEC_DNS: Final = TypeAdapter(SecDns)
MODES: Final = {mode.value: mode for mode in Mode}


class UnknownRegistration(RegistrarError):
    """There is no registration of that name."""


@dataclass(frozen=True, slots=True)
class StoredBooking:
    """A product as it is stored: by the ids of the catalogue."""

    catalogue: str
    product: str
    options: tuple[str, ...] = ()
    own_mx: tuple[tuple[int, str], ...] = ()

    def booking(self, desk: Desk) -> Booking:
        """Return it under the rules of its catalogue; raises ``RegistrarError``."""
        catalogue = desk.policies.catalogues.get(self.catalogue)
        if catalogue is None:
            raise RegistrarError(f"there is no catalogue of products {self.catalogue!r}")
        return Booking(catalogue, self.product, self.options, self.own_mx)


@dataclass(frozen=True, slots=True)
class Entry:
    """A registration as the desk has it; contacts by id, name servers with their glue.

    ``life`` is the stage that it was in when it was last looked at, ``next_due`` when it has to be
    looked at again. ``made_zone``: the zone was made for it, and goes with an order that fails.
    """

    id: int
    name: str
    customer: str
    contract: str
    profile: str
    account: str
    order: Literal["create", "transfer"]
    forward: bool
    holder: str
    admin: str
    tech: str
    managers: tuple[str, ...]
    mode: Mode
    booking: StoredBooking
    made_zone: bool
    name_servers: tuple[NameServer, ...]
    sec_dns: SecDns
    auth_hash: str
    life: str
    lived_until: datetime | None
    next_due: datetime | None
    created_at: datetime
    created_by: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact with who wrote it down when."""

    id: int
    fact: Fact
    recorded_at: datetime
    actor: str


def find(session: Session, name: str) -> Entry | None:
    """Return the open registration of a name, or else the one that ended last."""
    rows = stored.by_name(session, name)
    for row in rows:
        if row.closed_at is None:
            return entry_of(row)
    return entry_of(rows[0]) if rows else None


def get(session: Session, name: str) -> Entry:
    """Return the registration of a name; raises ``UnknownRegistration`` with a guess."""
    entry = find(session, name)
    if entry is None:
        close = difflib.get_close_matches(name, stored.similar_names(session, name), 1, 0.7)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnknownRegistration(f"there is no registration of {name}{hint}")
    return entry


def get_by_id(session: Session, number: int) -> Entry:
    """Return a registration by its number; raises ``UnknownRegistration``."""
    row = stored.by_id(session, number)
    if row is None:
        raise UnknownRegistration(f"there is no registration {number}")
    return entry_of(row)


def history(session: Session, name: str) -> list[Entry]:
    """Return every registration that a name ever had, the newest first."""
    return [entry_of(row) for row in stored.by_name(session, name)]


def list_entries(
    session: Session,
    *,
    customer: str | None = None,
    life: str | None = None,
    tld: str | None = None,
    contact: str | None = None,
    search: str = "",
    closed: bool = True,
    limit: int | None = None,
) -> list[Entry]:
    """Return registrations by name that meet all conditions given."""
    rows = stored.listed(
        session,
        customer=customer,
        life=life,
        tld=tld,
        contact=contact,
        search=search,
        closed=closed,
        limit=limit,
    )
    return [entry_of(row) for row in rows]


def delegated_to(session: Session, name: str) -> list[str]:
    """Return other open registrations with a name server at a domain or below it, by name."""
    return sorted(
        other
        for other, servers in stored.naming_server(session, name)
        if other != name
        and any(
            f".{server.name}".endswith(f".{name}") for server in SERVERS.validate_python(servers)
        )
    )


def registration(session: Session, desk: Desk, entry: Entry) -> Registration:
    """Return a registration with its facts, under its rules; raises ``PolicyError``."""
    return under_rules(desk, entry, [fact.body for fact in stored.facts(session, entry.id)])


def facts_of(session: Session, entry: Entry) -> list[RecordedFact]:
    """Return the facts of a registration in the order in which they were written down."""
    return [
        RecordedFact(fact.id, decode(fact.body), moment(fact.recorded_at), fact.actor)
        for fact in stored.facts(session, entry.id)
    ]


def courses(
    session: Session, desk: Desk, numbers: Sequence[int], at: datetime
) -> list[tuple[Entry, Course]]:
    """Return registrations with their courses, to be walked on to a moment, in order of number.

    A course goes on from where it was kept; where none is, or one that is past that moment, it
    begins at the first of the facts.
    """
    entries = [(entry_of(row), row.course) for row in stored.by_ids(session, numbers)]
    found = {entry.id: _kept(desk, entry, kept, at) for entry, kept in entries}
    facts = stored.facts_of_many(session, [id_ for id_, course in found.items() if course is None])
    return [
        (entry, found[entry.id] or Course(under_rules(desk, entry, facts[entry.id])))
        for entry, _kept_ in entries
    ]


def _kept(desk: Desk, entry: Entry, kept: str | None, at: datetime) -> Course | None:
    if entry.lived_until is None or entry.lived_until > at:
        return None
    contract, profile = rules_of(desk, entry)
    course = kept_course.go_on(entry.name, contract, profile, kept)
    return course if course is not None and course.clock == entry.lived_until else None


class Ruled(Protocol):
    """What is under rules: an ``Entry``, or less of a registration."""

    @property
    def name(self) -> str:
        """Return the name of the domain."""

    @property
    def contract(self) -> str:
        """Return the id of its contract."""

    @property
    def profile(self) -> str:
        """Return the id of its TLD's rules."""


def under_rules(desk: Desk, entry: Ruled, bodies: Sequence[str]) -> Registration:
    """Return a registration of facts as texts; raises ``PolicyError`` where its rules are gone."""
    contract, profile = rules_of(desk, entry)
    return Registration(entry.name, contract, profile, tuple(map(decode, bodies)))


def rules_of(desk: Desk, entry: Ruled) -> tuple[Contract, Tld]:
    """Return the rules of a registration; raises ``PolicyError`` where they are gone."""
    contract = desk.policies.contracts.get(entry.contract)
    profile = desk.policies.tlds.get(entry.profile)
    if contract is None or profile is None:
        missing = entry.contract if contract is None else entry.profile
        raise PolicyError(f"{entry.name} is under the rules of {missing!r}, which are not there")
    return contract, profile


def entry_of(row: stored.AnyRow) -> Entry:
    """Return the entry of a row."""
    return Entry(
        id=row.id,
        name=row.name,
        customer=row.customer,
        contract=row.contract,
        profile=row.profile,
        account=row.account,
        order="transfer" if row.kind == "transfer" else "create",
        forward=row.forward,
        holder=row.holder or "",
        admin=row.admin or "",
        tech=row.tech or "",
        managers=tuple(row.managers or ()),
        mode=MODES.get(row.mode) or Mode(row.mode),
        booking=_booking(row.booking),
        made_zone=bool(row.booking.get("made_zone")),
        name_servers=SERVERS.validate_python(row.servers) if row.servers else (),
        sec_dns=SEC_DNS.validate_python(row.sec_dns) if row.sec_dns else NO_SEC_DNS,
        auth_hash=row.auth_hash,
        life=row.life,
        lived_until=moment_or_none(row.lived_until),
        next_due=moment_or_none(row.next_due),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        closed_at=moment_or_none(row.closed_at),
    )


def columns_of(entry: Entry) -> dict[str, Any]:
    """Return the columns that describe a registration, less those that follow from its facts."""
    return {
        "name": entry.name,
        "customer": entry.customer,
        "contract": entry.contract,
        "profile": entry.profile,
        "account": entry.account,
        "kind": entry.order,
        "forward": entry.forward,
        "holder": entry.holder or None,
        "admin": entry.admin or None,
        "tech": entry.tech or None,
        "managers": list(entry.managers),
        "mode": entry.mode.value,
        "booking": {
            "catalogue": entry.booking.catalogue,
            "product": entry.booking.product,
            "options": list(entry.booking.options),
            "own_mx": [list(pair) for pair in entry.booking.own_mx],
            "made_zone": entry.made_zone,
        },
        "servers": SERVERS.dump_python(entry.name_servers, mode="json"),
        "sec_dns": SEC_DNS.dump_python(entry.sec_dns, mode="json") if entry.sec_dns else {},
    }


def _booking(data: dict[str, Any]) -> StoredBooking:
    return StoredBooking(
        data["catalogue"],
        data["product"],
        tuple(data.get("options") or ()),
        tuple((int(preference), host) for preference, host in data.get("own_mx") or ()),
    )
