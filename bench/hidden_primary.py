"""A primary that costs nearly nothing: its answers are made before anybody asks.

What is measured between NOTIFY and the new answer is then the secondary's own time. One zone, one
SOA and one AXFR message; IXFR is answered by the whole zone (RFC 1995 4), so that all secondaries
transfer the same.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Final, Self

import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.peers.waiting import LOOPBACK, free_port

TYPE_SOA: Final = 6
TYPE_AXFR: Final = 252
TYPE_IXFR: Final = 251
NOTIFY_FLAGS: Final = 0x2400  # opcode NOTIFY, AA
ANSWER_FLAGS: Final = 0x8400  # QR, AA
LENGTH: Final = struct.Struct("!H")
HOSTS: Final = 10


class HiddenPrimary:
    """Serves one small zone at the serial it was last given."""

    def __init__(self, apex: str) -> None:
        self.port = free_port()
        self.apex = apex
        name = dns.name.from_text(apex)
        self._question_name = name.to_digestable()
        self._zone = [
            dns.rrset.from_text(name, 3600, "IN", "NS", f"ns1.{apex}"),
            dns.rrset.from_text(f"ns1.{apex}", 3600, "IN", "A", "192.0.2.53"),
            *(
                dns.rrset.from_text(f"host{number}.{apex}", 3600, "IN", "A", f"192.0.2.{number}")
                for number in range(HOSTS)
            ),
        ]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._closed = False
        self.load(1)

    def load(self, serial: int) -> None:
        """Have this serial from now on."""
        soa = dns.rrset.from_text(
            self.apex,
            3600,
            "IN",
            "SOA",
            f"ns1.{self.apex} hostmaster.{self.apex} {serial} 86400 7200 3600000 3600",
        )
        whole = [soa, *self._zone, soa]
        # One mapping, swapped at once: no thread sees half a change.
        self._answers = {
            TYPE_SOA: self._body(TYPE_SOA, [soa]),
            TYPE_AXFR: self._body(TYPE_AXFR, whole),
            TYPE_IXFR: self._body(TYPE_IXFR, whole),
        }

    def _body(self, rtype: int, records: list[dns.rrset.RRset]) -> bytes:
        """Return an answer without its id."""
        message = dns.message.Message(0)
        message.flags = ANSWER_FLAGS
        name = dns.name.from_text(self.apex)
        kind = dns.rdatatype.RdataType.make(rtype)
        message.question = [dns.rrset.RRset(name, dns.rdataclass.IN, kind)]
        message.answer = records
        return message.to_wire(max_size=65_535)[2:]

    def notify(self, port: int, query_id: int) -> None:
        """Send a NOTIFY without a hint (RFC 1996 3.7); its answer is not waited for."""
        header = struct.pack("!HHHHHH", query_id, NOTIFY_FLAGS, 1, 0, 0, 0)
        tail = struct.pack("!HH", TYPE_SOA, 1)
        self._udp.sendto(header + self._question_name + tail, (LOOPBACK, port))

    def _answer(self, query: bytes) -> bytes | None:
        """Return the answer to a query; ``None`` for anything else, as for answers to NOTIFY."""
        start = 12 + len(self._question_name)
        if len(query) < start + 4 or query[2] & 0xF8:
            return None
        (rtype,) = LENGTH.unpack_from(query, start)
        body = self._answers.get(rtype)
        return None if body is None else query[:2] + body

    def __enter__(self) -> Self:
        self._udp.bind((LOOPBACK, self.port))
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._tcp.bind((LOOPBACK, self.port))
        self._tcp.listen(64)
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for listener in (self._udp, self._tcp):
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in it
            listener.close()

    def _serve_udp(self) -> None:
        while not self._closed:
            with suppress(OSError):
                query, client = self._udp.recvfrom(4096)
                answer = self._answer(query)
                if answer is not None:
                    self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while not self._closed:
            with suppress(OSError):
                connection, _client = self._tcp.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, struct.error), connection.makefile("rb") as stream:
            while True:
                (length,) = LENGTH.unpack(stream.read(LENGTH.size))
                answer = self._answer(stream.read(length))
                if answer is None:
                    return
                connection.sendall(LENGTH.pack(len(answer)) + answer)
