"""Transfers and NOTIFY signed with TSIG (RFC 8945), to and from real servers."""

from __future__ import annotations

import base64
import re
import signal

import pytest

from tests.peers import Key, Nsctl, Peer
from tests.peers.powerdns import PowerDNS
from tests.peers.waiting import wait_until
from tests.peers.zonetext import ORIGIN, zone_text

FIRST = zone_text(1, "www 300 A 192.0.2.1")
SECOND = zone_text(2, "www 300 A 192.0.2.2")
KEY = Key()
WRONG_SECRET = Key(secret=base64.b64encode(b"another secret, as long as that.").decode())
ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
OTHER, OTHER_KEY = "other.example.", Key(name="other.example.")
STRANGE_NAME = Key(name="stranger.example.")


@pytest.mark.cell("above: tsig")
def test_signed_transfer_and_notify(primary: Peer, nsctl: Nsctl) -> None:
    """With the same key at both ends the zone comes, and a signed NOTIFY brings its change."""
    nsctl.add_key(KEY)
    primary.serve(ORIGIN, FIRST, nsctl.remote(KEY))
    primary.start()
    nsctl.follow(ORIGIN, primary.remote(KEY))
    nsctl.wait_serial(ORIGIN, 1)
    primary.update_zone(ORIGIN, SECOND)
    nsctl.wait_serial(ORIGIN, 2, seconds=5)


@pytest.mark.cell("above: algorithms")
def test_every_algorithm(primary: Peer, nsctl: Nsctl) -> None:
    """Keys of all algorithms in use (RFC 8945 6) are understood alike by each server and by us."""
    apexes = {f"{name}.example.": name for name in ALGORITHMS}
    keys = {apex: Key(name=f"key.{apex}", algorithm=name) for apex, name in apexes.items()}
    for apex, key in keys.items():
        primary.serve(apex, zone_text(1, apex=apex), nsctl.remote(key))
    primary.start()
    for apex, key in keys.items():
        nsctl.add_key(key)
        nsctl.follow(apex, primary.remote(key))
    for apex in keys:
        nsctl.wait_serial(apex, 1)


@pytest.mark.cell("above: wrong key")
@pytest.mark.parametrize("key", [WRONG_SECRET, STRANGE_NAME], ids=["secret", "name"])
def test_wrong_key_is_told(primary: Peer, nsctl: Nsctl, key: Key) -> None:
    """A key with another secret or name than the primary's ends in a refusal that says so.

    PowerDNS 4.7 refuses with a bare NOTAUTH, without a TSIG error: it says that it may be the key.
    """
    bare = isinstance(primary, PowerDNS)
    rule = "primary-not-authoritative" if bare else "tsig-wrong"
    nsctl.add_key(key)
    primary.serve(ORIGIN, FIRST, nsctl.remote(KEY))
    primary.start()
    nsctl.follow(ORIGIN, primary.remote(key))
    status = nsctl.wait_status(ORIGIN, last_result="refused", last_rule=rule)
    assert status["serial"] is None
    assert not bare or "does not know our key" in status["last_reason"]


@pytest.mark.cell("above: wrong key")
def test_primary_that_wants_a_key_refuses_us_without(primary: Peer, nsctl: Nsctl) -> None:
    """Asked without the key that it wants, the primary refuses, and the status says that."""
    primary.serve(ORIGIN, FIRST, nsctl.remote(KEY))
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    status = nsctl.wait_status(ORIGIN, last_result="refused")
    assert status["last_rule"] in {
        "refused-by-primary",
        "primary-failed",
        "primary-not-authoritative",
    }
    assert nsctl.query(ORIGIN).rcode().name == "SERVFAIL"


@pytest.mark.cell("below: wrong key")
@pytest.mark.parametrize("key", [WRONG_SECRET, STRANGE_NAME, None], ids=["secret", "name", "none"])
def test_secondary_with_a_wrong_key_gets_nothing(
    secondary: Peer, nsctl: Nsctl, key: Key | None
) -> None:
    """It is refused, and we count that; its other zone, for which it has the right key, it gets."""
    nsctl.add_key(KEY)
    for apex in (ORIGIN, OTHER):
        nsctl.serve(apex, zone_text(1, apex=apex))
        nsctl.allow(secondary.remote(KEY), apex)
    nsctl.wait_serial(OTHER, 1)
    secondary.follow(ORIGIN, nsctl.remote(key))
    secondary.follow(OTHER, nsctl.remote(OTHER_KEY))
    nsctl.add_key(OTHER_KEY)
    nsctl.allow(secondary.remote(OTHER_KEY), OTHER)
    secondary.start()
    secondary.wait_serial(OTHER, 1)
    wait_until(lambda: was_refused(nsctl, signed=key is not None), "it has asked, and was refused")
    assert secondary.serial(ORIGIN) is None


def was_refused(nsctl: Nsctl, *, signed: bool) -> bool:
    """Tell whether somebody was refused for want of a key, or for a wrong one."""
    if not signed:
        return "zone example.org: AXFR, outgoing, to 127.0.0.1: REFUSED" in nsctl.log()
    nsctl.process.signal(signal.SIGUSR1)  # the counters are written to the log
    return bool(re.search(r"tsig\.failed=[1-9]", nsctl.log()))
