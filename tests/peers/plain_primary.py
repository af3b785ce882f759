"""A primary without judgement: serves any records, right or wrong, by SOA query and AXFR.

Real servers refuse to load most of what a secondary must defend itself against. This one has no
idea of zones: it holds a list of records, sends them in that order, and can be told to misbehave.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from tests.peers.base import Key, Remote, Server
from tests.peers.waiting import LOOPBACK, free_port

RECORDS_PER_MESSAGE = 50


@dataclass(frozen=True)
class Record:
    """One record as it stands in a message."""

    owner: dns.name.Name
    ttl: int
    rdata: dns.rdata.Rdata

    @classmethod
    def parse(cls, line: str, origin: dns.name.Name) -> Record:
        """Return the record of one line: ``OWNER [TTL] TYPE RDATA``, relative to ``origin``."""
        owner, *rest = line.split(maxsplit=1)
        ttl = 300
        if rest[0][0].isdigit():
            number, *rest = rest[0].split(maxsplit=1)
            ttl = int(number)
        rtype, rdata = rest[0].split(maxsplit=1)
        return cls(
            dns.name.from_text(owner, origin),
            ttl,
            dns.rdata.from_text("IN", rtype, rdata, origin=origin, relativize=False),
        )

    @property
    def is_soa(self) -> bool:
        """Tell whether it is a SOA record."""
        return bool(self.rdata.rdtype == dns.rdatatype.SOA)

    def rrset(self) -> dns.rrset.RRset:
        """Return it as an RRset of one."""
        return dns.rrset.from_rdata(self.owner, self.ttl, self.rdata)


Transfer = Callable[["PlainPrimary", dns.message.Message], Iterator[bytes]]


class PlainPrimary(Server):
    """A context manager: answers from its two threads until it is left.

    ``reachable`` False makes it deaf; ``transfer`` may be replaced by a function that yields the
    messages of a misbehaving AXFR; ``transfers`` counts those asked for. ``pause`` makes it slow:
    seconds after each octet over TCP.
    """

    def __init__(self, apex: str, text: str, *, key: Key | None = None) -> None:
        self.apex = dns.name.from_text(apex)
        self.port = free_port()
        self.key = key
        self.reachable = True
        self.pause = 0.0
        self.transfers = 0
        self.soa_queries = 0
        self.transfer: Transfer = plain_transfer
        self.records: list[Record] = []
        self.load(text)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.stopping = False

    def load(self, text: str) -> None:
        """Replace the records: one a line, owners relative to the apex, no continuation lines.

        Lines that start with ``$`` are passed over, so that ``zone_text`` can be given.
        """
        lines = [line for line in text.splitlines() if line and not line.startswith("$")]
        self.records = [Record.parse(line, self.apex) for line in lines]

    def publish(self, text: str, *remotes: Remote) -> None:
        """Replace the records and NOTIFY these servers."""
        self.load(text)
        for remote in remotes:
            self.notify(remote)

    def notify(self, remote: Remote, source: str = LOOPBACK) -> dns.message.Message:
        """Send a NOTIFY (RFC 1996) with our SOA as the hint and return the answer to it."""
        message = dns.message.make_query(self.apex, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags = (message.flags & ~dns.flags.RD) | dns.flags.AA
        message.answer = [record.rrset() for record in self.records if record.is_soa][:1]
        if self.key:
            message.use_tsig(self.key.keyring())
        return dns.query.udp(message, remote.address, 3.0, remote.port, source=source)

    def remote(self, key: Key | None = None) -> Remote:
        """Return this server as others name it in their configuration."""
        return Remote(self.port, key or self.key)

    # The two listeners.

    def __enter__(self) -> Self:
        self.udp.bind((LOOPBACK, self.port))
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((LOOPBACK, self.port))
        self.tcp.listen(64)
        for loop in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=loop, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping = True
        for listener in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in it
            listener.close()

    def serve_udp(self) -> None:
        """Answer datagrams, one after the other."""
        while not self.stopping:
            try:
                wire, client = self.udp.recvfrom(65535)
            except OSError:
                return
            for answer in self.answers(wire, stream=False):
                self.udp.sendto(answer, client)

    def serve_tcp(self) -> None:
        """Give each connection a thread."""
        while not self.stopping:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection: socket.socket) -> None:
        """Answer the messages of one connection until the client closes it."""
        with connection, contextlib.suppress(OSError, EOFError):
            while self.reachable:
                (length,) = struct.unpack("!H", read_exactly(connection, 2))
                for answer in self.answers(read_exactly(connection, length), stream=True):
                    self.send(connection, struct.pack("!H", len(answer)) + answer)

    def send(self, connection: socket.socket, framed: bytes) -> None:
        """Send a message, all at once or with ``pause`` seconds after each octet."""
        if not self.pause:
            connection.sendall(framed)
            return
        for octet in framed:
            connection.sendall(bytes((octet,)))
            time.sleep(self.pause)

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Yield the answer to a message: none, one, or those of a transfer."""
        if not self.reachable:
            return
        keyring = self.key.keyring() if self.key else None
        try:
            query = dns.message.from_wire(wire, keyring=keyring)
        except dns.exception.DNSException:
            return  # a bad signature is met with silence here
        wanted = query.question[0].rdtype
        if wanted in (dns.rdatatype.AXFR, dns.rdatatype.IXFR) and stream:
            self.transfers += 1
            if self.key and not query.had_tsig:
                yield refusal(query)
            else:
                yield from self.transfer(self, query)
            return
        self.soa_queries += 1
        yield self.direct_answer(query)

    def direct_answer(self, query: dns.message.Message) -> bytes:
        """Return the records of the name and type asked for, at most one SOA."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        question = query.question[0]
        for record in self.records:
            if record.owner == question.name and record.rdata.rdtype == question.rdtype:
                response.answer.append(record.rrset())
                if record.is_soa:
                    break
        return response.to_wire()


def plain_transfer(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Yield an AXFR (RFC 5936) of the records, closed by the first SOA among them."""
    closing = [record for record in server.records if record.is_soa][:1]
    yield from messages(query, server.records + closing)


def messages(query: dns.message.Message, records: list[Record]) -> Iterator[bytes]:
    """Yield response messages with these records in this order, signed if the query was."""
    context = None
    for start in range(0, len(records), RECORDS_PER_MESSAGE):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        # Each record apart: RRsets are neither merged nor put in order.
        response.answer = [r.rrset() for r in records[start : start + RECORDS_PER_MESSAGE]]
        wire = response.to_wire(max_size=65535, multi=True, tsig_ctx=context)
        context = response.tsig_ctx
        yield wire


def refusal(query: dns.message.Message) -> bytes:
    """Return REFUSED."""
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.REFUSED)
    return response.to_wire()


def read_exactly(connection: socket.socket, length: int) -> bytes:
    """Read ``length`` octets; raises ``EOFError`` where the stream ends before."""
    received = b""
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise EOFError
        received += more
    return received
