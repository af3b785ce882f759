"""Packing records and AXFR messages: the contract, on both packers."""

from __future__ import annotations

import random
import struct

import pytest

from tests.packers import (
    SOA_RECORD,
    WWW,
    NewPacker,
    both,
    compiled,
    name_message,
    outcome,
    pack,
    refusal,
    transfer,
)
from tests.strategies import APEX, SOA_RDATA
from tests.transfers import MessageWriter, Record, messages
from zones import packed, packing
from zones import rdata as rdata_codec
from zones.errors import WireError
from zones.name import from_labels, from_text
from zones.packing import Packed, Packer
from zones.rdata import LAYOUT, NAME, STRING, TAIL
from zones.rrset import AAAA, MX, NS, NSEC, RRSIG, SOA, TXT, A, RRset
from zones.version import ZoneVersion

if packing.compiled_available:
    from zones._packing import PackerCompiled


@both
def test_records_come_out_in_canonical_order(new: NewPacker) -> None:
    """What is packed is what ``packed.pack`` makes of the RRsets."""
    records: list[Record] = [
        (from_text("b.example.org."), A, 300, b"\0\0\0\2"),
        (APEX, NS, 300, from_text("NS.example.org.")),
        (from_text("a.b.example.org."), TXT, 300, b"\1x"),
        (b"\1B" + APEX, A, 300, b"\0\0\0\1"),
        (from_text("a.example.org."), AAAA, 300, bytes(16)),
        SOA_RECORD,
    ]
    result = pack(new, records)
    rrsets = [
        RRset.of(from_text("b.example.org."), A, 300, [b"\0\0\0\1", b"\0\0\0\2"]),
        *(RRset.of(*record[:3], [record[3]]) for record in records if record[1] != A),
    ]
    assert result == Packed(packed.pack(APEX, rrsets), records=6)
    assert ZoneVersion(result.blob).serial == 7


@both
def test_nothing_packs_to_an_empty_zone(new: NewPacker) -> None:
    """Content without a record is packed too; the checks refuse it."""
    assert new(APEX).finish() == Packed(packed.pack(APEX, []), records=0)


@both
def test_octets_of_labels_order_as_octets(new: NewPacker, rng: random.Random) -> None:
    """Zero and other odd octets in labels sort as RFC 4034 6.1 says; a name before those below."""
    labels = [b"", b"\0", b"\0\0", b"\1", b"\2", b"\0\1", b"a", b"a\0", b"-", b"\xff", b"\x7f"]
    found = [
        from_labels([*([below] if below else []), label])[:-1] + APEX
        for label in labels[1:]
        for below in labels
    ]
    records = [(owner, A, 300, bytes(4)) for owner in found]
    rng.shuffle(records)
    rrsets = [RRset.of(owner, A, 300, [bytes(4)]) for owner in found]
    assert pack(new, records).blob == packed.pack(APEX, rrsets)


@both
def test_duplicates_are_merged_and_counted(new: NewPacker) -> None:
    """Records that differ in nothing but case are one."""
    again = (b"\3WWW" + APEX, NS, 300, from_text("ns.example.org.").upper())
    records = [(WWW, NS, 300, from_text("ns.example.org.")), SOA_RECORD, again, again]
    result = pack(new, records)
    assert (result.records, result.duplicates) == (2, 2)


@both
def test_the_smallest_ttl_of_an_rrset_holds(new: NewPacker) -> None:
    """Different TTLs within an RRset (RFC 2181 5.2) are told once for each."""
    records = [(WWW, A, ttl, bytes((0, 0, 0, ttl))) for ttl in (5, 3, 9, 3)]
    records += [(WWW, AAAA, 7, bytes(16)), (APEX, TXT, 1, b"\0"), (APEX, TXT, 2, b"\0")]
    result = pack(new, records)
    assert result.ttl_mismatches == ((APEX, TXT), (WWW, A))
    assert {rrset.rtype: rrset.ttl for rrset in ZoneVersion(result.blob)} == {TXT: 1, A: 3, AAAA: 7}


@both
def test_signatures_are_grouped_by_the_type_they_cover(new: NewPacker) -> None:
    """An RRSIG of A and one of MX are two RRsets, with TTLs of their own."""

    def signature(covered: int, fill: int) -> bytes:
        return struct.pack("!H", covered) + bytes([fill] * 16) + APEX + b"signature"

    records = [
        (WWW, RRSIG, 300 + covered, signature(covered, fill))
        for fill in (2, 1)
        for covered in (MX, A)
    ]
    rrsets = list(ZoneVersion(pack(new, records).blob))
    assert [(rrset.covers, rrset.ttl, len(rrset.rdatas)) for rrset in rrsets] == [
        (A, 301, 2),
        (MX, 315, 2),
    ]


