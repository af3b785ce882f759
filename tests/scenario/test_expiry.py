"""The last working version is served until its EXPIRE has run out, restarts or not.

Contract N 2.2.7: "if the customer corrects nothing, the zone is no longer resolved once the SOA
EXPIRE of the last working version has run out".
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import dns.edns
import dns.message
import pytest

from tests.peers import Bind, Knot, Nsctl, Peer
from tests.peers.fixtures import as_primary
from tests.peers.waiting import holds_for, wait_until
from tests.peers.zonetext import ORIGIN, zone_text

EXPIRE = 6  # seconds
FIRST = zone_text(1, refresh=1, retry=1, expire=EXPIRE)
FAULTY = zone_text(2, refresh=1, retry=1, expire=0)
REPAIRED = zone_text(3, refresh=1, retry=1, expire=EXPIRE)

knot_and_bind = pytest.mark.parametrize(
    "primary", [as_primary(Knot), as_primary(Bind)], indirect=True
)


def link(primary: Peer, nsctl: Nsctl, text: str = FIRST) -> None:
    """Start the primary, have nsctl follow it, wait until serial 1 is served."""
    primary.serve(ORIGIN, text, nsctl.remote())
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    nsctl.wait_serial(ORIGIN, 1)


def moment(status: dict[str, Any], field: str) -> float:
    """Return a time of the status as seconds since the epoch; they are told in whole seconds."""
    return datetime.fromisoformat(status[field]).timestamp()


def assert_expires_at(nsctl: Nsctl, at: float) -> None:
    """Assert that serial 1 is answered until this moment and SERVFAIL from then on."""
    left = at - time.time()
    holds_for(lambda: nsctl.serial(ORIGIN) == 1, "serial 1 is served until EXPIRE", left - 0.3)
    answer = wait_until(lambda: servfail(nsctl), "the expired zone is not resolved", 2)
    assert time.time() >= at, "too early"
    errors = [option for option in answer.options if isinstance(option, dns.edns.EDEOption)]
    assert [error.code for error in errors] == [dns.edns.EDECode.INVALID_DATA]  # RFC 8914 4.25


def servfail(nsctl: Nsctl) -> dns.message.Message | None:
    """Return the answer to a SOA query if it is SERVFAIL."""
    answer = nsctl.query(ORIGIN)
    return answer if answer.rcode().name == "SERVFAIL" else None


@knot_and_bind
def test_zone_expires_when_its_primary_is_gone(primary: Peer, nsctl: Nsctl) -> None:
    """Answers until EXPIRE, SERVFAIL after it, and answers again when the primary is back."""
    link(primary, nsctl)
    primary.stop()
    status = nsctl.wait_status(ORIGIN, last_result="unreachable", state="failing")
    assert moment(status, "expires_at") == moment(status, "last_success") + EXPIRE
    assert_expires_at(nsctl, moment(status, "expires_at"))
    assert nsctl.status(ORIGIN)["state"] == "expired"
    primary.start()
    nsctl.wait_serial(ORIGIN, 1)
    assert moment(nsctl.wait_status(ORIGIN, state="ok"), "expires_at") > time.time()


@knot_and_bind
def test_zone_expires_when_only_faulty_versions_are_offered(primary: Peer, nsctl: Nsctl) -> None:
    """A primary that answers, but with a version that is refused, does not keep the zone alive."""
    link(primary, nsctl)
    primary.update_zone(ORIGIN, FAULTY)
    status = nsctl.wait_status(ORIGIN, last_result="refused", last_rule="soa-timers-zero")
    assert moment(status, "expires_at") == moment(status, "last_success") + EXPIRE
    assert_expires_at(nsctl, moment(status, "expires_at"))
    primary.update_zone(ORIGIN, REPAIRED)
    nsctl.wait_serial(ORIGIN, 3)
    assert nsctl.wait_status(ORIGIN, state="ok")["last_result"] in {"accepted", "current"}


@knot_and_bind
def test_power_cut_loses_neither_content_nor_timers(primary: Peer, nsctl: Nsctl) -> None:
    """Killed and started again with its primary gone, it serves on, and every timer is as it was.

    Nobody is asked because of the restart: ten thousand zones would ask all their primaries.
    """
    link(primary, nsctl, zone_text(1))
    before = nsctl.wait_status(ORIGIN, last_result="accepted")
    nsctl.kill()
    primary.stop()
    nsctl.start()
    holds_for(lambda: nsctl.serial(ORIGIN) == 1, "serial 1 is served", 0.5)
    after = nsctl.status(ORIGIN)
    for field in ("serial", "state", "last_attempt", "last_success", "next_refresh", "expires_at"):
        assert after[field] == before[field], field


@pytest.mark.interop("knotd")
def test_expiry_during_an_outage_counts(knot: Peer, nsctl: Nsctl) -> None:
    """A zone whose EXPIRE ran out while the server was down is not answered when it is up."""
    link(knot, nsctl)
    knot.stop()
    expires_at = moment(nsctl.wait_status(ORIGIN, last_result="unreachable"), "expires_at")
    nsctl.kill()
    # The status tells whole seconds; what counts is the moment within that second.
    wait_until(lambda: time.time() > expires_at + 1, "EXPIRE has run out", EXPIRE + 3)
    nsctl.start()
    assert servfail(nsctl)
