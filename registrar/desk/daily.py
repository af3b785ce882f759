"""The daily run: what time brings to registrations is written down, with its effects.

Each registration keeps the moment at which anything is due next, so that only those are looked at
for which something is. The run goes batch by batch, each a transaction of its own: broken off, it
goes on where it was, and run twice it does nothing the second time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from registrar.deadlines import Due
from registrar.desk import recording
from registrar.desk.desk import Desk, seconds
from registrar.desk.registrations import courses
from registrar.progress import go_on
from storage import deadlines, events
from storage import registrations as stored
from storage.database import Database
from storage.deadlines import DueItem
from storage.events import Event, EventSeverity
from storage.session import Session
from zones.name import from_text

BATCH: Final = 500  # registrations in a transaction
TOLD_EACH: Final = 10_000  # registrations in a run of which progress is told
ACTOR: Final = "daily run"
ALARMING: Final = frozenset(
    (
        Due.FORWARD_ORDER, Due.FORWARD_CONTACT_CHANGE, Due.PROOF, Due.DOCUMENTS, Due.RENEW,
        Due.GIVE_BACK, Due.AUTH_CODE, Due.TRANSFER_ANSWER, Due.NAME_SERVERS, Due.RESTORE_REPORT,
    )
)  # fmt: skip


@dataclass(slots=True)
class Daily:
    """How many registrations were looked at, and what came of it."""

    touched: int = 0
    steps: int = 0
    jobs: int = 0
    notices: int = 0
    alarms: int = 0


def daily_run(database: Database, desk: Desk, now: datetime, *, actor: str = ACTOR) -> Daily:
    """Bring every registration for which something is due to a moment."""
    daily = Daily()
    for found in daily_slices(database, desk, now, actor=actor):
        daily = found
    return daily


def daily_slices(
    database: Database, desk: Desk, now: datetime, *, actor: str = ACTOR
) -> Generator[Daily, None, None]:
    """Do the daily run slice by slice; each is committed when what was done so far is yielded.

    Whoever does not go on leaves the rest as it was, to be found due by the next run. A long run
    tells of its progress in the log of events.
    """
    daily, after, told = Daily(), 0, 0
    while True:
        with database.read() as session:
            numbers = stored.due_ids(session, seconds(now), after=after, limit=BATCH)
        if not numbers:
            break
        with database.write() as session:
            live_on(session, desk, numbers, now, daily, actor=actor)
            if daily.touched - told >= TOLD_EACH:
                told = daily.touched
                left = stored.count_due(session, seconds(now))
                _tell(session, f"{told} registrations looked at, {left} left", now, actor)
        after = numbers[-1]
        yield daily
    if told:
        with database.write() as session:
            _tell(session, f"done: {daily.touched} registrations looked at", now, actor)
    while True:
        with database.write() as session:
            alarmed = alarm(session, now, limit=BATCH)
        daily.alarms += alarmed
        if alarmed < BATCH:
            break
        yield daily
    yield daily


def _tell(session: Session, text: str, now: datetime, actor: str) -> None:
    what = f"daily run: {text}"
    events.record(
        session, "daily-run", EventSeverity.INFO, None, what, actor=actor, at=seconds(now)
    )


def live_on(
    session: Session,
    desk: Desk,
    numbers: Sequence[int],
    now: datetime,
    daily: Daily,
    *,
    actor: str = ACTOR,
) -> None:
    """Write down what time has brought to some registrations."""
    found = []
    for entry, course in courses(session, desk, numbers, now):
        if entry.next_due is None or entry.next_due > now:
            continue  # somebody else was here in between
        if entry.lived_until is not None:
            course.to(entry.lived_until)
        found.append((entry, go_on(course, entry.lived_until, now)))
    effects = recording.write_many(session, desk, found, now=now, actor=actor)
    daily.touched += len(found)
    daily.steps += sum(len(each.steps) for _entry, each in found)
    daily.jobs += sum(effect.startswith("at the registry") for effect in effects)
    daily.notices += sum(effect.startswith("notice") for effect in effects)


def alarm(session: Session, now: datetime, *, limit: int | None = None) -> int:
    """Tell of deadlines that have come near, the earliest first, once; return of how many."""
    near = deadlines.listed(
        session, alarming=seconds(now), kinds=ALARMING, unalarmed=True, limit=limit
    )
    events.record_many(session, [_event(item, now) for item in near])
    deadlines.mark_alarmed(session, [item.id for item in near])
    return len(near)


def _event(item: DueItem, now: datetime) -> Event:
    deadline = item.deadline
    severity = EventSeverity.ERROR if deadline.due <= seconds(now) else EventSeverity.WARNING
    return Event(
        0,
        seconds(now),
        "deadline",
        severity,
        from_text(item.name),
        f"{item.name}: {deadline.sentence}",
        ACTOR,
        {"kind": deadline.kind, "due": deadline.due, "customer": item.customer},
    )
