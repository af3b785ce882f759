"""The TCP listener: RFC 7766 framing, pipelining, timeouts and limits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, cast

from nameserver.counters import Counters

LENGTH: Final = struct.Struct("!H")

# One query to one response, to silence, or to a stream of messages (a zone transfer).
Answer = Callable[[bytes, str, int], bytes | AsyncIterator[bytes] | None]


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What connections may take; times in seconds.

    ``pipelined_transfers`` bounds the zone transfers under way on one connection.
    """

    connections: int = 1000
    per_client: int = 50
    idle_timeout: float = 10.0
    pipelined_transfers: int = 4


class TcpListener:
    """Accepts connections on one address and answers the queries on them."""

    def __init__(
        self,
        address: str,
        port: int,
        answer: Answer,
        limits: TcpLimits,
        counters: Counters,
    ) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.answer = answer
        self.limits = limits
        self.counters = counters
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._clients: Counter[bytes] = Counter()

    async def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), sock=self._socket, backlog=1024
        )

    async def stop(self) -> None:
        """Stop accepting and close every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        if self._server is not None:
            await self._server.wait_closed()
        self._socket.close()

    def admit(self, connection: Connection, client: str) -> bool:
        """Take a new connection into the books, or tell that a limit forbids it."""
        net = _net(client)
        if (
            len(self._connections) >= self.limits.connections
            or self._clients[net] >= self.limits.per_client
        ):
            self.counters.count("tcp.refused-connections")
            return False
        self._connections.add(connection)
        self._clients[net] += 1
        self.counters.count("tcp.connections")
        return True

    def leave(self, connection: Connection, client: str) -> None:
        """Strike a closed connection from the books."""
        self._connections.discard(connection)
        net = _net(client)
        self._clients[net] -= 1
        if self._clients[net] <= 0:
            del self._clients[net]


def _net(client: str) -> bytes:
    """Return what one client can have: an IPv4 address, or an IPv6 /64."""
    if ":" in client:
        return socket.inet_pton(socket.AF_INET6, client.partition("%")[0])[:8]
    return socket.inet_aton(client)


class Connection(asyncio.Protocol):
    """One client's connection: frames in, responses out as they are ready (RFC 7766 6.2.1.1)."""

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self._buffer = bytearray()
        self._client = ("", 0)
        self._admitted = False
        self._streams: set[asyncio.Task[None]] = set()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client or hang up."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        peer = transport.get_extra_info("peername")
        self._client = (peer[0], peer[1]) if peer else ("", 0)
        self._admitted = peer is not None and self._listener.admit(self, self._client[0])
        if not self._admitted:
            transport.close()
            return
        self._last_activity = self._loop.time()
        self._idle_timer = self._loop.call_later(
            self._listener.limits.idle_timeout, self._check_idle
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Forget the client and its transfers."""
        if self._admitted:
            self._idle_timer.cancel()
            self._listener.leave(self, self._client[0])
        self._writable.set()
        for task in self._streams:
            task.cancel()

    def pause_writing(self) -> None:
        """Hold back: the client does not read as fast as we send."""
        self._writable.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._writable.set()
        with contextlib.suppress(RuntimeError):  # closed in the meantime
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Answer every query that is complete by now."""
        buffer = self._buffer
        buffer += data
        position = 0
        responses = bytearray()
        while len(buffer) - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(buffer, position)
            end = position + LENGTH.size + length
            if len(buffer) < end:
                break
            responses += self._handle(bytes(buffer[position + LENGTH.size : end]))
            position = end
        if position:  # a whole query: octets that trickle in do not keep a connection open
            self._last_activity = self._loop.time()
            del buffer[:position]
        if responses and not self._transport.is_closing():
            self._transport.write(bytes(responses))

    def _handle(self, query: bytes) -> bytes:
        answer = self._listener.answer(query, *self._client)
        if answer is None:  # nothing a DNS client would send: do not serve the stream any longer
            self._listener.counters.count("tcp.dropped")
            self._transport.close()
            return b""
        if isinstance(answer, bytes):
            return LENGTH.pack(len(answer)) + answer
        if len(self._streams) >= self._listener.limits.pipelined_transfers:
            self._listener.counters.count("tcp.refused-transfers")
            self._transport.close()
            return b""
        task = self._loop.create_task(self._send_stream(answer))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)
        return b""

    async def _send_stream(self, messages: AsyncIterator[bytes]) -> None:
        async for message in messages:
            await self._writable.wait()
            if self._transport.is_closing():
                return
            self._last_activity = self._loop.time()
            self._transport.write(LENGTH.pack(len(message)) + message)

    def _check_idle(self) -> None:
        """Close a connection that has been silent too long (RFC 7766 6.2.3)."""
        # A client that does not read the transfer it asked for makes no activity either.
        left = self._last_activity + self._listener.limits.idle_timeout - self._loop.time()
        if left > 0:
            self._idle_timer = self._loop.call_later(left, self._check_idle)
            return
        self._listener.counters.count("tcp.idle-closed")
        self._transport.abort() if self._streams else self._transport.close()

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()
