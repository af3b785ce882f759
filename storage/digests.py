"""From the event log to who is to be told: events of one cause are collected and told together.

One dead primary with 50,000 zones makes 50,000 events, and one message to each recipient: what has
the same cause waits for ``window`` seconds after the first one. After that more of the same waits
for a pause that doubles each time, until it has been quiet for a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from storage import bulk, deliveries, recipients
from storage.alert_models import DigestRow, PositionRow
from storage.deliveries import Channel
from storage.events import Event, EventSeverity, event_of
from storage.models import EventRow, ZoneRow
from storage.recipients import Recipient
from storage.zones import chunks
from zones.name import Name, display

READER: Final = "alerts"
BATCH: Final = 2000  # events of one transaction
LINES: Final = 100  # events that are kept of a digest; the others are counted
LONGEST_PAUSE: Final = 6 * 3600.0
SEVERITIES: Final = (EventSeverity.INFO, EventSeverity.WARNING, EventSeverity.ERROR)
LAG: Final = 1000  # events that matter to nobody are passed over in such steps

Key = tuple[str, str, str, str]  # channel, recipient, customer, cause
Place = tuple[Channel, str, str]  # channel, recipient, customer


@dataclass(frozen=True, slots=True)
class Pace:
    """How long events are collected, and how long more of the same waits, in seconds."""

    window: float = 60.0
    pause: float = 900.0


@dataclass(frozen=True, slots=True)
class Digest:
    """Events of one cause for one recipient; ``lines`` are the first of ``count`` events."""

    cause: str
    kind: str
    count: int
    severity: EventSeverity
    opened: float
    first_event: int
    lines: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class _Routed:
    """What the events of a batch come to."""

    events: dict[Key, list[Event]] = field(default_factory=dict)

    def add(self, recipient: Recipient, event: Event) -> None:
        key = (recipient.channel.value, recipient.address, recipient.customer, cause_of(event))
        self.events.setdefault(key, []).append(event)


def cause_of(event: Event) -> str:
    """Return what events are collected by: their kind, the rule, and the primary at fault."""
    parts = [event.kind, *(str(event.data.get(name) or "") for name in ("rule", "primary"))]
    return " ".join(parts).strip()


def weight(severity: EventSeverity | str) -> int:
    """Return a number that is larger for what matters more."""
    return SEVERITIES.index(EventSeverity(severity))


def wants(recipient: Recipient, event: Event) -> bool:
    """Tell whether an event is to be told there.

    The end of a trouble (``after`` in its data has the trouble's severity) goes to whoever was told
    of the trouble. That a message did not arrive is not told where it did not.
    """
    severity = event.data.get("after") or event.severity
    if weight(severity) < weight(recipient.severity):
        return False
    if recipient.kinds and event.kind not in recipient.kinds:
        return event.data.get("ends") in recipient.kinds
    return event.data.get("recipient") != recipient.address


def position(session: Session) -> int | None:
    """Return the number of the last event that was routed, ``None`` before the first time."""
    return session.scalar(select(PositionRow.event).where(PositionRow.reader == READER))


def newest(session: Session) -> int:
    """Return the number of the newest event."""
    return session.scalar(select(func.max(EventRow.id))) or 0


def has_work(session: Session, operator: Iterable[Recipient], now: float) -> bool:
    """Tell whether there is anything to route or to tell; needs no writer's lock."""
    at = position(session)
    if at is None or newest(session) - at >= LAG:
        return True
    due = select(DigestRow.due_at).where(DigestRow.due_at <= now).limit(1)
    if session.scalar(due) is not None:
        return True
    query = relevant(at, [*operator, *recipients.list_recipients(session)])
    return session.scalar(query.with_only_columns(EventRow.id).limit(1)) is not None


def relevant(after: int, everybody: Sequence[Recipient]) -> Any:
    """Return the query for the events that may matter to somebody."""
    query = select(EventRow).where(EventRow.id > after).order_by(EventRow.id)
    if any(one.severity is EventSeverity.INFO for one in everybody):
        return query
    matters = EventRow.severity != EventSeverity.INFO.value
    ends = EventRow.kind.endswith("-over") | (EventRow.kind == "zone-recovered")
    return query.where(or_(matters, ends))


def collect(session: Session, operator: Iterable[Recipient], now: float, pace: Pace) -> int:
    """Route the next events into digests and return how many mattered.

    ``operator`` is told of every customer's zones and of what belongs to none.
    """
    at, last = position(session), newest(session)
    if at is None or at > last:  # the first time: what is past is not told
        set_position(session, last)
        return 0
    ours = list(operator)
    everybody = recipients.list_recipients(session)
    found = []
    if ours or everybody:
        query = relevant(at, [*ours, *everybody]).limit(BATCH)
        found = [event_of(row) for row in session.scalars(query)]
    routed = _Routed()
    for event, customer in with_customers(session, found):
        for one in ours:
            if wants(one, event):
                routed.add(one, event)
        for one in everybody:
            if one.customer == customer and customer and wants(one, event):
                routed.add(one, event)
    extend(session, routed.events, now, pace)
    set_position(session, found[-1].id if len(found) == BATCH else last)
    return len(found)


def set_position(session: Session, event: int) -> None:
    """Note up to where events are routed."""
    bulk.upsert(session, PositionRow, [{"reader": READER, "event": event}])


def with_customers(session: Session, found: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Yield events with whose they are: as they say, else whose their zone is; "": nobody's."""
    owners: dict[Name, str] = {}
    for chunk in chunks({event.apex for event in found if event.apex is not None}):
        rows = session.execute(
            select(ZoneRow.apex, ZoneRow.customer).where(ZoneRow.apex.in_(chunk))
        )
        owners |= {apex: customer or "" for apex, customer in rows}
    for event in found:
        said = event.data.get("customer")
        yield event, str(said) if said else owners.get(event.apex or b"", "")


def extend(session: Session, routed: Mapping[Key, Sequence[Event]], now: float, pace: Pace) -> None:
    """Add events to their digests; those that are not open are opened."""
    keys = (DigestRow.channel, DigestRow.recipient, DigestRow.customer, DigestRow.cause)
    there: dict[Key, DigestRow] = {}
    for chunk in chunks(routed):
        for one in session.scalars(select(DigestRow).where(tuple_(*keys).in_(chunk))):
            there[one.channel, one.recipient, one.customer, one.cause] = one
    for key, added in routed.items():
        row = there.get(key)
        if row is None:
            channel, recipient, customer, cause = key
            row = DigestRow(
                channel=channel, recipient=recipient, customer=customer, cause=cause,
                opened_at=None, due_at=None, quiet_until=0.0, rounds=0, first_event=0, count=0,
                severity=EventSeverity.INFO.value, lines=[],
            )  # fmt: skip
            session.add(row)
        if row.opened_at is None:
            open_digest(row, added[0], now, pace)
        row.count += len(added)
        row.severity = max(row.severity, *(one.severity.value for one in added), key=weight)
        room = LINES - len(row.lines)
        row.lines = [*row.lines, *map(line_of, added[: max(room, 0)])]
    session.flush()


def open_digest(row: DigestRow, first: Event, now: float, pace: Pace) -> None:
    """Begin to collect anew."""
    if now > row.quiet_until + pace.pause:
        row.rounds = 0
    row.opened_at = now
    row.due_at = max(now + pace.window, row.quiet_until)
    row.first_event = first.id
    row.count, row.severity, row.lines = 0, EventSeverity.INFO.value, []


def line_of(event: Event) -> dict[str, Any]:
    """Return what a digest keeps of an event."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "severity": event.severity.value,
        "zone": display(event.apex) if event.apex else "",
        "text": event.text,
        "data": event.data,
    }


Compose = Callable[[Channel, str, Sequence[Digest], float], tuple[str, str]]


def tell_due(
    session: Session, operator: Iterable[Recipient], now: float, pace: Pace, compose: Compose
) -> int:
    """Enqueue a message for everybody whose digests are due, and return how many that were.

    What is due for one recipient goes into one message: ``compose(channel, customer, digests,
    now)`` returns its subject and body. Who is no recipient any more is not told.
    """
    due = session.scalars(
        select(DigestRow).where(DigestRow.due_at <= now).order_by(DigestRow.first_event)
    ).all()
    everybody = [*operator, *recipients.list_recipients(session)]
    valid = {(one.channel, one.address, one.customer) for one in everybody}
    places: dict[Place, list[DigestRow]] = {}
    for row in due:
        place = (Channel(row.channel), row.recipient, row.customer)
        places.setdefault(place, []).append(row)
    told = 0
    for (channel, address, customer), rows in places.items():
        if (channel, address, customer) in valid:
            subject, body = compose(channel, customer, [digest_of(row) for row in rows], now)
            told += deliveries.enqueue(
                session,
                channel=channel,
                recipient=address,
                subject=subject,
                body=body,
                customer=customer or None,
                key=key_of(channel, address, customer, rows),
                now=now,
            )
        for row in rows:
            close(row, now, pace)
    session.flush()
    return told


def key_of(channel: Channel, address: str, customer: str, rows: Sequence[DigestRow]) -> str:
    """Return the key of a message about these digests."""
    about = " ".join(f"{row.cause}@{row.opened_at!r}" for row in rows)
    digest = hashlib.sha256(about.encode()).hexdigest()[:16]
    return f"alerts:{channel}:{address}:{customer}:{rows[0].first_event}:{digest}"


def digest_of(row: DigestRow) -> Digest:
    """Return the digest of a row."""
    return Digest(
        row.cause,
        row.cause.partition(" ")[0],
        row.count,
        EventSeverity(row.severity),
        row.opened_at or 0.0,
        row.first_event,
        tuple(row.lines),
    )


def close(row: DigestRow, now: float, pace: Pace) -> None:
    """Empty a digest that was told."""
    row.rounds = min(row.rounds + 1, 30)
    row.quiet_until = now + min(pace.pause * 2.0 ** (row.rounds - 1), LONGEST_PAUSE)
    row.opened_at = row.due_at = None
    row.count, row.lines = 0, []


def prune(session: Session, before: float) -> None:
    """Forget causes that nothing was heard of since ``before``."""
    session.execute(
        delete(DigestRow).where(DigestRow.due_at.is_(None), DigestRow.quiet_until < before)
    )
