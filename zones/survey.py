"""One pass over packed content that finds the few names whose content must be looked at.

Most of a large zone is addresses, texts and signatures at names of their own, about which there is
nothing to say. The pass walks the octets once, in canonical order, in which everything below a name
directly follows it, and makes objects only for the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from zones import packed
from zones.name import Name, is_subdomain
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


@dataclass(frozen=True, slots=True)
class Place:
    """A name to look at: its RRsets, and the cut or DNAME it is at or below.

    ``cut`` is the topmost delegation at or above the name, ``dname`` the topmost DNAME owner above
    it. ``odd`` tells that an RRset is suspicious, or of a type that was not looked at in the pass.
    """

    owner: Name
    rrsets: tuple[RRset, ...]
    cut: Name | None
    dname: Name | None
    odd: bool

    @property
    def types(self) -> frozenset[int]:
        """Return the types that stand at the name."""
        return frozenset(rrset.rtype for rrset in self.rrsets)

    @property
    def is_occluded(self) -> bool:
        """Tell whether the name is below a delegation (not at it)."""
        return self.cut is not None and self.cut != self.owner

    def rrset(self, rtype: int) -> RRset | None:
        """Return the RRset of a type (not RRSIG)."""
        return next((rrset for rrset in self.rrsets if rrset.rtype == rtype), None)


def places(blob: bytes) -> Iterator[Place]:
    """Yield, in canonical order, the names of packed content that a rule may apply to."""
    apex = packed.read_header(blob).apex
    cut: Name | None = None
    dname: Name | None = None
    for owner, types, offsets, odd in _owners(blob):
        if cut is not None and not is_subdomain(owner, cut):
            cut = None
        if dname is not None and not is_subdomain(owner, dname):
            dname = None
        if cut is None and NS in types and owner != apex:
            cut = owner
        occluded = cut is not None and not GLUE.issuperset(types)
        if odd or dname is not None or occluded or not NOTABLE.isdisjoint(types):
            rrsets = tuple(packed.read_rrset(blob, offset)[0] for offset in offsets)
            yield Place(owner, rrsets, cut, dname, odd)
        if dname is None and DNAME in types and cut is None:
            dname = owner


def _owners(blob: bytes) -> Iterator[tuple[Name, list[int], list[int], bool]]:
    """Yield each owner with its types, the offsets of its RRsets, and whether one is odd."""
    header = packed.read_header(blob)
    position = header.start
    unpack, head_size = packed.RRSET_HEAD.unpack_from, packed.RRSET_HEAD.size
    owner, types, offsets, odd = b"", list[int](), list[int](), False
    for _ in range(header.rrsets):
        head = position + 1 + blob[position]
        name = blob[position + 1 : head]
        if name != owner:
            if types:
                yield owner, types, offsets, odd
            owner, types, offsets, odd = name, [], [], False
        rtype, _covers, ttl, count, size = unpack(blob, head)
        types.append(rtype)
        offsets.append(position)
        position = head + head_size + size
        if count == 1 and ttl <= MAX_TTL and size - 2 == SIZES.get(rtype):
            continue
        odd = odd or _is_odd(blob, head)
    if types:
        yield owner, types, offsets, odd


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
