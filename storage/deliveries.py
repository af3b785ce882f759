"""Deliveries: messages to people and their programs, kept until they are sent or given up.

Whoever has something to tell calls ``enqueue`` in the transaction that makes it true; a serving
node sends it afterwards. A row is claimed for a while by the node that sends it. A node that dies
between sending and ``mark_sent`` leads to one repeat, with the same ``token``, by which a receiver
can tell.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from storage import events
from storage.alert_models import DeliveryRow
from storage.errors import StorageError
from storage.events import EventSeverity

FIRST_WAIT: Final = 60.0  # seconds after the first failure; doubled after each
LONGEST_WAIT: Final = 6 * 3600.0
GIVE_UP_AFTER: Final = 4 * 86_400.0  # since it was enqueued
KEEP_KEYS: Final = 400 * 86_400.0  # of what was sent: longer than what comes once a year
TOKENS: Final = uuid.UUID("6f1b7c0e-8d0a-4b7e-9f3c-2a54e1c0d9b1")  # the namespace of ours


class Channel(StrEnum):
    """The way that a message takes."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one recipient: a mail address, or the URL of a webhook whose body is JSON.

    ``token`` is the same at each attempt. Times are seconds since the epoch.
    """

    id: int
    channel: Channel
    recipient: str
    subject: str
    body: str
    customer: str | None
    key: str
    token: str
    state: DeliveryState
    attempts: int
    next_attempt: float
    last_error: str
    created: float
    sent: float | None


def enqueue(
    session: Session,
    *,
    channel: Channel,
    recipient: str,
    subject: str,
    body: str,
    customer: str | None,
    key: str,
    now: float,
) -> bool:
    """Have a message sent; a second one of the same ``key`` does nothing and returns ``False``.

    The key tells what the message is about and to whom (``renewal:example.org:2027:a@example.org``)
    and is remembered for more than a year. Raises ``StorageError`` without recipient or key.
    """
    recipient = recipient.strip()
    if not recipient or not key:
        raise StorageError("a delivery needs a recipient and a key")
    if session.scalar(select(DeliveryRow.id).where(DeliveryRow.key == key)) is not None:
        return False
    session.execute(
        insert(DeliveryRow).values(
            key=key,
            token=uuid.uuid5(TOKENS, f"{key} {now!r}").hex,
            channel=channel.value,
            recipient=recipient,
            subject=" ".join(subject.split()),  # a header is one line
            body=body,
            customer=customer or None,
            state=DeliveryState.WAITING.value,
            attempts=0,
            next_attempt=now,
            last_error="",
            created_at=now,
            claimed_by="",
            claimed_until=0.0,
        )
    )
    return True


def due(session: Session, now: float, limit: int = 100) -> list[Delivery]:
    """Return what is to be sent now and nobody is sending, the most overdue first."""
    rows = session.scalars(
        select(DeliveryRow)
        .where(
            DeliveryRow.state == DeliveryState.WAITING.value,
            DeliveryRow.next_attempt <= now,
            DeliveryRow.claimed_until <= now,
        )
        .order_by(DeliveryRow.next_attempt, DeliveryRow.id)
        .limit(limit)
    )
    return [delivery_of(row) for row in rows]


def next_due(session: Session) -> float | None:
    """Return when something is to be sent next, ``None`` where nothing waits."""
    return session.scalar(
        select(func.min(DeliveryRow.next_attempt)).where(
            DeliveryRow.state == DeliveryState.WAITING.value
        )
    )


def claim(
    session: Session, now: float, *, node: str, seconds: float, limit: int = 100
) -> list[Delivery]:
    """Return what is due, and keep other nodes from sending it for so many seconds."""
    found = due(session, now, limit)
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_([one.id for one in found]))
        .values(claimed_by=node, claimed_until=now + seconds)
    )
    return found


def mark_sent(session: Session, ids: Collection[int], now: float) -> None:
    """Note that messages have arrived."""
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids))
        .values(
            state=DeliveryState.SENT.value,
            attempts=DeliveryRow.attempts + 1,
            last_error="",
            sent_at=now,
            claimed_by="",
            claimed_until=0.0,
        )
    )


def mark_failed(
    session: Session, delivery_id: int, error: str, now: float, *, lasting: bool = False
) -> DeliveryState:
    """Note that an attempt failed, and return whether it waits for another one or is given up.

    ``lasting`` tells that another attempt would end in the same way. What is given up becomes an
    event.
    """
    row = session.get(DeliveryRow, delivery_id)
    if row is None:  # the store was restored from a backup meanwhile
        return DeliveryState.FAILED
    row.attempts += 1
    row.last_error = error
    row.claimed_by, row.claimed_until = "", 0.0
    row.next_attempt = now + wait_after(row.attempts)
    if lasting or row.next_attempt > row.created_at + GIVE_UP_AFTER:
        row.state = DeliveryState.FAILED.value
        tell_given_up(session, row, now)
    session.flush()
    return DeliveryState(row.state)


def wait_after(attempts: int) -> float:
    """Return how long to wait after so many failed attempts, in seconds."""
    return min(FIRST_WAIT * 2.0 ** min(attempts - 1, 30), LONGEST_WAIT)


def tell_given_up(session: Session, row: DeliveryRow, now: float) -> None:
    """Record that a message was not delivered."""
    text = (
        f"{row.channel} to {row.recipient} was given up after {row.attempts} attempts: "
        f"{row.last_error}; its subject: {row.subject}"
    )
    data = {
        "delivery": row.id,
        "channel": row.channel,
        "recipient": row.recipient,
        "customer": row.customer or "",
    }
    events.record(
        session, "delivery-given-up", EventSeverity.ERROR, None, text, data, actor="nsctl", at=now
    )


def postpone(session: Session, ids: Collection[int], until: float) -> None:
    """Give back what was claimed and not tried; nobody tries it before ``until``."""
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids))
        .values(next_attempt=until, claimed_by="", claimed_until=0.0)
    )


def retry(session: Session, delivery_id: int, *, now: float | None = None) -> Delivery:
    """Have a message sent now that was given up or waits; raises ``StorageError``."""
    now = time.time() if now is None else now
    found = get_delivery(session, delivery_id)
    if found.state is DeliveryState.SENT or not found.recipient:
        raise StorageError(f"delivery {delivery_id} was sent already")
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id)
        .values(
            state=DeliveryState.WAITING.value,
            next_attempt=now,
            created_at=now,  # the days until it is given up begin anew
            claimed_by="",
            claimed_until=0.0,
        )
    )
    return get_delivery(session, delivery_id)


def get_delivery(session: Session, delivery_id: int) -> Delivery:
    """Return one message; raises ``StorageError``."""
    row = session.get(DeliveryRow, delivery_id, populate_existing=True)
    if row is None:
        raise StorageError(f"there is no delivery {delivery_id}")
    return delivery_of(row)


def list_deliveries(
    session: Session,
    *,
    states: Iterable[DeliveryState] = (),
    customer: str | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Return messages, newest first: of these states (none: of any), of this customer."""
    query = select(DeliveryRow).where(DeliveryRow.recipient != "")
    if wanted := [state.value for state in states]:
        query = query.where(DeliveryRow.state.in_(wanted))
    if customer is not None:
        query = query.where(DeliveryRow.customer == (customer or None))
    rows = session.scalars(query.order_by(DeliveryRow.id.desc()).limit(limit))
    return [delivery_of(row) for row in rows]


