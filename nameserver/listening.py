"""All addresses that a server listens on, over UDP, TCP and TLS."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

import structlog

from nameserver.address import Address
from nameserver.configured import rate_limits
from nameserver.counters import Counters
from nameserver.engine import CompiledEngine, Engine
from nameserver.respond import AnswerSettings
from nameserver.settings import Settings
from nameserver.streams import CompiledConnections, Connections, PythonConnections
from nameserver.tcp import Answer, TcpLimits
from zones.errors import DNSError

if TYPE_CHECKING:
    from nameserver.dispatch import Dispatcher
    from nameserver.dot import DotConnections
    from nameserver.tls import Session

log = structlog.get_logger()

# A free port for UDP may be taken for TCP: how often to try another one.
PORT_TRIES: Final = 20
OTHER_FILES: Final = 512  # descriptors for all but the clients' connections


class ListenError(DNSError):
    """An address cannot be listened on."""


class Listeners:
    """The listeners of a server; ``start`` once, ``stop`` once, also after a failed start.

    What the engine leaves to Python goes to the dispatcher of ``hand_over_to``, which has to be called
    before the event loop gets to it.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        counters: Counters,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._dispatcher: Dispatcher | None = None
        self._counters = counters
        self._clock = clock
        self._limits = TcpLimits(
            settings.tcp.max_connections, settings.tcp.per_client, settings.tcp.idle_timeout
        )
        self._connections = self._new_connections()
        self._dot: DotConnections | None = None
        self.tls_addresses: list[Address] = []

    async def start(self, answering: AnswerSettings) -> list[Address]:
        """Listen, and return where, with the ports chosen for a port 0.

        ``tls_addresses`` tells the same of DNS over TLS. Raises ``ListenError``.
        """
        addresses: list[Address] = []
        reasons = self._bind_tls()
        for address in self._settings.listen:
            try:
                addresses.append(Address(address.host, self._bind(address)))
            except OSError as error:
                reasons.append(f"cannot listen on {address}: {listen_reason(error, address)}")
        if reasons:
            raise ListenError("\n".join(reasons))
        allow_files(self._limits.connections * (2 if self._dot else 1))
        limits = rate_limits(self._settings.rrl)
        self._engine.start(answering, self._answer_datagram, limits)
        await self._connections.start()
        if self._dot is not None:
            self._dot.start()
        return addresses

    def hand_over_to(self, dispatcher: Dispatcher) -> None:
        """Name who answers what the engine does not."""
        self._dispatcher = dispatcher

    def reload(self) -> None:
        """Load the certificate again."""
        if self._dot is not None:
            self._dot.renew(force=True)

    async def stop(self) -> None:
        """Stop answering, and close every connection."""
        if self._dot is not None:
            await self._dot.stop()
        await self._connections.stop()
        self._engine.stop()

    def _new_connections(self) -> Connections:
        limits = self._limits
        answer = self._answer_stream
        if isinstance(self._engine, CompiledEngine):
            workers, streams = self._settings.workers, self._engine.open_streams
            return CompiledConnections(streams, answer, limits, self._counters, workers)
        return PythonConnections(answer, limits, self._counters)

    def _bind_tls(self) -> list[str]:
        """Bind what DNS over TLS is answered on; return the reasons against it."""
        settings, reasons = self._settings, []
        if not settings.listen_tls or settings.tls.certificate is None:
            return []
        # Most servers have no certificate, and need not pay for what reads one.
        from nameserver.dot import DotConnections  # noqa: PLC0415
        from nameserver.tls import Certificate, TlsError  # noqa: PLC0415

        tls = settings.tls
        try:
            certificate = Certificate(settings.tls.certificate, tls.key, tls.client_ca)
        except TlsError as error:
            return [f"no DNS over TLS: {error}"]
        self._dot = DotConnections(
            certificate, self._answer_of, self._limits, self._counters, self._clock
        )
        for address in settings.listen_tls:
            try:
                port = self._dot.listen(address.host, address.port)
            except OSError as error:
                reasons.append(f"cannot listen on {address}: {listen_reason(error, address)}")
            else:
                self.tls_addresses.append(Address(address.host, port))
        return reasons

    def _answer_datagram(self, message: bytes, address: str, port: int) -> bytes | None:
        assert self._dispatcher is not None
        return self._dispatcher.answer_datagram(message, address, port)

    def _answer_stream(
        self, message: bytes, address: str, port: int
    ) -> bytes | AsyncIterator[bytes] | None:
        assert self._dispatcher is not None
        return self._dispatcher.answer_stream(message, address, port)

    def _answer_of(self, session: Session | None) -> Answer:
        assert self._dispatcher is not None
        return self._dispatcher.answer_of(session)

    def _bind(self, address: Address) -> int:
        """Bind UDP and TCP to an address; port 0 is any port that is free for both."""
        tries_left = PORT_TRIES if address.port == 0 else 1
        while True:
            tries_left -= 1
            port = self._engine.listen(address)
            try:
                self._connections.listen(address.host, port)
            except OSError:
                self._engine.leave()
                if not tries_left:
                    raise
            else:
                return port


def allow_files(connections: int) -> None:
    """Have the system allow so many connections; where it does not, say what is left of them."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):  # what is there has to do
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft < wanted:
        text = f"{soft} open files are allowed: not enough for {connections} connections"
        log.warning(text, change="LimitNOFILE= of the service, or tcp.max_connections")


def listen_reason(error: OSError, address: Address) -> str:
    """Return why an address cannot be listened on, and what to do."""
    if isinstance(error, PermissionError):
        return f"port {address.port} needs root or the capability CAP_NET_BIND_SERVICE"
    return (error.strerror or str(error)).lower()
