"""Headers, EDNS, truncation, CHAOS, and what is not answered here or not at all."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsigkeyring
import pytest

from nameserver.respond import AnswerSettings, HandOver, Transport, respond
from tests.answering import ask, ask_wire, section, table_of

TABLE = table_of("ns1 A 192.0.2.53", "www A 192.0.2.1", "sub NS ns.sub", "ns.sub A 192.0.2.2")
SETTINGS = AnswerSettings(identity="ns1.example.net", version="nsctl test")


def query(qname: str = "www.example.org.", rtype: str = "A", **how: object) -> dns.message.Message:
    """Return a query."""
    return dns.message.make_query(qname, rtype, **how)  # type: ignore[arg-type]


def option(code: int, data: bytes) -> dns.edns.Option:
    """Return an EDNS option."""
    return dns.edns.GenericOption(dns.edns.OptionType.make(code), data)


def send(message: dns.message.Message | bytes, **how: object) -> dns.message.Message:
    """Return the response, parsed."""
    wire = message if isinstance(message, bytes) else message.to_wire()
    return dns.message.from_wire(ask_wire(TABLE, wire, **how))  # type: ignore[arg-type]


# --- what is not answered --------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0" * 11])
def test_silence_for_less_than_a_header(octets: bytes) -> None:
    """There is no id that an answer could have."""
    assert respond(TABLE, octets, Transport.UDP, SETTINGS) is None


def test_silence_for_responses() -> None:
    """A response, of any opcode, is not answered: two servers would never stop."""
    message = query()
    message.flags |= dns.flags.QR
    assert respond(TABLE, message.to_wire(), Transport.UDP, SETTINGS) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (query(rtype="AXFR"), HandOver.TRANSFER),
        (query(rtype="IXFR"), HandOver.TRANSFER),
        (dns.message.make_query("example.org.", "SOA", flags=4 << 11), HandOver.NOTIFY),
        (dns.message.make_query("example.org.", "SOA", flags=5 << 11), HandOver.UPDATE),
    ],
)
@pytest.mark.parametrize("transport", list(Transport))
def test_handed_over(
    message: dns.message.Message, expected: HandOver, transport: Transport
) -> None:
    """Transfers, NOTIFY and UPDATE are others' to answer, over any transport."""
    assert respond(TABLE, message.to_wire(), transport, SETTINGS) is expected


def test_signed_queries_are_handed_over() -> None:
    """Whatever carries TSIG has to be verified, and its answer signed, by others."""
    message = query()
    message.use_tsig(dns.tsigkeyring.from_text({"key.example.": ("hmac-sha256", "c2VjcmV0")}))
    assert respond(TABLE, message.to_wire(), Transport.TCP, SETTINGS) is HandOver.TSIG


@pytest.mark.parametrize("opcode", [1, 2, 3, 6, 15])
@pytest.mark.parametrize("edns", [-1, 0])
def test_unknown_opcodes(opcode: int, edns: int) -> None:
    """NOTIMP, with the opcode copied, and OPT where the query has one."""
    message = query(use_edns=edns)
    message.flags |= opcode << 11
    answer = ask_wire(TABLE, message.to_wire())
    assert struct.unpack_from("!H", answer, 2)[0] == 0x8000 | opcode << 11 | 0x0100 | 4
    assert answer[11] == (1 if edns == 0 else 0)


def test_unknown_opcode_with_nothing_behind_the_header() -> None:
    """RFC 8906 3.1.4: a bare header with an unknown opcode gets NOTIMP as well."""
    assert ask_wire(TABLE, b"\x12\x34\x78\0" + b"\0" * 8) == b"\x12\x34\xf8\x04" + b"\0" * 8


# --- malformed messages ----------------------------------------------------------------------

HEAD = b"\x12\x34\x01\x00"
QUESTION = b"\x03www\x07example\x03org\x00\x00\x01\x00\x01"
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


def counts(*numbers: int) -> bytes:
    """Return the four counts of a header."""
    return struct.pack("!HHHH", *numbers)


