"""Whether the octets of a record are what its type asks for.

The frequent types are walked here, since a zone has up to millions of them; the others are given
to dnspython. Types that neither knows are opaque and always right (RFC 3597).
"""

from __future__ import annotations

from typing import Final

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.name import MAX_LABEL, MAX_LENGTH
from zones.rdata import NAME, type_text
from zones.rrset import (
    AAAA,
    CNAME,
    DNAME,
    MX,
    NS,
    NSEC,
    NSEC3,
    PTR,
    RRSIG,
    SOA,
    SPF,
    SRV,
    TXT,
    A,
)

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
_PREFIXES: Final = {RRSIG: 18, NSEC: 0}


def problem(rtype: int, rdata: bytes) -> str | None:
    """Return what is wrong with ``rdata``, ``None`` where it is right."""
    size = SIZES.get(rtype)
    if size is not None:
        return None if len(rdata) == size else f"it has {len(rdata)} octets and not {size}"
    shape = _SHAPES.get(rtype)
    if shape is not None:
        return _shape_problem(rdata, shape)
    if rtype in (TXT, SPF):
        return _strings_problem(rdata)
    if rtype in _PREFIXES:
        return _signature_problem(rtype, rdata)
    if rtype == NSEC3:
        return _nsec3_problem(rdata)
    return _parser_problem(rtype, rdata)


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


def _signature_problem(rtype: int, rdata: bytes) -> str | None:
    end = end_of_name(rdata, _PREFIXES[rtype])
    if end is None:
        return "the name in it is cut short or malformed"
    if rtype == NSEC:
        return _bitmap_problem(rdata, end)
    return None if end < len(rdata) else "the signature is missing"


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


def _parser_problem(rtype: int, rdata: bytes) -> str | None:
    kind = dns.rdatatype.RdataType.make(rtype)
    if not rtype or dns.rdatatype.is_metatype(kind):
        return "its type is for queries and messages only"
    try:
        dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata))
    except (dns.exception.DNSException, ValueError) as error:
        return str(error) or f"it is not of type {type_text(rtype)}"
    return None
