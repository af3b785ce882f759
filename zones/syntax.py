"""Whether the octets of a record are what its type asks for.

The types that servers and resolvers depend on are walked here: quickly, since a zone has up to
millions of them. About the others dnspython is asked, whose word raises a doubt only: what arrives
by transfer is served, known or not (RFC 3597).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.name import MAX_LABEL, MAX_LENGTH
from zones.rdata import NAME, type_text
from zones.rrset import (
    AAAA,
    CAA,
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    HTTPS,
    MX,
    NS,
    NSEC,
    NSEC3,
    PTR,
    RRSIG,
    SOA,
    SPF,
    SRV,
    SVCB,
    TXT,
    A,
)

CDS, CDNSKEY, SSHFP, TLSA = 59, 60, 44, 52
SIZES: Final = {A: 4, AAAA: 16}

# Type -> what it consists of from start to end, as in zones.rdata.LAYOUT.
_SHAPES: Final[dict[int, tuple[int, ...]]] = {
    NS: (NAME,),
    CNAME: (NAME,),
    PTR: (NAME,),
    DNAME: (NAME,),
    SOA: (NAME, NAME, 20),
    MX: (2, NAME),
    SRV: (6, NAME),
}
# Type -> the octets in front of a name that is followed by something.
_PREFIXES: Final = {RRSIG: 18, NSEC: 0, SVCB: 2, HTTPS: 2}
# Type -> the octets before what may have any length, but not none.
_HEADS: Final = {DS: 4, CDS: 4, DNSKEY: 4, CDNSKEY: 4, SSHFP: 2, TLSA: 3}
_STRINGS: Final = frozenset({TXT, SPF})
_CHECKED: Final = frozenset({*SIZES, *_SHAPES, *_PREFIXES, *_HEADS, *_STRINGS, NSEC3, CAA})


def problem(rtype: int, rdata: bytes) -> str | None:  # noqa: PLR0911  (one branch a kind of type)
    """Return what is wrong with ``rdata``, ``None`` where nothing is known to be wrong."""
    size = SIZES.get(rtype)
    if size is not None:
        return None if len(rdata) == size else f"it has {len(rdata)} octets and not {size}"
    shape = _SHAPES.get(rtype)
    if shape is not None:
        return _shape_problem(rdata, shape)
    if rtype in _STRINGS:
        return _strings_problem(rdata)
    if rtype in _PREFIXES:
        return _prefixed_problem(rtype, rdata)
    if rtype in _HEADS:
        return None if len(rdata) > _HEADS[rtype] else "it is cut short"
    if rtype == NSEC3:
        return _nsec3_problem(rdata)
    if rtype == CAA:
        tag = rdata[2 : 2 + rdata[1]] if len(rdata) > 2 else b""
        return None if tag.isalnum() and len(tag) == rdata[1] else "its tag is cut short or no word"
    if is_for_messages(rtype):
        return "its type is for queries and messages only"
    return None


@lru_cache(maxsize=1024)
def is_for_messages(rtype: int) -> bool:
    """Tell whether no records of a type can stand in a zone (RFC 6895 3.1)."""
    return not rtype or dns.rdatatype.is_metatype(dns.rdatatype.RdataType.make(rtype))


@lru_cache(maxsize=1024)
def is_doubtful(rtype: int) -> bool:
    """Tell whether dnspython can find something odd in a type that ``problem`` does not look into."""
    if rtype in _CHECKED:
        return False
    find: Any = dns.rdata.get_rdata_class  # not typed
    kind = dns.rdatatype.RdataType.make(rtype)
    return find(dns.rdataclass.IN, kind) is not dns.rdata.GenericRdata


def doubt(rtype: int, rdata: bytes) -> str | None:
    """Return what dnspython finds odd in rdata of a type that is doubtful."""
    try:
        kind = dns.rdatatype.RdataType.make(rtype)
        dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata))
    except (dns.exception.DNSException, ValueError) as error:
        return str(error) or f"it is not of type {type_text(rtype)}"
    return None


def end_of_name(rdata: bytes, start: int) -> int | None:
    """Return the offset behind the name at ``start``, ``None`` where there is no sound name."""
    position, size = start, len(rdata)
    while position < size:
        length = rdata[position]
        position += 1 + length
        if not length:
            return position if position - start <= MAX_LENGTH else None
        if length > MAX_LABEL:
            return None
    return None


def _shape_problem(rdata: bytes, shape: tuple[int, ...]) -> str | None:
    position = 0
    for part in shape:
        if part == NAME:
            end = end_of_name(rdata, position)
            if end is None:
                return "the name in it is cut short or malformed"
            position = end
        else:
            position += part
    if position == len(rdata):
        return None
    return "it is cut short" if position > len(rdata) else "something follows its end"


def _strings_problem(rdata: bytes) -> str | None:
    position, size = 0, len(rdata)
    while position < size:
        position += 1 + rdata[position]
    return None if size and position == size else "its strings are cut short"


def _prefixed_problem(rtype: int, rdata: bytes) -> str | None:
    end = end_of_name(rdata, _PREFIXES[rtype])
    if end is None:
        return "the name in it is cut short or malformed"
    if rtype == NSEC:
        return _bitmap_problem(rdata, end)
    if rtype == RRSIG:
        return None if end < len(rdata) else "the signature is missing"
    return _parameters_problem(rdata, end)


def _parameters_problem(rdata: bytes, position: int) -> str | None:
    """Walk the parameters of SVCB: keys grow, each value ends within (RFC 9460 2.2)."""
    size, last = len(rdata), -1
    while position + 4 <= size:
        key = int.from_bytes(rdata[position : position + 2], "big")
        if key <= last:
            return "its parameters are repeated or out of order"
        last = key
        position += 4 + int.from_bytes(rdata[position + 2 : position + 4], "big")
    return None if position == size else "its parameters are cut short"


def _nsec3_problem(rdata: bytes) -> str | None:
    """Walk algorithm, flags, iterations, salt, hash and the types (RFC 5155 3.2)."""
    position = 4
    for _ in ("salt", "hash"):
        if position >= len(rdata):
            return "it is cut short"
        position += 1 + rdata[position]
    return _bitmap_problem(rdata, position)


def _bitmap_problem(rdata: bytes, position: int) -> str | None:
    """Walk the windows of a type bitmap (RFC 4034 4.1.2)."""
    size, last = len(rdata), -1
    while position + 2 < size:
        window, length = rdata[position], rdata[position + 1]
        if window <= last or not 1 <= length <= 32:
            break
        last = window
        position += 2 + length
    return None if position == size else "its list of types is malformed"
