"""Small zones as content for tests."""

from __future__ import annotations

from zones import rdata
from zones.name import below, from_text
from zones.rrset import NS, SOA, A, RRset
from zones.version import ZoneVersion


def content(apex: str, *, serial: int = 1, hosts: int = 1) -> ZoneVersion:
    """Return a zone with an SOA, an NS and ``hosts`` A records: ``hosts + 2`` records."""
    name = from_text(apex)
    soa = rdata.from_text(SOA, f"ns hostmaster {serial} 3600 900 604800 300", name)
    hosts_of = [
        RRset.of(below(f"host{n}".encode(), name), A, 300, [bytes((192, 0, 2, n % 256))])
        for n in range(hosts)
    ]
    nameserver = RRset.of(name, NS, 3600, [rdata.from_text(NS, "ns", name)])
    return ZoneVersion.of(name, [RRset.of(name, SOA, 3600, [soa]), nameserver, *hosts_of])
