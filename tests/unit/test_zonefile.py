"""Zone files in and out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.zone_strategies import APEX, zone_versions
from zones.errors import ZoneError
from zones.name import from_text, to_text
from zones.packing import Packed
from zones.rrset import SOA
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file, write_zone_file

HEAD = "@ 3600 IN SOA ns1 hostmaster 1 14400 3600 1209600 900\n"


def read(text: str) -> Packed:
    """Return what a file says of example.org."""
    return read_zone_file(text, filename="f", apex=APEX)


def lines(text: str) -> list[str]:
    """Return the records of a file with the usual SOA, without the SOA."""
    version = ZoneVersion(read(HEAD + text).blob)
    return [line for rrset in version if rrset.rtype != SOA for line in rrset.lines()]


def reasons(text: str) -> list[str]:
    """Return the reasons against a file."""
    with pytest.raises(ZoneError) as caught:
        read(text)
    return list(caught.value.reasons)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www 300 IN A 192.0.2.1", "www.example.org. 300 IN A 192.0.2.1"),
        ("www IN 300 A 192.0.2.1", "www.example.org. 300 IN A 192.0.2.1"),
        ("www 300 A 192.0.2.1", "www.example.org. 300 IN A 192.0.2.1"),
        ("www IN A 192.0.2.1", "www.example.org. 3600 IN A 192.0.2.1"),
        ("www a 192.0.2.1", "www.example.org. 3600 IN A 192.0.2.1"),
        ("WWW.Example.ORG. in aaaa 2001:DB8::1", "www.example.org. 3600 IN AAAA 2001:db8::1"),
        ("\tNS\tns1", "example.org. 3600 IN NS ns1.example.org."),
        ("$TTL 1h30m\nwww A 192.0.2.1", "www.example.org. 5400 IN A 192.0.2.1"),
        ("$ORIGIN sub\nwww A 192.0.2.1", "www.sub.example.org. 3600 IN A 192.0.2.1"),
        (
            "$origin sub.example.org.\n@ MX 5 mx",
            "sub.example.org. 3600 IN MX 5 mx.sub.example.org.",
        ),
        ("www ( 300\n IN ; class\n A\n ) 192.0.2.1", "www.example.org. 300 IN A 192.0.2.1"),
        ("www A 192.0.2.1 ; (the web", "www.example.org. 3600 IN A 192.0.2.1"),
        ('t TXT "a;b (c" d', 't.example.org. 3600 IN TXT "a;b (c" "d"'),
        ('t TXT "say \\"hi\\""', 't.example.org. 3600 IN TXT "say \\"hi\\""'),
        ("t TXT \\097b\\;", 't.example.org. 3600 IN TXT "ab;"'),
        ('t TXT ""', 't.example.org. 3600 IN TXT ""'),
        ("a\\.b A 192.0.2.1", "a\\.b.example.org. 3600 IN A 192.0.2.1"),
        ("a\\032b A 192.0.2.1", "a\\032b.example.org. 3600 IN A 192.0.2.1"),
        ("b\u00fccher A 192.0.2.1", "xn--bcher-kva.example.org. 3600 IN A 192.0.2.1"),
        ("x TYPE65280 \\# 3 0a0b0c", "x.example.org. 3600 IN TYPE65280 \\# 3 0a0b0c"),
        ("x TYPE1 \\# 4 c0000201", "x.example.org. 3600 IN A 192.0.2.1"),
        ("www CLASS1 A 192.0.2.1\r", "www.example.org. 3600 IN A 192.0.2.1"),
        ("*.w A 192.0.2.1", "*.w.example.org. 3600 IN A 192.0.2.1"),
    ],
)
def test_spellings_of_a_record(text: str, expected: str) -> None:
    """Every way to write a record that zone files allow is understood."""
    assert lines(text) == [expected]


@pytest.mark.parametrize(
    ("text", "ttl"),
    [
        ("$TTL 60\n@ 500 SOA a b 1 2 3 4 77\nw A 192.0.2.1", 60),
        ("@ 500 SOA a b 1 2 3 4 77\nw A 192.0.2.1", 500),
        ("@ 500 SOA a b 1 2 3 4 77\nv 50 A 192.0.2.1\nw A 192.0.2.1", 50),
        ("@ SOA a b 1 2 3 4 77\nw A 192.0.2.1", 77),
        ("w A 192.0.2.1\n@ SOA a b 1 2 3 4 77", 77),
    ],
)
def test_a_missing_ttl(text: str, ttl: int) -> None:
    """A TTL comes from $TTL, else from the record before, else from the SOA's MINIMUM."""
    found = ZoneVersion(read(text).blob).rrset(from_text("w", APEX), 1)
    assert found is not None
    assert found.ttl == ttl


