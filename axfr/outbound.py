"""AXFR from the server's side (RFC 5936 2.2 and 3), straight from the packed form.

Owners are compressed to a pointer at the apex in the question; rdatas are sent as they are stored.
A request for an incremental transfer is answered with the whole zone, as RFC 1995 4 allows, with
the SOA alone when the client is up to date, or as ``axfr.outbound_changes`` says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from axfr import message as dns_message
from axfr.message import (
    AA,
    AXFR,
    CLASS_IN,
    FORMERR,
    HEADER,
    IXFR,
    NOTIMP,
    OPCODE_QUERY,
    QR,
    iter_records,
    read_soa,
)
from axfr.soa import Soa
from axfr.tsig import Signer
from zones.errors import WireError
from zones.name import Name
from zones.packed import RRSET_HEAD, read_header
from zones.rrset import SOA
from zones.serial import is_newer
from zones.version import ZoneVersion

MAX_MESSAGE: Final = 0xFFFF
TSIG_ROOM: Final = 700  # two names of 255, the fixed fields, the longest MAC
FRONT: Final = struct.Struct("!2sHHI")  # pointer, type, class, TTL
APEX_POINTER: Final = b"\xc0\x0c"  # to the name in the question


@dataclass(frozen=True, slots=True)
class TransferQuery:
    """A request for a zone; ``serial`` is what the client of an IXFR has."""

    query_id: int
    apex: Name
    qtype: int
    question: bytes
    serial: int | None = None


def parse_transfer_query(message: bytes) -> TransferQuery:
    """Read an AXFR or IXFR request; raises ``WireError`` with the rcode to answer."""
    header = dns_message.read_header(message)
    if header.is_response or header.questions != 1:
        raise WireError("not a request with one question", FORMERR)
    if header.opcode != OPCODE_QUERY:
        raise WireError("not a query", NOTIMP)
    question = dns_message.read_question(message)
    if question.qtype not in (AXFR, IXFR) or question.qclass != CLASS_IN:
        raise WireError("not a request for a zone of class IN", NOTIMP)
    serial = _client_serial(message, question.name) if question.qtype == IXFR else None
    octets = message[HEADER.size : question.end]
    return TransferQuery(header.message_id, question.name, question.qtype, octets, serial)


def _client_serial(message: bytes, apex: Name) -> int:
    """Return the serial in the authority section of an IXFR request (RFC 1995 3)."""
    for record in iter_records(message):
        if record.rtype == SOA and record.owner == apex:
            return Soa.of(read_soa(message, record)).serial
    raise WireError("an IXFR request without the client's SOA", FORMERR)


def error_answer(
    query: TransferQuery, rcode: int, *, signer: Signer | None = None, now: float = 0.0
) -> bytes:
    """Return the answer that refuses the transfer."""
    answer = dns_message.build(query.query_id, QR | rcode, query.question)
    return signer.sign(answer, now) if signer else answer


def soa_only(
    version: ZoneVersion, query: TransferQuery, *, signer: Signer | None = None, now: float = 0.0
) -> bytes:
    """Return the answer with the SOA alone: nothing newer, or, over UDP, ask again over TCP."""
    soa = soa_record(version)
    answer = dns_message.build(query.query_id, QR | AA, query.question, soa, 1)
    return signer.sign(answer, now) if signer else answer


def transfer_messages(
    version: ZoneVersion, query: TransferQuery, *, signer: Signer | None = None, now: float = 0.0
) -> Iterator[bytes]:
    """Yield the messages that transfer the zone over TCP, without the length in front.

    Each is signed where there is a signer. Raises ``ZoneError`` for a version without a SOA.
    """
    if query.serial is not None and not is_newer(version.serial, query.serial):
        yield soa_only(version, query, signer=signer, now=now)
        return
    soa = soa_record(version)
    records = _around(soa, _records(version))
    yield from record_messages(records, query, signer=signer, now=now)


def record_messages(
    records: Iterable[bytes],
    query: TransferQuery,
    *,
    signer: Signer | None = None,
    now: float = 0.0,
    most: int = MAX_MESSAGE,
) -> Iterator[bytes]:
    """Yield messages of at most ``most`` octets with these ready records, signed if wanted."""
    room = most - HEADER.size - len(query.question) - (TSIG_ROOM if signer else 0)
    for body, count in _bodies(records, room):
        answer = dns_message.build(query.query_id, QR | AA, query.question, body, count)
        yield signer.sign(answer, now) if signer else answer


def _bodies(records: Iterable[bytes], room: int) -> Iterator[tuple[bytes, int]]:
    """Yield answer sections of at most ``room`` octets, and their counts of records."""
    pieces: list[bytes] = []
    size = 0
    for record in records:
        size += len(record)
        if size > room and pieces:
            yield b"".join(pieces), len(pieces)
            pieces, size = [], len(record)
        pieces.append(record)
    yield b"".join(pieces), len(pieces)


def _around(soa: bytes, records: Iterable[bytes]) -> Iterator[bytes]:
    yield soa
    yield from records
    yield soa


def soa_record(version: ZoneVersion) -> bytes:
    """Return the apex SOA, ready for a message."""
    soa = version.soa
    rdata = soa.rdatas[0]
    return APEX_POINTER + dns_message.RECORD_HEAD.pack(SOA, CLASS_IN, soa.ttl, len(rdata)) + rdata


def _records(version: ZoneVersion) -> Iterator[bytes]:
    """Yield every record but the apex SOA, ready for a message.

    An RRset of the packed form holds each rdata behind its length, as a message does, so that a
    set of one record is one slice behind its owner, type, class and TTL. Two or three microseconds
    a record: nothing in here may be slow.
    """
    blob = version.blob
    header = read_header(blob)
    cut = len(header.apex)
    unpack, size = RRSET_HEAD.unpack_from, RRSET_HEAD.size
    front = FRONT.pack
    position = header.start
    for _ in range(header.rrsets):
        owner = position + 1
        head = owner + blob[position]
        rtype, _covers, ttl, count, octets = unpack(blob, head)
        data = head + size
        position = data + octets
        if rtype == SOA and head - owner == cut:
            continue
        start = blob[owner : head - cut] + front(APEX_POINTER, rtype, CLASS_IN, ttl)
        if count == 1:
            yield start + blob[data:position]
            continue
        while data < position:
            following = data + 2 + (blob[data] << 8 | blob[data + 1])
            yield start + blob[data:following]
            data = following
