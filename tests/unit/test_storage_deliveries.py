"""Deliveries: enqueued once, sent by one node, retried, given up, forgotten."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from storage import deliveries, events
from storage.database import Database
from storage.deliveries import Channel, Delivery, DeliveryState
from storage.errors import StorageError

NOW = 1_800_000_000.0
DAY = 86_400.0


def enqueue(session: Session, key: str = "k", *, now: float = NOW, subject: str = "s") -> bool:
    """Enqueue a mail."""
    return deliveries.enqueue(
        session,
        channel=Channel.MAIL,
        recipient="noc@example.org",
        subject=subject,
        body="text",
        customer="4711",
        key=key,
        now=now,
    )


def only(session: Session) -> Delivery:
    """Return the one delivery that there is."""
    (found,) = deliveries.list_deliveries(session)
    return found


def test_the_same_key_is_told_once(database: Database) -> None:
    """A second message of the same key changes nothing, also after the first was sent."""
    with database.write() as session:
        assert enqueue(session)
        assert not enqueue(session)
        deliveries.mark_sent(session, [only(session).id], NOW)
    with database.write() as session:
        assert not enqueue(session, now=NOW + 5)
        assert only(session).state is DeliveryState.SENT
        assert deliveries.due(session, NOW + 10, 10) == []


def test_a_subject_is_one_line_and_a_recipient_is_needed(database: Database) -> None:
    """Nobody adds a header by a line break; a message for nobody is refused."""
    with database.write() as session:
        enqueue(session, subject="a\r\nBcc: b@example.org\n c")
        assert only(session).subject == "a Bcc: b@example.org c"
        with pytest.raises(StorageError, match="recipient"):
            deliveries.enqueue(
                session,
                channel=Channel.MAIL,
                recipient=" ",
                subject="",
                body="",
                customer=None,
                key="other",
                now=NOW,
            )


def test_a_claimed_row_is_sent_by_nobody_else_until_the_claim_ends(database: Database) -> None:
    """Two nodes never send the same at one time; a node that died loses its claim."""
    with database.write() as session:
        enqueue(session)
        (mine,) = deliveries.claim(session, NOW, node="a", seconds=60)
        assert deliveries.claim(session, NOW + 59, node="b", seconds=60) == []
        (theirs,) = deliveries.claim(session, NOW + 60, node="b", seconds=60)
        assert theirs.token == mine.token


def test_failures_wait_longer_and_longer_until_given_up(database: Database) -> None:
    """The wait doubles up to six hours; after four days an error is in the event log."""
    with database.write() as session:
        enqueue(session)
        now, waits = NOW, []
        while only(session).state is DeliveryState.WAITING:
            (one,) = deliveries.claim(session, now, node="a", seconds=60)
            deliveries.mark_failed(session, one.id, "connection refused", now)
            waits.append(only(session).next_attempt - now)
            now = only(session).next_attempt
        assert waits[:4] == [60, 120, 240, 480]
        assert max(waits) == deliveries.LONGEST_WAIT
        assert DAY * 3.5 < now - NOW < DAY * 4.5
        (event,) = events.list_events(session)
        assert event.kind == "delivery-given-up"
        assert "noc@example.org" in event.text
        assert "connection refused" in event.text
        assert deliveries.counts(session)[DeliveryState.FAILED] == 1


def test_what_cannot_succeed_is_given_up_at_once_and_may_be_retried(database: Database) -> None:
    """A lasting failure is final until somebody asks for another attempt."""
    with database.write() as session:
        enqueue(session)
        number = only(session).id
        state = deliveries.mark_failed(session, number, "no such user", NOW, lasting=True)
        assert state is DeliveryState.FAILED
        again = deliveries.retry(session, number, now=NOW + 10 * DAY)
        assert again.state is DeliveryState.WAITING
        assert [one.id for one in deliveries.due(session, NOW + 10 * DAY, 10)] == [number]
        deliveries.mark_sent(session, [number], NOW + 10 * DAY)
        with pytest.raises(StorageError, match="sent already"):
            deliveries.retry(session, number)
        with pytest.raises(StorageError, match="no delivery 4711"):
            deliveries.retry(session, 4711)


def test_what_was_told_is_forgotten_but_not_that_it_was(database: Database) -> None:
    """After the retention no address is left; the key still keeps a repeat away for a year."""
    with database.write() as session:
        enqueue(session, "sent")
        deliveries.mark_sent(session, [only(session).id], NOW)
        enqueue(session, "waiting")
        deliveries.prune(session, NOW + 1)
        (left,) = deliveries.list_deliveries(session)
        assert left.key == "waiting"
        assert not enqueue(session, "sent", now=NOW + 365 * DAY)
        deliveries.prune(session, NOW + 1 + deliveries.KEEP_KEYS)
        assert enqueue(session, "sent", now=NOW + 401 * DAY)


def test_pruning_leaves_the_newest_event(database: Database) -> None:
    """Numbers of events go on where all are old, so that no reader of the log misses any."""
    with database.write() as session:
        for text in ("one", "two"):
            events.record(session, "k", "info", None, text, at=NOW)
        last = events.list_events(session)[-1].id
        events.prune(session, NOW + 1)
        events.record(session, "k", "info", None, "three", at=NOW + 2)
        assert [event.text for event in events.list_events(session, after_id=last)] == ["three"]
