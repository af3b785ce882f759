"""Reading queries and writing responses, octet by octet."""

from __future__ import annotations

import dns.message
import pytest

from nameserver.answer import Entry, Section
from nameserver.message import Query, Writer, parse_query, read_header
from zones.errors import WireError
from zones.name import from_text
from zones.rdata import from_text as rdata_from_text
from zones.rrset import CNAME, MX, NS, SRV, TXT, A, RRset

WWW = from_text("www.example.org.")
QUESTION = b"\x03WwW\x07Example\x03oRg\x00\x00\x01\x00\x01"


def written(*entries: Entry, limit: int = 65535, qname: bytes = WWW) -> bytes:
    """Return a response with a question and these entries in its answer section."""
    writer = Writer(limit)
    head = read_header(bytes(12))
    assert head is not None
    writer.question(Query(head, qname, A, 1))
    for entry in entries:
        writer.entry(Section.ANSWER, entry)
    return writer.finish(0x1234, 0x8000)


def entry(owner: str, rtype: int, *rdatas: str) -> Entry:
    """Return an RRset with a TTL of 1."""
    name = from_text(owner)
    return Entry(name, RRset.of(name, rtype, 1, [rdata_from_text(rtype, text) for text in rdatas]))


def test_parse_query() -> None:
    """The question's case is kept; OPT is understood; the header's bits are split."""
    query = dns.message.make_query("www.example.org.", "A", want_dnssec=True, payload=4000)
    query.id = 7
    parsed = parse_query(query.to_wire().replace(b"www", b"WwW"))
    assert (parsed.qname, parsed.qtype, parsed.qclass) == (b"\x03WwW" + WWW[4:], 1, 1)
    assert (parsed.header.id, parsed.header.opcode, parsed.header.is_response) == (7, 0, False)
    assert parsed.edns is not None
    assert (parsed.edns.udp_size, parsed.edns.version, parsed.edns.dnssec_ok) == (4000, 0, True)
    assert not parsed.has_tsig


def test_parse_query_of_the_root() -> None:
    """The shortest question there is."""
    octets = b"\0\0\0\0\0\1" + bytes(6) + b"\0\0\2\0\1"
    assert parse_query(octets).qname == b"\0"


def test_longest_name() -> None:
    """A name of 255 octets is a name, one of 256 is not (RFC 1035 2.3.4)."""
    head = b"\0\0\0\0\0\1" + bytes(6)
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0"
    assert len(parse_query(head + longest + b"\0\1\0\1").qname) == 255
    with pytest.raises(WireError):
        parse_query(head + b"\1a" + longest + b"\0\1\0\1")


def test_owner_points_to_the_question() -> None:
    """An owner that was asked for is a pointer to the question, whose case it thereby has."""
    octets = written(entry("www.example.org.", A, "192.0.2.1"), qname=QUESTION[:-4])
    assert octets[12:] == QUESTION + bytes.fromhex("c00c 0001 0001 00000001 0004 c0000201")


def test_compression_rule() -> None:
    """The longest suffix written before is pointed at, at its first place, in rdata too."""
    octets = written(
        entry("www.example.org.", CNAME, "a.b.example.org."),
        entry("a.b.example.org.", MX, "10 x.b.example.org."),
        entry("b.example.org.", NS, "."),
    )
    at = 12 + 21  # behind the question
    first = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x01\x00\x06\x01a\x01b\xc0\x10"
    name = at + 12  # a.b.example.org in the first record's rdata
    second = bytes((0xC0, name)) + b"\x00\x0f\x00\x01\x00\x00\x00\x01\x00\x06\x00\x0a\x01x"
    second += bytes((0xC0, name + 2))
    third = bytes((0xC0, name + 2)) + b"\x00\x02\x00\x01\x00\x00\x00\x01\x00\x01\x00"
    assert octets[at:] == first + second + third


def test_names_in_later_types_are_not_compressed() -> None:
    """RFC 3597 4: rdata of types beyond RFC 1035 is copied, and nothing points into it."""
    octets = written(
        entry("www.example.org.", SRV, "0 0 53 new.example.org."),
        entry("new.example.org.", A, "192.0.2.1"),
    )
    assert octets.count(b"\x03new\x07example\x03org\x00") == 1
    assert octets.count(b"\x03new\xc0\x10") == 1


def test_no_pointer_beyond_its_reach() -> None:
    """RFC 1035 4.1.4: offsets have 14 bits; names first written behind are written out again."""
    far = [entry(f"far.host{i}.example.", A, "192.0.2.1") for i in range(2)]
    octets = written(entry("www.example.org.", TXT, *(f"{'x' * 200}{i}" for i in range(90))), *far)
    parsed = dns.message.from_wire(octets)
    assert [str(rrset.name) for rrset in parsed.answer[1:]] == [
        "far.host0.example.",
        "far.host1.example.",
    ]
    assert octets.count(b"\x07example\x00") == 2


def test_entry_that_does_not_fit_leaves_no_trace() -> None:
    """What was rolled back is neither counted nor pointed at."""
    small = entry("new.example.org.", A, "192.0.2.1")
    big = entry("new.example.org.", TXT, "x" * 200)
    writer = Writer(100)
    head = read_header(bytes(12))
    assert head is not None
    writer.question(Query(head, WWW, A, 1))
    assert not writer.entry(Section.ANSWER, big)
    assert writer.entry(Section.ANSWER, small)
    octets = writer.finish(0, 0x8000)
    assert octets == written(small)[:2].replace(b"\x12\x34", b"\0\0") + written(small)[2:]


def test_signature_stands_behind_its_set_or_both_are_missing() -> None:
    """RFC 4035 3.1.1: an RRset without its signature would be of no use."""
    signature = rdata_from_text(46, "A 13 3 1 20300101000000 20200101000000 1 example.org. AAAA")
    plain = entry("www.example.org.", A, "192.0.2.1")
    signed = Entry(plain.owner, plain.rrset, RRset.of(plain.owner, 46, 1, [signature]))
    assert len(dns.message.from_wire(written(signed)).answer) == 2
    assert not dns.message.from_wire(written(signed, limit=60)).answer