@pytest.mark.parametrize(
    "octets",
    [
        HEAD + counts(0, 0, 0, 0),
        HEAD + counts(2, 0, 0, 0) + QUESTION + QUESTION,
        HEAD + counts(1, 0, 0, 0),
        HEAD + counts(1, 0, 0, 0) + QUESTION[:-1],
        HEAD + counts(1, 0, 0, 0) + QUESTION + b"\0",
        HEAD + counts(1, 0, 0, 0) + b"\xc0\x0c\x00\x01\x00\x01",
        HEAD + counts(1, 0, 0, 0) + b"\x40" + QUESTION,
        HEAD + counts(1, 0, 0, 0) + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + QUESTION,
        HEAD + counts(1, 0, 0, 1) + QUESTION,
        HEAD + counts(1, 0, 0, 1) + QUESTION + OPT[:-1],
        HEAD + counts(1, 0, 0, 2) + QUESTION + OPT + OPT,
        HEAD + counts(1, 1, 0, 0) + QUESTION + OPT,
        HEAD + counts(1, 0, 0, 1) + QUESTION + b"\x01a" + OPT,
        HEAD + counts(1, 0, 0, 1) + QUESTION + OPT[:-1] + b"\x03\x00\x03\x00",
        HEAD + counts(1, 0, 0, 1) + QUESTION + OPT[:-1] + b"\x04\x00\x03\x00\x01",
        HEAD + counts(1, 0, 0, 65535) + QUESTION + OPT,
    ],
)
def test_formerr(octets: bytes) -> None:
    """RFC 9619, RFC 6891 6.1.1, RFC 1035 4.1: id and opcode come back with FORMERR."""
    answer = ask_wire(TABLE, octets)
    assert answer[:4] == b"\x12\x34\x81\x01"


def test_tsig_must_be_last() -> None:
    """RFC 8945 5.1: a record behind TSIG makes the message malformed."""
    tsig = b"\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x00"
    octets = HEAD + counts(1, 0, 0, 2) + QUESTION + tsig + OPT
    assert ask_wire(TABLE, octets)[3] & 0xF == dns.rcode.FORMERR


def test_records_in_other_sections_are_passed_over() -> None:
    """What a query says in its answer and authority sections changes nothing."""
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01"
    octets = HEAD + counts(1, 1, 1, 1) + QUESTION + record + record + OPT
    assert section(send(octets).answer) == ["www 3600 A 192.0.2.1"]


def test_nothing_raises(rng: random.Random) -> None:
    """Any octets at all get an answer that parses, silence, or a hand-over."""
    seeds = [
        query(rtype="ANY", use_edns=0, want_dnssec=True).to_wire(),
        query(use_edns=0, options=[option(3, b"")]).to_wire(),
        query("version.bind.", "TXT", rdclass="CH").to_wire(),
    ]
    for _ in range(3000):
        octets = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 6)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        del octets[rng.randrange(len(octets)) if rng.random() < 0.3 else len(octets) :]
        answer = respond(TABLE, bytes(octets), Transport.UDP, SETTINGS)
        if isinstance(answer, bytes):
            dns.message.from_wire(answer)
            assert len(answer) <= 1232


# --- header and classes ----------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "answered"), [(0, 0), (0x0100, 0x0100), (0x0010, 0x0010)])
def test_flags(asked: int, answered: int) -> None:
    """RD and CD are copied (RFC 1035 4.1.1, RFC 4035 3.1.6); AA is ours; RA, AD, Z stay clear."""
    message = query(flags=asked | 0x0020 | 0x0040 | 0x0080)
    flags = struct.unpack_from("!H", ask_wire(TABLE, message.to_wire()), 2)[0]
    assert flags == 0x8000 | 0x0400 | answered


@pytest.mark.parametrize("rclass", ["HS", "ANY", "NONE", "CLASS65280"])
def test_other_classes_are_refused(rclass: str) -> None:
    """There is nothing in other classes, and ANY does not mean IN."""
    assert send(query(rdclass=rclass)).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("name", ["version.bind.", "version.server.", "VERSION.Server."])
def test_chaos_version(name: str) -> None:
    """RFC 4892: the version, in class CH, from class CH only."""
    (rrset,) = send(query(name, "TXT", rdclass="CH")).answer
    assert rrset.rdclass == dns.rdataclass.CH
    assert rrset.ttl == 0
    assert rrset[0].to_text() == '"nsctl test"'
    assert send(query(name, "TXT")).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("name", ["id.server.", "hostname.bind."])
def test_chaos_identity(name: str) -> None:
    """RFC 4892: the identity; other types have NODATA."""
    assert send(query(name, "TXT", rdclass="CH")).answer[0][0].to_text() == '"ns1.example.net"'
    other = send(query(name, "A", rdclass="CH"))
    assert (other.rcode(), other.answer) == (dns.rcode.NOERROR, [])