def counts(session: Session) -> dict[DeliveryState, int]:
    """Return how many messages stand in which state."""
    rows = session.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state))
    found = {DeliveryState(state): number for state, number in rows}
    return {state: found.get(state, 0) for state in DeliveryState}


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many messages were tried in vain and wait, and why the latest attempt failed."""

    tried: int
    last_error: str


def overdue(session: Session, now: float) -> Overdue:
    """Return what was tried in vain, or should have been sent a minute ago and nobody does it."""
    waiting = DeliveryRow.state == DeliveryState.WAITING.value
    tried = session.scalar(
        select(func.count()).select_from(DeliveryRow).where(waiting, DeliveryRow.attempts > 0)
    )
    error = session.scalar(
        select(DeliveryRow.last_error)
        .where(DeliveryRow.last_error != "", DeliveryRow.sent_at.is_(None))
        .order_by(DeliveryRow.next_attempt.desc())
        .limit(1)
    )
    late = waiting & (DeliveryRow.next_attempt < now - FIRST_WAIT)
    if not error and session.scalar(select(DeliveryRow.id).where(late).limit(1)) is not None:
        error = "no server sends them; is it running?"
    return Overdue(tried or 0, error or "")


def prune(session: Session, before: float) -> None:
    """Forget whom and what was told before ``before``, and after more than a year that it was.

    What still waits stays.
    """
    done = (DeliveryRow.state != DeliveryState.WAITING.value) & (DeliveryRow.created_at < before)
    session.execute(
        update(DeliveryRow)
        .where(done & (DeliveryRow.recipient != ""))
        .values(recipient="", subject="", body="", last_error="", customer=None)
    )
    old = DeliveryRow.created_at < before - KEEP_KEYS
    session.execute(delete(DeliveryRow).where(done & old))


def delivery_of(row: DeliveryRow) -> Delivery:
    """Return the message of a row."""
    return Delivery(
        row.id,
        Channel(row.channel),
        row.recipient,
        row.subject,
        row.body,
        row.customer,
        row.key,
        row.token,
        DeliveryState(row.state),
        row.attempts,
        row.next_attempt,
        row.last_error,
        row.created_at,
        row.sent_at,
    )
