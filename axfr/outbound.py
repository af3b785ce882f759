"""AXFR from the server's side (RFC 5936 2.2 and 3), straight from the packed form.

A request for an incremental transfer is answered with the whole zone, as RFC 1995 4 allows, with
the SOA alone when the client is up to date, or as ``axfr.outbound_changes`` says.
"""

from __future__ import annotations

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
from zones.rrset import SOA
from zones.sections import APEX_POINTER, Section, gathered, sections
from zones.serial import is_newer
from zones.version import ZoneVersion

MAX_MESSAGE: Final = 0xFFFF
TSIG_ROOM: Final = 700  # two names of 255, the fixed fields, the longest MAC


@dataclass(frozen=True, slots=True)
class TransferQuery:
    """A request for a zone; ``serial`` is what the client of an IXFR has.

    ``opt`` is the OPT record that the answer gets, ready: in its first message (RFC 5936 2.2.5).
    """

    query_id: int
    apex: Name
    qtype: int
    question: bytes
    serial: int | None = None
    opt: bytes = b""


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
    answer = dns_message.build(query.query_id, QR | rcode, query.question, opt=query.opt)
    return signer.sign(answer, now) if signer else answer


def soa_only(
    version: ZoneVersion, query: TransferQuery, *, signer: Signer | None = None, now: float = 0.0
) -> bytes:
    """Return the answer with the SOA alone: nothing newer, or, over UDP, ask again over TCP."""
    soa = soa_record(version)
    answer = dns_message.build(query.query_id, QR | AA, query.question, soa, 1, opt=query.opt)
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
    ready = sections(version.blob, soa_record(version), _room(query, signer, MAX_MESSAGE))
    yield from _messages(ready, query, signer, now)


def record_messages(
    records: Iterable[bytes],
    query: TransferQuery,
    *,
    signer: Signer | None = None,
    now: float = 0.0,
    most: int = MAX_MESSAGE,
) -> Iterator[bytes]:
    """Yield messages of at most ``most`` octets with these ready records, signed if wanted."""
    ready = gathered(records, _room(query, signer, most))
    yield from _messages(ready, query, signer, now)


def _room(query: TransferQuery, signer: Signer | None, most: int) -> int:
    """Return how many octets of records fit into a message of ``most`` octets."""
    return most - HEADER.size - len(query.question) - len(query.opt) - (TSIG_ROOM if signer else 0)


def _messages(
    ready: Iterable[Section], query: TransferQuery, signer: Signer | None, now: float
) -> Iterator[bytes]:
    opt = query.opt
    for octets, count in ready:
        answer = dns_message.build(query.query_id, QR | AA, query.question, octets, count, opt=opt)
        opt = b""
        yield signer.sign(answer, now) if signer else answer


def soa_record(version: ZoneVersion) -> bytes:
    """Return the apex SOA, ready for a message."""
    soa = version.soa
    rdata = soa.rdatas[0]
    return APEX_POINTER + dns_message.RECORD_HEAD.pack(SOA, CLASS_IN, soa.ttl, len(rdata)) + rdata
