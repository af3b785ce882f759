"""Changing a few RRsets of packed content: the octets around them are copied, not rebuilt."""

from __future__ import annotations

import contextlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

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


class Edit(NamedTuple):
    """What happens to one RRset of packed content: octets that are replaced, and what that changes.

    ``sets`` and ``records`` are how many more there are then.
    """

    order: SortKey
    start: int
    end: int
    new: bytes
    sets: int
    records: int


edit_order: Final = itemgetter(0)


def serial_after(header: packed.Header, changes: Mapping[Key, RRset | None]) -> int:
    """Return the serial that content has after changes."""
    key = header.apex, SOA, 0
    if key not in changes:
        return header.serial
    soa = changes[key]
    return int.from_bytes(soa.rdatas[0][-20:-16], "big") if soa else 0


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
        edits = sorted((self.edit(key, new) for key, new in changes.items()), key=edit_order)
        return self.ops(edits, serial_after(self._header, changes))

    def edit(self, key: Key, new: RRset | None) -> Edit:
        """Return what has to be done for one RRset."""
        start, end = self._marks.find(*key)
        sets = records = 0
        if start < end:
            old, _ = packed.read_rrset(self.blob, start)
            sets, records = -1, -len(old.rdatas)
        if new is None:
            return Edit(sort_key(key), start, end, b"", sets, records)
        octets = packed.pack_rrset(new)
        return Edit(sort_key(key), start, end, octets, sets + 1, records + len(new.rdatas))

    def ops(self, edits: Iterable[Edit], serial: int) -> list[Op]:
        """Return the operations for edits, which are given in their order."""
        header = self._header
        sets, records = header.rrsets, header.records
        ops: list[Op] = [b""]
        copied = header.start
        for _order, start, end, new, more_sets, more_records in edits:
            if copied < start:
                ops.append((copied, start))
            copied = end
            if new:
                ops.append(new)
            sets, records = sets + more_sets, records + more_records
        ops.append((copied, len(self.blob)))
        ops[0] = packed.pack_header(header.apex, serial, sets, records)
        return ops


class ChangedLayout:
    """The layout of content of which some RRsets are replaced, added, or gone (``None``)."""

    def __init__(self, root: Layout, sets: Mapping[Key, RRset | None]) -> None:
        self._root = root
        self._sets = sets
        self._keys: dict[Name, list[Key]] = {}
        for key in sets:
            self._keys.setdefault(key[0], []).append(key)

    def at(self, owner: Name) -> dict[Key, RRset]:
        """Return the RRsets that stand at a name."""
        found = self._root.at(owner)
        for key in self._keys.get(owner, ()):
            rrset = self._sets[key]
            if rrset is not None:
                found[key] = rrset
            else:
                found.pop(key, None)
        return found

    def get(self, key: Key) -> RRset | None:
        """Return the RRset of a key, ``None`` where there is none."""
        return self._sets[key] if key in self._sets else self._root.get(key)


def patched(blob: bytes, ops: Iterable[Op]) -> bytes:
    """Return what a patch makes of earlier content; raises ``PatchError``."""
    pieces = views(blob, ops)
    return join(pieces) if use_compiled() else b"".join(pieces)