def test_continuation_lines_keep_the_owner() -> None:
    """A line that starts with a blank belongs to the name before it."""
    text = "www A 192.0.2.1\n  A 192.0.2.2\n\n; comment\n\tTXT x\n"
    assert [line.split()[0] for line in lines(text)] == ["www.example.org."] * 3


def test_generate() -> None:
    """$GENERATE writes one record for each number, with offset, width and base."""
    text = "$GENERATE 1-3/2 h$ A 192.0.2.$\n$GENERATE 9-10 x${1,4,x} 60 IN CNAME h$.$$\n"
    assert lines(text) == [
        "h1.example.org. 3600 IN A 192.0.2.1",
        "h3.example.org. 3600 IN A 192.0.2.3",
        "x000a.example.org. 60 IN CNAME h9.\\$.example.org.",
        "x000b.example.org. 60 IN CNAME h10.\\$.example.org.",
    ]


def test_generate_nibbles() -> None:
    """The bases n and N write reversed nibbles, as reverse zones for IPv6 need them."""
    assert lines("$GENERATE 18-18 ${0,7,n} PTR h$.") == ["2.1.0.0.example.org. 3600 IN PTR h18."]


def test_include() -> None:
    """$INCLUDE reads another file, with an origin of its own, and leaves ours as it was."""
    files = {"hosts": "www A 192.0.2.1\n", "other": "www A 192.0.2.2\n"}
    text = HEAD + "$INCLUDE hosts\n$INCLUDE other sub\nftp A 192.0.2.3\n"
    packed = read_zone_file(text, filename="f", apex=APEX, include=files.__getitem__)
    owners = {to_text(rrset.owner) for rrset in ZoneVersion(packed.blob)}
    assert owners == {
        "example.org.",
        "www.example.org.",
        "www.sub.example.org.",
        "ftp.example.org.",
    }


def test_an_include_that_includes_itself_ends() -> None:
    """Files that include one another without end are refused, and each reason has its file."""
    with pytest.raises(ZoneError, match=r"^loop:1: \$INCLUDE of loop is nested too deep$"):
        read_zone_file(
            HEAD + "$INCLUDE loop", filename="f", apex=APEX, include=lambda name: "$INCLUDE loop"
        )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("www A 192.0.2.300", "'192.0.2.300' is not A data"),
        ("www A", "'nothing' is not A data"),
        ("www MX ten mx", "is not MX data"),
        ("www A 192.0.2.1 192.0.2.2", "is not A data"),
        ("www 3600", "ends before the type"),
        ("www 12x A 192.0.2.1", "'12x' is not a TTL"),
        ("www NOTYPE x", "'NOTYPE' is not a record type"),
        ("www ANY x", "type for queries"),
        ("www CH A 192.0.2.1", "the class is CH"),
        ('t TXT "open', "a quote is never closed"),
        ("www A ) 192.0.2.1", "closing parenthesis"),
        ("www A ( 192.0.2.1", "the parenthesis is never closed"),
        ("www A 192.0.2.1\\", "lone backslash"),
        ("a..b A 192.0.2.1", "'a..b'"),
        (f"{'a' * 64} A 192.0.2.1", "label"),
        (".".join(["a" * 60] * 5) + " A 192.0.2.1", "longer than 255"),
        ("$TTL", "$TTL with 0 words"),
        ("$TTL soon", "'soon' is not a TTL"),
        ("$FOO bar", "$FOO is not a directive"),
        ("$INCLUDE other", "$INCLUDE of other is not allowed"),
        ("$GENERATE 5-1 h$ A 192.0.2.$", "'5-1' is not a range"),
        ("$GENERATE 1-2 h${x} A 192.0.2.$", "is not a modifier"),
        ("$GENERATE 0-99999999 h$ A 192.0.2.1", "more than"),
        ("x TYPE65280 \\# 4 0a0b", "has 2 octets and not 4"),
        ("x A \\# 3 0a0b0c", "has 3 octets where 4 are due"),
        ("x TYPE9 \\# 1 zz", "hexadecimal"),
        ("x MX \\# 1 00", "cut short"),
    ],
)
def test_what_cannot_be_read(text: str, reason: str) -> None:
    """A line that cannot be read is refused, by its number and with what is wrong."""
    found = reasons(f"{HEAD}{text}\n")
    assert len(found) == 1
    assert found[0].startswith("f:2: ")
    assert reason in found[0]


