"""Changing a few RRsets of packed content: the octets around them are copied, not rebuilt."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from zones import packed
from zones.name import Name, canonical_key
from zones.rrset import SOA, RRset

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


class Layout:
    """Where the RRsets of packed content stand, for looking some up and replacing them."""

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        first = packed.read_header(blob).start
        self._starts = [first, *starts(blob, first, len(blob))]
        self._starts.pop()  # the end of the blob

    def __len__(self) -> int:
        return len(self._starts)

    def owners(self) -> Iterator[Name]:
        """Yield the owners of RRsets in canonical order."""
        previous = None
        for start in self._starts:
            owner = self.blob[start + 1 : start + 1 + self.blob[start]]
            if owner != previous:
                previous = owner
                yield owner

    def at(self, owner: Name) -> dict[Key, RRset]:
        """Return the RRsets that stand at a name."""
        found = {}
        for index in range(self._index((owner, 0, 0)), len(self._starts)):
            rrset, _end = packed.read_rrset(self.blob, self._starts[index])
            if rrset.owner != owner:
                break
            found[rrset.key] = rrset
        return found

    def get(self, key: Key) -> RRset | None:
        """Return the RRset of a key, ``None`` where there is none."""
        index = self._index(key)
        if index == len(self._starts):
            return None
        rrset, _end = packed.read_rrset(self.blob, self._starts[index])
        return rrset if rrset.key == key else None

    def splice(self, changes: Mapping[Key, RRset | None]) -> bytes:
        """Return packed content in which some RRsets are replaced, added, or gone (``None``)."""
        header = packed.read_header(self.blob)
        serial, sets, records = header.serial, header.rrsets, header.records
        pieces, copied = [], header.start
        for key in sorted(changes, key=sort_key):
            old, new = self.get(key), changes[key]
            index = self._index(key)
            start = self._starts[index] if index < len(self) else len(self.blob)
            pieces.append(self.blob[copied:start])
            copied = start
            if old is not None:
                _old, copied = packed.read_rrset(self.blob, start)
                sets, records = sets - 1, records - len(old.rdatas)
            if new is not None:
                pieces.append(packed.pack_rrset(new))
                sets, records = sets + 1, records + len(new.rdatas)
            if key == (header.apex, SOA, 0):
                serial = int.from_bytes(new.rdatas[0][-20:-16], "big") if new else 0
        pieces.append(self.blob[copied:])
        return packed.pack_header(header.apex, serial, sets, records) + b"".join(pieces)

    def _index(self, key: Key) -> int:
        return bisect_left(
            self._starts, sort_key(key), key=lambda start: sort_key(key_at(self.blob, start))
        )
