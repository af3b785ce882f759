"""DNS over TLS (RFC 7858): TCP's framing within TLS, on the event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

import structlog

from nameserver.counters import Counters
from nameserver.tcp import BACKLOG, Answer, Begun, Books, Connection, TcpLimits, bind_stream
from nameserver.tls import Certificate, Session

log = structlog.get_logger()

ACCEPTED_AT_ONCE: Final = 32  # before other work of the event loop gets its turn
PAUSE: Final = 0.1  # seconds without accepting, where there are no more file descriptors
LOOK: Final = 10.0  # seconds until it is looked whether the certificate has changed


class DotConnections:
    """All listeners for DNS over TLS of a server: ``listen`` for each address, then ``start``.

    ``answer_of`` returns what answers the queries of a session. Connections are counted from the
    first octet, not from the end of the handshake.
    """

    kind = "tls"

    def __init__(
        self,
        certificate: Certificate,
        answer_of: Callable[[Session | None], Answer],
        limits: TcpLimits,
        counters: Counters,
        clock: Callable[[], float],
    ) -> None:
        self.answer_of = answer_of
        self.limits = limits
        self.counters = counters
        self.connections: set[Connection] = set()
        self._certificate = certificate
        self._clock = clock
        self._books = Books(limits, counters, self.kind)
        self.patience = self._books.patience
        self._sockets: list[socket.socket] = []
        self._handshakes: set[asyncio.Task[None]] = set()
        self._timers: dict[object, asyncio.TimerHandle] = {}

    def listen(self, host: str, port: int) -> int:
        """Bind an address and return the port; raises ``OSError``."""
        self._sockets.append(bind_stream(host, port))
        found: int = self._sockets[-1].getsockname()[1]
        return found

    def start(self) -> None:
        """Begin to accept."""
        self._loop = asyncio.get_running_loop()
        for one in self._sockets:
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.listen(BACKLOG)
            self._loop.add_reader(one.fileno(), self._accept, one)
        self._certificate.warn(self._clock())
        self._look_later()

    async def stop(self) -> None:
        """Stop accepting and close every connection."""
        for timer in self._timers.values():
            timer.cancel()
        for one in self._sockets:
            if hasattr(self, "_loop"):
                self._loop.remove_reader(one.fileno())
            one.close()
        self._sockets.clear()
        for task in list(self._handshakes):
            task.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        for connection in list(self.connections):
            connection.close()

    def renew(self, *, force: bool = False) -> None:
        """Take a new certificate for new connections, if there is one."""
        if self._certificate.renew(self._clock(), force=force):
            self.counters.count("tls.certificates-loaded")

    def _look_later(self) -> None:
        self._timers["certificate"] = self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        self.renew()
        self._look_later()

    # -- connections

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, peer = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.counters.count("tls.accept-failed")
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause(listener)
                return
            if not self._books.admit(peer[0]):
                accepted.close()
                continue
            accepted.setblocking(False)
            task = self._loop.create_task(self._secure(accepted, (peer[0], peer[1])))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    def _pause(self, listener: socket.socket) -> None:
        self._loop.remove_reader(listener.fileno())
        self._timers[listener] = self._loop.call_later(
            PAUSE, self._loop.add_reader, listener.fileno(), self._accept, listener
        )

    async def _secure(self, accepted: socket.socket, client: tuple[str, int]) -> None:
        """Shake hands, and serve."""
        begun = Begun(client, b"", b"", lambda: self._books.leave(client[0]))
        connection = Connection(self, begun)
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self.patience(),
            )
        except OSError as error:  # TLS and timeouts raise such ones, too
            self.counters.count("tls.handshakes-failed")
            log.debug("no TLS", client=client[0], reason=str(error))
            accepted.close()
        finally:
            if not connection.was_made:
                begun.leave()
