"""The packed form: round trips, equality, old blobs, damage."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import APEX, SOA_RDATA, rrset_lists
from zones import packed, rdata
from zones.name import from_text
from zones.packed import PackedError
from zones.rrset import MX, NS, RRSIG, SOA, TXT, A, RRset

SIGNATURE = "A 13 3 300 20300101000000 20200101000000 1 example.org. " + "A" * 86 + "=="


def rrset(owner: str, rtype: int, ttl: int, *texts: str) -> RRset:
    """Return the RRset of records in presentation form."""
    wires = [rdata.from_text(rtype, text) for text in texts]
    return RRset.of(from_text(owner), rtype, ttl, wires)


CONTENT = [
    RRset.of(APEX, SOA, 3600, [SOA_RDATA]),
    rrset("example.org.", NS, 3600, "ns.example.org.", "ns.example.net."),
    rrset("example.org.", MX, 3600, "10 mail.example.org."),
    rrset("a.b.example.org.", A, 300, "192.0.2.1", "192.0.2.2"),
    rrset("a.b.example.org.", RRSIG, 300, SIGNATURE),
    rrset("*.example.org.", TXT, 300, '"any"'),
    rrset("zz.example.org.", 65280, 300, "\\# 3 010203"),
]

# CONTENT as format 1 stored it. A release that changes the format must go on reading this.
FORMAT_1 = bytes.fromhex(
    "4e535a560100000d000000070000000700000009076578616d706c65036f7267000d076578616d706c65036f"
    "7267000002000000000e1000000002000000240010026e73076578616d706c65036e6574000010026e730765"
    "78616d706c65036f7267000d076578616d706c65036f7267000006000000000e10000000010000003e003c02"
    "6e73076578616d706c65036f7267000a686f73746d6173746572076578616d706c65036f7267000000000700"
    "000e100000038400093a800000012c0d076578616d706c65036f726700000f000000000e1000000001000000"
    "160014000a046d61696c076578616d706c65036f7267000f012a076578616d706c65036f7267000010000000"
    "00012c0000000100000006000403616e791101610162076578616d706c65036f726700000100000000012c00"
    "0000020000000c0004c00002010004c00002021101610162076578616d706c65036f726700002e0001000001"
    "2c0000000100000061005f00010d030000012c70dbd8805e0be1000001076578616d706c65036f7267000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000010027a7a076578616d706c65036f726700ff0000000000012c00"
    "000001000000050003010203"
)


def test_old_blobs_stay_readable() -> None:
    """What format 1 stored is read today, to the last octet of content."""
    assert set(packed.iter_rrsets(FORMAT_1)) == set(CONTENT)
    assert packed.read_header(FORMAT_1) == packed.Header(APEX, 7, 7, 9, 33)


def test_format_1_is_what_is_written() -> None:
    """The form on disk changes only together with its number."""
    assert packed.FORMAT == 1
    assert packed.pack(APEX, CONTENT) == FORMAT_1


@given(rrset_lists())
def test_round_trip(rrsets: list[RRset]) -> None:
    """What is packed comes out again, in canonical order, with the right counts."""
    blob = packed.pack(APEX, rrsets)
    out = list(packed.iter_rrsets(blob))
    assert out == sorted(rrsets, key=lambda one: one.sort_key)
    header = packed.read_header(blob)
    assert (header.apex, header.serial) == (APEX, 7)
    assert header.rrsets == len(rrsets)
    assert header.records == sum(len(one.rdatas) for one in rrsets)


@given(rrset_lists(), st.randoms(use_true_random=False))
def test_equal_content_is_equal_octet_by_octet(
    rrsets: list[RRset], shuffler: random.Random
) -> None:
    """The order in which RRsets were given leaves no trace, so hashes can be compared."""
    shuffled = shuffler.sample(rrsets, len(rrsets))
    assert packed.pack(APEX, shuffled) == packed.pack(APEX, rrsets)


def test_hash_sees_every_change() -> None:
    """Another TTL, rdata, owner or serial is another hash."""
    changed = [
        [*CONTENT[:-1], rrset("zz.example.org.", 65280, 301, "\\# 3 010203")],
        [*CONTENT[:-1], rrset("zz.example.org.", 65280, 300, "\\# 3 010204")],
        [*CONTENT[:-1], rrset("zy.example.org.", 65280, 300, "\\# 3 010203")],
        CONTENT[:-1],
    ]
    hashes = {packed.content_hash(packed.pack(APEX, one)) for one in [CONTENT, *changed]}
    assert len(hashes) == 1 + len(changed)


def test_zone_without_soa_packs_with_serial_0() -> None:
    """Content is packed before it is checked; a missing SOA is the checks' business."""
    assert packed.read_header(packed.pack(APEX, CONTENT[1:])).serial == 0


def test_a_blob_cut_short_is_an_error() -> None:
    """No prefix of a blob is taken for a whole zone."""
    for length in range(len(FORMAT_1)):
        with pytest.raises(PackedError):
            list(packed.iter_rrsets(FORMAT_1[:length]))


def test_foreign_octets_and_newer_formats_are_refused() -> None:
    """The message says what was found instead."""
    with pytest.raises(PackedError, match="starts with 53514c6974"):
        packed.read_header(b"SQLite format 3\x00" + b"\x00" * 40)
    newer = bytearray(FORMAT_1)
    newer[4] = 2
    with pytest.raises(PackedError, match="not a packed zone of format 1"):
        packed.read_header(bytes(newer))
