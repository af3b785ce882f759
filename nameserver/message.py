"""DNS messages at their edges: reading a query, writing a response (RFC 1035 4.1).

Compression follows one rule, so that any other writer can repeat it octet by octet. Owner names,
and the names in the rdata of RFC 1035's types (RFC 3597 4), are written label by label from the
left; before each label, if the rest of the name (in any case) was written before as such a name or
the end of one, at an offset below 0x4000, a pointer to its *first* such place ends the name. The
root alone is never a pointer. Names in other rdata are copied and not pointed at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from nameserver import edns
from nameserver.answer import Entry, Section
from nameserver.edns import Edns
from zones.errors import WireError
from zones.name import MAX_LABEL, MAX_LENGTH, Name, fold
from zones.rdata import COMPRESSIBLE, embedded_names
from zones.rrset import RRset

HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_POINTER: Final = 0xC000
_POINTER_LIMIT: Final = 0x4000
_TSIG: Final = 250
_SECTIONS: Final = 3

# Header bits, RFC 1035 4.1.1 and RFC 4035 3.
QR: Final = 0x8000
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
CD: Final = 0x0010


class Rcode(IntEnum):
    """How a query ended (RFC 1035 4.1.1, RFC 2136 2.2, RFC 6891 9)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    NOTAUTH = 9
    BADVERS = 16
    BADCOOKIE = 23  # RFC 7873 8


class Opcode(IntEnum):
    """What a message asks for (RFC 1035 4.1.1, RFC 1996, RFC 2136)."""

    QUERY = 0
    NOTIFY = 4
    UPDATE = 5


@dataclass(frozen=True, slots=True)
class Header:
    """The first octets of a message, as far as they are needed."""

    id: int
    flags: int

    @property
    def opcode(self) -> int:
        """Return the four bits that say what is asked for."""
        return self.flags >> 11 & 0xF

    @property
    def is_response(self) -> bool:
        """Tell whether QR is set."""
        return bool(self.flags & QR)


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is well-formed; ``qname`` is in the case it came in.

    ``qtype`` and ``qclass`` are 0 where there is no question.
    """

    header: Header
    qname: Name = b""
    qtype: int = 0
    qclass: int = 0
    edns: Edns | None = None
    has_tsig: bool = False


def read_header(message: bytes) -> Header | None:
    """Return the header, ``None`` for less than the octets of one."""
    if len(message) < HEADER.size:
        return None
    return Header(*struct.unpack_from("!HH", message))


def parse_query(message: bytes) -> Query:
    """Return what a message with a whole header asks; raises ``WireError`` with FORMERR."""
    reader = _Reader(message)
    identity, flags, questions, *records = HEADER.unpack_from(message)
    # RFC 9619 4: "a DNS message with OPCODE = 0 and QDCOUNT > 1 MUST be treated as an
    # incorrectly formatted message"; no other opcode that is answered here has more than one.
    if questions > 1:
        raise WireError(f"{questions} questions")
    qname, qtype, qclass = reader.question() if questions else (b"", 0, 0)
    options: Edns | None = None
    has_tsig = False
    for section, count in enumerate(records, Section.ANSWER):
        for _ in range(count):
            if has_tsig:  # RFC 8945 5.1: "MUST be the last RR ... FORMERR"
                raise WireError("a record behind TSIG")
            owner, rtype, rclass, ttl, rdata = reader.record()
            if rtype == edns.OPT:
                # RFC 6891 6.1.1: one at most, in the additional section, owned by the root.
                if options is not None or section != Section.ADDITIONAL or owner != b"\x00":
                    raise WireError("a second or misplaced OPT record")
                options = edns.parse(rclass, ttl, rdata)
            has_tsig = rtype == _TSIG and section == Section.ADDITIONAL
    if not reader.at_end:
        raise WireError("octets behind the last record")
    return Query(Header(identity, flags), qname, qtype, qclass, options, has_tsig)


class _Reader:
    """Takes the parts of a message off its front."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._position = HEADER.size

    @property
    def at_end(self) -> bool:
        return self._position == len(self._message)

    def question(self) -> tuple[Name, int, int]:
        name = self._name()
        if name is None:  # there is nothing yet that it could point at
            raise WireError("a compressed question")
        qtype, qclass = self._unpack(_QUESTION)
        return name, qtype, qclass

    def record(self) -> tuple[Name | None, int, int, int, bytes]:
        """Return owner (``None`` for a compressed one), type, class, TTL and rdata."""
        owner = self._name()
        rtype, rclass, ttl, length = self._unpack(_RECORD)
        end = self._position + length
        if end > len(self._message):
            raise WireError("rdata is cut short")
        rdata = self._message[self._position : end]
        self._position = end
        return owner, rtype, rclass, ttl, rdata

    def _name(self) -> Name | None:
        """Return a name, ``None`` for a compressed one: pointers are not followed."""
        start = position = self._position
        message = self._message
        try:
            while length := message[position]:
                if length >= _POINTER >> 8:
                    self._position = position + 2
                    return None
                if length > MAX_LABEL:
                    raise WireError("a label of an unknown kind")
                position += 1 + length
        except IndexError:
            raise WireError("a name is cut short") from None
        self._position = position + 1
        if self._position - start > MAX_LENGTH:
            raise WireError("a name is too long")
        return message[start : self._position]

    def _unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        try:
            fields: tuple[int, ...] = layout.unpack_from(self._message, self._position)
        except struct.error:
            raise WireError("a message is cut short") from None
        self._position += layout.size
        return fields


