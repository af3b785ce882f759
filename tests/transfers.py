"""AXFR response messages for tests, compressed as a primary compresses them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from zones.name import Name
from zones.rdata import COMPRESSIBLE, embedded_names

Record: TypeAlias = tuple[bytes, int, int, bytes]  # owner, type, TTL, uncompressed rdata

_LAST_TARGET = 0x3FFF


class MessageWriter:
    """One message of an AXFR response; ``octets()`` is the message so far."""

    def __init__(self, apex: Name, *, question: bool = True) -> None:
        self._octets = bytearray(12)
        self._targets: dict[bytes, int] = {}
        self._question = question
        self.answers = 0
        if question:
            self._name(apex)
            self._octets += struct.pack("!HH", 252, 1)

    def add(self, record: Record, rclass: int = 1) -> None:
        """Append a record to the answer section."""
        owner, rtype, ttl, rdata = record
        self._name(owner)
        self._octets += struct.pack("!HHIH", rtype, rclass, ttl, 0)
        start = len(self._octets)
        self._rdata(rtype, rdata)
        struct.pack_into("!H", self._octets, start - 2, len(self._octets) - start)
        self.answers += 1

    def octets(self) -> bytes:
        """Return the message: an authoritative answer with id 1."""
        header = struct.pack("!HHHHHH", 1, 0x8400, int(self._question), self.answers, 0, 0)
        return header + bytes(self._octets[12:])

    def __len__(self) -> int:
        return len(self._octets)

    def _rdata(self, rtype: int, rdata: bytes) -> None:
        position = 0
        for offset, name in embedded_names(rtype, rdata) if rtype in COMPRESSIBLE else ():
            self._octets += rdata[position:offset]
            self._name(name)
            position = offset + len(name)
        self._octets += rdata[position:]

    def _name(self, name: bytes) -> None:
        position = 0
        while name[position]:
            target = self._targets.get(name[position:])
            if target is not None:
                self._octets += struct.pack("!H", 0xC000 | target)
                return
            if len(self._octets) <= _LAST_TARGET:
                self._targets[name[position:]] = len(self._octets)
            end = position + 1 + name[position]
            self._octets += name[position:end]
            position = end
        self._octets += b"\x00"


def messages(apex: Name, records: Iterable[Record], size: int = 65000) -> Iterator[bytes]:
    """Yield the messages of a stream of records, each closed when it has ``size`` octets."""
    writer = MessageWriter(apex)
    for record in records:
        if writer.answers and len(writer) + 600 + len(record[3]) > size:
            yield writer.octets()
            writer = MessageWriter(apex, question=False)
        writer.add(record)
    yield writer.octets()
