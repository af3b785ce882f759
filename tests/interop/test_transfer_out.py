"""Our zones transferred to real servers, and NOTIFYed to them when they change (RFC 5936, 1996)."""

from __future__ import annotations

import dns.query
import dns.rcode
import dns.xfr
import dns.zone
import pytest

from tests.peers import Key, Nsctl, Peer, Remote
from tests.peers.waiting import LOOPBACK, wait_until
from tests.peers.zonetext import ORIGIN, zone_text

MANY = [f'host{number} 300 TXT "{"text " * 30}"' for number in range(2000)]
FIRST = zone_text(1, "www 300 A 192.0.2.1", "odd 300 TYPE65280 \\# 3 010203", *MANY)
SECOND = zone_text(2, "www 300 A 192.0.2.2", *MANY)


def transferred(nsctl: Nsctl, key: Key | None = None) -> dns.zone.Zone | None:
    """Return the zone as dnspython transfers it, ``None`` where that is refused (REFUSED)."""
    zone = dns.zone.Zone(ORIGIN)
    query, _ = dns.xfr.make_query(zone)
    if key:
        query.use_tsig(key.keyring())
    try:
        dns.query.inbound_xfr(LOOPBACK, zone, query, port=nsctl.port, timeout=5)
    except dns.xfr.TransferError as error:
        if error.rcode == dns.rcode.REFUSED:
            return None
        raise
    return zone


def publish(nsctl: Nsctl, key: Key | None, *remotes: Remote) -> None:
    """Serve the first version, and wait until the remotes may transfer it."""
    if key:
        nsctl.add_key(key)
    nsctl.serve(ORIGIN, FIRST)
    nsctl.wait_serial(ORIGIN, 1)
    for remote in remotes:
        nsctl.allow(remote, ORIGIN)
        wait_until(lambda: transferred(nsctl, key), "the new peer may transfer")


@pytest.mark.cell("below: notify")
@pytest.mark.parametrize("key", [None, Key()], ids=["unsigned", "signed"])
def test_each_server_follows_us(secondary: Peer, nsctl: Nsctl, key: Key | None) -> None:
    """A zone of several messages reaches the secondary whole; an edit reaches it by NOTIFY."""
    publish(nsctl, key, secondary.remote(key))
    secondary.follow(ORIGIN, nsctl.remote(key))
    secondary.start()
    secondary.wait_serial(ORIGIN, 1)
    for name, rtype in ((f"host1999.{ORIGIN}", "TXT"), (f"odd.{ORIGIN}", "TYPE65280")):
        assert secondary.query(name, rtype).answer == nsctl.query(name, rtype).answer
    nsctl.serve(ORIGIN, SECOND)
    secondary.wait_serial(ORIGIN, 2)
    assert secondary.query(f"www.{ORIGIN}", "A").answer[0][0].to_text() == "192.0.2.2"


@pytest.mark.interop
def test_only_those_allowed_may_transfer(nsctl: Nsctl) -> None:
    """A zone goes to nobody who is not entered; with a key entered, only to who signs with it."""
    key = Key()
    publish(nsctl, key)
    assert transferred(nsctl) is None
    assert transferred(nsctl, key) is None
    nsctl.allow(nsctl.remote(key), ORIGIN)
    zone = wait_until(lambda: transferred(nsctl, key), "the new peer may transfer")
    assert len(zone.nodes) == 2003
    assert transferred(nsctl) is None
