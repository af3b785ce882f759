"""What comparing zones with their primaries found, and which zone is to be compared next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from storage import bulk, events
from storage.alert_models import DriftRow
from storage.events import EventSeverity
from storage.models import ServedRow, StateRow, VersionRow, ZoneRow
from storage.secondaries import SECONDARY_MODES
from storage.zones import existing
from zones.name import Name, display

DRIFT: Final = "drift"
KEPT_CHANGES: Final = 50  # lines of the difference
TOLD_CHANGES: Final = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """What the last comparison of a zone found; ``finding`` is ``drift`` or empty.

    ``changes`` are lines as ``+ record`` and ``- record``, the first of ``change_count``.
    ``serials`` are those of the primaries, which differ since ``apart_since``.
    """

    apex: Name
    compared_at: float
    finding: str = ""
    found_at: float | None = None
    serial: int | None = None
    primary: str = ""
    hash: str = ""
    text: str = ""
    changes: tuple[str, ...] = ()
    change_count: int = 0
    apart_since: float | None = None
    apart_told: bool = False
    serials: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often zones are compared; times in seconds."""

    every: float
    apart: float
    max_records: int


def claim(session: Session, apex: Name, now: float, schedule: Schedule) -> bool:
    """Note that a zone is being compared; ``False`` where another node has done it meanwhile."""
    if next_zone(session, now, schedule, only=apex) is None:
        return False
    save(session, replace(get(session, apex) or Drift(apex, now), compared_at=now))
    return True


def next_zone(
    session: Session, now: float, schedule: Schedule, *, only: Name | None = None
) -> Name | None:
    """Return the zone to compare next: of all, or ``only`` this one if it is due.

    First those whose primaries were apart, then those that were compared longest ago. Zones that
    fail, are large, suspended or not served are left out.
    """
    since = func.coalesce(DriftRow.compared_at, 0.0)
    apart = DriftRow.apart_since.is_not(None) & (since < now - schedule.apart)
    query = (
        select(ZoneRow.apex)
        .join(StateRow, StateRow.apex == ZoneRow.apex)
        .join(ServedRow, ServedRow.apex == ZoneRow.apex)
        .join(VersionRow, VersionRow.id == ServedRow.version)
        .outerjoin(DriftRow, DriftRow.apex == ZoneRow.apex)
        .where(
            ZoneRow.mode.in_(SECONDARY_MODES),
            ZoneRow.suspended == "",
            StateRow.failures == 0,
            VersionRow.records <= schedule.max_records,
            or_(since < now - schedule.every, apart),
        )
        .order_by(apart.desc(), since, ZoneRow.apex)
        .limit(1)
    )
    if only is not None:
        query = query.where(ZoneRow.apex == only)
    return session.scalar(query)


def get(session: Session, apex: Name) -> Drift | None:
    """Return what the last comparison of a zone found, ``None`` before the first."""
    row = session.get(DriftRow, apex, populate_existing=True)
    return drift_of(row) if row is not None else None


def list_drifts(session: Session) -> list[Drift]:
    """Return what was found and still holds, the oldest first."""
    rows = session.scalars(
        select(DriftRow)
        .where(or_(DriftRow.finding != "", DriftRow.apart_since.is_not(None)))
        .order_by(DriftRow.found_at, DriftRow.apex)
    )
    return [drift_of(row) for row in rows]


def save(session: Session, drift: Drift) -> None:
    """Store a finding as it is."""
    row = {
        "apex": drift.apex,
        "compared_at": drift.compared_at,
        "finding": drift.finding,
        "found_at": drift.found_at,
        "serial": drift.serial,
        "primary": drift.primary,
        "hash": drift.hash,
        "text": drift.text,
        "changes": list(drift.changes),
        "change_count": drift.change_count,
        "apart_since": drift.apart_since,
        "apart_told": drift.apart_told,
        "serials": dict(drift.serials or {}),
    }
    bulk.upsert(session, DriftRow, [row])
    session.expire_all()  # the rows of this session know nothing of a bulk statement


def note(
    session: Session,
    new: Drift,
    *,
    compared: bool,
    served_serial: int,
    apart: float,
    actor: str = "nsctl",
) -> Drift:
    """Take the result of a comparison, tell what is new of it, and return what holds now.

    Where the content was not ``compared``, an earlier finding stays while its serial is the one in
    service. Primaries that differ are told after ``apart`` seconds.
    """
    if new.apex not in existing(session, [new.apex]):
        return new
    before = get(session, new.apex) or Drift(new.apex, new.compared_at)
    if not compared and before.finding and before.serial == served_serial:
        new = replace(
            before, compared_at=new.compared_at, serials=new.serials, apart_since=new.apart_since
        )
    if new.finding and before.finding and new.hash == before.hash:
        new = replace(new, found_at=before.found_at)
    if new.apart_since is not None and before.apart_since is not None:
        new = replace(new, apart_since=before.apart_since, apart_told=before.apart_told)
    tell_drift(session, before, new, actor)
    new = tell_apart(session, before, new, apart=apart, actor=actor)
    save(session, new)
    return new


def tell_drift(session: Session, before: Drift, new: Drift, actor: str) -> None:
    """Record that content differs, or no longer does."""
    if new.finding and (not before.finding or new.hash != before.hash):
        data = {
            "primary": new.primary,
            "serial": new.serial,
            "changes": list(new.changes[:TOLD_CHANGES]),
            "change_count": new.change_count,
        }
        events.record(
            session, DRIFT, EventSeverity.WARNING, new.apex, new.text, data,
            actor=actor, at=new.compared_at,
        )  # fmt: skip
    elif before.finding and not new.finding:
        text = f"zone {display(new.apex)}: what is served is what the primary has again"
        data = {"after": EventSeverity.WARNING.value, "ends": DRIFT, "primary": before.primary}
        events.record(
            session, f"{DRIFT}-over", EventSeverity.INFO, new.apex, text, data,
            actor=actor, at=new.compared_at,
        )  # fmt: skip


def tell_apart(session: Session, before: Drift, new: Drift, *, apart: float, actor: str) -> Drift:
    """Record that primaries have different serials for long, or no longer have."""
    name = display(new.apex)
    if new.apart_since is None:
        if before.apart_told:
            text = f"zone {name}: its primaries have the same serial again"
            data = {"after": EventSeverity.WARNING.value, "ends": "primaries-apart"}
            events.record(
                session, "primaries-apart-over", EventSeverity.INFO, new.apex, text, data,
                actor=actor, at=new.compared_at,
            )  # fmt: skip
        return replace(new, apart_told=False)
    if new.apart_told or new.compared_at < new.apart_since + apart:
        return new
    told = ", ".join(f"{primary} has {serial}" for primary, serial in serials(new))
    text = (
        f"zone {name}: its primaries have different serials for long: {told}; see to it that all "
        "of them get the changes"
    )
    events.record(
        session, "primaries-apart", EventSeverity.WARNING, new.apex, text,
        {"serials": dict(new.serials or {})}, actor=actor, at=new.compared_at,
    )  # fmt: skip
    return replace(new, apart_told=True)


def serials(drift: Drift) -> Sequence[tuple[str, Any]]:
    """Return the serials by primary."""
    return list((drift.serials or {}).items())


def drift_of(row: DriftRow) -> Drift:
    """Return the finding of a row."""
    return Drift(
        row.apex,
        row.compared_at,
        row.finding,
        row.found_at,
        row.serial,
        row.primary,
        row.hash,
        row.text,
        tuple(row.changes),
        row.change_count,
        row.apart_since,
        row.apart_told,
        row.serials,
    )
