"""Hypothesis strategies for names, RRsets and zones."""

from __future__ import annotations

from hypothesis import strategies as st

from zones.name import Name, from_labels, from_text
from zones.rrset import NS, SOA, TXT, A, RRset

APEX = from_text("example.org.")
SOA_RDATA = (
    from_text("ns.example.org.")
    + from_text("hostmaster.example.org.")
    + b"".join(number.to_bytes(4, "big") for number in (7, 3600, 900, 604800, 300))
)

labels = st.binary(min_size=1, max_size=12)
names: st.SearchStrategy[Name] = st.lists(labels, max_size=6).map(
    lambda parts: from_labels(part.lower() for part in parts)
)
serials = st.integers(0, 2**32 - 1)


@st.composite
def owners(draw: st.DrawFn) -> Name:
    """Names at or below the apex, few enough that they meet."""
    parts = draw(st.lists(st.sampled_from([b"a", b"b", b"*", b"\x00", b"\xff"]), max_size=3))
    return from_labels(parts)[:-1] + APEX


@st.composite
def rrset_lists(draw: st.DrawFn) -> list[RRset]:
    """The RRsets of a zone with its SOA, in any order, one per key."""
    drawn = {(APEX, SOA): RRset.of(APEX, SOA, 3600, [SOA_RDATA])}
    for owner in draw(st.lists(owners(), max_size=12)):
        rtype = draw(st.sampled_from([A, NS, TXT, 65280]))
        rdata = {
            A: st.binary(min_size=4, max_size=4),
            NS: names,
            TXT: st.binary(max_size=20).map(lambda text: bytes((len(text),)) + text),
            65280: st.binary(max_size=20),
        }[rtype]
        rdatas = draw(st.lists(rdata, min_size=1, max_size=4))
        drawn[owner, rtype] = RRset.of(owner, rtype, draw(st.integers(0, 2**31 - 1)), rdatas)
    return draw(st.permutations(list(drawn.values())))
