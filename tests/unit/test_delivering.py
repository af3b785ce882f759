"""Sending deliveries: to a real relay and a real receiver, with all that can go wrong there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nameserver import delivering
from nameserver.delivering import Deliverer
from nameserver.delivering_webhook import is_allowed
from nameserver.settings import Settings, load
from nameserver.settings_alerts import WebhookSettings
from storage import customers, deliveries, recipients
from storage.customers import Customer
from storage.database import Database
from storage.deliveries import Channel, Delivery, DeliveryState
from storage.errors import StorageError
from storage.recipients import Recipient
from tests.receivers.http import Receiver
from tests.receivers.smtp import PASSWORD, USER, Relay

SENDER = "nsctl@example.org"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        import time

        self.now = time.time()  # receivers compare the signature's time with their own clock

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def store(tmp_path: Path, empty_sqlite: Path) -> Iterator[Database]:
    """An empty store with the customer 4711."""
    path = tmp_path / "nsctl.db"
    path.write_bytes(empty_sqlite.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    with database.write() as session:
        customers.add_customer(session, Customer("4711"))
    yield database
    database.close()


def settings(**tables: Any) -> Settings:
    """Return settings with these tables."""
    return load(environ={}, **tables)


def mailing(relay: Relay, **more: Any) -> Settings:
    """Return settings that send mail by a relay."""
    table = {"host": "127.0.0.1", "port": relay.port, "sender": SENDER, "timeout": 5} | more
    return settings(mail={"security": "none"} | table, webhooks={"allow_http": True})


def calling(**more: Any) -> Settings:
    """Return settings with which receivers on this machine can be called."""
    table = {"allow_http": True, "allowed_nets": ["127.0.0.0/8"], "timeout": 5} | more
    return settings(webhooks=table)


def enqueue(database: Database, recipient: str, key: str = "k", *, now: float) -> None:
    """Enqueue a message."""
    channel = Channel.WEBHOOK if "://" in recipient else Channel.MAIL
    with database.write() as session:
        deliveries.enqueue(
            session,
            channel=channel,
            recipient=recipient,
            subject=f"Zone {key}: läuft ab",
            body=json.dumps({"key": key}),
            customer="4711",
            key=f"{key}:{recipient}",
            now=now,
        )


def listed(database: Database) -> list[Delivery]:
    """Return all deliveries, oldest first."""
    with database.read() as session:
        return deliveries.list_deliveries(session)[::-1]


def add_webhook(database: Database, url: str) -> str:
    """Add a webhook to the customer and return its secret."""
    with database.write() as session:
        return recipients.add_recipient(session, Recipient(Channel.WEBHOOK, url, "4711")).secret


async def test_mail_by_a_relay_with_tls_and_login(store: Database, tmp_path: Path) -> None:
    """Mail goes out over STARTTLS with a login, several over one connection, whole and readable."""
    clock = Clock()
    with Relay(tmp_path) as relay:
        chosen = mailing(
            relay, security="starttls", user=USER, password=PASSWORD, ca_file=relay.ca_file()
        )
        for key in ("a", "b"):
            enqueue(store, "noc@example.net", key, now=clock.now)
        assert await Deliverer(store, chosen, clock).round() == 2
    first, second = relay.mails
    assert first["Subject"] == "Zone a: läuft ab"
    assert (first["From"], first["To"]) == (SENDER, "noc@example.net")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] != second["Message-ID"]
    assert json.loads(first.get_content()) == {"key": "a"}
    assert relay.connections == 2  # EHLO before and after STARTTLS
    assert {one.state for one in listed(store)} == {DeliveryState.SENT}


async def test_a_wrong_certificate_or_login_is_told_and_retried(
    store: Database, tmp_path: Path
) -> None:
    """Nothing is sent to a relay that cannot show who it is; the reason is kept, in words."""
    clock = Clock()
    with Relay(tmp_path) as relay:
        enqueue(store, "noc@example.net", now=clock.now)
        untrusted = mailing(relay, security="starttls", user=USER, password=PASSWORD)
        await Deliverer(store, untrusted, clock).round()
        assert "certificate is not accepted" in listed(store)[0].last_error
        clock.now += 3600
        wrong = mailing(
            relay, security="starttls", user=USER, password="x", ca_file=relay.ca_file()
        )
        await Deliverer(store, wrong, clock).round()
        (one,) = listed(store)
        assert "login refused: 535" in one.last_error
        assert (one.state, one.attempts) == (DeliveryState.WAITING, 2)
        assert relay.mails == []


async def test_a_refused_recipient_is_given_up_and_holds_up_nobody(store: Database) -> None:
    """5xx for one recipient ends its delivery; 4xx is tried again; the others arrive."""
    clock = Clock()
    refusals = {"gone@example.net": "550 no such user", "full@example.net": "452 mailbox full"}
    with Relay(refusals=refusals) as relay:
        for name in ("gone", "full", "fine"):
            enqueue(store, f"{name}@example.net", now=clock.now)
        await Deliverer(store, mailing(relay), clock).round()
    gone, full, fine = listed(store)
    assert (gone.state, gone.last_error) == (DeliveryState.FAILED, "refused: 550 no such user")
    assert (full.state, full.attempts) == (DeliveryState.WAITING, 1)
    assert fine.state is DeliveryState.SENT


async def test_a_relay_that_is_away_costs_one_attempt_for_all(store: Database) -> None:
    """All mails wait; only the first one counts an attempt, and none is lost."""
    clock = Clock()
    with Relay() as relay:
        chosen = mailing(relay)
    for key in ("a", "b", "c"):
        enqueue(store, "noc@example.net", key, now=clock.now)
    await Deliverer(store, chosen, clock).round()
    found = listed(store)
    assert [one.attempts for one in found] == [1, 0, 0]
    assert {one.next_attempt for one in found} == {clock.now + deliveries.FIRST_WAIT}
    assert "refused" in found[0].last_error


async def test_mail_as_files(store: Database, tmp_path: Path) -> None:
    """With a directory each mail is one file for its owner alone; a repeat adds none."""
    clock, directory = Clock(), tmp_path / "mail"
    chosen = settings(mail={"directory": str(directory), "sender": SENDER})
    enqueue(store, "noc@example.net", now=clock.now)
    deliverer = Deliverer(store, chosen, clock)
    await deliverer.round()
    with store.write() as session:  # as if the note had been lost
        session.connection().exec_driver_sql(
            "UPDATE deliveries SET state = 'waiting', next_attempt = 0, claimed_until = 0"
        )
    await deliverer.round()
    (file,) = directory.iterdir()
    assert b"To: noc@example.net" in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_without_a_relay_mail_waits_and_says_so(store: Database) -> None:
    """Mail that cannot leave is no error of the sender's: it waits and tells what to set."""
    clock = Clock()
    enqueue(store, "noc@example.net", now=clock.now)
    await Deliverer(store, settings(), clock).round()
    (one,) = listed(store)
    assert one.state is DeliveryState.WAITING
    assert "[mail]" in one.last_error


