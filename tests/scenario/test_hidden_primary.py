"""The main job: a customer's hidden primary is followed, and what it sends is judged and served.

Told with real servers as the hidden primary. The status that is looked at is what the customer
sees: ``nsctl --json secondary status``.
"""

from __future__ import annotations

import pytest

from tests.peers import Bind, Knot, Nsctl, Nsd, Peer, PlainPrimary, PowerDNS
from tests.peers.fixtures import as_primary
from tests.peers.zonetext import ORIGIN, zone_text

FIRST = zone_text(1, "www 300 A 192.0.2.1")
SECOND = zone_text(2, "www 300 A 192.0.2.2")
THIRD = zone_text(3, "www 300 A 192.0.2.3")

NEW = "www 300 A 192.0.2.2"
OTHER_SOA = "300 SOA ns2.example.net. hostmaster 2 3600 600 86400 300"

# Rule -> a second version of the zone that breaks it.
FAULTS = {
    "ns-missing": zone_text(2, NEW, ns=False),
    "soa-timers-zero": zone_text(2, NEW, expire=0),
    # A second SOA at the apex is, in a transfer, the end of it (RFC 5936 2.2).
    "soa-changed-midway": zone_text(2, NEW, f"@ {OTHER_SOA}"),
    "soa-not-at-apex": zone_text(2, NEW, f"sub {OTHER_SOA}"),
    "cname-and-other-data": zone_text(2, NEW, "www 300 CNAME ns1.example.net."),
    "cname-multiple": zone_text(2, "www 300 CNAME a.example.", "www 300 CNAME b.example."),
    "dname-multiple": zone_text(2, NEW, "sub 300 DNAME a.example.", "sub 300 DNAME b.example."),
    "dname-and-ns": zone_text(2, NEW, "sub 300 DNAME example.", "sub 300 NS ns1.example.net."),
    "names-below-dname": zone_text(2, NEW, "sub 300 DNAME example.", "a.sub 300 A 192.0.2.2"),
}

# Most servers refuse to load some of these themselves. Who agrees to serve what:
LOADED: list[tuple[type[Peer], str]] = [
    (Knot, "ns-missing"),
    (Knot, "soa-timers-zero"),
    (Bind, "soa-timers-zero"),
    (Bind, "dname-and-ns"),
    (Bind, "names-below-dname"),
    (Nsd, "ns-missing"),
    (PowerDNS, "cname-and-other-data"),
]


def link(primary: Peer, nsctl: Nsctl, text: str = FIRST) -> None:
    """Start the primary with this zone, have nsctl follow it, wait until serial 1 is served."""
    primary.serve(ORIGIN, text, nsctl.remote())
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    nsctl.wait_serial(ORIGIN, 1)


def www(server: Nsctl) -> str:
    """Return the address of www that is answered."""
    return str(server.query(f"www.{ORIGIN}", "A").answer[0][0])


def assert_refused(nsctl: Nsctl, rule: str) -> None:
    """Assert that serial 2 was refused by this rule, in words, and that serial 1 is served."""
    status = nsctl.wait_status(ORIGIN, last_result="refused", last_rule=rule)
    assert status["serial"] == 1
    assert status["primary_serial"] == 2
    assert len(status["last_reason"].split()) > 3, "the reason is a sentence"
    assert nsctl.serial(ORIGIN) == 1
    assert www(nsctl) == "192.0.2.1"


@pytest.mark.cell("above: notify")
def test_notify_brings_the_new_version(primary: Peer, nsctl: Nsctl) -> None:
    """A change at the hidden primary is served soon after its NOTIFY, and the status says so."""
    link(primary, nsctl)
    primary.update_zone(ORIGIN, SECOND)
    primary.wait_serial(ORIGIN, 2)
    nsctl.wait_serial(ORIGIN, 2, seconds=5)
    assert www(nsctl) == "192.0.2.2"
    status = nsctl.wait_status(ORIGIN, last_result="accepted", serial=2)
    assert status["state"] == "ok"
    assert status["primary_serial"] == 2
    assert status["last_success"] is not None


