"""A zone version as a zone file (RFC 1035 5): for people to read, and read back exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.name import Name, to_text
from zones.rdata import canonical, type_text
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
    PTR,
    RRSIG,
    SOA,
    SRV,
    TXT,
    A,
    RRset,
)
from zones.version import ZoneVersion

# Types whose text dnspython reads back to the same octets; of others this is tried, each time.
_FAITHFUL: Final = frozenset(
    {A, AAAA, NS, CNAME, DNAME, PTR, MX, TXT, SRV, DS, DNSKEY, NSEC, NSEC3, RRSIG}
)
_OWNER_WIDTH: Final = 24
_TYPE_WIDTH: Final = 8


def write_zone_file(version: ZoneVersion) -> str:
    """Return the content as a zone file: the SOA first, names relative to the apex.

    ``zones.zonefile.read_zone_file`` makes the same packed form of it, octet by octet.
    """
    origin = dns.name.from_wire(version.apex, 0)[0]
    rrsets = list(version)
    # The SOA leads; the other sets stay in canonical order.
    rrsets.sort(key=lambda rrset: not (rrset.rtype == SOA and rrset.owner == version.apex))
    ttl = _usual_ttl(rrsets)
    lines = [f"$ORIGIN {to_text(version.apex)}", f"$TTL {ttl}", *_lines(rrsets, origin, ttl)]
    return "\n".join(lines) + "\n"


def _usual_ttl(rrsets: Iterable[RRset]) -> int:
    counts = Counter(rrset.ttl for rrset in rrsets)
    return counts.most_common(1)[0][0] if counts else 3600


def _lines(rrsets: Iterable[RRset], origin: dns.name.Name, usual_ttl: int) -> Iterator[str]:
    previous: Name | None = None
    for rrset in rrsets:
        ttl = "" if rrset.ttl == usual_ttl else str(rrset.ttl)
        mnemonic = type_text(rrset.rtype)
        for rdata in rrset.rdatas:
            owner = ""
            if rrset.owner != previous:
                previous = rrset.owner
                name = dns.name.from_wire(previous, 0)[0]
                owner = name.relativize(origin).to_text()
            text = rdata_text(rrset.rtype, rdata, origin)
            yield f"{owner:{_OWNER_WIDTH}} {ttl:>6} IN {mnemonic:{_TYPE_WIDTH}} {text}"


def rdata_text(rtype: int, rdata: bytes, origin: dns.name.Name) -> str:
    """Return rdata in presentation form with names relative to ``origin``.

    Octets that would not come back the same are shown in the generic form (RFC 3597 5).
    """
    try:
        parsed = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), rdata, 0, len(rdata)
        )
        text = str(parsed.to_text(origin, relativize=True))
        if rtype in _FAITHFUL or _read_back(rtype, text, origin) == rdata:
            return text
    except (dns.exception.DNSException, ValueError):
        pass
    return f"\\# {len(rdata)} {rdata.hex()}".rstrip()


def _read_back(rtype: int, text: str, origin: dns.name.Name) -> bytes:
    parsed = dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), text, origin, relativize=False
    )
    return canonical(rtype, parsed.to_wire() or b"")
