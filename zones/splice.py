"""Changing a few RRsets of packed content: the octets around them are copied, not rebuilt."""

from __future__ import annotations

import contextlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from zones import packed
from zones.name import Name, canonical_key
from zones.packing import use_compiled
from zones.patch import Op, views
from zones.rrset import SOA, RRset

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones._splice import MarksCompiled, join

Key: TypeAlias = tuple[Name, int, int]  # owner, type, type covered
SortKey: TypeAlias = tuple[tuple[bytes, ...], int, int]

_SIZE: Final = struct.Struct("!I")  # the last field of an RRset's head


def sort_key(key: Key) -> SortKey:
    """Return what orders keys as the packed form orders RRsets."""
    return canonical_key(key[0]), key[1], key[2]


def key_at(blob: bytes, start: int) -> Key:
    """Return the key of the RRset that starts at an offset."""
    head = start + 1 + blob[start]
    rtype, covers, *_rest = packed.RRSET_HEAD.unpack_from(blob, head)
    return blob[start + 1 : head], rtype, covers


def starts(blob: bytes, start: int, limit: int) -> Iterator[int]:
    """Yield the offsets behind those RRsets, from the one at ``start`` on, that end by ``limit``.

    A zone has up to millions of RRsets: nothing of them but their sizes is read.
    """
    read_size, size_at = _SIZE.unpack_from, packed.RRSET_HEAD.size - _SIZE.size
    behind = 1 + packed.RRSET_HEAD.size
    while start < limit:
        (size,) = read_size(blob, start + 1 + blob[start] + size_at)
        start += behind + blob[start] + size
        if start <= limit:
            yield start


class Marks:
    """Where every RRset of packed content starts, in order; ``zones/_splice.pyx`` is the same."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        first = packed.read_header(blob).start
        self._starts = [first, *starts(blob, first, len(blob))]  # and the end of the blob

    def find(self, owner: Name, rtype: int, covers: int) -> tuple[int, int]:
        """Return from where to where the RRset of a key stands; where it would, twice."""
        wanted = sort_key((owner, rtype, covers))
        index = bisect_left(
            self._starts,
            wanted,
            hi=len(self._starts) - 1,
            key=lambda start: sort_key(key_at(self._blob, start)),
        )
        start = self._starts[index]
        if start == len(self._blob) or key_at(self._blob, start) != (owner, rtype, covers):
            return start, start
        return start, self._starts[index + 1]


class Layout:
    """Where the RRsets of packed content stand, for looking some up and replacing them."""

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        self._header = packed.read_header(blob)
        self._marks = MarksCompiled(blob) if use_compiled() else Marks(blob)

    def __len__(self) -> int:
        return self._header.rrsets

    def owners(self) -> Iterator[Name]:
        """Yield the owners of RRsets in canonical order."""
        previous = None
        start = self._header.start
        for end in starts(self.blob, start, len(self.blob)):
            owner = self.blob[start + 1 : start + 1 + self.blob[start]]
            if owner != previous:
                previous = owner
                yield owner
            start = end

    def at(self, owner: Name) -> dict[Key, RRset]:
        """Return the RRsets that stand at a name."""
        found = {}
        position, _ = self._marks.find(owner, 0, 0)
        while position < len(self.blob):
            rrset, position = packed.read_rrset(self.blob, position)
            if rrset.owner != owner:
                break
            found[rrset.key] = rrset
        return found

    def get(self, key: Key) -> RRset | None:
        """Return the RRset of a key, ``None`` where there is none."""
        start, end = self._marks.find(*key)
        return packed.read_rrset(self.blob, start)[0] if start < end else None

    def splice(self, changes: Mapping[Key, RRset | None]) -> bytes:
        """Return packed content in which some RRsets are replaced, added, or gone (``None``)."""
        return patched(self.blob, self.patch(changes))

    def patch(self, changes: Mapping[Key, RRset | None]) -> list[Op]:
        """Return what ``splice`` does: header and RRsets are new, all else is copied."""
        header = self._header
        serial, sets, records = header.serial, header.rrsets, header.records
        ops: list[Op] = [b""]
        copied = header.start
        for key in sorted(changes, key=sort_key):
            new = changes[key]
            start, end = self._marks.find(*key)
            ops.append((copied, start))
            copied = end
            if start < end:
                old, _ = packed.read_rrset(self.blob, start)
                sets, records = sets - 1, records - len(old.rdatas)
            if new is not None:
                ops.append(packed.pack_rrset(new))
                sets, records = sets + 1, records + len(new.rdatas)
            if key == (header.apex, SOA, 0):
                serial = int.from_bytes(new.rdatas[0][-20:-16], "big") if new else 0
        ops.append((copied, len(self.blob)))
        ops[0] = packed.pack_header(header.apex, serial, sets, records)
        return ops


def patched(blob: bytes, ops: Iterable[Op]) -> bytes:
    """Return what a patch makes of earlier content; raises ``PatchError``."""
    pieces = views(blob, ops)
    return join(pieces) if use_compiled() else b"".join(pieces)