@pytest.mark.cell("above: faulty")
@pytest.mark.parametrize(
    ("primary", "rule"), [as_primary(*row) for row in LOADED], indirect=["primary"]
)
def test_faulty_update_of_a_real_primary_is_refused(primary: Peer, rule: str, nsctl: Nsctl) -> None:
    """A faulty version is refused by name of its rule; the repaired one is served again."""
    link(primary, nsctl)
    primary.update_zone(ORIGIN, FAULTS[rule])
    assert_refused(nsctl, rule)
    primary.update_zone(ORIGIN, THIRD)
    nsctl.wait_serial(ORIGIN, 3)
    assert nsctl.wait_status(ORIGIN, last_result="accepted")["state"] == "ok"


@pytest.mark.interop
def test_every_fault_is_refused(nsctl: Nsctl) -> None:
    """A primary that serves anything at all gets each fault refused, one after the other."""
    with PlainPrimary(ORIGIN, FIRST) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        for rule, text in FAULTS.items():
            primary.publish(text, nsctl.remote())
            assert_refused(nsctl, rule)
        primary.publish(THIRD, nsctl.remote())
        nsctl.wait_serial(ORIGIN, 3)


@pytest.mark.interop
def test_refusal_is_told_in_words(nsctl: Nsctl) -> None:
    """The command that a person types has the rule, the record, the remedy, what is served."""
    with PlainPrimary(ORIGIN, FIRST) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.publish(FAULTS["cname-and-other-data"], nsctl.remote())
        assert_refused(nsctl, "cname-and-other-data")
    told = nsctl.run("secondary", "explain", "example.org")
    assert told.returncode == 0
    for words in (
        "cname-and-other-data",
        "www.example.org CNAME",
        "Remove the CNAME",
        "Serial 1 stays in service",
    ):
        assert words in told.stdout


@pytest.mark.interop
def test_a_zone_faulty_from_the_start_is_never_served(nsctl: Nsctl) -> None:
    """With no good version ever, queries get SERVFAIL and the status is pending, with a reason."""
    with PlainPrimary(ORIGIN, FAULTS["ns-missing"]) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        status = nsctl.wait_status(ORIGIN, last_result="refused", last_rule="ns-missing")
        assert status["state"] == "pending"
        assert status["serial"] is None
        assert nsctl.query(ORIGIN).rcode().name == "SERVFAIL"
        primary.publish(FIRST, nsctl.remote())
        nsctl.wait_serial(ORIGIN, 1)


@pytest.mark.interop
def test_serial_going_back_is_told(nsctl: Nsctl) -> None:
    """A primary with a lower serial than ours is not followed, and the status says why."""
    with PlainPrimary(ORIGIN, THIRD) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 3)
        primary.publish(SECOND, nsctl.remote())
        status = nsctl.wait_status(ORIGIN, last_rule="serial-went-back", primary_serial=2)
        assert status["serial"] == 3
        assert www(nsctl) == "192.0.2.3"


@pytest.mark.interop
def test_second_primary_is_asked_when_the_first_is_silent(nsctl: Nsctl) -> None:
    """With two primaries the zone is fetched from the one that answers."""
    with PlainPrimary(ORIGIN, FIRST) as silent, PlainPrimary(ORIGIN, FIRST) as alive:
        silent.reachable = False
        nsctl.follow(ORIGIN, silent.remote(), alive.remote())
        nsctl.wait_serial(ORIGIN, 1, seconds=20)
        assert alive.transfers == 1


@pytest.mark.interop
def test_without_notify_the_refresh_timer_finds_the_change(nsctl: Nsctl) -> None:
    """A primary that never NOTIFYs is asked every REFRESH seconds (RFC 1035 3.3.13)."""
    with PlainPrimary(ORIGIN, zone_text(1, refresh=1, retry=1)) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.load(zone_text(2, refresh=1, retry=1))
        nsctl.wait_serial(ORIGIN, 2)


@pytest.mark.interop
def test_notify_from_a_stranger_is_refused_and_asks_nobody(nsctl: Nsctl) -> None:
    """A NOTIFY from an address that is no primary of the zone causes no query (RFC 1996 3.10)."""
    with PlainPrimary(ORIGIN, FIRST) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.load(SECOND)
        asked = primary.soa_queries + primary.transfers
        assert primary.notify(nsctl.remote(), source="127.0.0.9").rcode().name == "REFUSED"
        assert primary.notify(nsctl.remote()).rcode().name == "NOERROR"
        nsctl.wait_serial(ORIGIN, 2)
        assert primary.soa_queries + primary.transfers == asked + 1
