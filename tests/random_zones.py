"""Zones, tables and queries by chance: all the shapes that answering has to know.

Much of it would never pass a check: occluded data, CNAME beside other types, loops, chains of
NSEC and NSEC3 with gaps. What is signed is not signed truly: answering looks at the shape alone.
"""

from __future__ import annotations

import struct
from base64 import b32hexencode
from collections.abc import Iterator, Sequence
from random import Random

from nameserver.cookies import Client, made
from nameserver.table import ServedZone, ZoneState
from zones.denial import Nsec3Parameters
from zones.name import MAX_LENGTH, ROOT, Name, ancestors, canonical_key, is_subdomain, labels
from zones.rrset import (
    AAAA,
    CNAME,
    DNAME,
    DS,
    HTTPS,
    MX,
    NS,
    NSEC,
    NSEC3,
    NSEC3PARAM,
    PTR,
    RRSIG,
    SOA,
    SRV,
    SVCB,
    TXT,
    A,
    RRset,
)
from zones.version import ZoneVersion

LABELS = [b"a", b"b", b"c", b"www", b"ns", b"*", b"*", b"_tcp", b"\x00", b"\xff", b"a" * 63]
APEXES = [
    b"\x00",
    b"\x07example\x00",
    b"\x01a\x07example\x00",
    b"\x01b\x01a\x07example\x00",
    b"\x01*\x07example\x00",
    b"\x01a\x01b\x01c\x07example\x00",
    b"\x04test\x00",
    b"\x01a\x04test\x00",
]
PLAIN = [A, A, AAAA, TXT, MX, SRV, PTR, HTTPS, SVCB, 65280, 14, 17, 35, 257]
STATES = [*[ZoneState.SERVING] * 12, ZoneState.EXPIRED, ZoneState.PENDING, ZoneState.SUSPENDED]
SIGNED = ["no", "no", "nsec", "nsec3", "opt-out"]


def join(label: bytes, name: Name) -> Name:
    """Return the name with a label in front, or the name where that gets too long."""
    if len(label) + 1 + len(name) > MAX_LENGTH:
        return name
    return bytes((len(label),)) + label + name


