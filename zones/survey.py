"""One pass over packed content that finds the few names whose content must be looked at.

Most of a large zone is addresses, texts and signatures at names of their own, about which there is
nothing to say. The pass walks the octets once, in canonical order, in which everything below a name
directly follows it, and makes objects only for the rest. ``zones/_survey.pyx`` does the same
compiled, and passes over more: also names whose records point to where all is well.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from zones import packed
from zones.name import Name, is_subdomain
from zones.packing import use_compiled
from zones.rrset import (
    AAAA,
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    MX,
    NS,
    NSEC,
    NSEC3,
    NSEC3PARAM,
    RRSIG,
    SOA,
    SRV,
    TXT,
    A,
    RRset,
)
from zones.syntax import SIZES, problem

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones._survey import Survey

MAX_TTL: Final = 2**31 - 1
# Types about which a rule has something to say, beyond their syntax.
NOTABLE: Final = frozenset({SOA, NS, CNAME, DNAME, MX, SRV, DS, DNSKEY, NSEC3PARAM})
# What may stand below a zone cut without a word: addresses, and their signatures in odd signers.
GLUE: Final = frozenset({A, AAAA, RRSIG, NSEC})
# Types that are checked here, so that they cost no RRset.
_CHECKED_HERE: Final = frozenset({TXT, RRSIG, NSEC, NSEC3})
_HEADER_AND_QUESTION: Final = 12 + 4
_RECORD_HEAD: Final = 12  # a compressed owner, type, class, TTL and length
_MAX_MESSAGE: Final = 65535
_SMALL: Final = 1 << 16  # octets of content that are worth a look whether all is quiet


class Place(NamedTuple):
    """A name to look at: its RRsets, and the cut or DNAME it is at or below.

    ``cut`` is the topmost delegation at or above the name, ``dname`` the topmost DNAME owner above
    it. ``odd`` tells that an RRset is suspicious, or of a type that was not looked at in the pass.
    ``silent`` tells of the apex that the pass found all in order but the SOA, which is then the
    only RRset here.
    """

    owner: Name
    rrsets: tuple[RRset, ...]
    types: frozenset[int]
    cut: Name | None
    dname: Name | None
    odd: bool
    silent: bool = False

    @property
    def is_occluded(self) -> bool:
        """Tell whether the name is below a delegation (not at it)."""
        return self.cut is not None and self.cut != self.owner

    def rrset(self, rtype: int) -> RRset | None:
        """Return the RRset of a type (not RRSIG)."""
        return next((rrset for rrset in self.rrsets if rrset.rtype == rtype), None)


def places(blob: bytes, passed: Callable[[int], object] = lambda _count: None) -> Iterator[Place]:
    """Return, in canonical order, the names of packed content that a rule may apply to.

    Of names that the rules could at most warn of, the compiled survey shows ten thousand; ``passed``
    is called with the number of the others.
    """
    return _suspects(blob, passed) if use_compiled() else _walk(blob)


def is_quiet(blob: bytes, ranges: bytes) -> bool:
    """Tell whether small content surely breaks no rule; ``False`` means that the rules must look.

    ``ranges`` are those of the SOA timers, packed for the compiled survey. Most small zones are
    quiet, and many come at once: this takes a hundredth of what the rules take.
    """
    return len(blob) <= _SMALL and use_compiled() and Survey(blob).is_quiet(ranges)


def _suspects(blob: bytes, passed: Callable[[int], object]) -> Iterator[Place]:
    survey = Survey(blob)
    suspects = survey.suspects()
    passed(survey.passed)
    for start, end, cut, dname, silent in suspects:
        rrsets = _read_rrsets(blob, start, end)
        owner, types = rrsets[0].owner, frozenset(rrset.rtype for rrset in rrsets)
        if silent:
            rrsets = tuple(rrset for rrset in rrsets if rrset.rtype == SOA)
        yield Place(
            owner=owner,
            rrsets=rrsets,
            types=types,
            cut=None if cut is None else packed.read_rrset(blob, cut)[0].owner,
            dname=None if dname is None else packed.read_rrset(blob, dname)[0].owner,
            odd=True,
            silent=silent,
        )


def _walk(blob: bytes) -> Iterator[Place]:
    header = packed.read_header(blob)
    start = position = header.start
    unpack, head_size = packed.RRSET_HEAD.unpack_from, packed.RRSET_HEAD.size
    walk = _Walk(blob, header.apex)
    owner, notable, odd = b"", False, False
    for _ in range(header.rrsets):
        head = position + 1 + blob[position]
        name = blob[position + 1 : head]
        if name != owner:
            if (notable or walk.below) and (place := walk.place(start, position, odd=odd)):
                yield place
            owner, start, notable, odd = name, position, False, False
        rtype, _covers, ttl, count, size = unpack(blob, head)
        position = head + head_size + size
        if count == 1 and ttl <= MAX_TTL and size - 2 == SIZES.get(rtype):
            continue
        odd = odd or _is_odd(blob, head)
        notable = notable or odd or rtype in NOTABLE
    if (notable or walk.below) and (place := walk.place(start, position, odd=odd)):
        yield place


class _Walk:
    """What is known on the way through a zone: the cut and the DNAME that the last name was in."""

    def __init__(self, blob: bytes, apex: Name) -> None:
        self._blob = blob
        self._apex = apex
        self._cut: Name | None = None
        self._dname: Name | None = None
        self.below = False

    def place(self, start: int, end: int, *, odd: bool) -> Place | None:
        """Return the name whose RRsets stand from ``start`` to ``end``, if a rule may apply."""
        rrsets = _read_rrsets(self._blob, start, end)
        if not rrsets:
            return None
        owner, types = rrsets[0].owner, frozenset(rrset.rtype for rrset in rrsets)
        if self._cut is not None and not is_subdomain(owner, self._cut):
            self._cut = None
        if self._dname is not None and not is_subdomain(owner, self._dname):
            self._dname = None
        cut, dname = self._cut, self._dname
        if cut is None and NS in types and owner != self._apex:
            cut = self._cut = owner
        if dname is None and DNAME in types and cut is None:
            self._dname = owner
        self.below = self._cut is not None or self._dname is not None
        occluded = cut is not None and not types <= GLUE
        if odd or occluded or dname is not None or not NOTABLE.isdisjoint(types):
            return Place(owner, rrsets, types, cut, dname, odd)
        return None


def _read_rrsets(blob: bytes, start: int, end: int) -> tuple[RRset, ...]:
    rrsets = []
    try:
        while start < end:
            rrset, start = packed.read_rrset(blob, start)
            rrsets.append(rrset)
    except struct.error:
        raise packed.PackedError(f"a packed zone is damaged at octet {start}") from None
    return tuple(rrsets)


def _is_odd(blob: bytes, head: int) -> bool:
    """Tell whether an RRset has to be looked at closely; ``head`` is the offset behind its owner."""
    rtype, _covers, ttl, count, size = packed.RRSET_HEAD.unpack_from(blob, head)
    position = head + packed.RRSET_HEAD.size
    if ttl > MAX_TTL or size + count * _RECORD_HEAD > _MAX_MESSAGE // 2:
        return True
    if rtype in NOTABLE:
        return False  # the rules see these anyway
    if rtype not in SIZES and rtype not in _CHECKED_HERE:
        return True
    for _ in range(count):
        end = position + 2 + int.from_bytes(blob[position : position + 2], "big")
        if problem(rtype, blob[position + 2 : end]) is not None:
            return True
        position = end
    return False


def wire_size(rrset: RRset) -> int:
    """Return the octets of the least answer with this RRset, without compression in rdata."""
    records = sum(_RECORD_HEAD + len(rdata) for rdata in rrset.rdatas)
    return _HEADER_AND_QUESTION + len(rrset.owner) + records


def fits_in_message(rrset: RRset) -> bool:
    """Tell whether the RRset can be answered at all, over TCP (RFC 1035 4.2.2)."""
    return wire_size(rrset) <= _MAX_MESSAGE


def types_at(blob: bytes, wanted: Collection[Name]) -> dict[Name, frozenset[int]]:
    """Return the types that stand at those of the wanted names that own records."""
    if use_compiled():
        survey = Survey(blob)
        there = ((name, frozenset(survey.types_at(name))) for name in wanted)
        return {name: types for name, types in there if types}
    header = packed.read_header(blob)
    position = header.start
    unpack, head_size = packed.RRSET_HEAD.unpack_from, packed.RRSET_HEAD.size
    found: dict[Name, set[int]] = {}
    for _ in range(header.rrsets):
        head = position + 1 + blob[position]
        rtype, _covers, _ttl, _count, size = unpack(blob, head)
        name = blob[position + 1 : head]
        if name in wanted:
            found.setdefault(name, set()).add(rtype)
        position = head + head_size + size
    return {name: frozenset(types) for name, types in found.items()}