def test_chaos_that_is_not_told() -> None:
    """Empty settings, other names and transfers of class CH are refused."""
    hidden = AnswerSettings()
    message = query("version.bind.", "TXT", rdclass="CH")
    assert send(message, settings=hidden).rcode() == dns.rcode.REFUSED
    assert send(query("authors.bind.", "TXT", rdclass="CH")).rcode() == dns.rcode.REFUSED
    assert send(query("bind.", "AXFR", rdclass="CH")).rcode() == dns.rcode.REFUSED


# --- EDNS ------------------------------------------------------------------------------------


def test_opt_for_opt_only() -> None:
    """RFC 6891 6.1.1: an OPT record answers one; DO is copied (RFC 3225 3)."""
    assert send(query()).edns == -1
    plain = send(query(use_edns=0))
    assert (plain.edns, plain.payload, plain.ednsflags) == (0, 1232, 0)
    assert send(query(want_dnssec=True)).ednsflags == 0x8000


def test_unknown_version() -> None:
    """RFC 6891 6.1.3: BADVERS with version 0, and no data."""
    response = send(query(use_edns=1))
    assert response.rcode() == dns.rcode.BADVERS
    assert response.edns == 0
    assert not response.answer


def test_unknown_options_and_flags_are_ignored() -> None:
    """RFC 6891 6.1.2, 6.1.4: what is not understood changes nothing and is not echoed."""
    options = [option(65001, b"x"), option(10, b"12345678")]
    response = send(query(use_edns=0, ednsflags=0x4000, options=options))
    assert section(response.answer) == ["www 3600 A 192.0.2.1"]
    assert (response.ednsflags, response.options) == (0, ())


def test_nsid() -> None:
    """RFC 5001 2: the identity is told to who asks."""
    response = send(query(use_edns=0, options=[option(3, b"")]))
    assert [(int(o.otype), o.to_wire()) for o in response.options] == [(3, b"ns1.example.net")]
    assert not send(query(use_edns=0)).options


@pytest.mark.parametrize(
    "name",
    ["www.example.org.", "none.example.org.", "example.org.", "www.sub.example.org."],
    ids=["positive", "nxdomain", "apex", "referral"],
)
@pytest.mark.parametrize("asked", [[b""], [b"ignored"], [b"", b""]], ids=["empty", "full", "two"])
def test_zone_version(name: str, asked: list[bytes]) -> None:
    """RFC 9660 2, 3.2: the labels of the apex, type 0, the serial; to those who ask only, once.

    A referral tells the version of the zone that refers, though it is not authoritative.
    """
    response = send(query(name, use_edns=0, options=[option(19, value) for value in asked]))
    (told,) = response.options
    assert int(told.otype) == 19
    (soa,) = send(query("example.org.", "SOA")).answer
    assert told.to_wire() == bytes((2, 0)) + soa[0].serial.to_bytes(4, "big")
    assert not send(query(name, use_edns=0)).options


@pytest.mark.parametrize("qclass", ["IN", "CH"])
def test_no_zone_version(qclass: str) -> None:
    """RFC 9660 3.2: nothing is told of names in no zone of this server."""
    message = query("example.net.", rdclass=qclass, use_edns=0, options=[option(19, b"")])
    assert 19 not in [int(one.otype) for one in send(message).options]


def test_no_zone_version_without_a_question() -> None:
    """RFC 9660 2: the labels are counted from the end of QNAME; without one there is no zone."""
    message = dns.message.Message()
    message.use_edns(options=[option(19, b""), option(10, b"12345678")])
    assert 19 not in [int(one.otype) for one in send(message).options]


def test_expire_is_handed_over() -> None:
    """RFC 7314 3: who asks for a SOA with EXPIRE is answered by those who know what is left."""
    asked = {"use_edns": 0, "options": [option(9, b"")]}
    wire = query("example.org.", "SOA", **asked).to_wire()
    assert respond(TABLE, wire, Transport.UDP, SETTINGS) is HandOver.EXPIRE
    assert isinstance(respond(TABLE, wire, Transport.UDP, replace(SETTINGS, expire=False)), bytes)
    assert not send(query("example.org.", "NS", **asked)).options


def test_options_never_displace_the_question() -> None:
    """An identity too long for the smallest datagram is left out; the answer stays one."""
    name = ".".join(["a" * 63] * 3) + ".example.org."
    long = AnswerSettings(identity="i" * 400)
    message = query(name, use_edns=0, payload=512, options=[option(3, b"")])
    assert len(ask_wire(TABLE, message.to_wire(), settings=long)) <= 512


# --- sizes and truncation --------------------------------------------------------------------