async def test_a_webhook_is_signed_so_that_others_can_verify_it(store: Database) -> None:
    """A receiver with the Standard Webhooks library accepts our signature; with another's, not."""
    clock = Clock()
    with Receiver() as receiver:
        receiver.secret = add_webhook(store, receiver.url)
        enqueue(store, receiver.url, "a", now=clock.now)
        await Deliverer(store, calling(), clock).round()
        assert receiver.taken == [{"key": "a"}]
        receiver.secret = recipients.new_secret()
        enqueue(store, receiver.url, "b", now=clock.now)
        await Deliverer(store, calling(), clock).round()
        assert len(receiver.refusals) == 1
    sent, refused = listed(store)
    assert sent.state is DeliveryState.SENT
    assert (refused.state, refused.last_error) == (
        DeliveryState.WAITING,
        "answered 401 Unauthorized",
    )


async def test_a_failing_receiver_is_tried_later_with_the_same_id(store: Database) -> None:
    """After 503 the next attempt has the same id; what waits behind it was not tried."""
    clock = Clock()
    with Receiver(answers=[503]) as receiver:
        receiver.secret = add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        deliverer = Deliverer(store, calling(), clock)
        await deliverer.round()
        assert await deliverer.round() == 0
        clock.now += deliveries.FIRST_WAIT
        await deliverer.round()
        assert len(receiver.ids) == 2
        assert len(set(receiver.ids)) == 1
        assert len(receiver.taken) == 1


async def test_redirects_are_not_followed(store: Database) -> None:
    """A redirect, perhaps to inside our network, ends the delivery."""
    clock = Clock()
    with Receiver() as inside, Receiver(answers=[302], location=inside.url) as receiver:
        add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        await Deliverer(store, calling(), clock).round()
        assert inside.ids == []
    (one,) = listed(store)
    assert one.state is DeliveryState.FAILED
    assert "redirects are not followed" in one.last_error


