"""Streams and datagrams of a primary that are wrong in one place each: see ``hostile`` as well.

Every test has a zone of its own, whose first version must stay in service, and asserts that
another zone is served and transferred all the while, and that the server's memory does not grow.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from tests.interop.hostile import WITNESS, Patient
from tests.interop.hostile import patient as started
from tests.peers import Key, PlainPrimary
from tests.peers.plain_primary import (
    RECORDS_PER_MESSAGE,
    Record,
    Transfer,
    messages,
    plain_transfer,
)
from tests.peers.waiting import wait_until
from tests.peers.zonetext import zone_text

pytestmark = pytest.mark.interop
HOSTS = [f"host{number} 300 A 192.0.2.{number}" for number in range(3 * RECORDS_PER_MESSAGE)]
ANSWER = dns.flags.QR | dns.flags.AA
NO_NAME = b"\0"


@pytest.fixture(scope="module")
def patient() -> Iterator[Patient]:
    """One server for all of it, with low limits."""
    with started() as one:
        yield one


def says_nothing(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Take the connection and the question, and stay silent."""
    time.sleep(5)
    yield from ()


def wrong_id_midway(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The second message is the answer to somebody else's query."""
    for number, wire in enumerate(plain_transfer(server, query)):
        yield struct.pack("!H", query.id ^ number) + wire[2:]


def question_midway(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The second message is a query."""
    for number, wire in enumerate(plain_transfer(server, query)):
        yield wire[:2] + bytes((wire[2] & 0x7F if number else wire[2],)) + wire[3:]


def failure_midway(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The second message says SERVFAIL."""
    for number, wire in enumerate(plain_transfer(server, query)):
        yield wire[:3] + bytes((wire[3] | (2 if number else 0),)) + wire[4:]


def other_soa_midway(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """A SOA of another serial stands among the records; the last one is that of the beginning."""
    soa, *others = server.records
    other = Record(soa.owner, soa.ttl, soa.rdata.replace(serial=99))
    yield from messages(query, [soa, *others[:70], other, *others[70:], soa])


def another_class(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Records of class CH."""
    for wire in plain_transfer(server, query):
        yield wire.replace(b"\0\1\0\1\0\0\1\x2c", b"\0\1\0\3\0\0\1\x2c")


def raw(records: bytes, count: int = 1) -> Transfer:
    """Return a transfer that begins as it should; its second message has these octets."""

    def transfer(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
        yield from messages(query, server.records[:RECORDS_PER_MESSAGE])
        yield struct.pack("!6H", query.id, ANSWER, 0, count, 0, 0) + records

    return transfer


def record(owner: bytes, rtype: int, rdata: bytes, length: int | None = None) -> bytes:
    """Return a record as octets; ``length`` is what it says of its rdata."""
    size = len(rdata) if length is None else length
    return owner + struct.pack("!HHIH", rtype, 1, 300, size) + rdata


A, NS = 1, 2
ADDRESS = bytes((192, 0, 2, 1))
LONGEST = b"\x3f" + b"x" * 63
MALFORMED = {
    "pointers-at-each-other": raw(b"\xc0\x0e\xc0\x0c" + record(b"", A, ADDRESS)),
    "pointer-ahead": raw(record(b"\xc0\x20", A, ADDRESS)),
    "pointer-at-itself-in-rdata": raw(record(NO_NAME, NS, b"\xc0\x17")),
    "pointer-out-of-the-message": raw(record(b"\xff\xff", A, ADDRESS)),
    "reserved-label-type": raw(record(b"\x80a\0", A, ADDRESS)),
    "name-of-256-octets": raw(record(4 * LONGEST + b"\0", A, ADDRESS)),
    "name-without-an-end": raw(b"\x05host"),
    "rdata-beyond-the-message": raw(record(b"\1x\0", A, ADDRESS, length=0xFFFF)),
    "rdata-shorter-than-its-name": raw(record(b"\1x\0", NS, b"\1y\0", length=1)),
    "more-records-than-there-are": raw(record(b"\1x\0", A, ADDRESS), count=0xFFFF),
    "octets-after-the-records": raw(record(b"\1x\0", A, ADDRESS) + b"more"),
    "no-records-where-some-are-said-to-be": raw(b""),
}
TRANSFERS: dict[str, Transfer] = {
    **{
        one.__name__.replace("_", "-"): one
        for one in (
            says_nothing,
            wrong_id_midway,
            question_midway,
            failure_midway,
            other_soa_midway,
            another_class,
        )
    },
    **MALFORMED,
}


# Octets behind the records of a message are passed over; what is wrong then is that no end comes.
UNREACHABLE = {"says-nothing", "octets-after-the-records"}


@pytest.mark.parametrize("name", TRANSFERS)
def test_transfer_that_is_wrong_in_one_place(patient: Patient, name: str) -> None:
    """It is not taken, the version before stays; the next good one is served."""
    apex, nsctl = f"{name}.example.", patient.nsctl
    with PlainPrimary(apex, zone_text(1, *HOSTS, apex=apex)) as primary, patient.unharmed():
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        primary.transfer = TRANSFERS[name]
        primary.publish(zone_text(2, *HOSTS, apex=apex), nsctl.remote())
        patient.others_are_served()
        result = "unreachable" if name in UNREACHABLE else "refused"
        nsctl.wait_status(apex, serial=1, last_result=result)
        assert nsctl.serial(apex) == 1
        primary.transfer = plain_transfer
        primary.publish(zone_text(3, *HOSTS, apex=apex), nsctl.remote())
        nsctl.wait_serial(apex, 3)


def another_zones_name(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """A record of a name that is in another zone of ours."""
    stranger = Record.parse("www.witness.example. 300 A 192.0.2.66", dns.name.root)
    yield from messages(query, [*server.records, stranger, server.records[0]])


def test_name_of_another_zone(patient: Patient) -> None:
    """A record outside of the zone is left out: the zone whose name it has is as it was."""
    apex, nsctl = "stranger.example.", patient.nsctl
    with PlainPrimary(apex, zone_text(1, apex=apex)) as primary, patient.unharmed():
        primary.transfer = another_zones_name
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        assert nsctl.query(f"www.{WITNESS}", "A").rcode() == dns.rcode.NXDOMAIN


class Cutting(PlainPrimary):
    """Closes each connection after so many octets."""

    cut = 1 << 30

    def send(self, connection: socket.socket, framed: bytes) -> None:
        """Send what is left of the octets."""
        left = self.cut - self.sent.get(connection, 0)
        self.sent[connection] = self.sent.get(connection, 0) + len(framed)
        connection.sendall(framed[: max(0, left)])
        if len(framed) >= left:
            raise EOFError

    def __init__(self, apex: str, text: str) -> None:
        super().__init__(apex, text)
        self.sent: dict[socket.socket, int] = {}


def test_cut_in_each_place(patient: Patient) -> None:
    """Wherever the connection ends, in a length, a header, a record, between two messages: no zone.

    Each time it is told, and the version before is served.
    """
    apex, nsctl = "cut.example.", patient.nsctl
    with Cutting(apex, zone_text(1, *HOSTS, apex=apex)) as primary, patient.unharmed():
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        query = dns.message.make_query(apex, "IXFR")
        lengths = [len(wire) + 2 for wire in plain_transfer(primary, query)]
        ends = [sum(lengths[:number]) for number in range(1, len(lengths) + 1)]
        places = {0, 1, 2, 3, 7, 13, 14, 25, 30, 60}
        places |= {end + more for end in ends[:-1] for more in (-1, 0, 1, 2, 8)}
        places |= {ends[-1] - less for less in (1, 2, 40)}
        for number, place in enumerate(sorted(places), 2):
            primary.cut = place
            asked = primary.transfers
            primary.publish(zone_text(number, *HOSTS, apex=apex), nsctl.remote())
            told = f"{apex[:-1]}: Serial 1 stays in service"
            wait_until(lambda: nsctl.log().count(told) >= number - 1, f"cut at {place}")  # noqa: B023  called at once
            assert primary.transfers > asked
            assert nsctl.serial(apex) == 1, place
            if place in ends:
                patient.others_are_served()
        primary.cut = Cutting.cut
        primary.publish(zone_text(1000, *HOSTS, apex=apex), nsctl.remote())
        nsctl.wait_serial(apex, 1000)


class Liar(PlainPrimary):
    """Says over UDP what is not so over TCP."""

    lie: Callable[[dns.message.Message], None] | None = None

    @property
    def asked(self) -> int:
        """How often it was asked for anything."""
        return self.soa_queries + self.transfers

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Change what is said over UDP."""
        for answer in super().answers(wire, stream=stream):
            if stream or self.lie is None:
                yield answer
                continue
            message = dns.message.from_wire(answer)
            self.lie(message)
            yield message.to_wire()


def later_serial(message: dns.message.Message) -> None:
    """There is always something new."""
    soa = message.answer[0]
    message.answer = [dns.rrset.from_rdata(soa.name, soa.ttl, soa[0].replace(serial=4_000))]


def no_such_name(message: dns.message.Message) -> None:
    """The zone is not there."""
    message.set_rcode(dns.rcode.NXDOMAIN)
    message.answer = []


def somebody_elses_soa(message: dns.message.Message) -> None:
    """It has the SOA of another zone."""
    soa = message.answer[0]
    message.answer = [dns.rrset.from_rdata(dns.name.from_text(WITNESS), soa.ttl, soa[0])]


def no_authority(message: dns.message.Message) -> None:
    """It does not answer with authority."""
    message.flags &= ~dns.flags.AA


def somebody_elses_id(message: dns.message.Message) -> None:
    """It answers another query."""
    message.id ^= 1


def always_truncated(message: dns.message.Message) -> None:
    """The answer is too long for a datagram."""
    message.flags |= dns.flags.TC
    message.answer = []


LIES = (
    later_serial,
    no_such_name,
    somebody_elses_soa,
    no_authority,
    somebody_elses_id,
    always_truncated,
)


def test_lies_over_udp(patient: Patient) -> None:
    """What a primary says over UDP makes nobody ask without end, and no zone goes or changes by it."""
    nsctl = patient.nsctl
    with ExitStack() as stack:
        stack.enter_context(patient.unharmed())
        liars = []
        for lie in LIES:
            apex = f"{lie.__name__.replace('_', '-')}.example."
            liars.append(stack.enter_context(Liar(apex, of_a_second(1, apex))))
            nsctl.follow(apex, liars[-1].remote())
            nsctl.wait_serial(apex, 1)
            liars[-1].lie = lie
        begun, before = time.monotonic(), [liar.asked for liar in liars]
        patient.others_are_served()
        for liar, asked in zip(liars, before, strict=True):
            apex = liar.apex.to_text()
            wait_until(lambda: liar.asked > asked + 1, f"it was asked for {apex}")  # noqa: B023  called at once
            # Once a second by its timers; a few times each, where UDP leads nowhere.
            assert liar.asked - asked <= 8 * (time.monotonic() - begun + 1)
            assert nsctl.serial(apex) == 1
            liar.lie = None
            liar.publish(of_a_second(2, apex), nsctl.remote())
            nsctl.wait_serial(apex, 2)


def of_a_second(serial: int, apex: str) -> str:
    """Return a zone that is to be refreshed every second."""
    return zone_text(serial, refresh=1, retry=1, apex=apex)


def signed_but_for_the_last(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """The last message of a signed transfer has no signature."""
    *most, _last = messages(query, [*server.records, server.records[0]])
    yield from most
    plain = dns.message.make_query(query.question[0].name, query.question[0].rdtype, id=query.id)
    *_, last = messages(plain, [*server.records, server.records[0]])
    yield last


def test_last_message_without_its_signature(patient: Patient) -> None:
    """Who cuts off the last signature of a transfer could change the end of the zone (RFC 8945 5.3.1)."""
    apex, nsctl = "unsigned-end.example.", patient.nsctl
    key = Key("unsigned.example.", "dW5zaWduZWQgZW5kIG9mIGEgem9uZSE=")
    nsctl.add_key(key)
    text = zone_text(1, *HOSTS, apex=apex)
    with PlainPrimary(apex, text, key=key) as primary, patient.unharmed():
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        primary.transfer = signed_but_for_the_last
        primary.publish(zone_text(2, *HOSTS, apex=apex), nsctl.remote())
        status = nsctl.wait_status(apex, last_result="refused", serial=1)
        assert status["last_rule"].startswith("tsig-")


def test_largest_rrset(patient: Patient) -> None:
    """64 KiB of one TXT RRset, as much as a message can hold, are taken and answered."""
    apex, nsctl = "largest.example.", patient.nsctl
    more = [f'big 300 TXT "{number:03}{"x" * 237}"' for number in range(257)]
    with PlainPrimary(apex, zone_text(1, *more, apex=apex)) as primary, patient.unharmed():
        nsctl.follow(apex, primary.remote())
        nsctl.wait_serial(apex, 1)
        answer = nsctl.query(f"big.{apex}", "TXT", tcp=True).answer
        assert sum(map(len, answer)) == len(more)
