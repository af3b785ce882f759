"""The event log: what happened, in words, for people; it outlives the zones it is about."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from storage import bulk
from storage.models import EventRow, ZoneRow
from zones.name import Name


class EventSeverity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log; ``kind`` is a short word such as ``zone-added``."""

    id: int
    at: float
    kind: str
    severity: EventSeverity
    apex: Name | None
    text: str
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def record(  # noqa: PLR0917  a log line reads in this order
    session: Session,
    kind: str,
    severity: EventSeverity | str,
    apex: Name | None,
    text: str,
    data: Mapping[str, Any] | None = None,
    *,
    actor: str = "",
    at: float | None = None,
) -> None:
    """Append one event."""
    at = time.time() if at is None else at
    record_many(
        session, [Event(0, at, kind, EventSeverity(severity), apex, text, actor, dict(data or {}))]
    )


def record_many(session: Session, events: Sequence[Event]) -> None:
    """Append events; their ``id`` is ignored."""
    if events:
        rows = [
            {
                "at": event.at,
                "kind": event.kind,
                "severity": event.severity.value,
                "apex": event.apex,
                "actor": event.actor,
                "text": event.text,
                "data": event.data,
            }
            for event in events
        ]
        bulk.insert(session, EventRow, rows)


SEVERITIES: Final = tuple(EventSeverity)  # from what matters least


def list_events(
    session: Session,
    *,
    apex: Name | None = None,
    after_id: int = 0,
    limit: int = 100,
    kinds: Collection[str] = (),
    customer: str = "",
    severity: EventSeverity = EventSeverity.INFO,
) -> list[Event]:
    """Return events oldest first: the newest ``limit``, or the first ``limit`` after ``after_id``.

    With ``apex``, of that zone only, whether it still exists or not; with ``kinds`` of these only;
    with ``customer`` of his zones that exist, and what else is about him; from ``severity`` on.
    """
    query = select(EventRow).limit(limit)
    if apex is not None:
        query = query.where(EventRow.apex == apex)
    if kinds:
        query = query.where(EventRow.kind.in_(kinds))
    if customer:
        his = select(ZoneRow.apex).where(ZoneRow.customer == customer)
        about = EventRow.data["customer"].as_string() == customer
        query = query.where(EventRow.apex.in_(his) | about)
    if severity is not EventSeverity.INFO:
        wanted = SEVERITIES[SEVERITIES.index(severity) :]
        query = query.where(EventRow.severity.in_([one.value for one in wanted]))
    if after_id:  # a follower: nothing may be skipped
        rows = list(session.scalars(query.where(EventRow.id > after_id).order_by(EventRow.id)))
    else:
        rows = list(session.scalars(query.order_by(EventRow.id.desc())))[::-1]
    return [event_of(row) for row in rows]


def event_of(row: EventRow) -> Event:
    """Return the event of a row."""
    severity = EventSeverity(row.severity)
    return Event(row.id, row.at, row.kind, severity, row.apex, row.text, row.actor, row.data)


def prune(session: Session, before: float) -> None:
    """Delete the events older than ``before`` (contract N 2.6.8: logs go after 30 days).

    The newest one stays: after it numbers go on, and readers of the log miss nothing.
    """
    newest = select(func.max(EventRow.id)).scalar_subquery()
    session.execute(delete(EventRow).where(EventRow.at < before, EventRow.id < newest))