@both
def test_records_outside_of_the_zone_are_dropped(new: NewPacker) -> None:
    """They are counted, and the first twenty are told as they came; similar names do not pass."""
    strangers = [from_text(text) for text in ("org.", "example.com.", "badexample.org.", ".")]
    records = [(name, A, 300, bytes(4)) for name in [*strangers, *([strangers[0]] * 30)]]
    result = pack(new, [SOA_RECORD, *records, (WWW, A, 300, bytes(4))])
    assert (result.records, result.out_of_zone_count) == (2, 34)
    assert result.out_of_zone == tuple((name, A) for name, *_ in records[:20])


@both
def test_labels_that_end_like_the_apex_are_not_in_it(new: NewPacker) -> None:
    """A label that has the octets of the apex within it does not put a name into the zone."""
    name = from_labels([b"x" + APEX[:-1]])
    assert name.endswith(APEX)
    assert pack(new, [(name, A, 300, bytes(4))]).out_of_zone == ((name, A),)


@both
def test_the_root_zone_can_be_packed(new: NewPacker) -> None:
    """Everything is below the root."""
    records = [(from_text(text), A, 300, bytes(4)) for text in ("org.", ".", "a.org.", "com.")]
    rrsets = [RRset.of(owner, A, 300, [bytes(4)]) for owner, *_ in records]
    assert pack(new, records, b"\0").blob == packed.pack(b"\0", rrsets)


@both
def test_a_packer_goes_on_after_finish(new: NewPacker) -> None:
    """What was packed stays as it is, and more can be added."""
    records = [(from_text(f"{label}.example.org."), A, 300, bytes(4)) for label in "cab"]
    packer = new(APEX)
    for record in records:
        packer.add(*record)
    first = packer.finish()
    assert packer.finish() == first
    packer.add(records[0][0], A, 300, b"\0\0\0\1")
    packer.add(records[1][0], A, 300, bytes(4))
    packer.add(*SOA_RECORD)
    assert packer.finish() == pack(
        new, [*records, (records[0][0], A, 300, b"\0\0\0\1"), SOA_RECORD, records[1]]
    )


@both
@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ((b"\3www", A, 0, bytes(4)), "a name is cut short at octet 4"),
        ((b"", A, 0, bytes(4)), "a name is cut short"),
        ((b"\1a\0\0", A, 0, bytes(4)), "1 octets follow the name a"),
        ((b"\xc0\x0c", A, 0, bytes(4)), "a compression pointer too many"),
        ((b"\x41a\0", A, 0, bytes(4)), "a label of type 01"),
        ((b"\x3f" + b"a" * 63, A, 0, bytes(4)), "a name is cut short"),
        (((b"\x3f" + b"a" * 63) * 4 + b"\0", A, 0, bytes(4)), "longer than 255"),
        ((APEX, 65536, 0, b""), "out of range"),
        ((APEX, -1, 0, b""), "out of range"),
        ((APEX, A, 2**32, bytes(4)), "out of range"),
        ((APEX, A, -1, bytes(4)), "out of range"),
        ((APEX, 65280, 0, bytes(65536)), "longer than 65535 octets"),
        ((APEX, A, 0, bytes(5)), "rdata of type A has 5 octets where 4 are due"),
        ((APEX, NS, 0, b"\xc0\x0c"), "a compression pointer too many"),
    ],
)
def test_malformed_records_are_refused(new: NewPacker, record: Record, reason: str) -> None:
    """``add`` takes whole, uncompressed names and rdata that is laid out as its type is."""
    with pytest.raises(WireError, match=reason):
        new(APEX).add(*record)


