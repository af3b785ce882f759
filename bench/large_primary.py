"""A hidden primary of a large zone, of which one record changes each time.

It answers AXFR by the whole zone and IXFR by what changed since the serial of the client (RFC 1995):
one address goes, another comes. All secondaries ask the same primary in the same way.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from axfr.outbound import parse_transfer_query, transfer_messages
from bench.hidden_primary import ANSWER_FLAGS, LENGTH, TYPE_AXFR, TYPE_IXFR, TYPE_SOA, HiddenPrimary
from zones.name import Name, below
from zones.rrset import SOA, A, RRset
from zones.version import ZoneVersion

TTL: Final = 300
HEAD: Final = struct.Struct("!HHIH")  # type, class, TTL, size of rdata
LABEL: Final = b"changing"


def record(owner: Name, rtype: int, ttl: int, rdata: bytes) -> bytes:
    """Return a record as it stands in a message."""
    return owner + HEAD.pack(rtype, 1, ttl, len(rdata)) + rdata


class LargePrimary(HiddenPrimary):
    """Serves a large zone at the serial it was last given."""

    def __init__(self, apex: str, zone: ZoneVersion) -> None:
        self._base = zone
        self._owner = below(LABEL, zone.apex)
        super().__init__(apex)

    def load(self, serial: int) -> None:
        """Have this serial from now on."""
        self._serial = serial
        one = RRset.of(self._owner, A, TTL, [self._address(serial)])
        soa = RRset.of(self._base.apex, SOA, self._base.soa.ttl, [self._soa(serial)])
        self._version = self._base.changed({one.key: one, soa.key: soa})

    def _soa(self, serial: int) -> bytes:
        rdata = self._base.soa.rdatas[0]
        return rdata[:-20] + struct.pack("!I", serial) + rdata[-16:]

    def _address(self, serial: int) -> bytes:
        return bytes((10,)) + (serial % 2**24).to_bytes(3, "big")

    def _soa_record(self, serial: int) -> bytes:
        return record(self._base.apex, SOA, self._base.soa.ttl, self._soa(serial))

    def _message(self, query: bytes, records: list[bytes]) -> bytes:
        question = query[12 : 12 + len(self._base.apex) + 4]
        return (
            query[:2]
            + struct.pack("!5H", ANSWER_FLAGS, 1, len(records), 0, 0)
            + question
            + (b"".join(records))
        )

    def _changes(self, since: int) -> Iterator[bytes]:
        """Yield the records of an IXFR: a sequence for each serial."""
        yield self._soa_record(self._serial)
        for serial in range(since, self._serial):
            yield self._soa_record(serial)
            yield record(self._owner, A, TTL, self._address(serial))
            yield self._soa_record(serial + 1)
            yield record(self._owner, A, TTL, self._address(serial + 1))
        yield self._soa_record(self._serial)

    def _asked(self, query: bytes) -> int:
        """Return the type that is asked for, 0 where this is no question about the zone."""
        start = 12 + len(self._base.apex)
        if len(query) < start + 4 or query[2] & 0xF8:
            return 0
        (rtype,) = LENGTH.unpack_from(query, start)
        return rtype if isinstance(rtype, int) else 0

    def _answer(self, query: bytes) -> bytes | None:
        """Return the answer over UDP: the SOA, whatever is asked for (RFC 1995 2)."""
        if self._asked(query) not in (TYPE_SOA, TYPE_IXFR):
            return None
        return self._message(query, [self._soa_record(self._serial)])

    def _answers_over_tcp(self, query: bytes) -> Iterator[bytes]:
        rtype = self._asked(query)
        if rtype in (TYPE_AXFR, TYPE_IXFR):
            parsed = parse_transfer_query(query)
            if rtype == TYPE_AXFR or parsed.serial is None:
                yield from transfer_messages(self._version, parsed)
            elif parsed.serial >= self._serial:
                yield self._message(query, [self._soa_record(self._serial)])
            else:
                yield self._message(query, list(self._changes(parsed.serial)))
        elif rtype == TYPE_SOA:
            yield self._message(query, [self._soa_record(self._serial)])

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, struct.error), connection.makefile("rb") as stream:
            while True:
                (length,) = LENGTH.unpack(stream.read(LENGTH.size))
                for answer in self._answers_over_tcp(stream.read(length)):
                    connection.sendall(LENGTH.pack(len(answer)) + answer)
