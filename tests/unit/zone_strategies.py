"""Zone content for tests: written in one line, or made by Hypothesis."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from zones import rdata
from zones.name import from_labels, from_text
from zones.rrset import AAAA, CNAME, MX, NS, RRSIG, SOA, SRV, TXT, A, RRset
from zones.version import ZoneVersion

APEX = from_text("example.org.")


def rrset(text: str) -> RRset:
    """Return the RRset of ``OWNER TTL TYPE RDATA...``, names relative to example.org.

    Addresses and targets may be several; other rdata is taken as one.
    """
    owner, ttl, mnemonic, *rest = text.split()
    rtype = rdata.type_from_text(mnemonic)
    several = rest if rtype in (A, AAAA, NS, CNAME) or mnemonic == "DNAME" else [" ".join(rest)]
    rdatas = [rdata.from_text(rtype, one, APEX) for one in several]
    return RRset.of(from_text(owner, APEX), rtype, int(ttl), rdatas)


def soa(serial: int = 1, timers: str = "14400 3600 1209600 3600") -> RRset:
    """Return an SOA of example.org."""
    return rrset(f"@ 3600 SOA ns1 hostmaster {serial} {timers}")


labels = st.one_of(
    st.sampled_from([b"a", b"b", b"www", b"*", b"_tcp", b"a.b", b"@", b"$ttl", b'"', b"\\", b" "]),
    st.binary(min_size=1, max_size=6).map(bytes.lower),
)
owners = st.lists(labels, max_size=3).map(lambda parts: from_labels([*parts, b"example", b"org"]))
names = st.one_of(owners, st.lists(labels, max_size=4).map(from_labels))
words = st.integers(0, 65535).map(struct.Struct("!H").pack)
strings = st.binary(max_size=40).map(lambda octets: bytes((len(octets),)) + octets)
signature = st.tuples(
    st.sampled_from([1, 2, 6, 16]),
    st.binary(min_size=16, max_size=16),
    owners,
    st.binary(min_size=1),
).map(lambda parts: parts[0].to_bytes(2, "big") + parts[1] + parts[2] + parts[3])

RDATA = {
    A: st.binary(min_size=4, max_size=4),
    AAAA: st.binary(min_size=16, max_size=16),
    NS: names,
    CNAME: names,
    MX: st.tuples(words, names).map(b"".join),
    SRV: st.tuples(words, words, words, names).map(b"".join),
    TXT: st.lists(strings, min_size=1, max_size=3).map(b"".join),
    RRSIG: signature,
    257: st.binary(max_size=20),  # CAA, often malformed
    65: st.tuples(words, names, st.binary(max_size=9)).map(b"".join),  # HTTPS, often malformed
    29: st.binary(min_size=16, max_size=16),  # LOC, whose text is less exact than its octets
    65280: st.binary(max_size=20),
}


@st.composite
def rrsets(draw: st.DrawFn) -> RRset:
    """Return an RRset below example.org with anything in it that octets can say."""
    rtype = draw(st.sampled_from(sorted(RDATA)))
    rdatas = draw(st.lists(RDATA[rtype], min_size=1, max_size=3))
    if rtype == RRSIG:
        rdatas = [one for one in rdatas if one[:2] == rdatas[0][:2]]
    return RRset.of(draw(owners), rtype, draw(st.integers(0, 2**31 - 1)), rdatas)


@st.composite
def zone_versions(draw: st.DrawFn) -> ZoneVersion:
    """Return a version of example.org with an SOA; what else it has may make no sense."""
    found = {one.key: one for one in draw(st.lists(rrsets(), max_size=12))}
    start = soa(draw(st.integers(0, 2**32 - 1)))
    return ZoneVersion.of(APEX, [start, *found.values()])


__all__ = ["APEX", "SOA", "rrset", "rrsets", "soa", "zone_versions"]
