"""TCP: RFC 7766 framing, pipelining, timeouts and limits, on the event loop.

Where the engine is compiled, ``nameserver.streams`` serves connections, and what it does not answer
comes here with the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from nameserver.counters import Counters
from nameserver.tls import Session

LENGTH: Final = struct.Struct("!H")
AT_ONCE: Final = 1 << 18  # octets of answers, before it is looked whether the client reads them
BACKLOG: Final = 4096  # connections that wait to be accepted; the system has a limit of its own

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


def bind_stream(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a TCP socket on an address, not listening yet; raises ``OSError``.

    With ``shared`` other sockets of this process may be bound to the same address and port.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # A port that the system chooses is one that nobody shares; sharing it comes afterwards.
        if shared and port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((address, port))
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        bound.close()
        raise
    return bound


class Books:
    """Who holds how many connections: an IPv4 address or an IPv6 /64 is one client."""

    def __init__(self, limits: TcpLimits, counters: Counters, kind: str = "tcp") -> None:
        self._limits = limits
        self._counters = counters
        self._kind = kind
        self._open = 0
        self._clients: Counter[bytes] = Counter()
        counters.sources.append(lambda: {f"{kind}.open": self._open} if self._open else {})

    def admit(self, client: str) -> bool:
        """Book a new connection, or tell that a limit forbids it."""
        net = _net(client)
        if self._open >= self._limits.connections or self._clients[net] >= self._limits.per_client:
            self._counters.count(f"{self._kind}.refused-connections")
            return False
        self._open += 1
        self._clients[net] += 1
        self._counters.count(f"{self._kind}.connections")
        return True

    def leave(self, client: str) -> None:
        """Strike a connection that has ended."""
        net = _net(client)
        self._open -= 1
        self._clients[net] -= 1
        if self._clients[net] <= 0:
            del self._clients[net]

    def patience(self) -> float:
        """Return for how many seconds a connection may be idle: less when nearly all are taken."""
        idle, most = self._limits.idle_timeout, self._limits.connections
        if 4 * self._open <= 3 * most:
            return idle
        return max(idle * (most - min(self._open, most)) * 4 / most, idle / 16)


def _net(client: str) -> bytes:
    """Return what one client can have: an IPv4 address, or an IPv6 /64."""
    if ":" in client:
        return socket.inet_pton(socket.AF_INET6, client.partition("%")[0])[:8]
    return socket.inet_aton(client)


class Service(Protocol):
    """What connections belong to."""

    limits: TcpLimits
    counters: Counters
    kind: str  # what its counts begin with
    connections: set[Connection]

    def answer_of(self, session: Session | None) -> Answer:
        """Return what answers the queries on a connection; ``None``: it is without TLS."""

    def patience(self) -> float:
        """Return for how many seconds a connection may be idle now."""


class TcpListener:
    """Accepts connections on one address and answers the queries on them.

    Listeners may share ``books``.
    """

    kind = "tcp"

    def __init__(
        self,
        address: str,
        port: int,
        answer: Answer,
        limits: TcpLimits,
        counters: Counters,
        *,
        books: Books | None = None,
    ) -> None:
        self._socket = bind_stream(address, port)
        self.port: int = self._socket.getsockname()[1]
        self.answer = answer
        self.limits = limits
        self.counters = counters
        self.connections: set[Connection] = set()
        self.books = books or Books(limits, counters)
        self.patience = self.books.patience
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, self.books),
            sock=self._socket,
            backlog=BACKLOG,
        )

    def answer_of(self, session: Session | None) -> Answer:  # noqa: ARG002 (there is no TLS here)
        """Return what answers."""
        return self.answer

    async def stop(self) -> None:
        """Stop accepting and close every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close()
        if self._server is not None:
            await self._server.wait_closed()
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Begun:
    """A connection that was served elsewhere so far, and is in the books there until ``leave``.

    ``unsent`` is sent first, ``unread`` was read and not answered.
    """

    client: tuple[str, int]
    unsent: bytes
    unread: bytes
    leave: Callable[[], None]


