"""Whatever a primary sends instead of a zone, it is refused with its rule and serving goes on."""

from __future__ import annotations

import os
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

from tests.interop.hostile import Patient, peak_memory
from tests.interop.hostile import patient as started
from tests.peers import Key, Nsctl, PlainPrimary
from tests.peers.plain_primary import (
    RECORDS_PER_MESSAGE,
    Record,
    Transfer,
    messages,
    plain_transfer,
    refusal,
)
from tests.peers.zonetext import zone_text
from zones.name import from_text

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
def patient() -> Iterator[Patient]:
    """One server for all of it, with low limits; each misbehaviour gets a zone of its own."""
    with started() as one:
        yield one


@pytest.mark.parametrize(
    ("transfer", "result", "rule"), MISBEHAVIOUR, ids=[row[0].__name__ for row in MISBEHAVIOUR]
)
def test_misbehaving_transfer(patient: Patient, transfer: Transfer, result: str, rule: str) -> None:
    """The transfer ends with its rule in the status; the version before is served all the time.

    So is another zone. When the primary behaves again, its zone is taken over.
    """
    apex, nsctl = f"{transfer.__name__.replace('_', '-')}.example.", patient.nsctl
    with PlainPrimary(apex, zone_text(1, apex=apex)) as primary, patient.unharmed():
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        primary.transfer = transfer
        primary.publish(zone_text(2, apex=apex), nsctl.remote())
        patient.others_are_served()
        nsctl.wait_status(apex, last_result=result, last_rule=rule, serial=1)
        assert nsctl.serial(apex) == 1
        primary.transfer = plain_transfer
        primary.publish(zone_text(2, apex=apex), nsctl.remote())
        nsctl.wait_serial(apex, 2)


def wrong_in_the_middle(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The second message of a signed transfer was changed on its way."""
    host = Record.parse("www 300 A 192.0.2.7", server.records[0].owner)
    records = [*server.records, *[host] * (3 * RECORDS_PER_MESSAGE), server.records[0]]
    for number, wire in enumerate(messages(query, records)):
        yield wire.replace(bytes((192, 0, 2, 7)), bytes((192, 0, 2, 8)), 1) if number == 1 else wire


def test_wrong_signature_in_the_middle(patient: Patient) -> None:
    """One octet of one message that was changed on its way undoes the whole transfer."""
    apex = "signed-midway.example."
    key = Key("midway.example.", "bWlkd2F5IG1pZHdheSBtaWR3YXk=")
    patient.nsctl.add_key(key)
    with PlainPrimary(apex, zone_text(1, apex=apex), key=key) as primary, patient.unharmed():
        patient.nsctl.follow(apex, primary.remote())
        patient.nsctl.wait_serial(apex, 1)
        primary.transfer = wrong_in_the_middle
        primary.publish(zone_text(2, apex=apex), patient.nsctl.remote())
        status = patient.nsctl.wait_status(apex, last_result="refused", serial=1)
        assert status["last_rule"].startswith("tsig-")
        primary.transfer = plain_transfer
        primary.publish(zone_text(3, apex=apex), patient.nsctl.remote())
        patient.nsctl.wait_serial(apex, 3)


def test_an_octet_now_and_then(patient: Patient) -> None:
    """A primary that is never silent for long, within one message, is cut off in time."""
    apex = "trickle.example."
    with PlainPrimary(apex, zone_text(1, apex=apex)) as primary, patient.unharmed():
        patient.nsctl.follow(apex, primary.remote())
        patient.nsctl.wait_serial(apex, 1)
        primary.pause = 0.3
        primary.publish(zone_text(2, apex=apex), patient.nsctl.remote())
        patient.nsctl.wait_status(apex, last_result="unreachable", last_rule="timeout", serial=1)
        assert patient.nsctl.serial(apex) == 1


RECORDS: int = 400_000
TINY = struct.Struct("!B8sHHHIH4s")  # a name of one label below the question's, A, IN, TTL 1


def many_names(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """A zone of nothing but names, each with a record of the least size, and its end."""
    yield from messages(query, server.records)
    front = struct.pack("!HHHH", query.id, dns.flags.QR | dns.flags.AA, 1, 1000)
    question = from_text(server.apex.to_text()) + struct.pack("!HH", query.question[0].rdtype, IN)
    for first in range(0, RECORDS, 1000):
        yield (
            front
            + bytes(4)
            + question
            + b"".join(
                TINY.pack(8, b"%08x" % number, 0xC00C, 1, 1, 1, 4, b"\xc0\0\2\1")
                for number in range(first, first + 1000)
            )
        )
    yield from messages(query, server.records[:1])


@pytest.mark.skipif(
    os.environ.get("NSCTL_ENGINE") == "python", reason="bounds what the compiled modules take"
)
def test_memory_is_bounded_by_the_zone() -> None:
    """A zone of very many tiny RRsets takes twice its packed size while it comes, and a margin.

    Meanwhile another zone is answered and refreshed.
    """
    packed = RECORDS * (1 + 9 + 14 + 16 + 2 + 4)  # zones.packed; the apex has 14 octets
    with tempfile.TemporaryDirectory(prefix="nsctl-") as place, ExitStack() as stack:
        nsctl = stack.enter_context(Nsctl(Path(place)))
        good, many = (
            stack.enter_context(PlainPrimary(apex, zone_text(1, apex=apex)))
            for apex in ("good.example.", "many.example.")
        )
        nsctl.follow("good.example.", good.remote())
        nsctl.wait_serial("good.example.", 1)
        before = peak_memory(nsctl)
        many.transfer = many_names
        nsctl.follow("many.example.", many.remote())
        for serial in range(2, 5):
            good.publish(zone_text(serial, apex="good.example."), nsctl.remote())
            nsctl.wait_serial("good.example.", serial)
        nsctl.wait_serial("many.example.", 1, seconds=60)
        arrived = nsctl.query("00000007.many.example.", "A")
        assert str(arrived.answer[0][0]) == "192.0.2.1"
        image = RECORDS * IMAGE_OF_A_NAME
        assert peak_memory(nsctl) - before < 2 * packed + image + MARGIN


IMAGE_OF_A_NAME = 80  # octets: what answering needs of a name besides its packed form
MARGIN = 40_000_000


def test_others_are_served_meanwhile(patient: Patient) -> None:
    """While primaries send without end or not at all, another zone's change is there at once."""
    hostile = [(tiny_rrsets, "h1.example."), (silent, "h2.example."), (too_many, "h3.example.")]
    with ExitStack() as stack:
        good = stack.enter_context(
            PlainPrimary("good.example.", zone_text(1, apex="good.example."))
        )
        patient.nsctl.follow("good.example.", good.remote())
        primaries = []
        for transfer, apex in hostile:
            primary = stack.enter_context(PlainPrimary(apex, zone_text(1, apex=apex)))
            primary.transfer = transfer
            patient.nsctl.follow(apex, primary.remote())
            primaries.append(primary)
        patient.nsctl.wait_serial("good.example.", 1)
        for serial in range(2, 6):
            for primary, (_transfer, apex) in zip(primaries, hostile, strict=True):
                primary.publish(zone_text(serial, apex=apex), patient.nsctl.remote())
            good.publish(zone_text(serial, apex="good.example."), patient.nsctl.remote())
            patient.nsctl.wait_serial("good.example.", serial, seconds=2)
    for _transfer, apex in hostile:
        assert patient.nsctl.serial(apex) is None
    assert "Traceback" not in patient.nsctl.log()
