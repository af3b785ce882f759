"""The engine: what answers, in plain Python or compiled, behind one face.

Either way the control plane has one zone table to look things up in, changes zones through the
engine alone, and answers what the engine leaves to it (``HandOver``).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from nameserver import cookies, edns, message
from nameserver.address import Address
from nameserver.answer import Kind
from nameserver.cookies import NO_COOKIE, Client
from nameserver.counters import Counters
from nameserver.limited import LimitedAnswers
from nameserver.python_engine import PythonEngine
from nameserver.respond import (
    AnswerSettings,
    HandOver,
    Response,
    Transport,
)
from nameserver.rrl import RateLimits
from nameserver.table import ServedZone, ZoneTable
from nameserver.tcp import TcpLimits
from nameserver.udp import WHOLE, Answer, bind_datagram, send_whole
from zones.errors import DNSError
from zones.name import Name, display, fold
from zones.packed import PackedError
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from nameserver._streams import Streams
    from nameserver._workers import Workers

try:
    from nameserver import _answer, _rrl, _streams, _workers
except ImportError:  # no compiler where this was installed
    compiled_available = False
else:
    compiled_available = True

log = structlog.get_logger()

HANDED_OVER_AT_ONCE: Final = 64  # datagrams, before other work of the event loop gets its turn
GRACE_SECONDS: Final = 0.01  # until it is looked whether workers may still see what was replaced


class Engine(Protocol):
    """Answers from zones; all methods but ``prepare`` are for the event loop's thread.

    ``listen`` comes first, then ``start``. ``name`` is ``python`` or ``compiled``;
    ``has_threads`` tells whether answers are given whatever Python does meanwhile.
    """

    name: str
    has_threads: bool
    table: ZoneTable

    def prepare(self, version: ZoneVersion) -> None:
        """Do most of the work of ``replace`` ahead of it; from any thread, for large zones."""

    def load_many(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Put in many small zones that are in service: (id of the version, packed form).

        From any thread, before ``start``. They must not be there yet; damaged content is passed over.
        """

    def loaded_signed(self) -> Sequence[Name]:
        """Return the zones that came by ``load_many`` and are signed, or may be."""

    def loaded_id(self, apex: Name) -> int:
        """Return the id of a zone that came by ``load_many`` and has not changed, or 0."""

    def replace(self, served: ServedZone) -> None:
        """Put a zone in, in place of what stood at its apex."""

    def remove(self, apex: Name) -> None:
        """Take a zone out; one that is not there is no error."""

    def respond(
        self,
        query: bytes,
        transport: Transport,
        settings: AnswerSettings,
        client: Client | None = None,
    ) -> bytes | HandOver | None:
        """Answer one message: see ``nameserver.respond``; a datagram's answer may be limited."""

    def listen(self, address: Address) -> int:
        """Bind UDP to an address and return the port; raises ``OSError``."""

    def leave(self) -> None:
        """Give up the address of the last ``listen``."""

    def start(
        self, settings: AnswerSettings, answer: Answer, limits: RateLimits | None = None
    ) -> None:
        """Begin to answer datagrams; ``answer`` takes those that are handed over.

        Without ``limits`` responses are not limited.
        """

    def use(self, settings: AnswerSettings) -> None:
        """Answer datagrams by other settings from now on; the ``udp_limit`` stays as it is."""

    def stop(self) -> None:
        """Stop answering and close the sockets."""


