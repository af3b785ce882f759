"""Secondary zones: their primaries, their timers, and the transfer log.

Timers and the log are the server's own notes: saving them is not a change that anybody follows.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage import bulk, events, feed
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.keys import get_key
from storage.models import AttemptRow, PrimaryRow, StateRow, ZoneRow
from storage.primary_documents import tls_of
from storage.zones import chunks, existing, get_zone, unknown
from zones.name import Name, display
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt
from zones.zone import Mode

KEEP_ATTEMPTS: Final = 30  # per zone
SECONDARY_MODES: Final = [mode.value for mode in Mode if mode.is_secondary]


def set_primaries(
    session: Session,
    apex: Name,
    primaries: Sequence[Primary],
    *,
    now: float | None = None,
    actor: str = "",
) -> None:
    """Replace the primaries of a zone; their order is that of the list.

    Raises ``UnknownZone``, and ``StorageError`` for a key that is not there.
    """
    set_primaries_of(session, [apex], primaries, now=now, actor=actor)


def set_primaries_of(
    session: Session,
    apexes: Iterable[Name],
    primaries: Sequence[Primary],
    *,
    now: float | None = None,
    actor: str = "",
) -> None:
    """Replace the primaries of many zones by the same ones; raises as ``set_primaries`` does."""
    now = time.time() if now is None else now
    zones = list(apexes)
    there = existing(session, zones)
    for apex in zones:
        if apex not in there:
            raise unknown(session, apex)
    for key in {primary.key for primary in primaries} - {None}:
        assert key is not None
        get_key(session, key)
    for chunk in chunks(zones):
        session.execute(delete(PrimaryRow).where(PrimaryRow.apex.in_(chunk)))
    rows = [
        {
            "apex": apex,
            "position": position,
            "address": primary.address,
            "port": primary.port,
            "key": primary.key,
            "tls": asdict(primary.tls) if primary.tls else None,
            "source": primary.source,
            "transfers": primary.transfers,
        }
        for apex in zones
        for position, primary in enumerate(primaries)
    ]
    bulk.insert(session, PrimaryRow, rows)
    feed.append_many(session, [(ChangeKind.PRIMARIES, apex, {}) for apex in zones], at=now)
    listed = ", ".join(str(primary) for primary in primaries) or "none"
    told = [
        events.Event(
            0,
            now,
            "primaries",
            EventSeverity.INFO,
            apex,
            f"zone {display(apex)}: primaries are now {listed}",
            actor,
        )
        for apex in zones
    ]
    events.record_many(session, told)


def primaries(session: Session, apex: Name) -> list[Primary]:
    """Return the primaries of a zone in the order they are asked; raises ``UnknownZone``."""
    get_zone(session, apex)
    return all_primaries(session, [apex]).get(apex, [])


def all_primaries(
    session: Session, apexes: Iterable[Name] | None = None
) -> dict[Name, list[Primary]]:
    """Return the primaries of every zone that has some, or of those named."""
    found: dict[Name, list[Primary]] = {}
    query = select(
        PrimaryRow.apex,
        PrimaryRow.address,
        PrimaryRow.port,
        PrimaryRow.key,
        PrimaryRow.position,
        PrimaryRow.tls,
        PrimaryRow.source,
        PrimaryRow.transfers,
    ).order_by(PrimaryRow.apex, PrimaryRow.position)
    for some in narrowed(query, PrimaryRow.apex, apexes):
        for apex, address, port, key, position, tls, *how in session.execute(some):
            primary = Primary(address, port, key, position, tls_of(tls), *how)
            found.setdefault(apex, []).append(primary)
    return found


def narrowed(
    query: Any, column: InstrumentedAttribute[Name], apexes: Iterable[Name] | None
) -> Iterator[Any]:
    """Yield the query for all zones, or queries for those named, as many as they need."""
    if apexes is None:
        yield query
        return
    for chunk in chunks(apexes):
        yield query.where(column.in_(chunk))


STATE_FIELDS: Final = [field.name for field in fields(SecondaryState) if field.name != "apex"]
STATE: Final = [ZoneRow.apex, *(getattr(StateRow, name) for name in STATE_FIELDS)]
ATTEMPT_FIELDS: Final = [field.name for field in fields(TransferAttempt)]


def state_of(row: Sequence[Any]) -> SecondaryState:
    """Return the state of a row of ``STATE``, that of a new zone where there is none yet."""
    apex, *values = row
    found = dict(zip(STATE_FIELDS, values, strict=True))
    if found["next_refresh"] is None:  # the outer join found no row
        return SecondaryState(apex)
    result = found["last_result"]
    return SecondaryState(apex, **found | {"last_result": Result(result) if result else None})


def get_state(session: Session, apex: Name) -> SecondaryState:
    """Return the state of a zone, that of a new one where none was saved; raises ``UnknownZone``."""
    get_zone(session, apex)
    query = select(*STATE).outerjoin(StateRow, StateRow.apex == ZoneRow.apex)
    return state_of(session.execute(query.where(ZoneRow.apex == apex)).one())


def list_states(session: Session, apexes: Iterable[Name] | None = None) -> list[SecondaryState]:
    """Return the states of all secondary zones, or of those named, of those never tried too."""
    query = select(*STATE).outerjoin(StateRow, StateRow.apex == ZoneRow.apex)
    secondary = query.where(ZoneRow.mode.in_(SECONDARY_MODES))
    return [
        state_of(row)
        for some in narrowed(secondary, ZoneRow.apex, apexes)
        for row in session.execute(some)
    ]


def expired(session: Session, now: float) -> set[Name]:
    """Return the secondary zones that may no longer be answered."""
    return set(session.scalars(select(StateRow.apex).where(StateRow.expires_at <= now)))


def save_states(
    session: Session, states: Iterable[SecondaryState], *, there: Collection[Name] | None = None
) -> None:
    """Store states; those of zones that were deleted meanwhile are dropped.

    ``there`` has the zones that exist, where the caller knows them.
    """
    by_apex = {state.apex: state for state in states}
    there = existing(session, by_apex) if there is None else there
    kept = [state for apex, state in by_apex.items() if apex in there]
    bulk.upsert_objects(session, StateRow, ("apex", *STATE_FIELDS), kept)


NEWEST_SURPLUS: Final = (
    select(AttemptRow.id)
    .where(AttemptRow.apex == bindparam("of"))
    .order_by(AttemptRow.id.desc())
    .offset(KEEP_ATTEMPTS)
    .limit(1)
    .scalar_subquery()
)
# Of one zone, by its index: for many together, ranked, it takes three times as long for each.
SURPLUS: Final = delete(AttemptRow).where(
    AttemptRow.apex == bindparam("of"), AttemptRow.id <= NEWEST_SURPLUS
)


def log_attempts(
    session: Session, attempts: Iterable[TransferAttempt], *, there: Collection[Name] | None = None
) -> None:
    """Append to the transfer log; each zone keeps its newest ``KEEP_ATTEMPTS`` lines.

    ``there`` has the zones that exist, where the caller knows them.
    """
    new = list(attempts)
    there = existing(session, {attempt.apex for attempt in new}) if there is None else there
    kept = [attempt for attempt in new if attempt.apex in there]
    if not kept:
        return
    bulk.insert_objects(session, AttemptRow, tuple(ATTEMPT_FIELDS), kept)
    zones = {attempt.apex for attempt in kept}
    session.connection().execute(SURPLUS, [{"of": apex} for apex in zones])


def attempts(session: Session, apex: Name, limit: int = 20) -> list[TransferAttempt]:
    """Return the newest lines of a zone's transfer log, newest first; raises ``UnknownZone``."""
    get_zone(session, apex)
    rows = session.scalars(
        select(AttemptRow)
        .where(AttemptRow.apex == apex)
        .order_by(AttemptRow.id.desc())
        .limit(limit)
    )
    return [
        TransferAttempt(
            **{name: getattr(row, name) for name in ATTEMPT_FIELDS} | {"result": Result(row.result)}
        )
        for row in rows
    ]