class Writer:
    """Writes a response of at most ``limit`` octets; RRsets go in whole or not at all."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray(HEADER.size)
        self._counts = [0, 0, 0, 0]
        self._offsets: dict[bytes, int] = {}
        self._class = 1

    def __len__(self) -> int:
        return len(self._buffer)

    def question(self, query: Query) -> None:
        """Write the question as it came, letter case included; records get its class."""
        self._name(query.qname)
        self._buffer += _QUESTION.pack(query.qtype, query.qclass)
        self._counts[Section.QUESTION] = 1
        self._class = query.qclass

    def entry(self, section: Section, entry: Entry) -> bool:
        """Write an RRset with its signatures; ``False``, and nothing written, if it is too long."""
        start = len(self._buffer)
        written = self._rrset(entry.owner, entry.rrset)
        if entry.signature is not None:
            written += self._rrset(entry.owner, entry.signature)
        if len(self._buffer) > self.limit:
            del self._buffer[start:]
            self._offsets = {name: at for name, at in self._offsets.items() if at < start}
            return False
        self._counts[section] += written
        return True

    def opt(self, record: bytes) -> None:
        """Write an OPT record, for which room was left."""
        self._buffer += record
        self._counts[Section.ADDITIONAL] += 1

    def finish(self, identity: int, flags: int) -> bytes:
        """Return the message."""
        HEADER.pack_into(self._buffer, 0, identity, flags, *self._counts)
        return bytes(self._buffer)

    def _rrset(self, owner: Name, rrset: RRset) -> int:
        for rdata in rrset.rdatas:
            self._name(owner)
            self._buffer += _RECORD.pack(rrset.rtype, self._class, rrset.ttl, 0)
            start = len(self._buffer)
            self._rdata(rrset.rtype, rdata)
            length = len(self._buffer) - start
            self._buffer[start - 2 : start] = length.to_bytes(2, "big")
        return len(rrset.rdatas)

    def _rdata(self, rtype: int, rdata: bytes) -> None:
        copied = 0
        if rtype in COMPRESSIBLE:
            for offset, name in embedded_names(rtype, rdata):
                self._buffer += rdata[copied:offset]
                self._name(name)
                copied = offset + len(name)
        self._buffer += rdata[copied:]

    def _name(self, name: Name) -> None:
        folded = fold(name)
        here = len(self._buffer)
        position = 0
        while length := name[position]:
            known = self._offsets.get(folded[position:])
            if known is not None:
                self._buffer += name[:position] + (_POINTER | known).to_bytes(2, "big")
                return
            if here + position < _POINTER_LIMIT:
                self._offsets[folded[position:]] = here + position
            position += 1 + length
        self._buffer += name
