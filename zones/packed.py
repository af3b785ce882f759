"""The packed form: the one storable form of a zone's content.

It is what the store keeps, what AXFR out walks, what diffs merge and what lookups are indexed
from. All integers are big-endian::

    header   "NSZV"  format u8  flags u8 (0)  apex length u16  serial u32  RRsets u32  records u32
    apex     wire name, folded
    RRset*   owner length u8  owner  type u16  covers u16  TTL u32  records u32  octets u32
             then per record: length u16, rdata

RRsets stand in canonical order of owners (RFC 4034 6.1), then by type, then by the type covered;
rdatas in canonical form and order (RFC 4034 6.2, 6.3), without duplicates. Two blobs of equal
content are equal octet by octet.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from zones.errors import DNSError
from zones.name import Name, canonical_key
from zones.rrset import SOA, RRset

MAGIC: Final = b"NSZV"
FORMAT: Final = 1
HEADER: Final = struct.Struct("!4sBBHIII")
RRSET_HEAD: Final = struct.Struct("!HHIII")
RDATA_LENGTH: Final = struct.Struct("!H")


class PackedError(DNSError):
    """A blob is not a packed zone, or of a format this release does not read."""


class Header(NamedTuple):
    """The fixed part of a packed zone; ``start`` is the offset of the first RRset."""

    apex: Name
    serial: int
    rrsets: int
    records: int
    start: int


def pack(apex: Name, rrsets: Iterable[RRset]) -> bytes:
    """Return the packed form of RRsets given in any order, one RRset per key.

    The serial in the header is that of the apex SOA, 0 where there is none.
    """
    body = bytearray()
    serial = sets = records = 0
    for rrset in sorted(rrsets, key=lambda rrset: rrset.sort_key):
        body += pack_rrset(rrset)
        sets += 1
        records += len(rrset.rdatas)
        if rrset.rtype == SOA and rrset.owner == apex:
            serial = int.from_bytes(rrset.rdatas[0][-20:-16], "big")
    return pack_header(apex, serial, sets, records) + bytes(body)


def pack_header(apex: Name, serial: int, rrsets: int, records: int) -> bytes:
    """Return what stands before the first RRset of a packed zone."""
    return HEADER.pack(MAGIC, FORMAT, 0, len(apex), serial, rrsets, records) + apex


def pack_rrset(rrset: RRset) -> bytes:
    """Return one RRset as it stands in a packed zone."""
    data = b"".join(RDATA_LENGTH.pack(len(rdata)) + rdata for rdata in rrset.rdatas)
    head = RRSET_HEAD.pack(rrset.rtype, rrset.covers, rrset.ttl, len(rrset.rdatas), len(data))
    return bytes((len(rrset.owner),)) + rrset.owner + head + data


def pack_changes(changes: Mapping[tuple[Name, int, int], RRset | None]) -> bytes:
    """Return changed RRsets by key as they stand in a packed zone; without records, what is gone."""
    packed_by_order = []
    for (owner, rtype, covers), rrset in changes.items():
        octets = (
            bytes((len(owner),)) + owner + RRSET_HEAD.pack(rtype, covers, 0, 0, 0)
            if rrset is None
            else pack_rrset(rrset)
        )
        packed_by_order.append(((canonical_key(owner), rtype, covers), octets))
    return b"".join(octets for _key, octets in sorted(packed_by_order))


def read_header(blob: bytes) -> Header:
    """Return the header of a packed zone; raises ``PackedError``."""
    try:
        magic, version, _flags, apex_length, serial, rrsets, records = HEADER.unpack_from(blob)
    except struct.error:
        raise PackedError(f"a packed zone of {len(blob)} octets has no header") from None
    if magic != MAGIC or version != FORMAT:
        raise PackedError(f"not a packed zone of format {FORMAT}: starts with {blob[:5].hex()}")
    start = HEADER.size + apex_length
    return Header(bytes(blob[HEADER.size : start]), serial, rrsets, records, start)


def iter_rrsets(blob: bytes) -> Iterator[RRset]:
    """Yield the RRsets of a packed zone in its order; raises ``PackedError``."""
    header = read_header(blob)
    position = header.start
    try:
        for _ in range(header.rrsets):
            rrset, position = read_rrset(blob, position)
            yield rrset
    except (IndexError, struct.error):
        raise PackedError(f"a packed zone is cut short at octet {position}") from None


def read_rrset(blob: bytes, position: int) -> tuple[RRset, int]:
    """Return the RRset that starts at ``position`` and the offset behind it."""
    owner_length = blob[position]
    head = position + 1 + owner_length
    rtype, _covers, ttl, count, size = RRSET_HEAD.unpack_from(blob, head)
    owner = bytes(blob[position + 1 : head])
    position = head + RRSET_HEAD.size
    end = position + size
    rdatas = []
    for _ in range(count):
        (length,) = RDATA_LENGTH.unpack_from(blob, position)
        position += RDATA_LENGTH.size
        rdatas.append(bytes(blob[position : position + length]))
        position += length
    if position != end or end > len(blob):
        raise PackedError(f"a packed RRset does not end where it says, at octet {end}")
    return RRset(owner, rtype, ttl, tuple(rdatas)), end


def content_hash(blob: bytes) -> str:
    """Return the SHA-256 of a packed zone, in hexadecimal: equal content, equal hash."""
    return hashlib.sha256(blob).hexdigest()