def test_all_reasons_are_told_at_once() -> None:
    """A bad line hides no other, and is told by the number of its first line."""
    text = f'{HEAD}a A x\nb A 192.0.2.1\nc AAAA (\n x )\n B\n\nd MX mx\n"e A 192.0.2.1\n'
    assert [reason.split(" ")[0] for reason in reasons(text)] == [
        "f:2:", "f:4:", "f:6:", "f:8:", "f:9:",
    ]  # fmt: skip


def test_reasons_are_bounded() -> None:
    """A file of a million mistakes does not make a million reasons."""
    found = reasons(HEAD + "www A x\n" * 1500)
    assert len(found) == 1001
    assert found[-1] == "and 500 more"


@pytest.mark.parametrize(
    ("text", "apex"),
    [
        ("example.net. 1 SOA a. b. 1 2 3 4 5\nx.example.org. A 192.0.2.1", "example.net."),
        ("$ORIGIN example.com.\nwww 1 A 192.0.2.1", "example.com."),
        ("www.example.org. 1 A 192.0.2.1\nftp.example.org. A 192.0.2.1", "example.org."),
        ("example.org. 1 A 192.0.2.1\nexample.net. A 192.0.2.1", "."),
    ],
)
def test_the_apex_is_found(text: str, apex: str) -> None:
    """Where the caller does not say it, the apex is that of the SOA, the $ORIGIN or all names."""
    assert to_text(ZoneVersion(read_zone_file(text, filename="f").blob).apex) == apex


def test_relative_names_need_an_origin() -> None:
    """Without apex and $ORIGIN, a relative name is refused, in owners and in rdata."""
    with pytest.raises(ZoneError) as caught:
        read_zone_file("www 1 A 192.0.2.1\nexample.org. 1 MX 1 mx\n@ NS a.\n", filename="f")
    assert len(caught.value.reasons) == 3
    assert all("relative" in reason for reason in caught.value.reasons)


def test_an_empty_file_is_refused() -> None:
    """A file without records is no zone."""
    assert reasons("; nothing\n\n") == ["f: there are no records in it"]


def test_what_arrives_beside_the_zone_is_counted() -> None:
    """Records outside of the zone and repetitions are left out, and told."""
    packed = read(HEAD + "example.net. A 192.0.2.1\nwww A 192.0.2.1\nWWW A 192.0.2.1\n")
    assert packed.out_of_zone == ((from_text("example.net."), 1),)
    assert packed.duplicates == 1
    assert packed.records == 2


@given(zone_versions())
def test_what_is_written_is_read_back(version: ZoneVersion) -> None:
    """Whatever a version has in it, its zone file makes the same octets again."""
    text = write_zone_file(version)
    assert read_zone_file(text, filename="f", apex=version.apex).blob == version.blob
    assert read_zone_file(text, filename="f").blob == version.blob


@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                [
                    "@",
                    "$TTL",
                    "$ORIGIN",
                    "$INCLUDE",
                    "$GENERATE",
                    "1-3",
                    "3600",
                    "1h",
                    "IN",
                    "CH",
                    "A",
                    "MX",
                    "TXT",
                    "SOA",
                    "RRSIG",
                    "TYPE1",
                    "\\#",
                    "www",
                    "example.org.",
                    "192.0.2.1",
                    "(",
                    ")",
                    ";",
                    '"',
                    "\\",
                    "0",
                    "00",
                    "*",
                    "${0,3,x}",
                    "$",
                ]
            ),
            st.sampled_from(["\n", "\n", "\t", " ", "\r\n", "\x00", "\x85", "\u2028"]),
        )
    ).map(" ".join)
)
@example("www A \n")
@example("$\n")
@example("$GENERATE 1-2 $ A 1.2.3.$")
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever stands in a file, reading it gives content or reasons, and nothing else."""
    for apex in (None, APEX):
        with suppress(ZoneError):
            read_zone_file(HEAD + text, filename="f", apex=apex, include=lambda name: name)


def test_a_written_file_can_be_read_by_people() -> None:
    """The SOA leads, names are relative, the usual TTL and repeated owners are left out."""
    text = "@ NS ns1\nns1 A 192.0.2.53\nns1 A 192.0.2.54\nwww 60 CNAME example.net.\n"
    written = write_zone_file(ZoneVersion(read(HEAD + text).blob))
    assert [line.split() for line in written.splitlines()] == [
        ["$ORIGIN", "example.org."],
        ["$TTL", "3600"],
        ["@", "IN", "SOA", "ns1", "hostmaster", "1", "14400", "3600", "1209600", "900"],
        ["IN", "NS", "ns1"],
        ["ns1", "IN", "A", "192.0.2.53"],
        ["IN", "A", "192.0.2.54"],
        ["www", "60", "IN", "CNAME", "example.net."],
    ]