class Universe:
    """Names that meet: owners, targets and questions are drawn from the same few."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.labels = rng.sample(LABELS, rng.randint(2, len(LABELS)))
        self.apexes = rng.sample(APEXES, rng.randint(1, 4))
        self.names = [*self.apexes]
        for _ in range(rng.randint(4, 60)):
            self.names.append(join(rng.choice(self.labels), rng.choice(self.names)))
        if rng.random() < 0.1:
            self.names.append(self.longest(rng.choice(self.apexes)))

    def longest(self, name: Name) -> Name:
        """Return a name of nearly 255 octets."""
        size = self.rng.choice((1, 1, 20, 63))
        while len(name) + size < MAX_LENGTH - self.rng.randint(0, 4):
            name = join(b"x" * size, name)
        return name

    def name(self) -> Name:
        """Return one of the names, or one near to them."""
        name = self.rng.choice(self.names)
        chance = self.rng.random()
        if chance < 0.2:
            name = join(self.rng.choice(LABELS), name)
        elif chance < 0.25:
            name = name[1 + name[0] :] if name[0] else name
        elif chance < 0.3:
            name = join(self.rng.choice(LABELS), join(self.rng.choice(LABELS), name))
        return name


def rdata(rng: Random, universe: Universe, rtype: int) -> bytes:
    """Return rdata of a type."""
    number = rng.randrange(3).to_bytes(2, "big")
    before = {MX: number, SRV: number * 3, 35: number * 2 + b"\x01u\x00\x00"}
    if rtype in (HTTPS, SVCB):
        target = rng.choice((ROOT, universe.name()))
        return number + target + rng.randbytes(rng.choice((0, 4)))
    if rtype in (NS, CNAME, DNAME, PTR, *before):
        return before.get(rtype, b"") + universe.name()
    if rtype in (SOA, 14, 17):
        both = universe.name() + universe.name()
        return both + (struct.pack("!5I", 1, 2, 3, 4, rng.randrange(600)) if rtype == SOA else b"")
    size = {A: 4, AAAA: 16, DS: 36}.get(rtype)
    return rng.randbytes(size or rng.choice((1, 5, 40, 200)))


def rrset(rng: Random, universe: Universe, owner: Name, rtype: int) -> RRset:
    """Return an RRset, now and then one that no datagram holds."""
    count = rng.choice((1, 1, 1, 2, 3))
    if rtype not in (CNAME, DNAME, SOA) and rng.random() < 0.03:
        count = rng.choice((10, 40, 120))
    ttl = rng.choice((0, 60, 300, 300, 2**31 - 1))
    return RRset.of(owner, rtype, ttl, [rdata(rng, universe, rtype) for _ in range(count)])


def content(rng: Random, universe: Universe, apex: Name) -> list[RRset]:
    """Return the RRsets of a zone that is not signed."""
    found: dict[tuple[Name, int], RRset] = {}
    inside = [name for name in universe.names if is_subdomain(name, apex)]
    plan = [(apex, SOA)] if rng.random() < 0.97 else []
    plan += [(apex, NS)] if rng.random() < 0.9 else []
    for _ in range(rng.randint(0, 40)):
        owner = rng.choice(inside)
        if rng.random() < 0.15:
            owner = join(b"*", owner)
        chance = rng.random()
        if chance < 0.1:
            rtypes = [NS, *([DS] if rng.random() < 0.5 else [])]
        elif chance < 0.2:
            rtypes = [CNAME]
        elif chance < 0.26:
            rtypes = [DNAME]
        else:
            rtypes = rng.choices(PLAIN, k=rng.choice((1, 1, 2, 5)))
        plan += [(owner, rtype) for rtype in rtypes]
    for owner, rtype in plan:
        found[owner, rtype] = rrset(rng, universe, owner, rtype)
    return list(found.values())


def bitmap(rtypes: set[int]) -> bytes:
    """Return the type bitmap of types below 256."""
    octets = bytearray(32)
    for rtype in rtypes:
        if rtype < 256:
            octets[rtype >> 3] |= 0x80 >> (rtype & 7)
    return b"\x00\x20" + bytes(octets)


def types_at(rrsets: list[RRset]) -> dict[Name, set[int]]:
    """Return the types that stand at each owner."""
    found: dict[Name, set[int]] = {}
    for one in rrsets:
        found.setdefault(one.owner, set()).add(one.rtype)
    return found


def nsec(rng: Random, rrsets: list[RRset]) -> Iterator[RRset]:
    """Yield a chain of NSEC records, at times with gaps and with records at occluded names."""
    owners = types_at(rrsets)
    order = sorted(owners, key=canonical_key)
    gaps = rng.random() < 0.2
    for owner, following in zip(order, [*order[1:], *order[:1]], strict=True):
        if not gaps or rng.random() < 0.7:
            yield RRset.of(owner, NSEC, 300, [following + bitmap(owners[owner])])


def nsec3(rng: Random, apex: Name, rrsets: list[RRset], *, opt_out: bool) -> Iterator[RRset]:
    """Yield one chain of NSEC3 records and its NSEC3PARAM, at times with oddities."""
    salt = rng.randbytes(rng.choice((0, 0, 4, 8, 200)))
    iterations = rng.choice((0, 0, 0, 1, 5, 150, 151, 2000))
    parameters = Nsec3Parameters(iterations, salt)
    head = struct.pack("!BBHB", 1, opt_out, iterations, len(salt)) + salt
    owners = types_at(rrsets)
    for owner in list(owners):
        for name in ancestors(owner):
            if name == apex:
                break
            owners.setdefault(name, set())
    gaps = rng.random() < 0.15
    hashes = {}
    for owner, types in owners.items():
        if opt_out and ((NS in types and DS not in types) or not types) and owner != apex:
            continue
        if not gaps or owner == apex or rng.random() < 0.7:
            label = b32hexencode(parameters.hash(owner) if iterations < 200 else rng.randbytes(20))
            hashes[join(label.lower(), apex)] = types
    if rng.random() < 0.1:  # not a hash, or not where it belongs
        hashes[join(rng.choice((b"a", b"w" * 32, b"0" * 32)), rng.choice(list(owners)))] = {SOA}
    for owner, types in hashes.items():
        yield RRset.of(owner, NSEC3, 300, [head + b"\x14" + rng.randbytes(20) + bitmap(types)])
    if rng.random() < 0.95:
        other = [struct.pack("!BBHB", 1, rng.choice((0, 1)), 3, 0)] if rng.random() < 0.1 else []
        published = struct.pack("!BBHB", 1, 0, iterations, len(salt)) + salt
        yield RRset.of(apex, NSEC3PARAM, 0, [published, *other])


def signatures(rng: Random, apex: Name, rrsets: list[RRset]) -> Iterator[RRset]:
    """Yield an RRSIG RRset for most RRsets, and some for none."""
    size = rng.choice((8, 64, 256))
    for one in rrsets:
        if rng.random() < 0.95:
            count = rng.choice((1, 1, 1, 2))
            rdatas = [signature(rng, one.rtype, apex, size) for _ in range(count)]
            yield RRset.of(one.owner, RRSIG, rng.choice((one.ttl, 60)), rdatas)
    if rng.random() < 0.1:
        owner = rng.choice(rrsets).owner
        if not any(one.owner == owner and one.rtype == 99 for one in rrsets):
            yield RRset.of(owner, RRSIG, 60, [signature(rng, 99, apex, size)])


def signature(rng: Random, covers: int, signer: Name, size: int) -> bytes:
    """Return the rdata of an RRSIG (RFC 4034 3.1)."""
    return covers.to_bytes(2, "big") + bytes(16) + signer + rng.randbytes(size)


def version(rng: Random, universe: Universe, apex: Name) -> ZoneVersion:
    """Return a zone of any shape."""
    rrsets = content(rng, universe, apex)
    how = rng.choice(SIGNED)
    if rrsets and how != "no":
        if how == "nsec" or rng.random() < 0.1:
            rrsets += nsec(rng, rrsets)
        if how != "nsec":
            rrsets += nsec3(rng, apex, rrsets, opt_out=how == "opt-out")
        rrsets = list({one.key: one for one in rrsets}.values())
        rrsets += signatures(rng, apex, rrsets)
    return ZoneVersion.of(apex, {one.key: one for one in rrsets}.values())


def served_zones(rng: Random, universe: Universe) -> list[ServedZone]:
    """Return the zones of a table, in all states."""
    zones = []
    for apex in universe.apexes:
        state = rng.choice(STATES)
        built = None if rng.random() < 0.03 else version(rng, universe, apex)
        zones.append(ServedZone(apex, state, built))
    return zones


QTYPES = [
    A, A, A, AAAA, NS, CNAME, SOA, MX, TXT, SRV, HTTPS, SVCB, DS, DS, DNAME, NSEC, NSEC3, RRSIG,
    NSEC3PARAM, PTR, 255, 255, 65280, 14, 35, 0, 41, 99, 250, 251, 252, 253,
]  # fmt: skip
CHAOS = [b"\x07VERSION\x04bind\x00", b"\x02id\x06server\x00", b"\x08hostname\x04bind\x00"]
CHAOS += [b"\x07version\x06server\x00", b"\x00"]


def query(rng: Random, universe: Universe, cookies: Sequence[bytes] = (b"",)) -> bytes:
    """Return a query, mostly one that a resolver would send, maybe with some of the cookies."""
    qname = shake_case(rng, universe.name())
    qtype = rng.choice(QTYPES) if rng.random() < 0.97 else rng.randrange(65536)
    qclass = 1
    if rng.random() < 0.04:
        qclass = rng.choice((0, 3, 3, 3, 255, 4))
        qname = rng.choice((qname, *CHAOS))
        qtype = rng.choice((TXT, TXT, 255, qtype))
    flags = rng.choice((0, 0x0100, 0x0100, 0x0110, 0x0020))
    if rng.random() < 0.03:
        flags = rng.randrange(65536)
    questions = 1 if rng.random() < 0.98 else rng.choice((0, 0, 2))
    records = [opt(rng, cookies)] if rng.random() < 0.7 else []
    if rng.random() < 0.01:
        records.append(rng.choice((opt(rng, cookies), tsig())))
    body = (qname + struct.pack("!HH", qtype, qclass)) * questions
    counts = [0, 0, 0]
    counts[2 if rng.random() < 0.99 else rng.randrange(3)] = len(records)
    message = struct.pack("!6H", rng.randrange(65536), flags, questions, *counts)
    message += body + b"".join(records)
    return message if rng.random() < 0.93 else mutate(rng, message)


def plain_query(rng: Random, universe: Universe) -> bytes:
    """Return a query for a common type that wants nothing else: what most resolvers send."""
    edns = struct.pack("!BHHIH", 0, 41, rng.choice((512, 1232)), 0, 0) * rng.randrange(2)
    header = struct.pack("!6H", rng.randrange(65536), 0x0100, 1, 0, 0, 1 if edns else 0)
    qtype = rng.choice((A, A, A, AAAA, NS, CNAME, SOA, MX, TXT, SRV, DNAME))
    return header + shake_case(rng, universe.name()) + struct.pack("!HH", qtype, 1) + edns


def shake_case(rng: Random, name: Name) -> bytes:
    """Return the name with letters in any case (0x20)."""
    if rng.random() < 0.7:
        return name
    parts = (
        bytes(rng.choice((octet, *bytes((octet,)).upper())) for octet in p) for p in labels(name)
    )
    return b"".join(bytes((len(part),)) + part for part in parts) + ROOT


def cookies(rng: Random, client: Client, secrets: Sequence[bytes]) -> list[bytes]:
    """Return values of COOKIE options: for this client, good and bad, and of any other kind."""
    found = [rng.randbytes(size) for size in (0, 7, 8, 9, 15, 16, 24, 24, 40, 41)]
    for age in (0, 0, 1, 1800, 1801, 3600, 3601, -300, -301, rng.randrange(2**32)):
        own, secret = rng.randbytes(8), rng.choice((*secrets, *secrets, rng.randbytes(16)))
        found.append(own + made(own, Client(client.address, client.now - age), secret))
    for _ in range(3):
        octets = bytearray(found[-rng.randint(1, 10)])
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
        found.append(bytes(octets))
    return found


def opt(rng: Random, cookies: Sequence[bytes]) -> bytes:
    """Return an OPT record."""
    size = rng.choice((0, 511, 512, 513, 600, 800, 1232, 1232, 1232, 1400, 4096, 65535))
    version = 0 if rng.random() < 0.98 else rng.randrange(256)
    dnssec = rng.choice((0, 0x8000, 0x8000, 0x8000)) | (
        rng.randrange(0x8000) * (rng.random() < 0.1)
    )
    data = b""
    while rng.random() < 0.35:
        code = rng.choice((3, 3, 8, 9, 9, 10, 10, 10, 11, 12, 15, 19, 19, rng.randrange(65536)))
        value = rng.choice(cookies) if code == 10 else rng.randbytes(rng.choice((0, 0, 8, 24)))
        data += struct.pack("!HH", code, len(value)) + value
    extended = rng.randrange(256) * (rng.random() < 0.02)
    return struct.pack("!BHHBBHH", 0, 41, size, extended, version, dnssec, len(data)) + data


def tsig() -> bytes:
    """Return what looks like a TSIG record."""
    return b"\x01k\x00" + struct.pack("!HHIH", 250, 255, 0, 3) + b"abc"


def mutate(rng: Random, message: bytes) -> bytes:
    """Return the message with something wrong in it."""
    octets = bytearray(message)
    chance = rng.random()
    if chance < 0.3:
        del octets[rng.randrange(len(octets)) :]
    elif chance < 0.4:
        octets += rng.randbytes(rng.randint(1, 12))
    else:
        for _ in range(rng.choice((1, 1, 2, 5))):
            octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    if rng.random() < 0.1:
        octets = bytearray(rng.randbytes(rng.randrange(80)))
    return bytes(octets)