@both
@pytest.mark.parametrize("rtype", sorted(LAYOUT.keys() | TAIL.keys()))
def test_rdata_must_fit_its_layout(new: NewPacker, rtype: int) -> None:
    """Rdata of each type with a layout is taken whole, and refused when it is cut or too long."""
    whole = b"".join(
        {NAME: b"\1N" + APEX, STRING: b"\2tx"}.get(part, bytes(max(part, 0)))
        for part in LAYOUT.get(rtype, ())
    )
    whole += bytes(TAIL.get(rtype, 0))
    blob = pack(new, [(APEX, rtype, 300, whole)]).blob
    assert blob == packed.pack(APEX, [RRset.of(APEX, rtype, 300, [whole])])
    wrong = [whole[:end] for end in range(len(whole))]
    for rdata in [*wrong, whole + b"x"] if rtype in TAIL else wrong:
        with pytest.raises(WireError, match=r"rdata of type|a name is cut"):
            new(APEX).add(APEX, rtype, 300, rdata)


@both
def test_compressed_names_are_written_out(new: NewPacker) -> None:
    """Names in rdata are uncompressed and folded, that of NSEC keeps its case (RFC 6840 5.1)."""
    records = [
        SOA_RECORD,
        (APEX, NS, 300, b"\2NS" + APEX),
        (APEX, MX, 300, b"\0\1" + b"\4Mail" + APEX),
        (APEX, NSEC, 300, b"\1A" + APEX + b"\0\1\1"),
        (WWW, A, 300, bytes(4)),
        SOA_RECORD,
    ]
    result = transfer(new, messages(APEX, records))
    assert result == pack(new, records[:-1])
    assert b"\2ns\7example\3org\0" in result.blob
    assert b"\1A\7example\3org\0" in result.blob


@both
@pytest.mark.parametrize("rtype", [NSEC, 33, 64, RRSIG])
def test_names_of_newer_types_are_uncompressed_too(new: NewPacker, rtype: int) -> None:
    """A pointer in rdata of a type that may not be compressed (RFC 3597 4) is followed."""
    fixed = bytes(sum(LAYOUT[rtype][:-1]))
    packer = new(APEX)
    packer.add_transfer_message(name_message(fixed + b"\1a\xc0\x0c", rtype))
    (rrset,) = (found for found in ZoneVersion(packer.finish().blob) if found.rtype == rtype)
    assert rrset.rdatas == (fixed + b"\1a" + APEX,)


