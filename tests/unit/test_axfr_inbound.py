"""AXFR from the client's side, without sockets (RFC 5936 2.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import dns.message
import pytest

from axfr.errors import TransferError
from axfr.inbound import InboundTransfer, Limits
from axfr.refusal import RULES
from tests.transfers import MessageWriter, Record, messages
from tests.zone_content import content
from zones.name import from_text
from zones.rrset import SOA
from zones.secondary import TsigKey
from zones.version import ZoneVersion

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
ZONE = content("example.org", serial=5, hosts=40)


def records(version: ZoneVersion = ZONE) -> list[Record]:
    """Return the records of an AXFR of the zone: SOA first and last."""
    flat = [(r.owner, r.rtype, r.ttl, rdata) for r in version for rdata in r.rdatas]
    soa = next(record for record in flat if record[1] == SOA)
    return [soa, *(record for record in flat if record is not soa), soa]


def transfer(**how: object) -> InboundTransfer:
    """Return a transfer whose request has been sent; the messages of the tests have id 1."""
    inbound = InboundTransfer(APEX, query_id=1, peer="192.0.2.1@53", **how)  # type: ignore[arg-type]
    inbound.request(NOW)
    return inbound


def failure(inbound: InboundTransfer, *received: bytes, now: float = NOW) -> TransferError:
    """Return what the transfer fails with, at the last of these messages."""
    for message in received[:-1]:
        assert not inbound.receive(message, now)
    with pytest.raises(TransferError) as raised:
        inbound.receive(received[-1], now)
    assert raised.value.rule in RULES
    assert raised.value.zone == APEX
    assert raised.value.peer == "192.0.2.1@53"
    return raised.value


def changed(message: bytes, position: int, fmt: str, value: int) -> bytes:
    """Return the message with a number in it replaced."""
    octets = bytearray(message)
    struct.pack_into(fmt, octets, position, value)
    return bytes(octets)


def test_request_is_an_axfr_query() -> None:
    """The request has the id given, one question of type AXFR, no RD, and EDNS."""
    query = dns.message.from_wire(InboundTransfer(APEX, query_id=77).request(NOW))
    assert (query.id, query.flags, query.edns) == (77, 0, 0)
    assert [str(question) for question in query.question] == ["example.org. IN AXFR"]


@pytest.mark.parametrize("size", [200, 600, 65000])
def test_zone_arrives_in_messages_of_any_size(size: int) -> None:
    """However the primary cuts the stream, the content is the same."""
    inbound = transfer()
    stream = list(messages(APEX, records(), size + 600))
    complete = [inbound.receive(message, NOW) for message in stream]
    assert complete == [False] * (len(stream) - 1) + [True]
    packed = inbound.finish()
    assert packed.blob == ZONE.blob
    assert (inbound.records, inbound.messages) == (len(records()), len(stream))


def test_one_record_a_message() -> None:
    """Old primaries send a message for each record (RFC 5936 2.2)."""
    inbound = transfer()
    done = False
    for record in records():
        writer = MessageWriter(APEX)
        writer.add(record)
        done = inbound.receive(writer.octets(), NOW)
    assert done
    assert inbound.finish().blob == ZONE.blob


def first_message() -> bytes:
    """Return the whole zone in one message."""
    return next(messages(APEX, records()))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda m: changed(m, 0, "!H", 2), "malformed"),  # id
        (lambda m: changed(m, 2, "!H", 0x0400), "malformed"),  # QR
        (lambda m: changed(m, 2, "!H", 0xA400), "malformed"),  # opcode
        (lambda m: changed(m, 2, "!H", 0x8600), "malformed"),  # TC
        (lambda m: changed(m, 2, "!H", 0x8402), "primary-failed"),  # SERVFAIL
        (lambda m: changed(m, 2, "!H", 0x8405), "refused-by-primary"),  # REFUSED
        (lambda m: changed(m, 2, "!H", 0x8409), "primary-not-authoritative"),  # NOTAUTH
        (lambda m: changed(m, 4, "!H", 2), "malformed"),  # questions
        (lambda m: m.replace(b"\x00\x00\xfc", b"\x00\x00\xfb", 1), "malformed"),  # question
        (lambda m: m[:30], "malformed"),
        (lambda m: m[:5], "malformed"),
        (lambda m: changed(m[:29], 6, "!H", 0), "empty-answer"),
        (lambda m: changed(m, 6, "!H", 0), "empty-answer"),
    ],
)
def test_first_message_is_checked(spoil: Callable[[bytes], bytes], rule: str) -> None:
    """What is wrong with the header or question of an answer is refused by its rule."""
    assert failure(transfer(), spoil(first_message())).rule == rule


def test_aa_and_question_may_be_missing() -> None:
    """A primary that leaves out AA or the question is understood all the same."""
    writer = MessageWriter(APEX, question=False)
    for record in records():
        writer.add(record)
    inbound = transfer()
    assert inbound.receive(changed(writer.octets(), 2, "!H", 0x8000), NOW)


def test_soa_changed_midway() -> None:
    """Another SOA at the end than at the start has its own rule, and both serials in the reason."""
    other = records(content("example.org", serial=6))[0]
    stream = messages(APEX, [*records()[:-1], other])
    error = failure(transfer(), *stream)
    assert error.rule == "soa-changed-midway"
    assert "serial 5, then 6" in error.reason


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "without an answer"), (1, "only the SOA record"), (5, "after 5 records")],
)
def test_closed_before_the_end(count: int, said: str) -> None:
    """A connection that closes early is told apart by what had come."""
    inbound = transfer()
    for message in messages(APEX, records()[:count]) if count else ():
        inbound.receive(message, NOW)
    with pytest.raises(TransferError, match=said) as raised:
        inbound.closed()
    assert raised.value.rule == "cut-short"


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(octets=500), "too-large"),
        (Limits(messages=1), "too-large"),
        (Limits(records=10), "too-many-records"),
        (Limits(seconds=9.0), "too-slow"),
    ],
)
def test_limits(limits: Limits, rule: str) -> None:
    """Each limit stops the transfer by its own rule."""
    first, second = list(messages(APEX, records(), 1000))[:2]
    inbound = transfer(limits=limits)
    with pytest.raises(TransferError) as raised:
        any(inbound.receive(*arrived) for arrived in ((first, NOW), (second, NOW + 10)))
    assert raised.value.rule == rule


def test_compressed_names_count_in_full() -> None:
    """A small message that unfolds into many long names meets the limit of octets."""
    deep = b"\x3f" + b"d" * 63 + b"\x3f" + b"e" * 63 + b"\x3f" + b"f" * 63 + APEX
    soa = records()[0]
    hosts: list[Record] = [
        (b"\x02%02x" % number + deep, 1, 300, bytes((192, 0, 2, number))) for number in range(250)
    ]
    (message,) = messages(APEX, [soa, *hosts], 65000)
    inbound = transfer(limits=Limits(octets=30_000))
    assert len(message) < 10_000
    assert failure(inbound, message, changed(message, 6, "!H", 0)).rule == "too-large"


def test_unsigned_answer_to_a_signed_request() -> None:
    """With a key, an answer without a signature is refused."""
    assert failure(transfer(key=KEY), first_message()).rule == "tsig-missing"


def test_soa_alone_as_a_zone_is_complete() -> None:
    """SOA and SOA are a whole transfer; that the zone lacks name servers is for the checks."""
    inbound = transfer()
    soa = records()[0]
    assert inbound.receive(next(messages(APEX, [soa, soa])), NOW)
    assert inbound.finish().records == 1
