"""RDATA as wire octets: where names stand in it, its canonical form, and its text.

The layouts serve the bulk and packet paths, which do not go through dnspython; text and syntax
are dnspython's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.errors import WireError, ZoneError
from zones.name import ROOT, Name, fold

NAME: Final = -1
STRING: Final = -2

# Type -> what precedes and includes the embedded names: a count of fixed octets, NAME or STRING.
# What follows the last name is opaque.
LAYOUT: Final[dict[int, tuple[int, ...]]] = {
    2: (NAME,),  # NS
    3: (NAME,),  # MD
    4: (NAME,),  # MF
    5: (NAME,),  # CNAME
    6: (NAME, NAME),  # SOA
    7: (NAME,),  # MB
    8: (NAME,),  # MG
    9: (NAME,),  # MR
    12: (NAME,),  # PTR
    14: (NAME, NAME),  # MINFO
    15: (2, NAME),  # MX
    17: (NAME, NAME),  # RP
    18: (2, NAME),  # AFSDB
    21: (2, NAME),  # RT
    23: (NAME,),  # NSAP-PTR
    24: (18, NAME),  # SIG
    26: (2, NAME, NAME),  # PX
    30: (NAME,),  # NXT
    33: (6, NAME),  # SRV
    35: (4, STRING, STRING, STRING, NAME),  # NAPTR
    36: (2, NAME),  # KX
    39: (NAME,),  # DNAME
    46: (18, NAME),  # RRSIG
    47: (NAME,),  # NSEC
    64: (2, NAME),  # SVCB
    65: (2, NAME),  # HTTPS
}

# Octets that follow the layout, where their number is fixed; other types may end as they like.
# SIG, NXT, RRSIG, NSEC, SVCB and HTTPS have something of any length there.
TAIL: Final[dict[int, int]] = {
    **dict.fromkeys(frozenset(LAYOUT) - {24, 30, 46, 47, 64, 65}, 0),
    1: 4,  # A
    6: 20,  # SOA
    28: 16,  # AAAA
}

# RFC 3597 4: only the types of RFC 1035 may be compressed when sent.
COMPRESSIBLE: Final = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15})
# RFC 4034 6.2 as amended by RFC 6840 5.1: names in these are folded in the canonical form.
FOLDED: Final = frozenset(LAYOUT) - {23, 47, 64, 65}


def embedded_names(rtype: int, rdata: bytes) -> Iterator[tuple[int, Name]]:
    """Yield offset and octets (case as stored) of each name in uncompressed ``rdata``.

    Raises ``WireError`` where the rdata ends before its layout does.
    """
    position = 0
    try:
        for part in LAYOUT.get(rtype, ()):
            if part == NAME:
                start = position
                while length := rdata[position]:
                    if length > 63:
                        raise WireError("compressed or extended label in stored rdata")
                    position += 1 + length
                position += 1
                yield start, rdata[start:position]
            elif part == STRING:
                position += 1 + rdata[position]
            else:
                position += part
    except IndexError:
        raise WireError(f"rdata of type {type_text(rtype)} is cut short") from None


def canonical(rtype: int, rdata: bytes) -> bytes:
    """Return ``rdata`` with its embedded names folded where RFC 4034 6.2 folds them."""
    if rtype not in FOLDED:
        return rdata
    folded = bytearray(rdata)
    for offset, name in embedded_names(rtype, rdata):
        folded[offset : offset + len(name)] = fold(name)
    return bytes(folded)


def type_text(rtype: int) -> str:
    """Return the mnemonic, ``TYPE65280`` where there is none (RFC 3597 5)."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))


def type_from_text(text: str) -> int:
    """Return the type code of a mnemonic or ``TYPEnnn``; raises ``ZoneError``."""
    try:
        return int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneError(f"{text!r} is not a record type") from error


def from_text(rtype: int, text: str, origin: Name = ROOT) -> bytes:
    """Return canonical wire octets of rdata in presentation form; raises ``ZoneError``."""
    try:
        parsed = dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.RdataType.make(rtype),
            text,
            dns.name.from_wire(origin, 0)[0],
            relativize=False,
        )
        wire = parsed.to_wire()
        assert wire is not None  # only a call with a file returns nothing
        return canonical(rtype, wire)
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneError(f"{type_text(rtype)} {text!r}: {error}") from error


def to_text(rtype: int, rdata: bytes) -> str:
    """Return the presentation form; octets that do not parse as the type are shown as RFC 3597's."""
    try:
        kind = dns.rdatatype.RdataType.make(rtype)
        return dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata)).to_text()
    except (dns.exception.DNSException, ValueError):
        return f"\\# {len(rdata)} {rdata.hex()}"
