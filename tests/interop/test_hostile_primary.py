"""Whatever a primary sends instead of a zone, it is refused with its rule and serving goes on."""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import pytest

from tests.peers import Nsctl, PlainPrimary
from tests.peers.plain_primary import Transfer, messages, plain_transfer, refusal
from tests.peers.zonetext import zone_text

pytestmark = pytest.mark.interop


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
]


@pytest.fixture(scope="module")
def patient() -> Iterator[Nsctl]:
    """One server for all of it, with low limits; each misbehaviour gets a zone of its own."""
    with tempfile.TemporaryDirectory(prefix="nsctl-") as place:
        limits = {"transfers_max_records": 1_000, "transfers_timeout": 2}
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
