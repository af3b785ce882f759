"""Answer sections of a whole transfer (RFC 5936 2.2), straight from the packed form.

Owners are compressed to a pointer at the apex, which stands in the question; rdatas are sent as
they are stored, so that a record costs a few copies. ``zones/_sections.pyx`` writes the same
octets, compiled.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from zones.packed import RRSET_HEAD, read_header
from zones.packing import IN, use_compiled
from zones.rrset import SOA

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones._sections import SectionsCompiled

Section: TypeAlias = tuple[bytes, int]  # the octets, the number of records in them

APEX_POINTER: Final = b"\xc0\x0c"  # to the name in the question
FRONT: Final = struct.Struct("!2sHHI")  # pointer, type, class, TTL


def sections(blob: bytes, soa: bytes, room: int) -> Iterator[Section]:
    """Yield the sections that transfer a packed zone, of at most ``room`` octets where they can be.

    ``soa`` is the record of the apex SOA, ready for a message: it opens and closes the transfer.
    A record that is larger than ``room`` has a section to itself. Raises ``PackedError``.
    """
    if use_compiled():
        return SectionsCompiled(blob, soa, room)
    return gathered(_around(soa, _records(blob)), room)


def gathered(records: Iterable[bytes], room: int) -> Iterator[Section]:
    """Yield records that are ready for a message as sections of at most ``room`` octets."""
    pieces: list[bytes] = []
    size = 0
    for record in records:
        size += len(record)
        if size > room and pieces:
            yield b"".join(pieces), len(pieces)
            pieces, size = [], len(record)
        pieces.append(record)
    yield b"".join(pieces), len(pieces)


def _around(soa: bytes, records: Iterable[bytes]) -> Iterator[bytes]:
    yield soa
    yield from records
    yield soa


def _records(blob: bytes) -> Iterator[bytes]:
    """Yield every record but the apex SOA.

    An RRset of the packed form holds each rdata behind its length, as a message does, so that a
    set of one record is one slice behind its owner, type, class and TTL.
    """
    header = read_header(blob)
    cut = len(header.apex)
    position = header.start
    for _ in range(header.rrsets):
        owner = position + 1
        head = owner + blob[position]
        rtype, _covers, ttl, _count, octets = RRSET_HEAD.unpack_from(blob, head)
        data = head + RRSET_HEAD.size
        position = data + octets
        if rtype == SOA and head - owner == cut:
            continue
        start = blob[owner : head - cut] + FRONT.pack(APEX_POINTER, rtype, IN, ttl)
        while data < position:
            following = data + 2 + (blob[data] << 8 | blob[data + 1])
            yield start + blob[data:following]
            data = following
