"""A record of every type passes through us unharmed, from and to each server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import pytest

from tests.interop.every_type import (
    OBSOLETE,
    REFUSED,
    TEXTS,
    UNNAMED,
    line,
    octets,
    owner,
    sent,
    zone,
)
from tests.peers import Nsctl, Peer, PowerDNS
from tests.peers.base import ask
from tests.peers.fixtures import EACH_PEER
from tests.peers.waiting import LOOPBACK, wait_until
from tests.peers.zonetext import ORIGIN, zone_text

Record = tuple[str, str, str]


def records(server: Peer | Nsctl) -> set[Record]:
    """Return owner, type and octets of what a server transfers, but for the apex."""
    query = dns.message.make_query(ORIGIN, "AXFR")
    answer = dns.query.tcp(query, LOOPBACK, 10, server.port, one_rr_per_rrset=True)
    return {
        (str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), rrset[0].to_wire().hex())
        for rrset in answer.answer
        if str(rrset.name) != ORIGIN
    }


def expected(server: type[Peer]) -> set[Record]:
    """Return what the zone has that this server can have."""
    return {(f"{owner(rtype)}.{ORIGIN}", rtype, octets(rtype)) for rtype in sent(server)}


def assert_answered(server: Peer | Nsctl, rtypes: Iterable[str]) -> None:
    """Assert that the record of each type is the answer to a query for it."""
    for rtype in rtypes:
        if rtype == "NSEC3":  # its owner does not exist as a name (RFC 5155 7.2.8)
            continue
        answer = ask(server.port, f"{owner(rtype)}.{ORIGIN}", rtype).answer
        assert [octets(rtype)] == [rdata.to_wire().hex() for rrset in answer for rdata in rrset], (
            rtype
        )


@pytest.mark.cell("above: types")
def test_from_each_server(primary: Peer, nsctl: Nsctl) -> None:
    """Whatever a primary can load is served here, octet for octet."""
    kind = type(primary)
    primary.serve(ORIGIN, zone(1, kind), nsctl.remote())
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    nsctl.allow(nsctl.remote(), ORIGIN)
    nsctl.wait_serial(ORIGIN, 1)
    assert records(nsctl) == expected(kind)
    assert_answered(nsctl, sent(kind))


@pytest.mark.cell("below: types")
def test_to_each_server(secondary: Peer, nsctl: Nsctl) -> None:
    """What we serve arrives at a secondary, octet for octet, where it takes that type at all."""
    kind = type(secondary)
    nsctl.serve(ORIGIN, zone(1, kind, unnamed=OBSOLETE))
    nsctl.allow(secondary.remote(), ORIGIN)
    nsctl.wait_serial(ORIGIN, 1)
    secondary.follow(ORIGIN, nsctl.remote())
    secondary.start()
    secondary.wait_serial(ORIGIN, 1)
    assert_answered(secondary, sent(kind))


@pytest.mark.parametrize("kind", EACH_PEER)
def test_what_it_does_not_load(kind: type[Peer], place: Path) -> None:
    """Where we say that it knows no name of a type, or takes no such record, that is so."""
    server = kind(place)
    for rtype in (*UNNAMED[kind], *REFUSED[kind]):
        apex = f"{rtype.lower()}.example."
        record = line(rtype, by_name=rtype in TEXTS).replace(ORIGIN, apex)
        server.serve(apex, zone_text(1, record, apex=apex))
    if isinstance(server, PowerDNS):
        assert_not_taken(server)
    else:
        assert_complains(server)


def assert_complains(server: Peer) -> None:
    """Assert that it complains of the line with the record, in each of its zones."""
    server.process.command = server.configure()
    server.process.start()
    left = set(server.zones)

    def all_named() -> bool:
        left.difference_update(
            re.findall(r"([^\s/]+\.example\.)zone(?::6:|', line 6 )", server.log())
        )
        return not left

    try:
        wait_until(all_named, f"it complains of {left}", 30)
    finally:
        server.stop()


def assert_not_taken(server: PowerDNS) -> None:
    """Assert that none of its zones can be put into the database."""
    zones, server.zones = server.zones, {}
    server.configure()
    for apex in zones:
        with pytest.raises(AssertionError, match="load-zone"):
            server.command("pdnsutil", "load-zone", apex, f"{apex}zone")
