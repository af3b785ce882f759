"""The compiled engine alone: microseconds per query, without sockets. ``python -m bench.engine_loop``.

Answers a list of packets in batches of 64, as a worker does, over a zone of 100,000 names, and
tells the CPU time of a query by kind of work, with minimal and with default responses.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable
from random import Random

from nameserver._answer import CompiledTable
from nameserver.respond import AnswerSettings, Transport
from nameserver.table import ServedZone, ZoneState
from zones.name import Name, below, from_text
from zones.rrset import AAAA, CNAME, MX, NS, SOA, TXT, A, RRset
from zones.version import ZoneVersion

APEX = from_text("example.org.")
NAMES = 100_000
QUERIES = 50_000
KINDS = 10  # of names: h0 has A, ..., h7 CNAME, h8 TXT, h9 is delegated


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


def zone() -> ServedZone:
    """Return the zone that is asked."""
    servers = tuple(below(label, APEX) for label in (b"ns1", b"ns2"))
    soa = servers[0] + APEX + struct.pack("!5I", 1, 3600, 900, 604800, 300)
    rrsets = [RRset(APEX, SOA, 3600, (soa,)), RRset(APEX, NS, 3600, servers)]
    rrsets += [RRset(server, A, 300, (b"\xc0\x00\x02\x01",)) for server in servers]
    for number in range(NAMES):
        rrsets += rrsets_of(number)
    return ServedZone(APEX, ZoneState.SERVING, ZoneVersion.of(APEX, rrsets))


def packet(rng: Random, qname: Name, qtype: int) -> bytes:
    """Return a query with EDNS."""
    head = struct.pack("!6H", rng.randrange(65536), 0x0100, 1, 0, 0, 1)
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
    return head + qname + struct.pack("!HH", qtype, 1) + opt


def ask(rng: Random, kind: int) -> bytes:
    """Return a query for a random host of a kind, ``KINDS`` for one that does not exist."""
    if kind == KINDS:
        return packet(rng, below(f"x{rng.getrandbits(40):x}".encode(), APEX), A)
    owner = host(rng.randrange(NAMES // KINDS) * KINDS + kind)
    if kind == KINDS - 1:
        owner = below(b"www", owner)
    return packet(rng, owner, {5: AAAA, 6: MX, 8: TXT}.get(kind, A))


def microseconds(table: CompiledTable, queries: list[bytes], settings: AnswerSettings) -> float:
    """Return the CPU time of a query: of many rounds, less that of one, which serves Python."""
    best = float("inf")
    for _ in range(5):
        started = time.thread_time()
        table.respond_many(queries, Transport.UDP, settings, rounds=1)
        once = time.thread_time()
        table.respond_many(queries, Transport.UDP, settings, rounds=21)
        ended = time.thread_time()
        best = min(best, ((ended - once) - (once - started)) / 20 / len(queries))
    return best * 1e6


def main() -> None:
    """Measure and print."""
    rng = Random(1)
    table = CompiledTable()
    table.replace(zone())
    kinds: dict[str, Callable[[], int]] = {
        "mixed": lambda: rng.randrange(KINDS + 1),
        "A": lambda: 0,
        "MX": lambda: 6,
        "CNAME": lambda: 7,
        "referral": lambda: KINDS - 1,
        "NXDOMAIN": lambda: KINDS,
    }
    sys.stdout.write("us/query      minimal  default\n")
    for name, kind in kinds.items():
        queries = [ask(rng, kind()) for _ in range(QUERIES)]
        found = [
            microseconds(table, queries, AnswerSettings(minimal_responses=minimal))
            for minimal in (True, False)
        ]
        sys.stdout.write(f"{name:12}  {found[0]:7.3f}  {found[1]:7.3f}\n")


if __name__ == "__main__":
    main()