BIG = table_of(
    "ns1 A 192.0.2.53",
    *(f"big TXT {'x' * 90}{i:02}" for i in range(12)),
    *(f"four A 192.0.2.{i}" for i in range(4)),
    "alias CNAME big",
    *(f"mx MX 10 mail{i}" for i in range(20)),
    *(f"mail{i} A 192.0.2.{i}" for i in range(20)),
    *(f"sub NS ns{i:02}.sub" for i in range(20)),
    *(f"ns{i:02}.sub A 192.0.2.{i}" for i in range(20)),
    *(f"ns{i:02}.sub AAAA 2001:db8::{i}" for i in range(20)),
    *(f"sib NS ns{i:02}.sub" for i in range(20)),
)


@pytest.mark.parametrize(
    ("advertised", "limit", "expected"),
    [(None, 1232, 512), (100, 1232, 512), (800, 1232, 800), (4096, 1232, 1232), (4096, 4096, 4096)],
)
def test_limit(advertised: int | None, limit: int, expected: int) -> None:
    """RFC 6891 6.2.3, 6.2.5: at least 512, at most what client and settings allow."""
    table = table_of(*(f"a{i} TXT {'x' * 100}" for i in range(3)), *_filling(expected))
    how = {} if advertised is None else {"use_edns": 0, "payload": advertised}
    message = query("fit.example.org.", "TXT", **how)
    settings = AnswerSettings(udp_limit=limit, minimal_responses=True)
    fits = ask_wire(table, message.to_wire(), settings=settings)
    assert len(fits) == expected - (0 if how else 11)
    assert not fits[2] & 2
    message = query("over.example.org.", "TXT", **how)
    if how:
        over = ask_wire(table, message.to_wire(), settings=settings)
        assert over[2] & 2


def _filling(size: int) -> list[str]:
    """Return RRsets that make messages with OPT as long as ``size``, and one octet longer."""
    # header 12, question 25 or 26, OPT 11, the record 12 and what is left for strings
    return [
        f"fit {_generic(size - 12 - 21 - 11 - 12)}",
        f"over {_generic(size - 12 - 22 - 11 - 11)}",
    ]


def _generic(octets: int) -> str:
    strings = bytearray()
    while (left := octets - len(strings)) > 0:
        length = min(255, left - 1)
        strings += bytes((length,)) + b"x" * length
    return f"TXT \\# {octets} {strings.hex()}"


def test_truncation_at_whole_rrsets() -> None:
    """RFC 2181 9: an RRset stands in whole or not at all, and TC says that one is missing."""
    response = ask(BIG, "big", "TXT")
    assert response.flags & dns.flags.TC
    assert not response.answer
    chain = ask(BIG, "alias", "TXT")
    assert chain.flags & dns.flags.TC
    assert section(chain.answer) == ["alias 3600 CNAME big"]
    assert not chain.authority


def test_no_truncation_over_tcp() -> None:
    """TCP has room for everything."""
    response = ask(BIG, "big", "TXT", transport=Transport.TCP)
    assert not response.flags & dns.flags.TC
    assert len(response.answer[0]) == 12


def test_truncation_over_tcp() -> None:
    """More than a message can hold is truncated there, too."""
    table = table_of(*(f"huge TXT {'x' * 200}{i:03}" for i in range(400)))
    response = ask(table, "huge", "TXT", transport=Transport.TCP)
    assert response.flags & dns.flags.TC


def test_additional_data_is_dropped_in_silence() -> None:
    """RFC 2181 9: TC is not set for extra information that did not fit."""
    response = ask(BIG, "mx", "MX")
    assert not response.flags & dns.flags.TC
    assert len(response.answer[0]) == 20
    assert len(response.additional) < 20


def test_in_domain_glue_is_required() -> None:
    """RFC 9471 3.1: TC where glue of the delegated domain did not fit."""
    assert ask(BIG, "www.sub").flags & dns.flags.TC
    whole = ask(BIG, "www.sub", transport=Transport.TCP)
    assert not whole.flags & dns.flags.TC
    assert len(whole.additional) == 40


def test_sibling_glue_is_not_required() -> None:
    """RFC 9471 3.2: sibling glue is given as far as it fits."""
    response = ask(BIG, "www.sib")
    assert not response.flags & dns.flags.TC
    assert 0 < len(response.additional) < 40


def test_room_is_kept_for_opt() -> None:
    """A truncated message still has its OPT record."""
    response = ask(BIG, "big", "TXT", use_edns=0, payload=512)
    assert response.flags & dns.flags.TC
    assert response.edns == 0
