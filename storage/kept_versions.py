"""The versions of a zone that are kept: its history, and the content of each."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.errors import StorageError
from storage.models import ServedRow, VersionRow
from storage.versions import Origin, load_id
from storage.zones import get_zone
from zones.name import Name, display
from zones.version import ZoneVersion


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One line of a zone's history; ``hash`` is empty for a version that is stored as a patch."""

    id: int
    serial: int
    created_at: float
    origin: Origin
    actor: str
    reason: str
    records: int
    hash: str
    served: bool


def history(session: Session, apex: Name) -> list[VersionInfo]:
    """Return the versions that are kept, newest first; raises ``UnknownZone``."""
    get_zone(session, apex)
    current = session.scalar(select(ServedRow.version).where(ServedRow.apex == apex))
    rows = session.execute(
        select(
            VersionRow.id,
            VersionRow.serial,
            VersionRow.created_at,
            VersionRow.origin,
            VersionRow.actor,
            VersionRow.reason,
            VersionRow.records,
            VersionRow.hash,
        )
        .where(VersionRow.apex == apex)
        .order_by(VersionRow.id.desc())
    )
    return [
        VersionInfo(
            row.id,
            row.serial,
            row.created_at,
            Origin(row.origin),
            row.actor,
            row.reason,
            row.records,
            row.hash,
            served=row.id == current,
        )
        for row in rows
    ]


def find(session: Session, apex: Name, serial_or_id: int) -> VersionInfo:
    """Return a kept version by its serial (the newest of it), else by its id.

    Raises ``UnknownZone``, or ``StorageError`` that names the serials there are.
    """
    infos = history(session, apex)
    for info in infos:
        if info.serial == serial_or_id:
            return info
    for info in infos:
        if info.id == serial_or_id:
            return info
    kept = ", ".join(str(info.serial) for info in infos) or "none"
    raise StorageError(
        f"zone {display(apex)}: no version {serial_or_id} is kept; kept serials: {kept}"
    )


def load(session: Session, apex: Name, serial_or_id: int) -> ZoneVersion:
    """Return the content of the version that ``find`` finds; raises what it raises."""
    return load_id(session, apex, find(session, apex, serial_or_id).id)


def with_serial(session: Session, apex: Name, serial: int) -> ZoneVersion | None:
    """Return what this serial stood for, ``None`` where that is not kept or not one content."""
    rows = session.execute(
        select(VersionRow.id, VersionRow.hash).where(
            VersionRow.apex == apex, VersionRow.serial == serial
        )
    ).all()
    if len({row.hash or row.id for row in rows}) != 1:
        return None
    return load_id(session, apex, rows[0].id)
