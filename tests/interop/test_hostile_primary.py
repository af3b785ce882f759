"""Whatever a primary sends instead of a zone, it is refused with its rule and serving goes on."""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rrset
import pytest

from tests.peers import Nsctl, PlainPrimary
from tests.peers.plain_primary import Record, Transfer, messages, plain_transfer, refusal
from tests.peers.zonetext import zone_text

pytestmark = pytest.mark.interop
IN = dns.rdataclass.RdataClass.IN


def refused(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """REFUSED, as a primary says that does not know the client."""
    yield refusal(query)


def no_records(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """NOERROR and nothing."""
    yield dns.message.make_response(query).to_wire()


def closed_before_the_end(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The opening SOA and records, and the connection is closed."""
    yield from messages(query, server.records)
    raise EOFError


def other_closing_soa(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The closing SOA has another serial: the zone changed meanwhile."""
    opening = server.records[0]
    closing = type(opening)(opening.owner, opening.ttl, opening.rdata.replace(serial=99))
    yield from messages(query, [*server.records, closing])


def no_opening_soa(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The first record is not the SOA."""
    yield from messages(query, server.records[1:])


def garbage(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """A right header with octets behind it that are no message."""
    yield struct.pack("!6H", query.id, dns.flags.QR | dns.flags.AA, 1, 9, 0, 0) + b"\xff" * 40


def endless_pointer(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """A compression pointer to itself."""
    header = struct.pack("!6H", query.id, dns.flags.QR | dns.flags.AA, 0, 1, 0, 0)
    yield header + b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 300, 0)


def wrong_id(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The answer to somebody else's query."""
    query.id ^= 1
    yield from plain_transfer(server, query)


def truncated(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """TC over TCP."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    yield response.to_wire()


def too_many(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Records without end."""
    yield from messages(query, server.records[:1])
    while True:
        yield from messages(query, server.records[1:] * 40)


def silent(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The opening SOA, then nothing, with the connection held open."""
    yield from messages(query, server.records[:1])
    time.sleep(6)
    raise EOFError


def other_question(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The answer to a question that nobody asked."""
    question = query.question[0]
    query.question = [dns.rrset.RRset(dns.name.from_text("other.example."), IN, question.rdtype)]
    yield from plain_transfer(server, query)


def a_record_now_and_then(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Never silent for long, and never done."""
    yield from messages(query, server.records[:1])
    while True:
        time.sleep(0.5)
        yield from messages(query, server.records[1:2])


def huge_rrset(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """More than 64 KiB of TXT at one name: nobody could ever be answered with it."""
    origin = server.records[0].owner
    more = [Record.parse(f'big 300 TXT "{number:03}{"x" * 240}"', origin) for number in range(300)]
    yield from messages(query, [*server.records, *more, server.records[0]])


def tiny_rrsets(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """As many names as there is patience for."""
    origin = server.records[0].owner
    yield from messages(query, server.records)
    number = 0
    while True:
        some = range(number, number + 200)
        yield from messages(query, [Record.parse(f"n{one} 1 A 192.0.2.1", origin) for one in some])
        number += 200


MISBEHAVIOUR: list[tuple[Transfer, str, str]] = [
    (refused, "refused", "refused-by-primary"),
    (no_records, "refused", "empty-answer"),
    (closed_before_the_end, "refused", "cut-short"),
    (other_closing_soa, "refused", "soa-changed-midway"),
    (no_opening_soa, "refused", "malformed"),
    (garbage, "refused", "malformed"),
    (endless_pointer, "refused", "malformed"),
    (wrong_id, "refused", "malformed"),
    (truncated, "refused", "malformed"),
    (too_many, "refused", "too-many-records"),
    (silent, "unreachable", "timeout"),
    (other_question, "refused", "malformed"),
    (a_record_now_and_then, "refused", "too-slow"),
    (huge_rrset, "refused", "rrset-too-large"),
    (tiny_rrsets, "refused", "too-many-records"),
]


@pytest.fixture(scope="module")
def patient() -> Iterator[Nsctl]:
    """One server for all of it, with low limits; each misbehaviour gets a zone of its own."""
    with tempfile.TemporaryDirectory(prefix="nsctl-") as place:
        limits = {
            "transfers_max_records": 1_000,
            "transfers_timeout": 2,
            "transfers_max_seconds": 4,
        }
        with Nsctl(Path(place), **limits) as nsctl:
            yield nsctl


@pytest.mark.parametrize(
    ("transfer", "result", "rule"), MISBEHAVIOUR, ids=[row[0].__name__ for row in MISBEHAVIOUR]
)
def test_misbehaving_transfer(patient: Nsctl, transfer: Transfer, result: str, rule: str) -> None:
    """The transfer ends with its rule in the status; the version before is served all the time.

    When the primary behaves again, its zone is taken over.
    """
    apex = f"{transfer.__name__.replace('_', '-')}.example."
    with PlainPrimary(apex, zone_text(1, apex=apex)) as primary:
        patient.follow(apex, primary.remote())
        patient.wait_serial(apex, 1)
        primary.transfer = transfer
        primary.publish(zone_text(2, apex=apex), patient.remote())
        patient.wait_status(apex, last_result=result, last_rule=rule, serial=1)
        assert patient.serial(apex) == 1
        primary.transfer = plain_transfer
        primary.publish(zone_text(2, apex=apex), patient.remote())
        patient.wait_serial(apex, 2)
    assert "Traceback" not in patient.log()


def test_others_are_served_meanwhile(patient: Nsctl) -> None:
    """While primaries send without end or not at all, another zone's change is there at once."""
    hostile = [(tiny_rrsets, "h1.example."), (silent, "h2.example."), (too_many, "h3.example.")]
    with ExitStack() as stack:
        good = stack.enter_context(
            PlainPrimary("good.example.", zone_text(1, apex="good.example."))
        )
        patient.follow("good.example.", good.remote())
        primaries = []
        for transfer, apex in hostile:
            primary = stack.enter_context(PlainPrimary(apex, zone_text(1, apex=apex)))
            primary.transfer = transfer
            patient.follow(apex, primary.remote())
            primaries.append(primary)
        patient.wait_serial("good.example.", 1)
        for serial in range(2, 6):
            for primary, (_transfer, apex) in zip(primaries, hostile, strict=True):
                primary.publish(zone_text(serial, apex=apex), patient.remote())
            good.publish(zone_text(serial, apex="good.example."), patient.remote())
            patient.wait_serial("good.example.", serial, seconds=2)
    for _transfer, apex in hostile:
        assert patient.serial(apex) is None
    assert "Traceback" not in patient.log()
