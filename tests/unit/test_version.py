"""Zone versions: the index of names, lookups, what they are told from."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.strategies import APEX, SOA_RDATA, rrset_lists
from zones import rdata
from zones.errors import ZoneError
from zones.name import ancestors, canonical_key, from_text, is_subdomain
from zones.rrset import NS, RRSIG, SOA, TXT, A, RRset
from zones.version import ZoneVersion

SIGNATURE = " 13 2 300 20300101000000 20200101000000 1 example.org. " + "A" * 86 + "=="


def rrset(owner: str, rtype: int, *texts: str) -> RRset:
    """Return an RRset of the zone, TTL 300, from presentation form."""
    origin = from_text(owner, APEX)
    return RRset.of(origin, rtype, 300, [rdata.from_text(rtype, text, APEX) for text in texts])


SOA_SET = RRset.of(APEX, SOA, 3600, [SOA_RDATA])
VERSION = ZoneVersion.of(
    APEX,
    [
        SOA_SET,
        rrset("@", NS, "ns"),
        rrset("ns", A, "192.0.2.53"),
        rrset("a.b.c", TXT, '"deep"'),
        rrset("child", NS, "ns.child"),
        rrset("ns.child", A, "192.0.2.54"),
    ],
)


def test_header_facts() -> None:
    """Apex, serial and record count are known without an index."""
    assert (VERSION.apex, VERSION.serial, VERSION.record_count) == (APEX, 7, 6)
    assert repr(VERSION) == "<ZoneVersion example.org serial 7>"


def test_empty_non_terminals_exist() -> None:
    """A name between the apex and an owner exists and has no RRsets (RFC 8020, RFC 4592 2.2.2)."""
    node = VERSION.node(from_text("b.c", APEX))
    assert node is not None
    assert node.rrsets == {}
    assert VERSION.node(from_text("x.c", APEX)) is None


def test_rrset_lookup() -> None:
    """An RRset is found by owner and type, and absent by either."""
    assert VERSION.rrset(from_text("ns", APEX), A) == rrset("ns", A, "192.0.2.53")
    assert VERSION.rrset(from_text("ns", APEX), TXT) is None
    assert VERSION.rrset(from_text("nowhere", APEX), A) is None


def test_signatures_stand_beside_their_rrsets() -> None:
    """RRSIGs are found by the type covered and are no RRset of their own."""
    signed = ZoneVersion.of(
        APEX,
        [
            SOA_SET,
            rrset("@", RRSIG, "SOA" + SIGNATURE),
            rrset("ns", A, "192.0.2.53"),
            rrset("ns", RRSIG, "A" + SIGNATURE),
        ],
    )
    assert signed.is_signed
    node = signed.node(from_text("ns", APEX))
    assert node is not None
    assert (set(node.rrsets), set(node.signatures)) == ({A}, {A})
    assert not VERSION.is_signed


def test_cuts() -> None:
    """NS below the apex make a zone cut, the apex's own do not."""
    assert VERSION.is_cut(from_text("child", APEX))
    assert not VERSION.is_cut(APEX)
    assert not VERSION.is_cut(from_text("ns.child", APEX))


def test_soa() -> None:
    """The apex SOA, or an error that names the zone."""
    assert VERSION.soa == SOA_SET
    with pytest.raises(ZoneError, match=r"example\.org has no SOA"):
        _ = ZoneVersion.of(APEX, [rrset("ns", A, "192.0.2.53")]).soa


@given(rrset_lists())
def test_the_index_has_all_and_only_what_exists(rrsets: list[RRset]) -> None:
    """Each RRset is found at its owner; a name exists if it or one below it owns an RRset."""
    version = ZoneVersion.of(APEX, rrsets)
    assert all(version.rrset(one.owner, one.rtype) == one for one in rrsets)
    existing = {name for one in rrsets for name in ancestors(one.owner) if is_subdomain(name, APEX)}
    assert set(version.nodes) == existing
    assert list(version.names_in_order) == sorted(existing, key=canonical_key)


@given(rrset_lists())
def test_iteration_gives_back_the_content(rrsets: list[RRset]) -> None:
    """A version made of another's RRsets is the same version."""
    version = ZoneVersion.of(APEX, rrsets)
    assert ZoneVersion.of(APEX, version).content_hash == version.content_hash
