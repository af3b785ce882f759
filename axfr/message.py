"""DNS messages as the moving of zones needs them: headers, questions, a walk over few records.

Answers with thousands of records are not read here but by ``zones.packing``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import dns.rcode

from zones.errors import WireError
from zones.name import MAX_LENGTH, ROOT, Name, fold
from zones.rrset import SOA

HEADER: Final = struct.Struct("!HHHHHH")
QUESTION_TAIL: Final = struct.Struct("!HH")
RECORD_HEAD: Final = struct.Struct("!HHIH")

QR, AA, TC = 0x8000, 0x0400, 0x0200
OPCODE_QUERY, OPCODE_NOTIFY = 0, 4
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH = 0, 1, 2, 3, 4, 5, 9
CLASS_IN, CLASS_ANY = 1, 255
IXFR, AXFR, TSIG = 251, 252, 250
POINTER = 0xC0


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed part of a message (RFC 1035 4.1.1)."""

    message_id: int
    flags: int
    questions: int
    answers: int
    authorities: int
    additionals: int

    @property
    def is_response(self) -> bool:
        """Tell whether QR is set."""
        return bool(self.flags & QR)

    @property
    def opcode(self) -> int:
        """Return the OPCODE."""
        return self.flags >> 11 & 0xF

    @property
    def rcode(self) -> int:
        """Return the RCODE, without the extension in EDNS."""
        return self.flags & 0xF


@dataclass(frozen=True, slots=True)
class Question:
    """The question, and ``end``, the offset behind it."""

    name: Name
    qtype: int
    qclass: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record stands in a message: from ``start``, its rdata from ``rdata`` to ``end``."""

    owner: Name
    rtype: int
    rclass: int
    ttl: int
    start: int
    rdata: int
    end: int


def rcode_text(rcode: int) -> str:
    """Return the mnemonic of an RCODE, a number where it has none."""
    return dns.rcode.to_text(dns.rcode.Rcode.make(rcode))


def build(
    message_id: int,
    flags: int,
    question: bytes,
    answers: bytes = b"",
    count: int = 0,
    *,
    opt: bytes = b"",
) -> bytes:
    """Return a message with one question, ``count`` ready records, and an OPT record, if any."""
    return HEADER.pack(message_id, flags, 1, count, 0, bool(opt)) + question + answers + opt


def question_octets(name: Name, qtype: int) -> bytes:
    """Return the question section for one name in class IN."""
    return name + QUESTION_TAIL.pack(qtype, CLASS_IN)


def read_header(message: bytes) -> Header:
    """Return the header; raises ``WireError`` for less than twelve octets."""
    if len(message) < HEADER.size:
        raise WireError(f"a message of {len(message)} octets has no header")
    return Header(*HEADER.unpack_from(message))


def read_question(message: bytes) -> Question:
    """Return the first question; raises ``WireError``."""
    name, position = read_name(message, HEADER.size)
    if position + QUESTION_TAIL.size > len(message):
        raise WireError("the question is cut short")
    qtype, qclass = QUESTION_TAIL.unpack_from(message, position)
    return Question(name, qtype, qclass, position + QUESTION_TAIL.size)


def read_name(message: bytes, position: int) -> tuple[Name, int]:
    """Return the name at ``position``, folded and uncompressed, and the offset behind it.

    Pointers must go back (RFC 1035 4.1.4), which ends every chain. Raises ``WireError``.
    """
    parts: list[bytes] = []
    total, end, limit = 1, 0, position
    try:
        while length := message[position]:
            if length >= POINTER:
                target = (length & 0x3F) << 8 | message[position + 1]
                end = end or position + 2
                if target >= limit:
                    raise WireError("a compression pointer does not point back")
                position = limit = target
                continue
            if length > 63:
                raise WireError("a label of an unknown kind")
            part = message[position : position + 1 + length]
            position += len(part)
            total += len(part)
            parts.append(part)
            if total > MAX_LENGTH or len(part) != 1 + length:
                raise WireError("a name is too long or cut short")
    except IndexError:
        raise WireError("a name is cut short") from None
    return fold(b"".join(parts)) + ROOT, end or position + 1


def iter_records(message: bytes) -> Iterator[Record]:
    """Yield the records of all three sections in order; raises ``WireError``.

    About two microseconds each: not for the answers of a transfer.
    """
    header = read_header(message)
    position = HEADER.size
    for _ in range(header.questions):
        _name, position = read_name(message, position)
        position += QUESTION_TAIL.size
    for _ in range(header.answers + header.authorities + header.additionals):
        start = position
        owner, position = read_name(message, position)
        if position + RECORD_HEAD.size > len(message):
            raise WireError("a record is cut short")
        rtype, rclass, ttl, length = RECORD_HEAD.unpack_from(message, position)
        rdata = position + RECORD_HEAD.size
        position = rdata + length
        if position > len(message):
            raise WireError("the rdata of a record is cut short")
        yield Record(owner, rtype, rclass, ttl, start, rdata, position)


def read_soa(message: bytes, record: Record) -> bytes:
    """Return the rdata of a SOA record, uncompressed and folded; raises ``WireError``."""
    if record.rtype != SOA:
        raise WireError("not a SOA record")
    mname, position = read_name(message, record.rdata)
    rname, position = read_name(message, position)
    if position + 20 != record.end:
        raise WireError("a SOA record is not as long as it says")
    return mname + rname + message[position : record.end]
