"""Which zone answers: nearest enclosing, parent or child for DS, and zones out of service."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from nameserver.table import ServedZone, ZoneState, ZoneTable
from tests.answering import ask, section, table_of, version_of
from zones.name import from_text

PARENT = version_of(
    "ns1 A 192.0.2.53",
    "www A 192.0.2.1",
    "sub NS ns.sub",
    "sub DS 1 13 2 " + "00" * 32,
    "ns.sub A 192.0.2.2",
    "a NS ns.example.com.",
    "into CNAME www.sub",
    "away CNAME www.example.net.",
    "tods CNAME sub",
)
CHILD = version_of("www A 192.0.2.3", apex="sub.example.org.")
OTHER = version_of("www A 192.0.2.4", "back CNAME www.example.org.", apex="example.net.")


def extended_error(response: dns.message.Message) -> tuple[str, int, str]:
    """Return rcode, code and text of an extended error."""
    (option,) = response.options
    assert isinstance(option, dns.edns.EDEOption)
    return dns.rcode.to_text(response.rcode()), int(option.code), option.text or ""


def test_find_takes_the_nearest_zone() -> None:
    """RFC 1034 4.3.2 step 2: the zone which is the nearest ancestor of the name."""
    table = table_of(PARENT, CHILD)
    assert table.find(from_text("www.example.org.")) == table.get(PARENT.apex)
    assert table.find(from_text("x.sub.example.org.")) == table.get(CHILD.apex)
    assert table.find(from_text("sub.example.org.")) == table.get(CHILD.apex)
    assert table.find(from_text("notexample.org.")) is None
    assert table.find_above(CHILD.apex) == table.get(PARENT.apex)
    assert table.find_above(PARENT.apex) is None


def test_replace_and_remove() -> None:
    """A zone is replaced in whole; removing one that is not there is no error."""
    table = table_of(PARENT)
    table.replace(ServedZone(PARENT.apex, ZoneState.EXPIRED, PARENT))
    assert [served.state for served in table] == [ZoneState.EXPIRED]
    table.remove(PARENT.apex)
    table.remove(PARENT.apex)
    assert len(table) == 0


def test_child_served_beside_its_parent() -> None:
    """Names at and below the child's apex are the child's, with AA."""
    response = ask(table_of(PARENT, CHILD), "www.sub")
    assert response.flags & dns.flags.AA
    assert section(response.answer) == ["www.sub 3600 A 192.0.2.3"]


def test_ds_comes_from_the_parent() -> None:
    """RFC 4035 3.1.4.1: with both zones here, DS is the parent's to answer."""
    response = ask(table_of(PARENT, CHILD), "sub", "DS")
    assert section(response.answer) == ["sub 3600 DS 1 13 2 " + "00" * 32]


def test_ds_where_only_the_child_is_served() -> None:
    """RFC 4035 3.1.4.1: the child's apex has no DS: NODATA with the child's SOA."""
    response = ask(table_of(CHILD), "sub", "DS")
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert [str(rrset.name) for rrset in response.authority] == ["sub.example.org."]


def test_ds_where_the_zone_above_is_not_the_parent() -> None:
    """With a cut between a zone and the one above it, that one does not know the DS."""
    grandchild = version_of(apex="b.a.example.org.")
    response = ask(table_of(PARENT, grandchild), "b.a", "DS")
    assert response.flags & dns.flags.AA
    assert [str(rrset.name) for rrset in response.authority] == ["b.a.example.org."]


def test_alias_into_another_zone() -> None:
    """RFC 1034 4.3.2 3a: the search starts anew in whichever zone has the target."""
    table = table_of(PARENT, CHILD, OTHER)
    assert section(ask(table, "into").answer)[-1] == "www.sub 3600 A 192.0.2.3"
    response = ask(table, "away")
    assert section(response.answer)[-1] == "www.example.net. 3600 A 192.0.2.4"
    assert [str(rrset.name) for rrset in response.authority] == ["example.net."]
    assert section(ask(table, "tods", "DS").answer)[-1].startswith("sub 3600 DS")


@pytest.mark.parametrize("state", [ZoneState.EXPIRED, ZoneState.PENDING, ZoneState.SUSPENDED])
def test_alias_into_a_zone_out_of_service(state: ZoneState) -> None:
    """The chain just ends before a zone that is not answered."""
    table = table_of(PARENT, ServedZone(OTHER.apex, state, OTHER))
    response = ask(table, "away")
    assert response.rcode() == dns.rcode.NOERROR
    assert section(response.answer) == ["away 3600 CNAME www.example.net."]
    assert not response.authority


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ZoneState.EXPIRED, ("SERVFAIL", 24, "zone expired")),
        (ZoneState.PENDING, ("SERVFAIL", 14, "zone not loaded yet")),
        (ZoneState.SUSPENDED, ("REFUSED", 15, "zone suspended")),
    ],
)
def test_zone_out_of_service(state: ZoneState, expected: tuple[str, int, str]) -> None:
    """RFC 8914: the extended error says why; there is no AA and no record."""
    table = table_of(ServedZone(PARENT.apex, state, PARENT))
    response = ask(table, "www", use_edns=0)
    assert extended_error(response) == expected
    assert not response.flags & dns.flags.AA
    assert [*response.answer, *response.authority, *response.additional] == []
    without_edns = ask(table, "www")
    assert dns.rcode.to_text(without_edns.rcode()) == expected[0]
    assert without_edns.edns == -1


def test_serving_without_content_is_not_ready() -> None:
    """A zone that is to be served and has nothing yet is answered as not ready."""
    table = table_of(ServedZone(PARENT.apex, ZoneState.SERVING))
    assert extended_error(ask(table, "www", use_edns=0))[:2] == ("SERVFAIL", 14)


def test_foreign_name_is_refused() -> None:
    """A name in no zone of this server: REFUSED, extended error Not Authoritative."""
    response = ask(table_of(PARENT), "www.example.com.", use_edns=0)
    assert extended_error(response) == ("REFUSED", 20, "")
    assert ask(ZoneTable(), ".", "NS").rcode() == dns.rcode.REFUSED
