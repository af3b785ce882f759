"""Incremental transfers (RFC 1995) from and to real servers, and what is done without them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from tests.peers import Bind, Key, Knot, Nsctl, Nsd, Peer, PowerDNS
from tests.peers.fixtures import as_primary
from tests.peers.plain_primary import PlainPrimary, Record, messages, plain_transfer
from tests.peers.waiting import wait_until
from tests.peers.zonetext import ORIGIN, zone_text

INCREMENTAL = [as_primary(peer) for peer in (Bind, Knot, Nsd)]
HOSTS = [f"host{number} 300 A 192.0.2.{number % 250}" for number in range(300)]
KEYS = pytest.mark.parametrize("key", [None, Key()], ids=["unsigned", "signed"])


def text(serial: int, *more: str) -> str:
    """Return a zone that is large enough for differences to be smaller."""
    return zone_text(serial, *HOSTS, *more)


def same_answers(one: Nsctl | Peer, other: Nsctl | Peer, *questions: str) -> None:
    """Compare what two servers answer."""
    for question in questions:
        owner, rtype = question.split()
        name = f"{owner}.{ORIGIN}"
        assert one.query(name, rtype).answer == other.query(name, rtype).answer, question


@pytest.mark.cell("above: ixfr")
@KEYS
@pytest.mark.parametrize("primary", INCREMENTAL, indirect=True)
def test_changes_come_by_ixfr(primary: Peer, nsctl: Nsctl, key: Key | None) -> None:
    """A changed zone comes as its differences, one version after the other."""
    if key:
        nsctl.add_key(key)
    primary.serve(ORIGIN, text(1, "old 300 TXT gone"), nsctl.remote(key), incremental=True)
    primary.start()
    nsctl.follow(ORIGIN, primary.remote(key))
    nsctl.wait_serial(ORIGIN, 1)
    for serial in (2, 3, 4):
        address = f"new 300 A 192.0.2.{serial}"
        primary.update_zone(ORIGIN, text(serial, address, 'host7 60 TXT "beside an address"'))
        nsctl.wait_serial(ORIGIN, serial)
    same_answers(nsctl, primary, "new A", "old TXT", "host7 A", "host7 TXT", "host8 A")
    assert nsctl.log().count("IXFR, incoming, from") >= 3
    assert nsctl.log().count("AXFR, incoming, from") == 1


@pytest.mark.cell("above: random ixfr")
@pytest.mark.parametrize("primary", INCREMENTAL, indirect=True)
def test_any_changes_end_in_what_axfr_brings(primary: Peer, nsctl: Nsctl) -> None:
    """After random changes by IXFR a retransfer of the whole zone finds nothing different."""
    rng = random.Random(7)
    primary.serve(ORIGIN, text(1), nsctl.remote(), incremental=True)
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    nsctl.wait_serial(ORIGIN, 1)
    for serial in range(2, 7):
        lines = [line for line in HOSTS if rng.random() > 0.02]
        lines += [f"r{rng.randrange(9)}.x 60 A 192.0.2.{n}" for n in {rng.randrange(9), 200}]
        primary.update_zone(ORIGIN, zone_text(serial, *lines))
        nsctl.wait_serial(ORIGIN, serial)
    history = nsctl.cli("zone", "history", ORIGIN)
    nsctl.cli("secondary", "retransfer", ORIGIN)
    wait_until(lambda: nsctl.log().count("AXFR, incoming, from") == 2, "the zone came again")
    assert nsctl.cli("zone", "history", ORIGIN) == history  # no new version: nothing differed


@pytest.mark.cell("above: whole")
def test_whole_zone_where_changes_were_asked_for(primary: Peer, nsctl: Nsctl) -> None:
    """A primary that keeps no differences answers IXFR with all of it, and that is taken over."""
    primary.serve(ORIGIN, text(1, "old 300 TXT gone"), nsctl.remote())
    primary.start()
    nsctl.follow(ORIGIN, primary.remote())
    nsctl.wait_serial(ORIGIN, 1)
    for serial in (2, 3):
        primary.update_zone(ORIGIN, text(serial, f"new 300 A 192.0.2.{serial}"))
        nsctl.wait_serial(ORIGIN, serial)
    same_answers(nsctl, primary, "new A", "old TXT", "host7 A")


@pytest.mark.cell("below: ixfr")
@KEYS
def test_secondaries_get_differences_from_us(
    secondary: Peer, nsctl: Nsctl, key: Key | None
) -> None:
    """Who follows us is sent what changed, from the versions that the store keeps."""
    if key:
        nsctl.add_key(key)
    nsctl.serve(ORIGIN, text(1, "old 300 TXT gone"))
    nsctl.allow(secondary.remote(key), ORIGIN)
    secondary.follow(ORIGIN, nsctl.remote(key), incremental=True)
    secondary.start()
    secondary.wait_serial(ORIGIN, 1)
    for serial in (2, 3):
        nsctl.serve(ORIGIN, text(serial, f"new 300 A 192.0.2.{serial}"))
        secondary.wait_serial(ORIGIN, serial)
    if isinstance(secondary, PowerDNS):  # new names from an IXFR are answered for after this
        secondary.command("pdnsutil", "rectify-zone", ORIGIN)
    same_answers(nsctl, secondary, "new A", "old TXT", "host7 A")
    assert nsctl.log().count("IXFR, outgoing, to") >= 2
    assert "serial 2 to 3, 6 records" in nsctl.log()


def soa_record(serial: int) -> Record:
    """Return the SOA of the zone at a serial."""
    line = next(line for line in zone_text(serial).splitlines() if " SOA " in line)
    return Record.parse(line, dns.name.from_text(ORIGIN))


def from_another_base(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Answer an IXFR with differences from a version that nobody has."""
    if query.question[0].rdtype == dns.rdatatype.IXFR:
        return messages(query, [soa_record(serial) for serial in (10, 9, 10, 10)])
    return plain_transfer(server, query)


def not_implemented(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Answer an IXFR with NOTIMP."""
    if query.question[0].rdtype != dns.rdatatype.IXFR:
        yield from plain_transfer(server, query)
        return
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.NOTIMP)
    yield response.to_wire()


@pytest.mark.interop
def test_differences_from_another_base(nsctl: Nsctl) -> None:
    """Differences that do not fit are told, and made up for by an AXFR in the same refresh."""
    with PlainPrimary(ORIGIN, text(7)) as primary:
        primary.transfer = from_another_base
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 7)
        primary.publish(text(10), nsctl.remote())
        nsctl.wait_serial(ORIGIN, 10)
        assert (
            f"zone example.org: IXFR, incoming, from 127.0.0.1@{primary.port}:"
            " base serial mismatch (have 7, got 9); falling back to AXFR" in nsctl.log()
        )


@pytest.mark.interop
def test_primary_without_ixfr(nsctl: Nsctl) -> None:
    """A primary that does not know IXFR is asked for it once, and then for whole zones."""
    with PlainPrimary(ORIGIN, text(7)) as primary:
        primary.transfer = not_implemented
        nsctl.follow(ORIGIN, primary.remote())
        nsctl.wait_serial(ORIGIN, 7)
        for serial in (8, 9):
            primary.publish(text(serial), nsctl.remote())
            nsctl.wait_serial(ORIGIN, serial)
        assert nsctl.log().count("it does not do what was asked; falling back to AXFR") == 1
