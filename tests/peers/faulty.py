"""Ways in which a primary misbehaves, for ``PlainPrimary``: each is told in words to its owner."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.tsig

from tests.peers.plain_primary import PlainPrimary, messages, plain_transfer, refusal

HEADER = 12  # octets


def refused(_server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Refuse the transfer, as a server does that does not know our address."""
    yield refusal(query)


def cut(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Send the beginning and close."""
    yield from messages(query, server.records)
    raise EOFError


def changed_midway(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """End with another SOA than the one at the start."""
    other = [record for record in server.records if record.is_soa][-1:]
    yield from messages(query, [r for r in server.records if r not in other] + other)


def empty(_server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Report success and send nothing."""
    yield dns.message.make_response(query).to_wire()


def garbage(_server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Send octets that are no DNS message."""
    yield query.id.to_bytes(2, "big") + b"HTTP/1.1 400 Bad Request\r\n"


def unsigned(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Answer a signed query without a signature."""
    plain = dns.message.make_query(query.question[0].name, query.question[0].rdtype, id=query.id)
    yield from plain_transfer(server, plain)


class Lame(PlainPrimary):
    """Once ``lame``, it answers, but not with authority: the zone is not loaded there."""

    lame = False

    def direct_answer(self, query: dns.message.Message) -> bytes:
        """Return an answer as a resolver would."""
        response = dns.message.from_wire(super().direct_answer(query))
        if self.lame:
            response.flags &= ~dns.flags.AA
        return response.to_wire()


class Answering(PlainPrimary):
    """Answers every query with one RCODE."""

    rcode = dns.rcode.REFUSED

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Return the RCODE."""
        if len(wire) < HEADER:  # the socket was closed
            return
        response = dns.message.make_response(dns.message.from_wire(wire, keyring=False))
        response.set_rcode(self.rcode)
        yield response.to_wire()


class SlowClock(PlainPrimary):
    """Its clock is a day behind: it answers signed queries with BADTIME (RFC 8945 5.2.3)."""

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Return NOTAUTH with the error in the TSIG record."""
        assert self.key is not None
        if len(wire) < HEADER:
            return
        query = dns.message.from_wire(wire, keyring=self.key.keyring())
        response = dns.message.make_response(query, tsig_error=dns.rcode.BADTIME)
        response.set_rcode(dns.rcode.NOTAUTH)
        yield response.to_wire()


class Silent(PlainPrimary):
    """Takes connections and queries, and answers nothing."""

    def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
        """Yield nothing."""
        yield from ()


class WithoutTcp(PlainPrimary):
    """Answers over UDP; a firewall keeps TCP away."""

    def __enter__(self) -> Self:
        """Listen for datagrams only."""
        super().__enter__()
        with contextlib.suppress(OSError):
            self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        return self
