"""Zones and their settings; what they contain is in ``storage.versions``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Row,
    Select,
    String,
    bindparam,
    delete,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from storage import bulk, customers, events, feed
from storage.errors import AlreadyExists, StorageError, UnknownZone
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.models import ServedRow, VersionRow, ZoneRow
from storage.names import text_of
from zones.name import Name, canonical_key, display
from zones.serial import SerialPolicy
from zones.zone import Mode, Zone

SETTINGS = (
    ZoneRow.apex,
    ZoneRow.mode,
    ZoneRow.customer,
    ZoneRow.serial_policy,
    ZoneRow.pinned,
    ZoneRow.suspended,
    ZoneRow.keep_versions,
)
MODES = {mode.value: mode for mode in Mode}
POLICIES = {policy.value: policy for policy in SerialPolicy}


@dataclass(frozen=True, slots=True)
class ZoneSummary:
    """One line of a list of zones; no serial where nothing was published yet."""

    zone: Zone
    serial: int | None
    records: int
    updated_at: float | None  # of the served version


def zone_of(row: Sequence[Any] | Row[Any]) -> Zone:
    """Return the zone of a row that starts with ``SETTINGS``."""
    apex, mode, customer, policy, pinned, suspended, keep = row[:7]
    return Zone(apex, MODES[mode], customer or "", POLICIES[policy], bool(pinned), suspended, keep)


def values_of(zone: Zone) -> dict[str, Any]:
    """Return the columns of a zone's settings, less its apex."""
    if zone.keep_versions < 1:
        raise StorageError(f"zone {display(zone.apex)}: at least one version has to be kept")
    return {
        "mode": zone.mode.value,
        "customer": zone.customer or None,
        "serial_policy": zone.serial_policy.value,
        "pinned": zone.pinned,
        "suspended": zone.suspended,
        "keep_versions": zone.keep_versions,
    }


def add_zone(session: Session, zone: Zone, *, now: float, actor: str) -> None:
    """Add a zone without content; raises ``AlreadyExists``."""
    add_zones(session, [zone], now=now, actor=actor)


def add_zones(session: Session, zones: Iterable[Zone], *, now: float, actor: str) -> None:
    """Add zones without content, all or none; raises ``AlreadyExists`` with every one there is."""
    new = {zone.apex: zone for zone in zones}
    if there := existing(session, new):
        listed = ", ".join(sorted(display(apex) for apex in there))
        raise AlreadyExists(f"zone {listed} exists already")
    for customer in sorted({zone.customer for zone in new.values()}):
        customers.ensure_customer(session, customer, now=now, actor=actor)
    rows = [
        {"apex": zone.apex, "created_at": now, "updated_at": now} | values_of(zone)
        for zone in new.values()
    ]
    bulk.insert(session, ZoneRow, rows)
    feed.append_many(session, [(ChangeKind.ZONE, apex, {"added": True}) for apex in new], at=now)
    events.record_many(
        session,
        [
            events.Event(
                0,
                now,
                "zone-added",
                EventSeverity.INFO,
                zone.apex,
                f"zone {display(zone.apex)} added, {zone.mode.value}",
                actor,
            )
            for zone in new.values()
        ],
    )


# Made once: to make a statement takes longer than to run it.
EXISTING: Final = select(ZoneRow.apex).where(ZoneRow.apex.in_(bindparam("apexes", expanding=True)))


def existing(session: Session, apexes: Iterable[Name]) -> set[Name]:
    """Return those of the names that are zones."""
    found: set[Name] = set()
    connection = session.connection()
    for chunk in chunks(apexes):
        found.update(connection.scalars(EXISTING, {"apexes": chunk}))
    return found


Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = 500) -> Iterable[list[Item]]:
    """Yield names, or what else, in lists short enough for the parameters of one statement."""
    listed = list(items)
    return (listed[start : start + size] for start in range(0, len(listed), size))


