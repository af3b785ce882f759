"""A suspicious version is held by a running server until somebody decides, restarts or not."""

from __future__ import annotations

import json

import pytest

from tests.peers import Nsctl, PlainPrimary
from tests.peers.waiting import holds_for, wait_until
from tests.peers.zonetext import ORIGIN, zone_text

HOSTS = [f"h{number} 300 A 192.0.2.{number}" for number in range(20)]
FULL, HALF = zone_text(1, *HOSTS), zone_text(2, *HOSTS[:5])


def kinds(nsctl: Nsctl) -> list[str]:
    """Return the kinds of events about transfers so far."""
    wanted = {"zone-held", "zone-refused", "zone-recovered", "zone-approved", "zone-discarded"}
    told = nsctl.run("--json", "events", "--zone", ORIGIN).stdout.splitlines()
    return [kind for line in told if (kind := json.loads(line)["kind"]) in wanted]


@pytest.mark.interop
def test_held_across_a_restart_then_approved(nsctl: Nsctl) -> None:
    """Held is told once, survives a power cut, is not fetched again, and approved is answered."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.publish(HALF, nsctl.remote())
        status = nsctl.wait_status(ORIGIN, last_result="held", last_rule="names-lost")
        assert (status["serial"], status["primary_serial"], status["state"]) == (1, 2, "ok")
        nsctl.kill()
        nsctl.start()
        transfers = primary.transfers
        primary.notify(nsctl.remote())
        before = nsctl.status(ORIGIN)["last_attempt"]
        nsctl.cli("secondary", "refresh", ORIGIN)
        wait_until(lambda: nsctl.status(ORIGIN)["last_attempt"] >= before, "it was asked again")
        holds_for(lambda: nsctl.serial(ORIGIN) == 1, "serial 1 is served", 0.3)
        assert primary.transfers == transfers
        assert kinds(nsctl) == ["zone-held"]
        nsctl.cli("secondary", "approve", ORIGIN, "--serial", "2")
        nsctl.wait_serial(ORIGIN, 2, seconds=5)
        nsctl.cli("secondary", "refresh", ORIGIN)
        assert nsctl.wait_status(ORIGIN, last_result="current")["serial"] == 2
        assert nsctl.cli("secondary", "held") == []
        assert "zone-approved" in kinds(nsctl)


@pytest.mark.interop
def test_discarded_then_mended(nsctl: Nsctl) -> None:
    """What was discarded is not held again; the mended version is served by itself."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.publish(HALF, nsctl.remote())
        nsctl.wait_status(ORIGIN, last_result="held")
        nsctl.cli("secondary", "discard", ORIGIN)
        nsctl.wait_status(ORIGIN, last_rule="discarded", serial=1)
        primary.publish(zone_text(3, *HOSTS[:18]), nsctl.remote())
        nsctl.wait_serial(ORIGIN, 3)
        assert kinds(nsctl) == ["zone-held", "zone-discarded", "zone-recovered"]


@pytest.mark.interop
def test_refused_is_told_once(nsctl: Nsctl) -> None:
    """The same fault in one version after the other is one event; another fault is another."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        for serial in (2, 3, 4):
            primary.publish(zone_text(serial, *HOSTS, ns=False), nsctl.remote())
            nsctl.wait_status(ORIGIN, last_rule="ns-missing", primary_serial=serial)
        primary.publish(zone_text(5, *HOSTS, expire=0), nsctl.remote())
        nsctl.wait_status(ORIGIN, last_rule="soa-timers-zero")
        primary.publish(zone_text(6, *HOSTS), nsctl.remote())
        nsctl.wait_serial(ORIGIN, 6)
        wait_until(lambda: len(kinds(nsctl)) == 3, "the events are there")
        assert kinds(nsctl) == ["zone-refused", "zone-refused", "zone-recovered"]


@pytest.mark.interop
def test_a_serial_accepted_once(nsctl: Nsctl) -> None:
    """A primary restored from a backup is followed again on request, and no second time."""
    with PlainPrimary(ORIGIN, zone_text(9, *HOSTS)) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 9)
        primary.publish(zone_text(4, *HOSTS), nsctl.remote())
        nsctl.wait_status(ORIGIN, last_rule="serial-went-back")
        nsctl.cli("secondary", "accept-serial", ORIGIN)
        nsctl.wait_serial(ORIGIN, 4)
        assert nsctl.cli("secondary", "guard", ORIGIN)["accepted_serial"] is None
        primary.publish(zone_text(2, *HOSTS), nsctl.remote())
        nsctl.wait_status(ORIGIN, last_rule="serial-went-back", serial=4)


@pytest.mark.interop
def test_pinned_then_unpinned(nsctl: Nsctl) -> None:
    """The version at the primary can be compared while pinned, and is served when unpinned."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        nsctl.cli("zone", "pin", ORIGIN)
        primary.publish(zone_text(2, *HOSTS, "new 300 A 192.0.2.99"), nsctl.remote())
        nsctl.wait_status(ORIGIN, last_rule="pinned", last_result="held")
        told = nsctl.cli("secondary", "explain", ORIGIN)
        assert any("new.example.org." in line for line in told["difference"])
        refused = nsctl.run("secondary", "approve", ORIGIN)
        assert refused.returncode == 1
        assert "pinned" in refused.stderr
        nsctl.cli("zone", "unpin", ORIGIN)
        nsctl.wait_serial(ORIGIN, 2)


@pytest.mark.interop
def test_rolled_back_and_pinned_beside_a_hold(nsctl: Nsctl) -> None:
    """After a rollback with a pin the newer version at the primary waits; unpinned it comes."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        primary.publish(zone_text(2, *HOSTS, "new 300 A 192.0.2.99"), nsctl.remote())
        nsctl.wait_serial(ORIGIN, 2)
        nsctl.cli("zone", "rollback", ORIGIN, "--pin")
        nsctl.wait_serial(ORIGIN, 1)
        nsctl.cli("secondary", "refresh", ORIGIN)
        nsctl.wait_status(ORIGIN, last_rule="pinned", primary_serial=2, serial=1)
        nsctl.cli("zone", "unpin", ORIGIN)
        nsctl.wait_serial(ORIGIN, 2)


@pytest.mark.interop
def test_a_suspended_primary(nsctl: Nsctl) -> None:
    """Cut off at once, with its reason to be read; resumed, it is followed again."""
    with PlainPrimary(ORIGIN, FULL) as primary:
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 1)
        nsctl.cli("secondary", "suspend-primary", str(primary.remote()), "--reason", "a flood")
        nsctl.wait_status(ORIGIN, last_rule="primary-suspended")
        primary.load(zone_text(2, *HOSTS))
        assert primary.notify(nsctl.remote()).rcode().name == "REFUSED"
        nsctl.cli("secondary", "resume-primary", str(primary.remote()))
        nsctl.wait_serial(ORIGIN, 2)
