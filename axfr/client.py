"""Asking primaries over the network: the thin asyncio shell around ``soa_query`` and ``inbound``."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from axfr.errors import TransferError
from axfr.framing import Frames, frame
from axfr.inbound import InboundTransfer, Limits
from axfr.soa_query import SoaAnswer, SoaQuery, Truncated, Unrelated
from zones.name import Name
from zones.packing import Packed
from zones.secondary import Primary, TsigKey

CHUNK: Final = 1 << 18  # octets read at once
# Work on more than this leaves the event loop's thread, so that others are not kept waiting.
INLINE_OCTETS: Final = 1 << 16
INLINE_RECORDS: Final = 2000


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Times in seconds, and the addresses to ask from."""

    udp_timeout: float = 2.0  # of each try
    udp_tries: int = 3
    connect_timeout: float = 5.0
    idle_timeout: float = 30.0  # between two pieces of an answer over TCP
    source: str | None = None
    source6: str | None = None

    def local_address(self, primary: Primary) -> tuple[str, int] | None:
        """Return what to bind to for this primary; the port is left to the system."""
        source = self.source6 if ":" in primary.address else self.source
        return (source, 0) if source else None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A zone as it was transferred; ``seconds`` from the connection to the packed form."""

    packed: Packed
    octets: int
    messages: int
    seconds: float


async def query_soa(
    primary: Primary,
    apex: Name,
    key: TsigKey | None,
    settings: ClientSettings,
    *,
    clock: Callable[[], float] = time.time,
) -> SoaAnswer:
    """Return what the primary says of its SOA; raises ``TransferError``.

    UDP is tried a few times, then TCP: once for a truncated answer, and once where none came, in
    case that only UDP is blocked.
    """
    query = SoaQuery(apex, query_id=secrets.randbelow(0x10000), peer=str(primary), key=key)
    request = query.request(clock())
    try:
        return await _ask_udp(primary, query, request, settings, clock)
    except (TimeoutError, Truncated, OSError):
        return await _ask_tcp(primary, query, request, settings, clock)


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


async def _ask_tcp(
    primary: Primary,
    query: SoaQuery,
    request: bytes,
    settings: ClientSettings,
    clock: Callable[[], float],
) -> SoaAnswer:
    async with _connection(primary, query.apex, settings) as (reader, writer):
        writer.write(frame(request))
        frames = Frames()
        while chunk := await _read(reader, settings):
            for message in frames.feed(chunk):
                try:
                    return query.receive(message, clock())
                except Truncated:
                    reason = "a truncated message over TCP"
                    raise TransferError(query.apex, str(primary), "malformed", reason) from None
                except Unrelated as error:
                    reason = str(error)
                    raise TransferError(query.apex, str(primary), "malformed", reason) from error
    raise TransferError(
        query.apex, str(primary), "unreachable", "it closed the connection without an answer"
    )


async def fetch(
    primary: Primary,
    apex: Name,
    key: TsigKey | None,
    settings: ClientSettings,
    limits: Limits,
    *,
    clock: Callable[[], float] = time.time,
) -> Fetched:
    """Transfer the whole zone by AXFR; raises ``TransferError``."""
    started = time.perf_counter()
    transfer = InboundTransfer(
        apex, query_id=secrets.randbelow(0x10000), peer=str(primary), key=key, limits=limits
    )
    try:
        async with asyncio.timeout(limits.seconds):
            async with _connection(primary, apex, settings) as (reader, writer):
                writer.write(frame(transfer.request(clock())))
                await _receive(reader, transfer, settings, clock)
            if transfer.records > INLINE_RECORDS:
                packed = await asyncio.to_thread(transfer.finish)
            else:
                packed = transfer.finish()
    except TimeoutError:
        reason = f"it took longer than the {limits.seconds:.0f} seconds allowed"
        raise TransferError(apex, str(primary), "too-slow", reason) from None
    seconds = time.perf_counter() - started
    return Fetched(packed, transfer.octets, transfer.messages, seconds)


async def _receive(
    reader: asyncio.StreamReader,
    transfer: InboundTransfer,
    settings: ClientSettings,
    clock: Callable[[], float],
) -> None:
    frames = Frames()
    complete = False
    while not complete:
        chunk = await _read(reader, settings)
        if not chunk:
            transfer.closed()
        messages = frames.feed(chunk)
        if len(chunk) > INLINE_OCTETS:
            complete = await asyncio.to_thread(_feed, transfer, messages, clock())
        else:
            complete = _feed(transfer, messages, clock())


def _feed(transfer: InboundTransfer, messages: list[bytes], now: float) -> bool:
    return any(transfer.receive(message, now) for message in messages)


class _Silent(Exception):
    """The primary sent nothing for too long."""


async def _read(reader: asyncio.StreamReader, settings: ClientSettings) -> bytes:
    """Return what has arrived, nothing at the end; raises ``_Silent``."""
    try:
        async with asyncio.timeout(settings.idle_timeout):
            return await reader.read(CHUNK)
    except TimeoutError:
        raise _Silent from None


@asynccontextmanager
async def _connection(
    primary: Primary, apex: Name, settings: ClientSettings
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and close when done; what goes wrong in between is told as ``TransferError``."""
    try:
        async with asyncio.timeout(settings.connect_timeout):
            reader, writer = await asyncio.open_connection(
                primary.address,
                primary.port,
                local_addr=settings.local_address(primary),
                limit=CHUNK,
            )
    except TimeoutError:
        reason = f"no connection within {settings.connect_timeout:.0f} seconds"
        raise TransferError(apex, str(primary), "timeout", reason) from None
    except OSError as error:
        reason = f"no connection: {_plain(error)}"
        raise TransferError(apex, str(primary), "unreachable", reason) from error
    try:
        yield reader, writer
    except _Silent:
        reason = f"it sent nothing for {settings.idle_timeout:.0f} seconds"
        raise TransferError(apex, str(primary), "timeout", reason) from None
    except OSError as error:
        reason = f"the connection broke: {_plain(error)}"
        raise TransferError(apex, str(primary), "unreachable", reason) from error
    finally:
        writer.close()


def _plain(error: OSError) -> str:
    """Return the system's words for the error, without Python's."""
    if error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
