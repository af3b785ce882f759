"""What people are told while a zone goes from good to bad and back, by a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.nsctl import Nsctl
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import LOOPBACK, wait_until
from tests.receivers.http import Receiver
from tests.receivers.smtp import Relay

ZONE = """\
@ SOA {mname} hostmaster {serial} 1 1 {expire} 60
@ NS ns1
ns1 A 192.0.2.53
"""


def text(serial: int, *, mname: str = "ns1", expire: int = 600) -> str:
    """Return the zone, with timers for the impatient."""
    return ZONE.format(serial=serial, mname=mname, expire=expire)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A mail relay without TLS."""
    with Relay() as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A customer's program."""
    with Receiver() as started:
        yield started


@pytest.fixture
def server(tmp_path: Path, relay: Relay) -> Iterator[Nsctl]:
    """A server that tells at once what it has to tell."""
    made = Nsctl(
        tmp_path,
        alerts_mail="noc@example.org",
        alerts_window=0,
        alerts_pause=0,
        mail_host=LOOPBACK,
        mail_port=relay.port,
        mail_security="none",
        mail_sender="nsctl@example.org",
        webhooks_allow_http="on",
        webhooks_allowed_nets="127.0.0.0/8",
        drift_per_hour=3600,
    )
    with made:
        yield made


def told(receiver: Receiver) -> list[str]:
    """Return the kinds that the customer's program was told."""
    return [alert["kind"] for body in receiver.taken for alert in body["data"]["alerts"]]


def event_of(receiver: Receiver, kind: str) -> dict[str, Any]:
    """Return the first event of a kind that was told."""
    for body in receiver.taken:
        for alert in body["data"]["alerts"]:
            if alert["kind"] == kind:
                found: dict[str, Any] = alert["events"][0]
                return found
    raise AssertionError(f"{kind} was not told")


@pytest.mark.timeout(120)
def test_a_customer_and_the_operator_are_told(
    server: Nsctl, receiver: Receiver, relay: Relay
) -> None:
    """A refusal, drift, the coming expiry, the end and the recovery: by webhook and by mail."""
    server.cli("customer", "add", "4711")
    made = server.cli("customer", "set", "4711", "--webhook", receiver.url)
    receiver.secret = made["recipients"][0]["secret"]
    with PlainPrimary("example.org", text(1)) as primary:
        server.cli(
            "secondary", "add", "example.org", "--customer", "4711",
            "--primary", f"{LOOPBACK}@{primary.port}",
        )  # fmt: skip
        server.wait_serial("example.org", 1, 30)

        # Other content under the same serial: seen at the SOA, compared, told, not served.
        primary.load(text(1, mname="ns2"))
        wait_until(lambda: "drift" in told(receiver), "the drift is told", 30)
        assert any("ns2" in line for line in event_of(receiver, "drift")["data"]["changes"])

        # A zone without NS is refused, and that is told with what to change.
        primary.load(text(2).replace("@ NS ns1\n", ""))
        wait_until(lambda: "zone-refused" in told(receiver), "the refusal is told", 30)
        assert event_of(receiver, "zone-refused")["data"]["fix"]

        # It is mended, with an EXPIRE that ends soon; then the primary is gone.
        primary.load(text(3, expire=6))
        wait_until(lambda: "zone-recovered" in told(receiver), "the recovery is told", 30)
        primary.reachable = False
        wait_until(lambda: "zone-expired" in told(receiver), "the expiry is told", 40)
        assert "zone-expiring" in told(receiver)
        primary.reachable = True
        wait_until(lambda: "zone-expiring-over" in told(receiver), "the return is told", 30)

    assert receiver.refusals == []
    subjects = "\n".join(str(mail["Subject"]) for mail in relay.mails)
    assert "[nsctl] ERROR: example.org: expired" in subjects
    assert "example.org: update refused" in subjects
    refused = next(mail for mail in relay.mails if "refused" in str(mail["Subject"]))
    assert "What to change:" in refused.get_content()
    wait_until(
        lambda: not any(server.cli("status")["undelivered"].values()), "all messages arrive", 30
    )


@pytest.mark.timeout(120)
def test_a_kill_loses_no_message(server: Nsctl, receiver: Receiver) -> None:
    """A server that is killed while its receiver keeps it waiting sends again, with the same id."""
    server.cli("customer", "add", "4711")
    made = server.cli("customer", "set", "4711", "--webhook", receiver.url)
    receiver.secret = made["recipients"][0]["secret"]
    receiver.answers = [0]
    server.cli("delivery", "test", receiver.url, "--customer", "4711")
    wait_until(lambda: receiver.ids, "the first attempt", 30)
    server.kill()
    (one,) = server.cli("delivery", "list")
    assert one["state"] == "waiting"
    server.cli("delivery", "retry", str(one["id"]))  # the dead server's claim ends with it
    server.start()
    wait_until(lambda: receiver.taken, "it arrives", 30)
    assert len(set(receiver.ids)) == 1
