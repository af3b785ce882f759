"""RRsets: folded, canonical, sorted, distinct."""

from __future__ import annotations

from zones import rdata
from zones.name import from_text
from zones.rrset import MX, NS, RRSIG, TXT, A, RRset

OWNER = from_text("www.example.org.")


def test_order_and_repetition_do_not_matter() -> None:
    """The same records in any order, some twice, make the same set (RFC 2181 5)."""
    first, second = b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02"
    assert RRset.of(OWNER, A, 300, [second, first, second]) == RRset.of(
        OWNER, A, 300, [first, second]
    )


def test_case_does_not_matter_where_the_canonical_form_folds() -> None:
    """Owner and embedded names are folded, text is not."""
    upper = RRset.of(OWNER.upper(), NS, 300, [from_text("ns.example.org.").upper()])
    assert upper == RRset.of(OWNER, NS, 300, [from_text("ns.example.org.")])
    assert RRset.of(OWNER, TXT, 300, [b"\x01A"]) != RRset.of(OWNER, TXT, 300, [b"\x01a"])


def test_records_that_fold_to_the_same_are_one() -> None:
    """Two NS records that differ in case alone are one record."""
    target = from_text("ns.example.org.")
    assert RRset.of(OWNER, NS, 300, [target, target.upper()]).rdatas == (target,)


def test_rdatas_sort_as_octets() -> None:
    """RFC 4034 6.3: left-justified octet strings, a prefix first."""
    assert RRset.of(OWNER, 65280, 0, [b"\x80", b"", b"\x00\x01", b"\x00"]).rdatas == (
        b"",
        b"\x00",
        b"\x00\x01",
        b"\x80",
    )


def test_signatures_are_sets_by_the_type_covered() -> None:
    """RRSIGs of different covered types are different RRsets; other types cover nothing."""
    signature = " 13 3 300 20300101000000 20200101000000 1 example.org. " + "A" * 86 + "=="
    over_a = RRset.of(OWNER, RRSIG, 300, [rdata.from_text(RRSIG, "A" + signature)])
    over_mx = RRset.of(OWNER, RRSIG, 300, [rdata.from_text(RRSIG, "MX" + signature)])
    assert (over_a.covers, over_mx.covers) == (A, MX)
    assert over_a.key != over_mx.key
    assert RRset.of(OWNER, A, 300, [b"\x00" * 4]).covers == 0


def test_lines_are_zone_file_lines() -> None:
    """Each record is one line in presentation form."""
    rrset = RRset.of(OWNER, MX, 300, [rdata.from_text(MX, "10 Mail.example.org.")])
    assert rrset.lines() == ["www.example.org. 300 IN MX 10 mail.example.org."]
