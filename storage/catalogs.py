"""Catalog zones (RFC 9432) in the store: what they are to be, and doing what they say.

The zones of a catalog that is followed are secondary zones like any other, but for a row that says
from which catalog they came. Whatever a catalog says is done in one transaction or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from storage import bulk, customers, events, feed, secondaries, versions, zones
from storage.catalog_models import CatalogRow, MemberRow
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.keys import get_key
from storage.models import ZoneRow
from storage.primary_documents import document_of, primaries_of
from storage.versions import Origin
from zones.catalog import Guard, Member, Owned, Plan, content, make_catalog, plan, read_catalog
from zones.errors import ZoneError
from zones.name import Name, display
from zones.rrset import SOA
from zones.secondary import Primary
from zones.serial import SerialPolicy
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

ACTOR: Final = "catalog"
LABEL_OCTETS: Final = 16


class Role(StrEnum):
    """Which way the list of zones goes."""

    CONSUMER = "consumer"  # a primary's catalog says which zones there are here
    PRODUCER = "producer"  # our zones are listed for further secondaries


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog zone. ``customer`` is whose the members are; a producer lists all without one.

    ``primaries`` are those of the members, ``groups`` those of the members of a group
    (RFC 9432 4.4.2); members are not in several. ``applied`` is the version that was last done,
    ``trouble`` the reason why the newest is not, ``held`` the version that waits for approval.
    """

    apex: Name
    role: Role
    customer: str = ""
    primaries: tuple[Primary, ...] = ()
    groups: Mapping[str, tuple[Primary, ...]] = field(default_factory=dict)
    guard: Guard = field(default_factory=Guard)
    applied: int = 0
    trouble: str = ""
    held: int = 0

    def primaries_of(self, member: Member) -> tuple[Primary, ...]:
        """Return whom a member is transferred from: the primaries of its first known group."""
        known = (self.groups[name] for name in member.groups if name in self.groups)
        return next(known, self.primaries)


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a version of a catalog; ``trouble`` says why nothing did."""

    plan: Plan
    trouble: str = ""


# -- the catalogs


def add_catalog(session: Session, catalog: Catalog, *, now: float, actor: str) -> None:
    """Let an existing zone be a catalog; raises ``AlreadyExists`` and ``UnknownZone``."""
    zones.get_zone(session, catalog.apex)
    if find_catalog(session, catalog.apex) is not None:
        raise AlreadyExists(f"{display(catalog.apex)} is a catalog already")
    if catalog.customer:
        customers.ensure_customer(session, catalog.customer, now=now, actor=actor)
    session.execute(insert(CatalogRow).values(apex=catalog.apex, **_columns(catalog)))
    _tell(session, catalog.apex, f"{catalog.role.value} of the catalog", now=now, actor=actor)


def change_catalog(session: Session, catalog: Catalog, *, now: float, actor: str) -> None:
    """Store other settings; members of groups whose primaries changed get the new ones."""
    before = get_catalog(session, catalog.apex)
    values = _columns(catalog)
    session.execute(update(CatalogRow).where(CatalogRow.apex == catalog.apex).values(**values))
    if (before.primaries, before.groups) != (catalog.primaries, catalog.groups):
        members = [
            Member(apex, one.label, one.coo, one.groups)
            for apex, one in members_of(session, catalog.apex).items()
        ]
        _set_primaries(session, catalog, members, now)
    _tell(session, catalog.apex, "settings changed", now=now, actor=actor)


def delete_catalog(session: Session, apex: Name, *, now: float, actor: str) -> None:
    """Forget that a zone is a catalog; the zone and its members stay as they are."""
    get_catalog(session, apex)
    session.execute(delete(CatalogRow).where(CatalogRow.apex == apex))
    _tell(session, apex, "is no catalog any more; its members stay", now=now, actor=actor)


def list_catalogs(session: Session) -> list[Catalog]:
    """Return all catalogs by apex."""
    rows = session.scalars(select(CatalogRow).order_by(CatalogRow.apex))
    return [_catalog_of(row) for row in rows]


def find_catalog(session: Session, apex: Name) -> Catalog | None:
    """Return the catalog of that apex, ``None`` where there is none."""
    row = session.scalar(select(CatalogRow).where(CatalogRow.apex == apex))
    return None if row is None else _catalog_of(row)


def get_catalog(session: Session, apex: Name) -> Catalog:
    """Return the catalog of that apex; raises ``StorageError``."""
    found = find_catalog(session, apex)
    if found is None:
        zones.get_zone(session, apex)
        raise StorageError(f"{display(apex)} is a zone, but no catalog")
    return found


def members_of(session: Session, apex: Name) -> dict[Name, Owned]:
    """Return the zones that came from a catalog."""
    return _owned(session, MemberRow.catalog == apex)


def listed_by(session: Session, catalog: Catalog) -> list[Member]:
    """Return the zones that came from a catalog, or that it lists where it is made here."""
    if catalog.role is Role.PRODUCER:
        return _produced(session, catalog)
    owned = members_of(session, catalog.apex)
    return [Member(apex, one.label, one.coo, one.groups) for apex, one in sorted(owned.items())]


def check_key(session: Session, name: Name) -> None:
    """Raise ``StorageError`` for a TSIG key that is not there."""
    get_key(session, name)


def member_counts(session: Session) -> dict[Name, int]:
    """Return how many zones came from each catalog."""
    query = select(MemberRow.catalog, func.count()).group_by(MemberRow.catalog)
    return {row[0]: row[1] for row in session.execute(query)}


# -- following one


def apply(
    session: Session, apex: Name, *, now: float, approved: bool = False, actor: str = ACTOR
) -> Applied:
    """Do what the served version of a followed catalog says.

    What is held, broken or refused is kept with the catalog and told in the event log. ``approved``
    does what is held. Raises ``StorageError`` for what is no followed catalog.
    """
    catalog = get_catalog(session, apex)
    if catalog.role is not Role.CONSUMER:
        raise StorageError(f"{display(apex)} is made here; there is nothing to apply")
    version_id, version = versions.served_with_id(session, apex)
    if version is None:
        return Applied(Plan(), "it was not transferred yet")
    try:
        listed = read_catalog(version)
    except ZoneError as error:
        return _troubled(session, catalog, version_id, f"it is broken: {error}", now)
    guard = replace(catalog.guard, share=1.0) if approved else catalog.guard
    wanted = plan(
        apex,
        listed,
        _owned(session),
        zones.existing(session, [member.apex for member in listed]),
        guard,
    )
    if wanted.held:
        done = _troubled(session, catalog, version_id, wanted.held, now, held=True)
        return replace(done, plan=wanted)
    _do(session, catalog, wanted, now, actor)
    refused = " ".join(one.sentence for one in wanted.refused)
    if refused and refused != catalog.trouble:
        _record(session, "catalog-member-refused", EventSeverity.WARNING, apex, refused, now)
    _store_standing(session, apex, applied=version_id, trouble=refused, held=0)
    return Applied(wanted, refused)


def _do(session: Session, catalog: Catalog, wanted: Plan, now: float, actor: str) -> None:
    gone = [*wanted.remove, *(member.apex for member in wanted.reset)]
    for apex in gone:
        zones.delete_zone(session, apex, now=now, actor=actor)
    new = [*wanted.add, *wanted.reset]
    made = [Zone(member.apex, Mode.HIDDEN_PRIMARY, catalog.customer) for member in new]
    if made:
        zones.add_zones(session, made, now=now, actor=actor)
    for member in wanted.move:
        _move(session, catalog, member, now, actor)
    kept = [*wanted.move, *wanted.change]
    _set_primaries(session, catalog, [*new, *kept], now)
    rows = [_member_row(catalog.apex, member) for member in (*new, *kept)]
    bulk.upsert(session, MemberRow, rows)
    if not wanted.is_empty:
        text = (
            f"catalog {display(catalog.apex)}: {len(wanted.add)} zones added, {len(wanted.remove)}"
            f" deleted, {len(wanted.reset)} begun anew, {len(wanted.move)} taken over from another"
            f" catalog, {len(wanted.change)} changed"
        )
        _record(session, "catalog-applied", EventSeverity.INFO, catalog.apex, text, now)


def _move(session: Session, catalog: Catalog, member: Member, now: float, actor: str) -> None:
    """Let a zone with all it has come from this catalog from now on."""
    zone = zones.get_zone(session, member.apex)
    if zone.customer != catalog.customer:
        moved = replace(zone, customer=catalog.customer)
        reason = f"handed over to the catalog {display(catalog.apex)}"
        zones.update_zone(session, moved, now=now, actor=actor, reason=reason)


def _set_primaries(
    session: Session, catalog: Catalog, members: Iterable[Member], now: float
) -> None:
    alike: dict[tuple[Primary, ...], list[Name]] = {}
    for member in members:
        alike.setdefault(catalog.primaries_of(member), []).append(member.apex)
    for primaries, apexes in alike.items():
        secondaries.set_primaries_of(session, apexes, primaries, now=now, actor=ACTOR)


def _troubled(
    session: Session, catalog: Catalog, version_id: int, why: str, now: float, *, held: bool = False
) -> Applied:
    """Keep why a version is not done; tell it once."""
    if why != catalog.trouble:
        kind = "catalog-held" if held else "catalog-broken"
        text = f"catalog {display(catalog.apex)} was not applied: {why}"
        _record(session, kind, EventSeverity.ERROR, catalog.apex, text, now)
    standing = {"trouble": why, "held": version_id if held else 0}
    _store_standing(session, catalog.apex, **standing)
    return Applied(Plan(), why)


# -- making one


def produce(session: Session, apex: Name, *, now: float) -> bool:
    """Publish the zones there are now as a catalog that is made here; ``False``: nothing changed.

    Labels stay as long as a zone does (RFC 9432 5.4): they are made of its name and of when it was
    added. Raises ``StorageError`` for what is no such catalog.
    """
    catalog = get_catalog(session, apex)
    if catalog.role is not Role.PRODUCER:
        raise StorageError(f"{display(apex)} is followed, not made here")
    members = _produced(session, catalog)
    before = versions.served(session, apex)
    if before is not None:
        there = [rrset for rrset in before if (rrset.owner, rrset.rtype) != (apex, SOA)]
        wanted = sorted(content(apex, members), key=lambda rrset: rrset.sort_key)
        if there == wanted:
            return False
    serial = before.serial if before is not None else 0
    serial = SerialPolicy.UNIXTIME.successor(serial, datetime.fromtimestamp(now, UTC))
    made = make_catalog(apex, serial, members)
    reason = f"{len(members)} zones"
    versions.publish(session, made, origin=Origin.EDIT, actor=ACTOR, reason=reason, now=now)
    return True


def _produced(session: Session, catalog: Catalog) -> list[Member]:
    """Return the zones to list: what is answered here, less catalogs."""
    query = (
        select(ZoneRow.apex, ZoneRow.created_at)
        .where(ZoneRow.mode != Mode.EXTERNAL.value)
        .where(ZoneRow.apex.not_in(select(CatalogRow.apex)))
        .order_by(ZoneRow.apex)
    )
    if catalog.customer:
        query = query.where(ZoneRow.customer == catalog.customer)
    return [
        Member(apex, label_of(catalog.apex, apex, created))
        for apex, created in session.execute(query)
    ]


def label_of(catalog: Name, apex: Name, created_at: float) -> bytes:
    """Return the label of a member: another one when the zone was deleted and added again."""
    told = b"%b%b%.6f" % (catalog, apex, created_at)
    return hashlib.sha256(told).hexdigest()[: 2 * LABEL_OCTETS].encode()


def first_version(apex: Name, now: float) -> ZoneVersion:
    """Return an empty catalog."""
    return make_catalog(apex, int(now), ())


# -- rows


def _columns(catalog: Catalog) -> dict[str, Any]:
    guard = catalog.guard
    settings = {
        "primaries": [document_of(primary) for primary in catalog.primaries],
        "groups": {
            name: [document_of(one) for one in group] for name, group in catalog.groups.items()
        },
        "members": guard.members,
        "share": guard.share,
        "few": guard.few,
    }
    return {
        "role": catalog.role.value,
        "customer": catalog.customer or None,
        "settings": settings,
        "applied": catalog.applied,
        "trouble": catalog.trouble,
        "held": catalog.held,
    }


def _catalog_of(row: CatalogRow) -> Catalog:
    settings = row.settings
    guard = Guard(settings["members"], settings["share"], settings["few"])
    return Catalog(
        row.apex,
        Role(row.role),
        row.customer or "",
        primaries_of(settings["primaries"]),
        {name: primaries_of(group) for name, group in settings["groups"].items()},
        guard,
        row.applied,
        row.trouble,
        row.held,
    )


def _owned(session: Session, *conditions: Any) -> dict[Name, Owned]:
    rows = session.execute(
        select(
            MemberRow.apex, MemberRow.catalog, MemberRow.label, MemberRow.groups, MemberRow.coo
        ).where(*conditions)
    )
    return {
        apex: Owned(catalog, bytes.fromhex(label), tuple(groups.get("names", ())), coo)
        for apex, catalog, label, groups, coo in rows
    }


def _member_row(catalog: Name, member: Member) -> dict[str, Any]:
    return {
        "apex": member.apex,
        "catalog": catalog,
        "label": member.label.hex(),
        "groups": {"names": list(member.groups)} if member.groups else {},
        "coo": member.coo,
    }


def _store_standing(session: Session, apex: Name, **values: Any) -> None:
    session.execute(update(CatalogRow).where(CatalogRow.apex == apex).values(**values))


def _tell(session: Session, apex: Name, what: str, *, now: float, actor: str) -> None:
    """Tell the feed and the log about the settings of a catalog."""
    feed.append(session, ChangeKind.CATALOG, apex, at=now)
    text = f"catalog {display(apex)}: {what}"
    events.record(session, "catalog", EventSeverity.INFO, apex, text, actor=actor, at=now)


def _record(  # noqa: PLR0917  a log line reads in this order
    session: Session, kind: str, severity: EventSeverity, apex: Name, text: str, now: float
) -> None:
    events.record(session, kind, severity, apex, text, actor=ACTOR, at=now)
