"""What becomes of queries: bits flipped, octets cut and joined, EDNS options that lie."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from tests.random_zones import Universe

NSID, EXPIRE, COOKIE, KEEPALIVE, PADDING, ERROR, ZONEVERSION = 3, 9, 10, 11, 12, 15, 19
CODES: Final = (NSID, EXPIRE, EXPIRE, COOKIE, COOKIE, KEEPALIVE, PADDING, ERROR, ZONEVERSION)
SIZES: Final = {EXPIRE: (0, 0, 4), KEEPALIVE: (0, 0, 2), ZONEVERSION: (0, 0, 6)}
ANY_SIZE: Final = (0, 0, 1, 2, 7, 8, 100)
TYPES: Final = (1, 2, 6, 6, 6, 16, 28, 251, 252, 255)
OPT: Final = 41
TSIG: Final = 250


def flipped(rng: random.Random, packet: bytes, others: Sequence[bytes]) -> bytes:
    """Return a packet with bits flipped, octets replaced, cut, doubled, or joined to another."""
    octets = bytearray(packet)
    for _ in range(rng.randrange(1, 4)):
        where = rng.randrange(len(octets)) if octets else 0
        match rng.randrange(7):
            case 0 | 1 if octets:
                octets[where] ^= 1 << rng.randrange(8)
            case 2 if octets:
                octets[where] = rng.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))
            case 3:
                del octets[where:]
            case 4:
                octets[where:where] = octets[where : where + rng.randrange(16)]
            case 5:
                octets += rng.choice(others)[rng.randrange(24) :]
            case _:
                octets[where:where] = rng.randbytes(rng.randrange(8))
    return bytes(octets)


def with_options(rng: random.Random, universe: Universe, cookies: Sequence[bytes]) -> bytes:
    """Return a query whose OPT record has many options, or odd ones, or lies about its length."""
    question = universe.name() + struct.pack("!HH", rng.choice(TYPES), 1)
    records = [opt(rng, cookies)]
    if rng.random() < 0.05:
        records.insert(rng.randrange(2), rng.choice((opt(rng, cookies), record(TSIG, b"abc"))))
    counts = [0, 0, len(records)]
    if rng.random() < 0.03:
        counts = [rng.randrange(3) for _ in range(3)]
    flags = rng.choice((0, 0, 0, 0x0100, 0x0110, 0x2000, 0x2800))
    header = struct.pack("!6H", rng.randrange(65536), flags, 1, *counts)
    return header + question + b"".join(records)


def opt(rng: random.Random, cookies: Sequence[bytes]) -> bytes:
    """Return an OPT record."""
    count = rng.choice((0, 1, 1, 2, 3, 6, 40))
    data = b"".join(option(rng, cookies) for _ in range(count))
    if rng.random() < 0.03:
        data = data[: rng.randrange(len(data) + 1)]
    size = rng.choice((0, 512, 512, 1232, 1232, 4096, 65535))
    ttl = rng.choice((0, 0, 0x8000, 0x8000, rng.getrandbits(32) if rng.random() < 0.1 else 0))
    lie = rng.choice((-4, -1, 1, 4, 600, 0x10000)) if rng.random() < 0.04 else 0
    owner = b"\x01k\x00" if rng.random() < 0.01 else b"\x00"
    length = (len(data) + lie) & 0xFFFF
    return owner + struct.pack("!HHIH", OPT, size, ttl, length) + data


def option(rng: random.Random, cookies: Sequence[bytes]) -> bytes:
    """Return one option, now and then with a length that is not its own."""
    code = rng.choice(CODES) if rng.random() < 0.95 else rng.randrange(65536)
    value = rng.randbytes(rng.choice(SIZES.get(code, ANY_SIZE)))
    if code == COOKIE and rng.random() < 0.9:
        value = rng.choice(cookies)
    lie = rng.choice((-1, 1, 3, 4, 255, 0xFFFF)) if rng.random() < 0.02 else 0
    return struct.pack("!HH", code, (len(value) + lie) & 0xFFFF) + value


def record(rtype: int, rdata: bytes) -> bytes:
    """Return a record of a name of one label."""
    return b"\x01k\x00" + struct.pack("!HHIH", rtype, 255, 0, len(rdata)) + rdata