class Connection(asyncio.Protocol):
    """One client's connection: frames in, responses out as they are ready (RFC 7766 6.2.1.1)."""

    def __init__(self, service: Service, admission: Books | Begun) -> None:
        self._service = service
        self._admission = admission
        self._buffer = bytearray()
        self._client = ("", 0)
        self._admitted = False
        self._hangs_up = False  # once what is answered is sent
        self._streams: set[asyncio.Task[None]] = set()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def was_made(self) -> bool:
        """Tell whether it was admitted, and its end will be told."""
        return self._admitted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client or hang up."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        if isinstance(self._admission, Begun):
            self._client, self._admitted = self._admission.client, True
        else:
            peer = transport.get_extra_info("peername")
            self._client = (peer[0], peer[1]) if peer else ("", 0)
            self._admitted = peer is not None and self._admission.admit(self._client[0])
        if not self._admitted:
            transport.close()
            return
        self._service.connections.add(self)
        secured = transport.get_extra_info("ssl_object")
        self._answer = self._service.answer_of(Session.of(secured) if secured else None)
        self._last_activity = self._loop.time()
        self._idle_timer = self._look_later(self._service.patience())
        if isinstance(self._admission, Begun):
            self._transport.write(self._admission.unsent)
            self.data_received(self._admission.unread)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Forget the client and its transfers."""
        if self._admitted:
            self._idle_timer.cancel()
            self._service.connections.discard(self)
            if isinstance(self._admission, Begun):
                self._admission.leave()
            else:
                self._admission.leave(self._client[0])
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
        self._work_off()

    def data_received(self, data: bytes) -> None:
        """Answer every query that is complete by now."""
        self._buffer += data
        self._work_off()

    def _work_off(self) -> None:
        """Answer what is there, as long as the client reads."""
        buffer = self._buffer
        position = 0
        responses = bytearray()
        while (
            len(buffer) - position >= LENGTH.size
            and len(responses) < AT_ONCE
            and self._writable.is_set()
            and not self._hangs_up
            and not self._transport.is_closing()
        ):
            (length,) = LENGTH.unpack_from(buffer, position)
            end = position + LENGTH.size + length
            if len(buffer) < end:
                break
            responses += self._handle(bytes(buffer[position + LENGTH.size : end]))
            position = end
        if position:  # a whole query: octets that trickle in do not keep a connection open
            self._last_activity = self._loop.time()
            del buffer[:position]
        if responses:
            self._transport.write(bytes(responses))
        if len(responses) >= AT_ONCE:  # by then it is known whether the client reads
            self._loop.call_soon(self._work_off)
        if self._hangs_up:
            self._transport.close()

    def _handle(self, query: bytes) -> bytes:
        answer = self._answer(query, *self._client)
        if answer is None:  # nothing a DNS client would send: do not serve the stream any longer
            self._count("dropped")
            self._hangs_up = True
            return b""
        if isinstance(answer, bytes):
            return LENGTH.pack(len(answer)) + answer
        if len(self._streams) >= self._service.limits.pipelined_transfers:
            self._count("refused-transfers")
            self._hangs_up = True
            return b""
        task = self._loop.create_task(self._send_stream(answer))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)
        return b""

    def _count(self, what: str) -> None:
        self._service.counters.count(f"{self._service.kind}.{what}")

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
        left = self._last_activity + self._service.patience() - self._loop.time()
        if left > 0:
            self._idle_timer = self._look_later(left)
            return
        self._count("idle-closed" if self._writable.is_set() else "slow-closed")
        is_stuck = self._streams or not self._writable.is_set()
        self._transport.abort() if is_stuck else self._transport.close()

    def _look_later(self, left: float) -> asyncio.TimerHandle:
        # A quarter at most: when others come, there may be less left than there was.
        limit = self._service.limits.idle_timeout / 4
        return self._loop.call_later(min(left, limit), self._check_idle)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()
