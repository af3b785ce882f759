"""Which ends of zones were announced: so that a restart, or another node, tells nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage import bulk, events
from storage.alert_models import DeadlineRow
from storage.events import Event
from storage.zones import chunks, existing
from zones.name import Name


@dataclass(frozen=True, slots=True)
class Announcement:
    """That a zone's deadline was told, so many seconds before it; with the event that tells it.

    ``over``: the danger is over.
    """

    apex: Name
    cause: str
    deadline: float
    distance: float
    event: Event
    over: bool = False


def announced(session: Session) -> list[tuple[Name, str, float]]:
    """Return what was told and is not over: zone, cause and the nearest distance."""
    rows = session.execute(select(DeadlineRow.apex, DeadlineRow.cause, DeadlineRow.distance))
    return [(apex, cause, distance) for apex, cause, distance in rows]


def announce(session: Session, announcements: Iterable[Announcement], now: float) -> int:
    """Record the events that no other node has recorded, and return how many these are."""
    wanted = list(announcements)
    apexes = {one.apex for one in wanted}
    there = existing(session, apexes)
    told = told_of(session, apexes)
    new = [one for one in wanted if one.apex in there and is_new(one, told)]
    rows = [
        {
            "apex": one.apex,
            "cause": one.cause,
            "deadline": one.deadline,
            "distance": one.distance,
            "told_at": now,
        }
        for one in new
        if not one.over
    ]
    bulk.upsert(session, DeadlineRow, rows)
    forget(session, [one for one in new if one.over])
    events.record_many(session, [one.event for one in new])
    return len(new)


def told_of(session: Session, apexes: Iterable[Name]) -> dict[tuple[Name, str], float]:
    """Return the nearest distances told of these zones."""
    found: dict[tuple[Name, str], float] = {}
    for chunk in chunks(apexes):
        rows = session.execute(
            select(DeadlineRow.apex, DeadlineRow.cause, DeadlineRow.distance).where(
                DeadlineRow.apex.in_(chunk)
            )
        )
        found |= {(apex, cause): distance for apex, cause, distance in rows}
    return found


def is_new(one: Announcement, told: dict[tuple[Name, str], float]) -> bool:
    """Tell whether this was not told yet."""
    before = told.get((one.apex, one.cause))
    if one.over:
        return before is not None
    return before is None or one.distance < before


def forget(session: Session, over: Sequence[Announcement]) -> None:
    """Forget what was told of dangers that are over."""
    by_cause: dict[str, list[Name]] = {}
    for one in over:
        by_cause.setdefault(one.cause, []).append(one.apex)
    for cause, apexes in by_cause.items():
        for chunk in chunks(apexes):
            session.execute(
                delete(DeadlineRow).where(DeadlineRow.cause == cause, DeadlineRow.apex.in_(chunk))
            )