@both
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (name_message(b"\xc0\xff"), "not backwards"),
        (name_message(b"\xc0\x05"), "not backwards"),
        (name_message(b"\xff\xff"), "not backwards"),
        (name_message(b"\1a\xc0" + bytes([len(name_message(b""))])), "not backwards"),
        (name_message(b"\xc0"), "a name is cut short"),
        (name_message(b"\xc0\x0c", rdlength=1), "a name is cut short"),
        (name_message(b"\3abc\xc0\x0c", rdlength=3), "a name is cut short"),
        (name_message(b"\x80\x0c"), "a label of type 10"),
        (name_message(b"\xc0\x0cx"), "rdata of type NS has 1 octets where 0 are due"),
        (name_message(b"\xc0\x0c", rdlength=3), "a record is cut short"),
        (name_message((b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\xc0\x0c"), "than 255"),
        (name_message(bytes(18) + b"\xc0\x0c" + bytes(65535 - 20), RRSIG), "than 65535 octets"),
        (name_message(b"\xc0\x0c")[:-13], "a name is cut short"),
        (name_message(b"\xc0\x0c")[:-3], "a record is cut short"),
        (bytes(11), "a message of 11 octets has no header"),
        (b"\0\1\x84\0\0\1\0\0\0\0\0\0" + APEX + b"\0\0\0", "the question is cut short"),
        (b"\0\1\x84\0\0\0\0\1\0\0\0\0", "a name is cut short"),
    ],
)
def test_malformed_messages_are_refused(new: NewPacker, message: bytes, reason: str) -> None:
    """Nothing that the protocol does not allow is taken, and the reason is told."""
    assert reason in refusal(new, [message])


@both
def test_chains_of_pointers_are_short(new: NewPacker) -> None:
    """A name is read in few steps: no more pointers in it than it may have labels."""
    writer = MessageWriter(APEX)
    writer.add(SOA_RECORD)
    start = len(writer) + 2 + 10
    for length, taken in ((126, True), (127, False)):
        chain = struct.pack(
            f"!{length}H", 0xC00C, *range(0xC000 + start, 0xC000 + start + 2 * length - 2, 2)
        )
        octets = name_message(chain, 65280)
        owner = struct.pack("!H", 0xC000 + start + 2 * length - 2)
        message = bytearray(octets + owner + struct.pack("!HHIH4x", A, 1, 300, 4))
        message[7] = 3
        assert outcome(new, [bytes(message)])[0] == ([False] if taken else [])


@both
def test_the_size_is_known_beforehand(new: NewPacker) -> None:
    """``size`` is never less than the blob will have, and exactly that for records in order."""
    in_order = [
        (from_text(f"{label}.example.org."), A, 300, bytes([0, 0, 0, last]))
        for label in "abc"
        for last in range(3)
    ]
    for records, exact in ((in_order, True), (in_order[::2] + in_order, False)):
        packer = new(APEX)
        for record in records:
            packer.add(*record)
        packed_size = len(packer.finish().blob)
        assert packer.size == packed_size if exact else packer.size >= packed_size


@both
def test_only_class_in_is_taken(new: NewPacker) -> None:
    """A record of another class refuses the transfer."""
    writer = MessageWriter(APEX)
    writer.add(SOA_RECORD)
    writer.add((WWW, A, 300, bytes(4)), rclass=3)
    reason = refusal(new, [writer.octets()])
    assert reason == "a record of www.example.org has class 3 instead of IN"


@both
def test_a_transfer_starts_with_the_soa(new: NewPacker) -> None:
    """The first record must be the SOA of the apex (RFC 5936 2.2)."""
    below = (WWW, SOA, 300, SOA_RDATA)
    for record in [(WWW, A, 300, bytes(4)), below, (from_text("org."), SOA, 300, SOA_RDATA)]:
        assert "instead of its SOA" in refusal(new, messages(APEX, [record, SOA_RECORD]))


@both
def test_the_closing_soa_ends_a_transfer(new: NewPacker) -> None:
    """It is told, not stored twice, and nothing may follow."""
    www = (WWW, A, 300, bytes(4))
    packer = new(APEX)
    empty = MessageWriter(APEX).octets()
    assert [
        packer.add_transfer_message(message)
        for message in (empty, *messages(APEX, [SOA_RECORD, www]), *messages(APEX, [SOA_RECORD]))
    ] == [False, False, True]
    assert packer.finish() == pack(new, [SOA_RECORD, www])
    with pytest.raises(WireError, match="a message follows the closing SOA"):
        packer.add_transfer_message(empty)
    stream = messages(APEX, [SOA_RECORD, SOA_RECORD, www])
    assert refusal(new, stream) == "records follow the closing SOA"


@both
@pytest.mark.parametrize("size", [65000, 200])
def test_the_soa_may_not_change_within_a_transfer(new: NewPacker, size: int) -> None:
    """Another SOA at the apex, with both serials, in the same message or a later one."""
    longer = SOA_RDATA[:-20] + (9).to_bytes(4, "big") + SOA_RDATA[-16:]
    other = (APEX, SOA, 3600, longer)
    filling = [(WWW, TXT, 300, bytes([100, *([i] * 100)])) for i in range(4)]
    sentence = "the SOA changed in the middle of the transfer: serial 7, then 9"
    stream = list(messages(APEX, [SOA_RECORD, *filling, other, SOA_RECORD], size))
    assert refusal(new, stream) == sentence
    same_serial = (APEX, SOA, 3600, SOA_RDATA[:-1] + b"x")
    stream = list(messages(APEX, [SOA_RECORD, *filling, same_serial], size))
    assert refusal(new, stream).endswith("serial 7, then 7 with other content")


@both
def test_two_soas_added_by_hand_are_packed(new: NewPacker) -> None:
    """Two SOA records in a zone file are for the zone checks to refuse."""
    other = (APEX, SOA, 3600, SOA_RDATA[:-20] + (9).to_bytes(4, "big") + SOA_RDATA[-16:])
    assert pack(new, [other, SOA_RECORD]).records == 2


@compiled
def test_the_engine_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """``NSCTL_ENGINE=python`` asks for the Python packer, nothing for the compiled one."""
    monkeypatch.delenv("NSCTL_ENGINE", raising=False)
    assert type(packing.new_packer(APEX)) is PackerCompiled
    monkeypatch.setenv("NSCTL_ENGINE", "python")
    assert type(packing.new_packer(APEX)) is Packer


def test_what_is_packed_reads_as_text() -> None:
    """The rdata that the packer makes is what dnspython reads."""
    rdata = rdata_codec.from_text(MX, "10 mail.example.org.")
    (rrset,) = ZoneVersion(pack(Packer, [(WWW, MX, 300, rdata)]).blob)
    assert rrset.lines() == ["www.example.org. 300 IN MX 10 mail.example.org."]
