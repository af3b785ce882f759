"""Digests: which events reach whom, and that one cause makes one message."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from sqlalchemy.orm import Session

from nameserver.alert_text import compose
from storage import customers, deliveries, digests, events, recipients, zones
from storage.customers import Customer
from storage.database import Database
from storage.deliveries import Channel, Delivery
from storage.digests import Pace
from storage.events import Event, EventSeverity
from storage.recipients import Recipient
from zones.name import Name, from_text
from zones.zone import Mode, Zone

NOW = 1_800_000_000.0
PACE = Pace(window=60, pause=900)
OPERATOR = Recipient(Channel.MAIL, "noc@example.org")


def add_zones(session: Session, customer: str, *texts: str) -> list[Name]:
    """Add hidden-primary zones of a customer."""
    found = [from_text(text) for text in texts]
    zones.add_zones(
        session,
        [Zone(apex, Mode.HIDDEN_PRIMARY, customer) for apex in found],
        now=NOW,
        actor="test",
    )
    return found


def happen(
    session: Session, apexes: Sequence[Name | None], kind: str = "zone-expiring", *,
    severity: str = "warning", at: float = NOW, **data: object,
) -> None:  # fmt: skip
    """Record an event of the same kind for each of the zones."""
    events.record_many(
        session,
        [Event(0, at, kind, EventSeverity(severity), apex, "told", "", data) for apex in apexes],
    )


def go(session: Session, now: float, operator: Sequence[Recipient] = (OPERATOR,)) -> list[Delivery]:
    """Route and tell, and return what this enqueued."""
    before = {one.id for one in deliveries.list_deliveries(session)}
    digests.collect(session, operator, now, PACE)
    digests.tell_due(session, operator, now, PACE, compose)
    after = deliveries.list_deliveries(session)[::-1]
    return [one for one in after if one.id not in before]


def test_fifty_thousand_zones_of_one_dead_primary_are_one_mail(database: Database) -> None:
    """One message to the customer and one to the operator, with the first zones and the number."""
    count = 3_000  # as many make the same one message, only later
    with database.write() as session:
        apexes = add_zones(session, "4711", *[f"zone{n}.example" for n in range(count)])
        recipients.add_recipient(session, Recipient(Channel.MAIL, "c@example.net", "4711"))
        go(session, NOW)
        happen(session, apexes, primary="192.0.2.1@53", rule="timeout")
        for _ in range(3):
            assert go(session, NOW) == []
        told = go(session, NOW + 60)
        assert sorted(one.recipient for one in told) == ["c@example.net", "noc@example.org"]
        (mail,) = (one for one in told if one.recipient == "c@example.net")
        assert "3,000 zones" in mail.subject
        assert "zone0.example" not in mail.subject
        assert "and 2,900 more: nsctl events --kind zone-expiring --customer 4711" in mail.body
        assert mail.customer == "4711"
        assert len(mail.body) < 20_000


def test_what_happened_before_the_first_round_is_not_told(database: Database) -> None:
    """A server that is given addresses does not send the history."""
    with database.write() as session:
        apexes = add_zones(session, "", "example.org")
        happen(session, apexes)
        assert go(session, NOW) == []
        assert go(session, NOW + 3600) == []


def test_customers_hear_of_their_own_zones_only(database: Database) -> None:
    """Another customer's trouble and what belongs to nobody goes to the operator alone."""
    with database.write() as session:
        mine = add_zones(session, "1", "a.example")
        other = add_zones(session, "2", "b.example")
        free = add_zones(session, "", "c.example")
        recipients.add_recipient(session, Recipient(Channel.MAIL, "one@example.net", "1"))
        go(session, NOW)
        happen(session, [*mine, *other, *free, None])
        happen(session, [None], "delivery-given-up", customer="1", severity="error")
        go(session, NOW)
        told = {one.recipient: one.body for one in go(session, NOW + 60)}
        assert "4 zones" in told["noc@example.org"]
        (digest_line,) = [x for x in told["one@example.net"].splitlines() if "expire:" in x]
        assert digest_line.startswith("a.example:")


def test_severity_and_kinds_choose(database: Database) -> None:
    """Below the severity nothing is told; with kinds only these; the end follows the trouble."""
    chosen = [
        Recipient(Channel.MAIL, "errors@example.org", severity=EventSeverity.ERROR),
        Recipient(Channel.MAIL, "drift@example.org", kinds=("drift",)),
        Recipient(Channel.MAIL, "all@example.org", severity=EventSeverity.INFO),
    ]
    with database.write() as session:
        (apex,) = add_zones(session, "", "example.org")
        go(session, NOW, chosen)
        happen(session, [apex], "drift", severity="warning")
        happen(session, [apex], "zone-expired", severity="error")
        happen(session, [apex], "published", severity="info")
        told = {one.recipient: one.subject for one in go(session, NOW, chosen)}
        assert told == {}
        told = {one.recipient: one.body for one in go(session, NOW + 60, chosen)}
        assert set(told) == {"errors@example.org", "drift@example.org", "all@example.org"}
        assert "without a new serial" not in told["errors@example.org"]
        assert "expired" not in told["drift@example.org"]
        happen(session, [apex], "drift-over", severity="info", after="warning", ends="drift")
        go(session, NOW + 61, chosen)
        over = {one.recipient for one in go(session, NOW + 121, chosen)}
        assert over == {"drift@example.org", "all@example.org"}