async def test_a_receiver_that_says_nothing_is_cut_off(store: Database) -> None:
    """A silent receiver costs the timeout, and delays no other receiver."""
    clock = Clock()
    with Receiver(answers=[0]) as silent, Receiver() as other:
        add_webhook(store, silent.url)
        other.secret = add_webhook(store, other.url)
        enqueue(store, silent.url, now=clock.now)
        enqueue(store, other.url, now=clock.now)
        await Deliverer(store, calling(timeout=0.3), clock).round()
        assert len(other.taken) == 1
    first, second = listed(store)
    assert (first.state, first.last_error) == (DeliveryState.WAITING, "no answer in time")
    assert second.state is DeliveryState.SENT


async def test_no_webhook_reaches_inside(store: Database) -> None:
    """Neither http nor an address of our own network is called unless the operator says so."""
    clock = Clock()
    with Receiver() as receiver:
        add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        await Deliverer(store, calling(allowed_nets=[]), clock).round()
        assert "not on the public internet" in listed(store)[0].last_error
        clock.now += 3600
        await Deliverer(store, calling(allow_http=False), clock).round()
        assert "only https" in listed(store)[0].last_error
        assert receiver.ids == []


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1%eth0", "fd00::1",
     "::ffff:10.0.0.1", "2002:a00:1::", "0.0.0.0", "224.0.0.1", "ff02::1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    """What is not reached from everywhere is refused, also where IPv6 wraps it; a net lets it."""
    assert not is_allowed(address, WebhookSettings())
    assert is_allowed("192.0.2.1", WebhookSettings(allowed_nets=["192.0.2.0/24"]))
    assert is_allowed("8.8.8.8", WebhookSettings())


async def test_a_webhook_that_was_removed_is_not_called(store: Database) -> None:
    """Without a secret nothing can be signed: what still waits for the URL is given up."""
    clock = Clock()
    with Receiver() as receiver:
        add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        with store.write() as session:
            recipients.delete_recipient(session, "4711", Channel.WEBHOOK, receiver.url)
        await Deliverer(store, calling(), clock).round()
        assert receiver.ids == []
    assert listed(store)[0].state is DeliveryState.FAILED


async def test_a_crash_between_sending_and_noting_repeats_with_the_same_id(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row stays claimed; another node sends it after the claim has run out, same id."""
    clock = Clock()
    with Receiver() as receiver:
        receiver.secret = add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        monkeypatch.setattr(delivering, "LEASE", 60.0)  # receivers refuse old signatures
        died = Deliverer(store, calling(), clock)
        monkeypatch.setattr(died, "_note", lambda _done: None)
        await died.round()
        second = Deliverer(store, calling(), clock)
        assert await second.round() == 0
        clock.now += 61
        assert await second.round() == 1
        assert len(receiver.ids) == 2
        assert len(set(receiver.ids)) == 1
    assert listed(store)[0].state is DeliveryState.SENT


async def test_what_could_not_be_noted_is_not_sent_again(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store is away after the sending, the note is made later, and nothing repeated."""
    clock = Clock()
    with Receiver() as receiver:
        receiver.secret = add_webhook(store, receiver.url)
        enqueue(store, receiver.url, now=clock.now)
        deliverer = Deliverer(store, calling(), clock)
        with monkeypatch.context() as patched:

            def away(*_: object) -> None:
                raise StorageError("away")

            patched.setattr(deliveries, "mark_sent", away)
            await deliverer.round()
        clock.now += 901
        await deliverer.round()
        assert len(receiver.ids) == 1
    assert listed(store)[0].state is DeliveryState.SENT


def test_every_wrong_setting_is_told(tmp_path: Path) -> None:
    """All that is wrong with mail, webhooks and alerts is told at once, secrets left out."""
    from nameserver.settings import SettingsError

    file = tmp_path / "nsctl.toml"
    file.write_text(
        '[mail]\nhost = "relay.example.org"\nuser = "u"\n[webhooks]\nallowed_nets = ["x"]\n'
        '[alerts]\nmail = ["not an address"]\nwebhook_secret = "geheim"\n'
        "[drift]\nper_hour = 0\n"
    )
    with pytest.raises(SettingsError) as refusal:
        load(file, environ={})
    text = str(refusal.value)
    for part in ("sender is missing", "user and password belong together", "allowed_nets",
                 "no mail address", "a signing secret is whsec_", "drift.per_hour"):  # fmt: skip
        assert part in text
    assert "geheim" not in text
