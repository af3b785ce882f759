"""When the signatures of a zone lapse, read from its packed form without looking at its records."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from zones import packed
from zones.rrset import RRSIG

HEAD: Final = packed.RRSET_HEAD
TIMES: Final = struct.Struct("!8xII")  # expiration, inception (RFC 4034 3.1)
TYPE_OCTETS: Final = RRSIG.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Lapse:
    """The moment when the first RRset of a zone is without a good signature (unix seconds).

    ``validity`` is for how long its signature was made, in seconds: it tells how often the zone is
    signed anew.
    """

    at: float
    validity: float


def first_lapse(blob: bytes) -> Lapse | None:
    """Return when a packed zone's first signatures lapse, ``None`` for an unsigned zone.

    An RRset with several signatures lapses with the last of them. Expirations are taken as seconds
    since 1970, which holds until 2106 (RFC 4034 3.1.5 compares them as serial numbers).
    """
    header = packed.read_header(blob)
    position = header.start
    if blob.find(TYPE_OCTETS, position) < 0:
        return None  # most zones are settled here, at the speed of memory
    first: tuple[int, int] | None = None
    unpack = HEAD.unpack_from
    for _ in range(header.rrsets):
        head = position + 1 + blob[position]
        rtype, _covers, _ttl, count, size = unpack(blob, head)
        position = head + HEAD.size
        if rtype == RRSIG and count:
            times = last_times(blob, position, count)
            if first is None or times < first:
                first = times
        position += size
    if first is None:
        return None
    expiration, inception = first
    return Lapse(float(expiration), float(max(expiration - inception, 0)))


def last_times(blob: bytes, position: int, count: int) -> tuple[int, int]:
    """Return expiration and inception of the signature that lapses last, of one RRset's."""
    found = []
    for _ in range(count):
        (length,) = packed.RDATA_LENGTH.unpack_from(blob, position)
        position += packed.RDATA_LENGTH.size
        found.append(TIMES.unpack_from(blob, position))
        position += length
    return max(found)