class CompiledEngine:
    """Answers in threads that need no GIL; Python sees only what they hand over.

    What they read is freed some time after it was replaced: when each of them has finished what it
    was doing then (``Workers.passed``).
    """

    name = "compiled"
    has_threads = True

    def __init__(self, workers: int, counters: Counters) -> None:
        self._count = workers
        self._counters = counters
        self._compiled = _answer.CompiledTable()
        self.table = self._compiled.served
        self._sockets: list[list[socket.socket]] = []  # for each address, one for each worker
        self._workers: Workers | None = None
        self._readers: list[Workers | Streams] = []
        # For each reader the epoch that began after these were replaced.
        self._replaced: deque[tuple[list[int], list[object]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._limiter: LimitedAnswers | None = None

    def prepare(self, version: ZoneVersion) -> None:
        """Build the image."""
        with suppress(PackedError):  # ``replace`` will tell
            self._compiled.prepare(version)

    def load_many(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Put in many zones, for which Python has no objects until somebody asks for them."""
        for (number, blob), reason in self._compiled.load_many(rows):
            text = (
                f"version {number}, {len(blob)} octets, cannot be served as it is stored: {reason}"
            )
            log.error(text)

    def loaded_signed(self) -> Sequence[Name]:
        """Return the zones that came by ``load_many`` and are signed."""
        return self._compiled.loaded_apexes(signed=True)

    def loaded_id(self, apex: Name) -> int:
        """Return the id of a zone that came by ``load_many`` and has not changed, or 0."""
        return self._compiled.loaded_id(apex)

    def replace(self, served: ServedZone) -> None:
        """Put a zone in, in place of what stood at its apex; damaged content is passed over."""
        try:
            self._compiled.replace(served)
        except PackedError as error:
            text = f"zone {display(served.apex)} cannot be served as it is stored: {error}"
            log.error(text)
        if self._workers is not None:
            self._retire()

    def remove(self, apex: Name) -> None:
        """Take a zone out."""
        self._compiled.remove(apex)
        self._retire()

    def respond(
        self,
        query: bytes,
        transport: Transport,
        settings: AnswerSettings,
        client: Client | None = None,
    ) -> bytes | HandOver | None:
        """Answer one message."""
        answer = self._compiled.respond(query, transport, settings, client)
        if transport is Transport.UDP and client is not None and isinstance(answer, bytes):
            return self._limited(answer, query, settings, client)
        return answer

    def _limited(
        self, answer: bytes, query: bytes, settings: AnswerSettings, client: Client
    ) -> bytes | None:
        if self._limiter is None:
            return answer
        # A worker would have limited it. Names that are no apex can be made up without end.
        asked = message.parse_query(query)
        value = asked.edns.value(edns.COOKIE) if asked.edns else None
        cookie = cookies.answer(value, client, settings.cookie_secrets) if value else NO_COOKIE
        name = fold(asked.qname)
        kind, subject = Kind.POSITIVE, name
        if answer[3] & 0xF or self.table.get(name) is None:
            kind, subject = Kind.FAILURE, b""
        response = Response(answer, kind, subject, cookie.verdict)
        return self._limiter.judge(response, query, settings, client)

    # -- the sockets

    def listen(self, address: Address) -> int:
        """Bind a socket for each worker."""
        first = bind_datagram(address.host, address.port, shared=self._count > 1)
        port: int = first.getsockname()[1]
        self._sockets.append([first])
        try:
            while len(self._sockets[-1]) < self._count:
                self._sockets[-1].append(bind_datagram(address.host, port, shared=True))
        except OSError:
            self.leave()
            raise
        return port

    def leave(self) -> None:
        """Close the sockets of the last address."""
        for one in self._sockets.pop():
            one.close()

    def start(
        self, settings: AnswerSettings, answer: Answer, limits: RateLimits | None = None
    ) -> None:
        """Start the workers."""
        self._answer = answer
        self._limiter = LimitedAnswers(limits, self._counters) if limits is not None else None
        self._loop = asyncio.get_running_loop()
        self._compiled.take_retired()  # nobody but this thread has seen it
        self._workers = _workers.Workers(
            self._compiled,
            _answer.AnswerSettingsCompiled(settings),
            [[one.fileno() for one in own] for own in zip(*self._sockets, strict=True)],
            _rrl.RateLimitsCompiled(limits) if limits is not None else None,
        )
        if settings.udp_limit <= WHOLE:
            for sockets in self._sockets:
                for one in sockets:
                    send_whole(one)
        self._settings = settings
        self._readers.append(self._workers)
        self._loop.add_reader(self._workers.fileno(), self._take)
        self._counters.sources.append(self._workers.counts)
        self._workers.start()

    def use(self, settings: AnswerSettings) -> None:
        """Give the workers other settings."""
        self._settings = settings
        if self._readers:
            used = _answer.AnswerSettingsCompiled(settings)
            self._free_later([reader.use(used) for reader in self._readers])

    def open_streams(self, listeners: list[list[int]], limits: TcpLimits) -> Streams:
        """Return threads that serve connections, not started; after ``start``.

        They are to be stopped before the engine is.
        """
        streams = _streams.Streams(
            self._compiled,
            _answer.AnswerSettingsCompiled(self._settings),
            listeners,
            connections=limits.connections,
            per_client=limits.per_client,
            idle=limits.idle_timeout,
        )
        self._readers.append(streams)
        return streams

    def stop(self) -> None:
        """End the workers and close their sockets."""
        if self._timer is not None:
            self._timer.cancel()
        if self._workers is not None:
            self._loop.remove_reader(self._workers.fileno())
            self._workers.stop()
            self._readers.clear()
            self._replaced.clear()
        while self._sockets:
            self.leave()

    def _take(self) -> None:
        """Answer what was handed over."""
        assert self._workers is not None
        for one in self._workers.take(HANDED_OVER_AT_ONCE):
            answer = self._answer(one.message, one.host, one.port)
            if answer is not None and not one.reply(answer):
                self._counters.count("udp.send-failed")

    # -- what was replaced

    def _retire(self) -> None:
        retired = self._compiled.take_retired()
        if not retired or self._workers is None:
            return
        self._free_later(retired)

    def _free_later(self, replaced: list[object]) -> None:
        """Keep what was replaced until no worker can see it any more."""
        self._replaced.append(([reader.advance() for reader in self._readers], replaced))
        if self._timer is None:
            self._timer = self._loop.call_later(GRACE_SECONDS, self._free)

    def _free(self) -> None:
        """Free what no worker can see any more."""
        self._timer = None
        while self._replaced and self._is_over(self._replaced[0][0]):
            self._replaced.popleft()
        if self._replaced:
            self._timer = self._loop.call_later(GRACE_SECONDS, self._free)

    def _is_over(self, epochs: list[int]) -> bool:
        """Tell whether no reader sees what was replaced before; later readers never saw it."""
        pairs = zip(self._readers, epochs, strict=False)
        return all(reader.passed(epoch) for reader, epoch in pairs)


def new_engine(wanted: str, workers: int, counters: Counters) -> Engine:
    """Return the engine that ``wanted`` names; raises ``DNSError`` where it was not compiled.

    ``auto`` is the compiled one where there is one.
    """
    if wanted == "compiled" and not compiled_available:
        raise DNSError("engine = compiled, but the compiled modules are not installed")
    if wanted == "python" or not compiled_available:
        return PythonEngine(counters)
    return CompiledEngine(workers, counters)