def find_zone(session: Session, apex: Name) -> Zone | None:
    """Return the zone of that apex, ``None`` where there is none."""
    row = session.execute(select(*SETTINGS).where(ZoneRow.apex == apex)).one_or_none()
    return row and zone_of(row)


def get_zone(session: Session, apex: Name) -> Zone:
    """Return the zone of that apex; raises ``UnknownZone``, with a guess at what was meant."""
    zone = find_zone(session, apex)
    if zone is None:
        raise unknown(session, apex)
    return zone


def unknown(session: Session, apex: Name) -> UnknownZone:
    """Return the error for a zone that is not there, with names that may have been meant."""
    text = text_of(apex)
    half = len(text) // 2
    column = type_coerce(ZoneRow.apex, String())  # its text, not the name
    # One slip of the finger leaves one half of the name as it was; looking at those only keeps
    # the search short in a store of 100,000 zones.
    query = (
        select(ZoneRow.apex)
        .where(func.length(column).between(len(text) - 3, len(text) + 3))
        .where(
            or_(
                func.substr(column, 1, half) == text[:half],
                func.substr(column, func.length(column) - (len(text) - half) + 1) == text[half:],
            )
        )
        .limit(1000)
    )
    return UnknownZone(apex, session.scalars(query))


def list_zones(
    session: Session, *, mode: Mode | None = None, customer: str | None = None
) -> list[ZoneSummary]:
    """Return all zones, or those of a mode or customer, in canonical order of their names."""
    columns: list[Any] = [VersionRow.serial, VersionRow.records, VersionRow.created_at]
    query: Select[Any] = (
        select(*SETTINGS, *columns)
        .outerjoin(ServedRow, ServedRow.apex == ZoneRow.apex)
        .outerjoin(VersionRow, VersionRow.id == ServedRow.version)
    )
    if mode is not None:
        query = query.where(ZoneRow.mode == mode.value)
    if customer is not None:
        query = query.where(ZoneRow.customer == customer)
    found = [
        ZoneSummary(zone_of(row), row[7], row[8] or 0, row[9]) for row in session.execute(query)
    ]
    return sorted(found, key=lambda summary: canonical_key(summary.zone.apex))


def iter_zones(session: Session, modes: Iterable[Mode]) -> Iterator[Zone]:
    """Yield the zones of some modes, in no order."""
    wanted = select(*SETTINGS).where(ZoneRow.mode.in_([mode.value for mode in modes]))
    for row in session.connection().execute(wanted):
        yield zone_of(row)


def update_zone(session: Session, zone: Zone, *, now: float, actor: str, reason: str) -> None:
    """Store changed settings of a zone; raises ``UnknownZone``. Without a change does nothing."""
    old = get_zone(session, zone.apex)
    if old == zone:
        return
    customers.ensure_customer(session, zone.customer, now=now, actor=actor)
    session.execute(
        update(ZoneRow).where(ZoneRow.apex == zone.apex).values(**values_of(zone), updated_at=now)
    )
    before, after = values_of(old), values_of(zone)
    changed = {name: after[name] for name in after if after[name] != before[name]}
    told = ", ".join(f"{name} is now {value!r}" for name, value in changed.items())
    text = f"zone {display(zone.apex)}: {told}" + (f" ({reason})" if reason else "")
    feed.append(session, ChangeKind.ZONE, zone.apex, {"changed": sorted(changed)}, at=now)
    events.record(
        session,
        "zone-changed",
        EventSeverity.INFO,
        zone.apex,
        text,
        changed | {"reason": reason},
        actor=actor,
        at=now,
    )


def delete_zone(session: Session, apex: Name, *, now: float, actor: str) -> None:
    """Delete a zone and all that belongs to it; its events stay. Raises ``UnknownZone``."""
    get_zone(session, apex)
    session.execute(delete(ZoneRow).where(ZoneRow.apex == apex))  # the rest goes by cascade
    feed.append(session, ChangeKind.GONE, apex, at=now)
    text = f"zone {display(apex)} deleted"
    events.record(session, "zone-deleted", EventSeverity.INFO, apex, text, actor=actor, at=now)
