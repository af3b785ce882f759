"""A zone version as a zone file (RFC 1035 5): for people to read, and read back exactly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import dns.exception
import dns.ipv4
import dns.ipv6
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.name import Name, is_subdomain, to_text
from zones.rdata import canonical, type_text
from zones.rrset import (
    DNSKEY,
    DS,
    NSEC,
    NSEC3,
    RRSIG,
    SOA,
    SRV,
    RRset,
)
from zones.syntax import problem
from zones.version import ZoneVersion

# Types whose text dnspython reads back to the same octets; of others this is tried, each time.
_FAITHFUL: Final = frozenset({SRV, DS, DNSKEY, NSEC, NSEC3, RRSIG})
_PLAIN_STRING: Final = re.compile(rb"[ !#-\[\]-~]*")  # printable, without quote and backslash
_OWNER_WIDTH: Final = 24
_TYPE_WIDTH: Final = 8


def write_zone_file(version: ZoneVersion) -> str:
    """Return the content as a zone file: the SOA first, names relative to the apex.

    ``zones.zonefile.read_zone_file`` makes the same packed form of it, octet by octet.
    """
    rrsets = list(version)
    # The SOA leads; the other sets stay in canonical order.
    rrsets.sort(key=lambda rrset: not (rrset.rtype == SOA and rrset.owner == version.apex))
    ttl = _usual_ttl(rrsets)
    lines = [f"$ORIGIN {to_text(version.apex)}", f"$TTL {ttl}"]
    lines += _lines(rrsets, RdataWriter(version.apex), ttl)
    return "\n".join(lines) + "\n"


def _usual_ttl(rrsets: Iterable[RRset]) -> int:
    counts = Counter(rrset.ttl for rrset in rrsets)
    return counts.most_common(1)[0][0] if counts else 3600


def _lines(rrsets: Iterable[RRset], writer: RdataWriter, usual_ttl: int) -> Iterator[str]:
    previous: Name | None = None
    for rrset in rrsets:
        ttl = "" if rrset.ttl == usual_ttl else str(rrset.ttl)
        mnemonic = type_text(rrset.rtype)
        for rdata in rrset.rdatas:
            owner = "" if rrset.owner == previous else writer.name(rrset.owner)
            previous = rrset.owner
            text = writer.rdata(rrset.rtype, rdata)
            yield f"{owner:{_OWNER_WIDTH}} {ttl:>6} IN {mnemonic:{_TYPE_WIDTH}} {text}"


class RdataWriter:
    """Writes names and rdata in presentation form, names relative to ``origin``."""

    def __init__(self, origin: Name) -> None:
        self._origin = origin
        self._suffix = "." + to_text(origin).rstrip(".") + "."
        self._dns_origin = dns.name.from_wire(origin, 0)[0]

    def name(self, name: Name) -> str:
        """Return the name, relative where it is below the origin."""
        if name == self._origin:
            return "@"
        text = to_text(name)
        return text.removesuffix(self._suffix) if is_subdomain(name, self._origin) else text

    def rdata(self, rtype: int, rdata: bytes) -> str:
        """Return rdata as its type is written, else in the generic form (RFC 3597 5)."""
        if problem(rtype, rdata) is not None:
            return _generic(rdata)
        match rtype:
            case 1:  # A
                text = dns.ipv4.inet_ntoa(rdata)
            case 28:  # AAAA
                text = dns.ipv6.inet_ntoa(rdata)
            case 2 | 5 | 12 | 39:  # NS, CNAME, PTR, DNAME
                text = self.name(rdata)
            case 15:  # MX
                text = f"{int.from_bytes(rdata[:2], 'big')} {self.name(rdata[2:])}"
            case 16 if len(rdata) == 1 + rdata[0] and _PLAIN_STRING.fullmatch(rdata, 1):  # TXT
                text = f'"{rdata[1:].decode()}"'
            case _:
                text = self._by_parser(rtype, rdata)
        return text

    def _by_parser(self, rtype: int, rdata: bytes) -> str:
        kind = dns.rdatatype.RdataType.make(rtype)
        try:
            parsed = dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata))
            text = str(parsed.to_text(self._dns_origin, relativize=True))
            if rtype in _FAITHFUL or self._read_back(kind, text) == rdata:
                return text
        except (dns.exception.DNSException, ValueError):
            pass
        return _generic(rdata)

    def _read_back(self, kind: dns.rdatatype.RdataType, text: str) -> bytes:
        parsed = dns.rdata.from_text(
            dns.rdataclass.IN, kind, text, self._dns_origin, relativize=False
        )
        return canonical(kind, parsed.to_wire() or b"")


def _generic(rdata: bytes) -> str:
    return f"\\# {len(rdata)} {rdata.hex()}".rstrip()
