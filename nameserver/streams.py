"""TCP in compiled code: the sockets, and what Python goes on with (see ``_streams``)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import structlog

from nameserver.counters import Counters
from nameserver.tcp import (
    BACKLOG,
    Answer,
    Begun,
    Books,
    Connection,
    TcpLimits,
    TcpListener,
    bind_stream,
)
from nameserver.tls import Session

if TYPE_CHECKING:
    from nameserver._streams import HandedStream, Streams

log = structlog.get_logger()


class Connections(Protocol):
    """All TCP listeners of a server: ``listen`` for each address, then ``start``."""

    def listen(self, host: str, port: int) -> None:
        """Bind an address; raises ``OSError``."""

    async def start(self) -> None:
        """Begin to accept."""

    async def stop(self) -> None:
        """Stop accepting and close every connection."""


class PythonConnections:
    """Listeners whose connections are all served on the event loop."""

    def __init__(self, answer: Answer, limits: TcpLimits, counters: Counters) -> None:
        self._answer = answer
        self._limits = limits
        self._counters = counters
        self._books = Books(limits, counters)
        self._listeners: list[TcpListener] = []

    def listen(self, host: str, port: int) -> None:
        """Bind a socket."""
        self._listeners.append(
            TcpListener(host, port, self._answer, self._limits, self._counters, books=self._books)
        )

    async def start(self) -> None:
        """Begin to accept on all of them."""
        for listener in self._listeners:
            await listener.start()

    async def stop(self) -> None:
        """Stop them all."""
        while self._listeners:
            await self._listeners.pop().stop()


Open = Callable[[list[list[int]], TcpLimits], "Streams"]


class CompiledConnections:
    """Listeners whose connections threads serve; here are those that they hand over.

    ``open_streams`` makes the threads for the file descriptors of the listeners, those of one
    worker after the other.
    """

    kind = "tcp"

    def __init__(
        self,
        open_streams: Open,
        answer: Answer,
        limits: TcpLimits,
        counters: Counters,
        workers: int = 1,
    ) -> None:
        self.answer = answer
        self.limits = limits
        self.counters = counters
        self.connections: set[Connection] = set()
        self._open = open_streams
        self._count = workers
        self._sockets: list[list[socket.socket]] = []  # for each address, one for each worker
        self._streams: Streams | None = None
        self._adopting: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int) -> None:
        """Bind a socket for each worker."""
        own = [bind_stream(host, port, shared=self._count > 1)]
        self._sockets.append(own)
        try:
            while len(own) < self._count:
                own.append(bind_stream(host, own[0].getsockname()[1], shared=True))
        except OSError:
            for one in self._sockets.pop():
                one.close()
            raise

    def answer_of(self, session: Session | None) -> Answer:  # noqa: ARG002 (there is no TLS here)
        """Return what answers."""
        return self.answer

    def patience(self) -> float:
        """Return for how many seconds a connection may be idle that was handed over."""
        return self.limits.idle_timeout

    async def start(self) -> None:
        """Listen, and start the threads."""
        for own in self._sockets:
            for one in own:
                one.setblocking(False)
                # Connections inherit it: an answer never waits for the one before it.
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.listen(BACKLOG)
        listeners = [[one.fileno() for one in own] for own in zip(*self._sockets, strict=True)]
        self._streams = self._open(listeners, self.limits)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._streams.fileno(), self._take)
        self.counters.sources.append(self._streams.counts)
        self._streams.start()

    async def stop(self) -> None:
        """End the threads, and close every connection."""
        if self._streams is not None:
            self._loop.remove_reader(self._streams.fileno())
            self._streams.stop()
            for handed in self._streams.take():
                handed.leave()
        for task in list(self._adopting):
            task.cancel()
        await asyncio.gather(*self._adopting, return_exceptions=True)
        for connection in list(self.connections):
            connection.close()
        while self._sockets:
            for one in self._sockets.pop():
                one.close()

    # -- what was handed over

    def _take(self) -> None:
        assert self._streams is not None
        for handed in self._streams.take():
            task = self._loop.create_task(self._adopt(handed))
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)

    async def _adopt(self, handed: HandedStream) -> None:
        """Go on with a connection on the event loop, until its end."""
        begun = Begun((handed.host, handed.port), handed.unsent, handed.unread, handed.leave)
        taken = socket.socket(fileno=handed.detach())
        try:
            await self._loop.connect_accepted_socket(lambda: Connection(self, begun), taken)
        except OSError as error:  # the client is gone
            taken.close()
            handed.leave()
            log.debug("a connection was lost", client=handed.host, reason=str(error))
