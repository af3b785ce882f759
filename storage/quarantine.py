"""Versions that are kept and not served: one for a zone, a newer one takes its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage import bulk, content, events, feed, secondaries, versions
from storage.errors import StorageError
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.quarantine_models import QuarantineRow
from storage.rollback import note_served
from storage.versions import Origin
from storage.zones import chunks, get_zone
from zones.name import Name, display
from zones.quarantine import (
    MOST_REFUSED,
    HeldNote,
    Quarantined,
    Standing,
    TransferSettings,
    finding_document,
    finding_of_document,
)
from zones.secondary import Result
from zones.version import ZoneVersion

FACTS: Final = (
    QuarantineRow.apex,
    QuarantineRow.standing,
    QuarantineRow.serial,
    QuarantineRow.at,
    QuarantineRow.primary,
    QuarantineRow.findings,
    QuarantineRow.records,
    QuarantineRow.served,
    QuarantineRow.pinned,
    QuarantineRow.settings,
    QuarantineRow.by,
    QuarantineRow.reason,
)


def keep(session: Session, kept: Iterable[Quarantined], *, there: Collection[Name]) -> None:
    """Store such versions, each in place of one that was kept before; ``there`` are the zones."""
    bulk.upsert(session, QuarantineRow, [_values(one) for one in kept if one.apex in there])


def drop(session: Session, apexes: Iterable[Name]) -> None:
    """Forget what is kept of these zones, if anything is."""
    for chunk in chunks(apexes):
        session.execute(delete(QuarantineRow).where(QuarantineRow.apex.in_(chunk)))


def find(session: Session, apex: Name, *, with_content: bool = False) -> Quarantined | None:
    """Return what is kept of a zone, ``None`` where nothing is."""
    row = session.execute(select(*FACTS).where(QuarantineRow.apex == apex)).one_or_none()
    if row is None:
        return None
    found = _of_row(row)
    return replace(found, content=_content(session, apex)) if with_content else found


def notes(session: Session) -> dict[Name, HeldNote]:
    """Return what refreshes have to know of all zones of which a version is held or discarded."""
    rows = session.execute(select(*FACTS).where(QuarantineRow.standing != Standing.REFUSED.value))
    found = (_of_row(row) for row in rows)
    return {one.apex: note for one in found if (note := one.note) is not None}


def apexes(session: Session) -> set[Name]:
    """Return the zones of which a version is kept."""
    return set(session.scalars(select(QuarantineRow.apex)))


def held(session: Session) -> list[Quarantined]:
    """Return all versions that wait for approval, those that wait longest first."""
    query = select(*FACTS).where(QuarantineRow.standing == Standing.HELD.value)
    return [_of_row(row) for row in session.execute(query.order_by(QuarantineRow.at))]


def approve(
    session: Session, apex: Name, serial: int | None, *, actor: str, reason: str, now: float
) -> ZoneVersion:
    """Serve the version that is held and return it.

    Raises ``StorageError`` where none is held, another serial than ``serial`` is, the primary has
    moved on from it, or the zone is pinned.
    """
    zone = get_zone(session, apex)
    found = _held(session, apex, serial)
    state = secondaries.get_state(session, apex)
    name = display(apex)
    if zone.pinned:
        raise StorageError(
            f"zone {name}: the version in service is pinned; release it (nsctl zone unpin {name})"
            f" and serial {found.serial} is fetched and judged anew"
        )
    if state.primary_serial not in (None, found.serial):
        raise StorageError(
            f"zone {name}: serial {found.serial} is held, but the primary has moved on to"
            f" {state.primary_serial}; see nsctl secondary explain {name}"
        )
    version = found.content
    assert version is not None  # only discarded ones have none
    why = f"held version approved{f': {reason}' if reason else ''}"
    versions.publish(session, version, origin=Origin.TRANSFER, actor=actor, reason=why, now=now)
    _note_approved(session, version, now)
    drop(session, [apex])
    events.record(
        session,
        "zone-approved",
        EventSeverity.INFO,
        apex,
        f"zone {name}: serial {version.serial}, which was held, is approved and served"
        + (f": {reason}" if reason else ""),
        {"serial": version.serial, "reason": reason},
        actor=actor,
        at=now,
    )
    return version


def _note_approved(session: Session, version: ZoneVersion, now: float) -> None:
    """Let the state of the zone be that after an accepted transfer."""
    note_served(session, version)
    state = secondaries.get_state(session, version.apex)
    contact = state.last_success or now
    state = replace(
        state,
        expires_at=max(state.expires_at or 0.0, contact + state.expire),
        last_result=Result.ACCEPTED,
        last_rule="",
        last_reason="",
        last_record="",
        last_fix="",
        failures=0,
    )
    secondaries.save_states(session, [state])


def discard(
    session: Session, apex: Name, serial: int | None, *, actor: str, reason: str, now: float
) -> Quarantined:
    """Drop the content of the version that is held, and remember that it is not wanted.

    Raises ``StorageError`` where none is held, or another serial than ``serial`` is.
    """
    found = _held(session, apex, serial)
    session.execute(
        update(QuarantineRow)
        .where(QuarantineRow.apex == apex)
        .values(standing=Standing.DISCARDED.value, content=None, by=actor, reason=reason)
    )
    feed.append(session, ChangeKind.ZONE, apex, {"changed": ["quarantine"]}, at=now)
    events.record(
        session,
        "zone-discarded",
        EventSeverity.INFO,
        apex,
        f"zone {display(apex)}: serial {found.serial}, which was held, is discarded"
        + (f": {reason}" if reason else ""),
        {"serial": found.serial, "reason": reason},
        actor=actor,
        at=now,
    )
    return found


def _held(session: Session, apex: Name, serial: int | None) -> Quarantined:
    get_zone(session, apex)
    found = find(session, apex, with_content=True)
    name = display(apex)
    if found is None or found.standing is not Standing.HELD:
        became = {
            None: "nothing is held of it",
            Standing.REFUSED: "what was transferred is refused, not held; it has to be mended",
            Standing.DISCARDED: "what was held is discarded already",
        }[found.standing if found else None]
        raise StorageError(f"zone {name}: {became}; see nsctl secondary explain {name}")
    if serial not in (None, found.serial):
        raise StorageError(
            f"zone {name}: not serial {serial} but {found.serial} is held;"
            f" see nsctl secondary explain {name}"
        )
    return found


def _values(one: Quarantined) -> dict[str, Any]:
    blob = one.content.blob if one.content else None
    if blob is not None and one.standing is Standing.REFUSED and len(blob) > MOST_REFUSED:
        blob = None
    codec, stored = (0, None) if blob is None else content.encode(blob)
    return {
        "apex": one.apex,
        "standing": one.standing.value,
        "serial": one.serial,
        "at": one.at,
        "primary": one.primary,
        "findings": [finding_document(finding) for finding in one.findings],
        "records": one.records,
        "served": one.served,
        "pinned": one.pinned,
        "settings": one.settings.document(),
        "by": one.by,
        "reason": one.reason,
        "codec": codec,
        "content": stored,
    }


def _of_row(row: Sequence[Any]) -> Quarantined:
    names = [column.key for column in FACTS]
    found = dict(zip(names, row, strict=True))
    found["standing"] = Standing(found["standing"])
    found["findings"] = tuple(map(finding_of_document, found["findings"]))
    found["settings"] = TransferSettings.of_document(found["settings"])
    return Quarantined(**found)


def _content(session: Session, apex: Name) -> ZoneVersion | None:
    row = session.execute(
        select(QuarantineRow.codec, QuarantineRow.content).where(QuarantineRow.apex == apex)
    ).one()
    return None if row.content is None else ZoneVersion(content.decode(row.codec, row.content))