def test_more_of_the_same_waits_longer_and_longer(database: Database) -> None:
    """Events of one cause all the time for a day make few messages; another cause is told soon."""
    with database.write() as session:
        (apex,) = add_zones(session, "", "example.org")
        go(session, NOW)
        told = 0
        for minute in range(0, 24 * 60, 10):
            happen(session, [apex], at=NOW + minute * 60)
            told += len(go(session, NOW + minute * 60))
        assert 5 <= told <= 10
        late = NOW + 24 * 3600
        happen(session, [apex], "zone-expired", severity="error", at=late)
        go(session, late)
        (mail,) = go(session, late + 60)
        assert mail.subject.startswith("[nsctl] ERROR: example.org: expired")


def test_an_address_that_was_taken_away_is_not_told(database: Database) -> None:
    """What was collected for it is dropped."""
    with database.write() as session:
        apexes = add_zones(session, "1", "a.example")
        recipients.add_recipient(session, Recipient(Channel.MAIL, "one@example.net", "1"))
        go(session, NOW, [])
        happen(session, apexes)
        go(session, NOW, [])
        recipients.delete_recipient(session, "1", Channel.MAIL, "one@example.net")
        assert go(session, NOW + 60, []) == []


def test_a_failed_delivery_is_not_told_where_it_failed(database: Database) -> None:
    """That a mailbox takes nothing is told to the others, not to that mailbox."""
    second = Recipient(Channel.MAIL, "second@example.org")
    with database.write() as session:
        go(session, NOW)
        happen(session, [None], "delivery-given-up", severity="error", recipient=OPERATOR.address)
        go(session, NOW, [OPERATOR, second])
        (mail,) = go(session, NOW + 60, [OPERATOR, second])
        assert mail.recipient == second.address


def test_a_webhook_gets_the_same_as_json(database: Database) -> None:
    """Type, timestamp and data, as the Standard Webhooks recommend; events with their data."""
    with database.write() as session:
        apexes = add_zones(session, "1", "a.example")
        hook = Recipient(Channel.WEBHOOK, "https://example.net/hook", "1")
        recipients.add_recipient(session, hook)
        go(session, NOW, [])
        happen(session, apexes, primary="192.0.2.1@53")
        go(session, NOW, [])
        (one,) = go(session, NOW + 60, [])
        body = json.loads(one.body)
        assert body["type"] == "alert"
        assert body["timestamp"] == "2027-01-15T08:01:00Z"
        (alert,) = body["data"]["alerts"]
        assert (body["data"]["customer"], alert["kind"], alert["count"]) == (
            "1",
            "zone-expiring",
            1,
        )
        assert alert["events"][0]["zone"] == "a.example"
        assert alert["events"][0]["data"] == {"primary": "192.0.2.1@53"}


def test_the_subject_names_the_worst_and_counts_zones(database: Database) -> None:
    """Several alerts of one zone are one zone; of what is equally bad, the newest comes first."""
    with database.write() as session:
        (apex,) = add_zones(session, "", "example.org")
        go(session, NOW)
        for severity in ("warning", "error"):
            happen(session, [apex], severity=severity)
        happen(session, [apex], "zone-expired", severity="error")
        go(session, NOW)
        (mail,) = go(session, NOW + 60)
        assert mail.subject == (
            "[nsctl] ERROR: example.org: expired and no longer answered (and 1 more matter)"
        )
        assert "2 zones" not in mail.body


@pytest.mark.parametrize(
    ("channel", "text", "reason"),
    [
        (Channel.MAIL, "nobody", "no mail address"),
        (Channel.MAIL, "a@example.org\r\nBcc: b@example.org", "no mail address"),
        (Channel.WEBHOOK, "ftp://example.org", "a webhook is a URL"),
        (Channel.WEBHOOK, "https://user:pw@example.org/", "no password"),
        (Channel.WEBHOOK, "https://example.org/a b", "no spaces"),
        (Channel.WEBHOOK, "https://example.org:99999/", "no URL"),
    ],
)
def test_bad_addresses_are_refused(
    database: Database, channel: Channel, text: str, reason: str
) -> None:
    """What cannot be sent to is never stored, and the reason says why."""
    from storage.errors import StorageError

    with database.write() as session:
        customers.add_customer(session, Customer("1"))
        with pytest.raises(StorageError, match=reason):
            recipients.add_recipient(session, Recipient(channel, text, "1"))
        assert recipients.list_recipients(session) == []


def test_secrets_are_made_changed_and_never_shown(database: Database) -> None:
    """A webhook gets a secret; a new one replaces it; neither is in the log or in a repr."""
    with database.write() as session:
        customers.add_customer(session, Customer("1"))
        url = "https://example.net/hook"
        first = recipients.add_recipient(session, Recipient(Channel.WEBHOOK, url, "1"))
        second = recipients.change_recipient(
            session, "1", Channel.WEBHOOK, url, new_secret_wanted=True
        )
        assert recipients.checked_secret(first.secret) != second.secret
        assert recipients.secret_of(session, "1", url) == second.secret
        texts = " ".join(event.text for event in events.list_events(session))
        assert first.secret not in texts + repr(first)
