"""Asking primaries over the network: the asyncio shell around ``soa_query``, ``inbound``, ``ixfr``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from cachetools import LRUCache

from axfr.answer_stream import AnswerStream, Limits
from axfr.connection import E, Make
from axfr.connections import Connections, Times
from axfr.errors import TransferError
from axfr.ids import new_id
from axfr.inbound import InboundTransfer
from axfr.ixfr import RULE, IncrementalTransfer
from axfr.message import FORMERR, NOTIMP
from axfr.own_certificate import OwnCertificate
from axfr.places import Places
from axfr.soa_query import SoaAnswer, SoaQuery, Truncated, Unrelated
from axfr.source import SOURCE, is_not_ours, not_ours
from zones.changes import Changes
from zones.name import Name
from zones.packing import Packed
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion

# Work on more than this leaves the event loop's thread, so that others are not kept waiting.
INLINE_RECORDS: Final = 2000

EDNS_HOLD: Final = 3600.0  # seconds that a primary is asked without EDNS
MOST_PRIMARIES: Final = 10_000  # that are remembered for that

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Times in seconds, and the addresses to ask from."""

    udp_timeout: float = 2.0  # of each try
    udp_tries: int = 3
    connect_timeout: float = 5.0
    idle_timeout: float = 30.0  # between two pieces of an answer over TCP
    source: str | None = None
    source6: str | None = None
    own: OwnCertificate | None = None  # shown to primaries that ask for one

    def local_address(self, primary: Primary) -> tuple[str, int] | None:
        """Return what to bind to for this primary; the port is left to the system."""
        source = primary.source or (self.source6 if ":" in primary.address else self.source)
        return (source, 0) if source else None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a transfer brought; ``seconds`` from the request to the packed form.

    ``packed`` is the whole zone; ``changes`` are differences from the base that was asked from.
    Where neither came, the primary has nothing newer; ``soa`` is its SOA rdata. ``records`` counts
    those received; ``expire`` are the seconds until the zone expires at the primary, if it tells.
    """

    soa: bytes
    packed: Packed | None
    changes: Changes | None
    octets: int
    records: int
    messages: int
    seconds: float
    expire: int | None = None


class Client:
    """Asks primaries; connections to them are kept for a while. ``close`` when done."""

    def __init__(self, settings: ClientSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._without_edns: LRUCache[tuple[str, int], float] = LRUCache(MOST_PRIMARIES)
        times = Times(settings.connect_timeout, settings.idle_timeout)
        self._connections = Connections(times, clock, settings.own)
        self._places = Places()

    async def query_soa(self, primary: Primary, apex: Name, key: TsigKey | None) -> SoaAnswer:
        """Return what the primary says of its SOA; raises ``TransferError``.

        A connection to it that is there is used, and over TLS no other way. Else UDP is tried a few times, then TCP: once for
        a truncated answer, and once where none came, in case that only UDP is blocked.
        """
        return await self._with_edns(primary, partial(self._query_soa, primary, apex, key))

    async def _query_soa(
        self, primary: Primary, apex: Name, key: TsigKey | None, *, with_edns: bool
    ) -> SoaAnswer:
        def make(query_id: int) -> SoaQuery:
            peer = str(primary)
            return SoaQuery(apex, query_id=query_id, peer=peer, key=key, with_edns=with_edns)

        if primary.tls is None and not self._connections.has(primary):
            query = make(new_id())
            request = query.request(self._clock())
            with suppress(TimeoutError, Truncated, OSError):
                return await _ask_udp(primary, query, request, self._settings, self._clock)
        try:
            done = await self._run(primary, apex, lambda query_id: _SoaExchange(make(query_id)))
        except TransferError as error:
            if error.rule == "cut-short":  # closed without an answer, as good as not there
                raise TransferError(apex, str(primary), "unreachable", error.reason) from error
            raise
        assert done.answer is not None
        return done.answer

    async def try_soa(
        self, primary: Primary, apex: Name, key: TsigKey | None, *, tcp: bool
    ) -> SoaAnswer:
        """Ask for the SOA over UDP or over TCP, and no other way; raises ``TransferError``."""

        def make(query_id: int) -> SoaQuery:
            return SoaQuery(apex, query_id=query_id, peer=str(primary), key=key)

        if tcp:
            done = await self._run(primary, apex, lambda query_id: _SoaExchange(make(query_id)))
            assert done.answer is not None
            return done.answer
        query = make(new_id())
        request = query.request(self._clock())
        try:
            return await _ask_udp(primary, query, request, self._settings, self._clock)
        except TimeoutError:
            raise query.error("timeout", "it sent nothing back over UDP") from None
        except Truncated:
            raise query.error("malformed", "its SOA record does not fit in a datagram") from None
        except OSError as error:
            if is_not_ours(error, source := self._settings.local_address(primary)):
                raise query.error(SOURCE, not_ours(source)) from error
            raise query.error("unreachable", f"no answer over UDP: {error.strerror}") from error

    async def certificate(self, primary: Primary, apex: Name) -> bytes:
        """Return the certificate that a primary shows, in DER form; raises ``TransferError``."""
        source = self._settings.local_address(primary)
        return await self._connections.certificate(primary, apex, source=source)

    async def fetch(
        self, primary: Primary, apex: Name, key: TsigKey | None, limits: Limits
    ) -> Fetched:
        """Transfer the whole zone by AXFR; raises ``TransferError``."""
        return await self._with_edns(primary, partial(self._fetch, primary, apex, key, limits))

    async def _fetch(
        self, primary: Primary, apex: Name, key: TsigKey | None, limits: Limits, *, with_edns: bool
    ) -> Fetched:
        def make(query_id: int) -> InboundTransfer:
            return InboundTransfer(
                apex,
                query_id=query_id,
                peer=str(primary),
                key=key,
                limits=limits,
                with_edns=with_edns,
            )

        started = time.perf_counter()
        done = await self._run(primary, apex, make)
        packed = (
            await asyncio.to_thread(done.finish) if done.records > INLINE_RECORDS else done.finish()
        )
        return _fetched(done.stream, started, done.soa, packed, None)

    async def fetch_changes(
        self, primary: Primary, base: ZoneVersion, key: TsigKey | None, limits: Limits
    ) -> Fetched:
        """Ask for what changed since ``base`` by IXFR; raises ``TransferError``.

        Where the whole zone will have to be asked for instead, ``IxfrFailed``.
        """
        ask = partial(self._fetch_changes, primary, base, key, limits)
        return await self._with_edns(primary, ask)

    async def _fetch_changes(
        self,
        primary: Primary,
        base: ZoneVersion,
        key: TsigKey | None,
        limits: Limits,
        *,
        with_edns: bool,
    ) -> Fetched:
        last: list[IncrementalTransfer] = []

        def make(query_id: int) -> IncrementalTransfer:
            last[:] = [
                IncrementalTransfer(
                    base,
                    query_id=query_id,
                    peer=str(primary),
                    key=key,
                    limits=limits,
                    with_edns=with_edns,
                )
            ]
            return last[0]

        started = time.perf_counter()
        heavy = base.record_count > INLINE_RECORDS
        try:
            done = await self._run(primary, base.apex, make, heavy=heavy)
            many = done.is_whole and done.stream.records > INLINE_RECORDS
            packed = await asyncio.to_thread(done.finish) if many else done.finish()
        except TransferError as error:
            if last and may_ask_for_all(error, last[0].stream):
                raise IxfrFailed(error, last[0].stream.rcode) from error
            raise
        changes = None if packed or done.is_current else done.changes
        return _fetched(done.stream, started, done.soa, packed, changes)

    async def close(self) -> None:
        """Close all connections."""
        self._connections.close()
        await asyncio.sleep(0)  # in which the loop gives their sockets back

    async def _with_edns(self, primary: Primary, ask: Callable[..., Awaitable[T]]) -> T:
        """Ask with EDNS, and once more without where that is not understood (RFC 6891 7)."""
        where, now = (primary.address, primary.port), self._clock()
        if self._without_edns.get(where, 0.0) > now:
            return await ask(with_edns=False)
        try:
            return await ask(with_edns=True)
        except TransferError as error:
            if error.rcode not in (FORMERR, NOTIMP):
                raise
        answer = await ask(with_edns=False)
        self._without_edns[where] = now + EDNS_HOLD
        return answer

    async def _run(self, primary: Primary, apex: Name, make: Make[E], *, heavy: bool = False) -> E:
        source = self._settings.local_address(primary)
        async with self._places.one_of(primary):
            return await self._connections.run(primary, apex, make, source=source, heavy=heavy)


class IxfrFailed(TransferError):
    """An IXFR that an AXFR may make up for; ``rcode`` is that of the answer, mostly 0."""

    def __init__(self, error: TransferError, rcode: int) -> None:
        super().__init__(error.zone, error.peer, RULE, error.reason)
        self.rcode = rcode


def may_ask_for_all(error: TransferError, stream: AnswerStream) -> bool:
    """Tell whether an AXFR may do what an IXFR did not.

    Not where nobody answered, where keys do not fit, or where the zone is not there.
    """
    if error.rule in ("unreachable", "timeout"):
        return stream.messages > 0
    if error.rule in ("primary-not-authoritative", "too-slow", SOURCE):
        return False
    return not error.rule.startswith(("tsig-", "key-", "tls-"))


class _SoaExchange:
    """A SOA query as an exchange over TCP."""

    def __init__(self, query: SoaQuery) -> None:
        self._query = query
        self.request = query.request
        self.answer: SoaAnswer | None = None
        self.seconds = float("inf")  # the time between two messages bounds it

    def receive(self, message: bytes, now: float) -> bool:
        """Take the answer."""
        try:
            self.answer = self._query.receive(message, now)
        except Truncated:
            raise self._query.error("malformed", "a truncated message over TCP") from None
        except Unrelated as error:
            raise self._query.error("malformed", str(error)) from error
        return True

    def closed(self) -> None:
        """Tell that no answer will come."""
        raise self._query.error("unreachable", "it closed the connection within its answer")

    def late(self) -> None:
        """Tell that the answer took too long."""
        raise self._query.error("timeout", "it did not answer in time")


def _fetched(
    stream: AnswerStream,
    started: float,
    soa: bytes,
    packed: Packed | None,
    changes: Changes | None,
) -> Fetched:
    return Fetched(
        soa,
        packed,
        changes,
        stream.octets,
        stream.records,
        stream.messages,
        time.perf_counter() - started,
        stream.expire,
    )


async def off_the_loop(work: Callable[[], T], *, many: bool) -> T:
    """Do the work, in a thread where there is much of it."""
    return await asyncio.to_thread(work) if many else work()


class _Inbox(asyncio.DatagramProtocol):
    """Collects what a connected UDP socket receives."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception] = asyncio.Queue(maxsize=64)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 (connected)
        if not self.queue.full():
            self.queue.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if not self.queue.full():
            self.queue.put_nowait(exc)


async def _ask_udp(
    primary: Primary,
    query: SoaQuery,
    request: bytes,
    settings: ClientSettings,
    clock: Callable[[], float],
) -> SoaAnswer:
    """Ask over UDP; raises ``TimeoutError`` and ``OSError`` beside what ``receive`` does."""
    transport, inbox = await asyncio.get_running_loop().create_datagram_endpoint(
        _Inbox,
        remote_addr=(primary.address, primary.port),
        local_addr=settings.local_address(primary),
    )
    try:
        for _ in range(settings.udp_tries):
            transport.sendto(request)
            try:
                async with asyncio.timeout(settings.udp_timeout):
                    return await _first_answer(inbox, query, clock)
            except TimeoutError:
                continue
    finally:
        transport.close()
    raise TimeoutError


async def _first_answer(inbox: _Inbox, query: SoaQuery, clock: Callable[[], float]) -> SoaAnswer:
    while True:
        received = await inbox.queue.get()
        if isinstance(received, Exception):
            raise received
        try:
            return query.receive(received, clock())
        except Unrelated:
            continue
