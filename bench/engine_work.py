"""The work for the engine alone: a zone of 100,000 names, and packets by kind of question."""

from __future__ import annotations

import struct
from random import Random

from nameserver.table import ServedZone, ZoneState
from zones.name import Name, below, from_text
from zones.rrset import AAAA, CNAME, MX, NS, SOA, TXT, A, RRset
from zones.version import ZoneVersion

APEX = from_text("example.org.")
NAMES = 100_000
KINDS = 10  # of names: h0 has A, ..., h7 CNAME, h8 TXT, h9 is delegated
# What is asked about: a kind of name, or one that does not exist.
ASKED = {"A": 0, "AAAA": 5, "MX": 6, "CNAME": 7, "TXT": 8, "referral": KINDS - 1, "NXDOMAIN": KINDS}


def host(number: int) -> Name:
    """Return the name of a host."""
    return below(f"h{number}".encode(), APEX)


def rrsets_of(number: int) -> list[RRset]:
    """Return what stands at a host, and below it if it is delegated."""
    owner, address = host(number), struct.pack("!I", number)
    kind = number % KINDS
    if kind == KINDS - 1:
        servers = [below(label, owner) for label in (b"ns1", b"ns2")]
        glue = [RRset(server, A, 300, (address,)) for server in servers]
        return [RRset(owner, NS, 300, tuple(servers)), *glue]
    rdata: dict[int, tuple[int, bytes]] = {
        5: (AAAA, bytes(12) + address),
        6: (MX, b"\x00\x0a" + host(number - 3)),
        7: (CNAME, host(number - 5)),
        8: (TXT, b"\x0bhello world"),
    }
    rtype, octets = rdata.get(kind, (A, address))
    return [RRset(owner, rtype, 300, (octets,))]


def engine_zone() -> ServedZone:
    """Return the zone that is asked."""
    servers = tuple(below(label, APEX) for label in (b"ns1", b"ns2"))
    soa = servers[0] + APEX + struct.pack("!5I", 1, 3600, 900, 604800, 300)
    rrsets = [RRset(APEX, SOA, 3600, (soa,)), RRset(APEX, NS, 3600, servers)]
    rrsets += [RRset(server, A, 300, (b"\xc0\x00\x02\x01",)) for server in servers]
    for number in range(NAMES):
        rrsets += rrsets_of(number)
    return ServedZone(APEX, ZoneState.SERVING, ZoneVersion.of(APEX, rrsets))


def packet(rng: Random, qname: Name, qtype: int, *, qclass: int = 1) -> bytes:
    """Return a query with EDNS."""
    head = struct.pack("!6H", rng.randrange(65536), 0x0100, 1, 0, 0, 1)
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
    return head + qname + struct.pack("!HH", qtype, qclass) + opt


def ask(rng: Random, kind: int) -> bytes:
    """Return a query for a random host of a kind, ``KINDS`` for one that does not exist."""
    if kind == KINDS:
        return packet(rng, below(f"x{rng.getrandbits(40):x}".encode(), APEX), A)
    owner = host(rng.randrange(NAMES // KINDS) * KINDS + kind)
    if kind == KINDS - 1:
        owner = below(b"www", owner)
    return packet(rng, owner, {5: AAAA, 6: MX, 8: TXT}.get(kind, A))
