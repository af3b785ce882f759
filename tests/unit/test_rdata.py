"""Rdata: embedded names, canonical form, text."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import pytest

from zones import rdata
from zones.errors import WireError, ZoneError
from zones.name import from_text

# One of each type that has names in its rdata or a form of its own.
TEXTS = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("NS", "NS.Example.org."),
    ("CNAME", "Target.Example.org."),
    ("SOA", "Ns.Example.org. Hostmaster.Example.org. 7 3600 900 604800 300"),
    ("PTR", "Host.Example.org."),
    ("MX", "10 Mail.Example.org."),
    ("TXT", '"Some text" "More"'),
    ("RP", "Mbox.Example.org. Txt.Example.org."),
    ("AFSDB", "1 Afs.Example.org."),
    ("RT", "1 Relay.Example.org."),
    ("PX", "1 Map822.Example.org. Mapx400.Example.org."),
    ("SRV", "0 5 5060 Sip.Example.org."),
    ("NAPTR", '100 50 "s" "z3950+I2L" "" Next.Example.org.'),
    ("KX", "1 Kx.Example.org."),
    ("DNAME", "Other.Example.org."),
    ("DS", "1 13 2 " + "AB" * 32),
    ("NSEC", "Next.Example.org. A RRSIG NSEC"),
    ("SVCB", "1 Svc.Example.org. alpn=h2"),
    ("HTTPS", "0 Web.Example.org."),
    ("CAA", '0 issue "ca.example.net"'),
    ("TYPE65280", "\\# 4 0A000001"),
]


@pytest.mark.parametrize(("mnemonic", "text"), TEXTS)
def test_text_round_trip(mnemonic: str, text: str) -> None:
    """What is read from text is written as text that reads the same."""
    rtype = rdata.type_from_text(mnemonic)
    wire = rdata.from_text(rtype, text)
    assert rdata.from_text(rtype, rdata.to_text(rtype, wire)) == wire


@pytest.mark.parametrize(("mnemonic", "text"), TEXTS)
def test_layouts_agree_with_dnspython(mnemonic: str, text: str) -> None:
    """Folding by layout gives the canonical form that another implementation gives.

    NSEC's next name is not folded by either (RFC 6840 5.1).
    """
    rtype = rdata.type_from_text(mnemonic)
    parsed = dns.rdata.from_text(dns.rdataclass.IN, mnemonic, text, relativize=False)
    wire = parsed.to_wire()
    assert wire is not None
    if mnemonic in {"SVCB", "HTTPS", "NSEC"}:
        assert rdata.canonical(rtype, wire) == wire
    else:
        assert rdata.canonical(rtype, wire) == parsed.to_digestable()


@pytest.mark.parametrize(("mnemonic", "text"), TEXTS)
def test_embedded_names_stand_where_they_are_said_to(mnemonic: str, text: str) -> None:
    """Each name found is the octets at its offset; every name of the text is found."""
    rtype = rdata.type_from_text(mnemonic)
    wire = rdata.from_text(rtype, text)
    found = list(rdata.embedded_names(rtype, wire))
    assert all(wire[offset : offset + len(name)] == name for offset, name in found)
    wanted = [word for word in text.split() if word.endswith(".Example.org.")]
    assert [name.lower() for _, name in found] == [from_text(word) for word in wanted]


def test_rdata_cut_short_is_a_wire_error() -> None:
    """An end within a name or before it is reported, not read over."""
    with pytest.raises(WireError, match="MX is cut short"):
        list(rdata.embedded_names(15, b"\x00\x0a\x04mail"))
    with pytest.raises(WireError, match="compressed"):
        list(rdata.embedded_names(2, b"\xc0\x0c"))


def test_unknown_type_has_its_number_as_name() -> None:
    """RFC 3597: TYPE65280 is written and read."""
    assert rdata.type_text(65280) == "TYPE65280"
    assert rdata.type_from_text("type65280") == 65280
    with pytest.raises(ZoneError, match="is not a record type"):
        rdata.type_from_text("QUUX")


def test_octets_that_do_not_parse_are_shown_generically() -> None:
    r"""An A record of three octets is shown in the form ``\# 3 ...`` of RFC 3597."""
    assert rdata.to_text(1, b"\x0a\x00\x01") == "\\# 3 0a0001"


def test_a_syntax_error_names_type_and_text() -> None:
    """The person who typed it sees what was typed."""
    with pytest.raises(ZoneError, match=r"A '192\.0\.2\.256'"):
        rdata.from_text(1, "192.0.2.256")
