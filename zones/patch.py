"""Large content written as what of earlier content it repeats and what is new in it.

Operations, in order: ``(start, end)`` copies octets of the earlier content, ``bytes`` are new. To
tell the million records that did not change a few numbers are enough.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

from zones.errors import DNSError

Op: TypeAlias = tuple[int, int] | bytes

_HEAD: Final = struct.Struct("!QQ")  # start and length of a copy; NEW and the length of new octets
_NEW: Final = 2**64 - 1


class PatchError(DNSError):
    """Octets are no encoded patch, or not one of this content."""


def views(blob: bytes, ops: Iterable[Op]) -> list[bytes | memoryview]:
    """Return the pieces of the content, copies as views; raises ``PatchError``."""
    whole = memoryview(blob)
    pieces: list[bytes | memoryview] = []
    for op in ops:
        if isinstance(op, bytes):
            pieces.append(op)
            continue
        start, end = op
        if not 0 <= start <= end <= len(blob):
            raise PatchError("a patch copies what is not there")
        pieces.append(whole[start:end])
    return pieces


def compose(first: Sequence[Op], second: Sequence[Op]) -> list[Op]:
    """Return what does at once what ``first`` and then ``second`` do."""
    ends = list(accumulate(map(op_size, first)))
    made: list[Op] = []
    for op in second:
        made += [op] if isinstance(op, bytes) else _part(first, ends, *op)
    return list(_merged(made))


def _part(ops: Sequence[Op], ends: Sequence[int], start: int, end: int) -> Iterator[Op]:
    """Yield what makes the octets from ``start`` to ``end`` of what ``ops`` make."""
    index = bisect_right(ends, start)
    while start < end:
        op = ops[index]
        before = ends[index] - op_size(op)
        stop = min(end, ends[index])
        if isinstance(op, bytes):
            yield op[start - before : stop - before]
        else:
            yield op[0] + start - before, op[0] + stop - before
        start, index = stop, index + 1


def _merged(ops: Iterable[Op]) -> Iterator[Op]:
    """Yield the operations with neighbours joined and empty ones left out."""
    last: Op = b""
    for op in ops:
        if isinstance(op, bytes) and isinstance(last, bytes):
            last += op
        elif not isinstance(op, bytes) and not isinstance(last, bytes) and op[0] == last[1]:
            last = last[0], op[1]
        elif op_size(op):
            if op_size(last):
                yield last
            last = op
    if op_size(last):
        yield last


def op_size(op: Op) -> int:
    """Return how many octets an operation makes."""
    return len(op) if isinstance(op, bytes) else op[1] - op[0]


def encode(ops: Iterable[Op]) -> bytes:
    """Return the operations as octets."""
    parts: list[bytes] = []
    for op in ops:
        if isinstance(op, bytes):
            parts += [_HEAD.pack(_NEW, len(op)), op]
        else:
            parts.append(_HEAD.pack(op[0], op[1] - op[0]))
    return b"".join(parts)


def decode(octets: bytes) -> list[Op]:
    """Return the operations that ``encode`` was given; raises ``PatchError``."""
    ops: list[Op] = []
    position = 0
    while position < len(octets):
        if len(octets) - position < _HEAD.size:
            raise PatchError("an encoded patch is cut short")
        start, length = _HEAD.unpack_from(octets, position)
        position += _HEAD.size
        if start != _NEW:
            ops.append((start, start + length))
            continue
        if len(octets) - position < length:
            raise PatchError("an encoded patch is cut short")
        ops.append(octets[position : position + length])
        position += length
    return ops
