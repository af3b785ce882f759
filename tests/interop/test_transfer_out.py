"""Our zones transferred to real servers, and NOTIFYed to them when they change (RFC 5936, 1996)."""

from __future__ import annotations

import dns.query
import dns.rcode
import dns.xfr
import dns.zone
import pytest

from tests.peers import Key, Nsctl, Peer
from tests.peers.waiting import LOOPBACK
from tests.peers.zonetext import ORIGIN, zone_text

MANY = [f'host{number} 300 TXT "{"text " * 30}"' for number in range(2000)]
FIRST = zone_text(1, "www 300 A 192.0.2.1", "odd 300 TYPE65280 \\# 3 010203", *MANY)
SECOND = zone_text(2, "www 300 A 192.0.2.2", *MANY)


@pytest.mark.parametrize("key", [None, Key()], ids=["unsigned", "signed"])
def test_each_server_follows_us(secondary: Peer, nsctl: Nsctl, key: Key | None) -> None:
    """A hosted zone of several messages reaches the secondary whole; an edit reaches it by NOTIFY."""
    if key:
        nsctl.add_key(key)
    nsctl.serve(ORIGIN, FIRST)
    nsctl.allow(secondary.remote(key), ORIGIN)
    secondary.follow(ORIGIN, nsctl.remote(key))
    secondary.start()
    secondary.wait_serial(ORIGIN, 1)
    for name, rtype in ((f"host1999.{ORIGIN}", "TXT"), (f"odd.{ORIGIN}", "TYPE65280")):
        assert secondary.query(name, rtype).answer == nsctl.query(name, rtype).answer
    nsctl.serve(ORIGIN, SECOND)
    secondary.wait_serial(ORIGIN, 2)
    assert secondary.query(f"www.{ORIGIN}", "A").answer[0][0].to_text() == "192.0.2.2"


def transferred(nsctl: Nsctl, key: Key | None = None) -> dns.zone.Zone:
    """Return the zone as dnspython transfers it; raises ``dns.xfr.TransferError``."""
    zone = dns.zone.Zone(ORIGIN)
    query, _ = dns.xfr.make_query(zone)
    if key:
        query.use_tsig(key.keyring())
    dns.query.inbound_xfr(LOOPBACK, zone, query, port=nsctl.port, timeout=5)
    return zone


@pytest.mark.interop
def test_only_those_allowed_may_transfer(nsctl: Nsctl) -> None:
    """A zone goes to nobody who is not entered; with a key entered, only to who signs with it."""
    nsctl.serve(ORIGIN, FIRST)
    key = Key()
    nsctl.add_key(key)
    with pytest.raises(dns.xfr.TransferError) as caught:
        transferred(nsctl)
    assert caught.value.rcode == dns.rcode.REFUSED
    nsctl.allow(nsctl.remote(key), ORIGIN)
    with pytest.raises(dns.xfr.TransferError):
        transferred(nsctl)
    assert len(transferred(nsctl, key).nodes) == 2003
