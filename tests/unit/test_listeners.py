"""The UDP and TCP listeners with a stand-in for the answering part."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from nameserver.counters import Counters
from nameserver.tcp import TcpLimits, TcpListener
from nameserver.udp import UdpListener


def echo(query: bytes, _address: str, _port: int) -> bytes | None:
    """Answer a query with its own octets, and stay silent to an empty one."""
    return query or None


async def udp_exchange(address: str, port: int, payload: bytes) -> tuple[bytes, str]:
    """Send one datagram and return the answer and the address it came from."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_sendto(client, payload, (address, port))
        answer, source = await asyncio.wait_for(loop.sock_recvfrom(client, 65535), 5)
    return answer, source[0]


@pytest.mark.parametrize(("bound", "asked"), [("0.0.0.0", "127.0.0.9"), ("::1", "::1")])
async def test_udp_answers_from_the_address_asked(bound: str, asked: str) -> None:
    """A wildcard socket answers from the address that the query was sent to."""
    loop = asyncio.get_running_loop()
    listener = UdpListener(bound, 0, echo, Counters())
    listener.start(loop)
    try:
        assert await udp_exchange(asked, listener.port, b"hello") == (b"hello", asked)
    finally:
        listener.stop(loop)


async def start_tcp(answer: object = echo, **limits: float) -> tuple[TcpListener, Counters]:
    """Start a TCP listener on a free port of the loopback address."""
    counters = Counters()
    listener = TcpListener("127.0.0.1", 0, answer, TcpLimits(**limits), counters)  # type: ignore[arg-type]
    await listener.start()
    return listener, counters


def frame(payload: bytes) -> bytes:
    """Return a message with its length in front (RFC 1035 4.2.2)."""
    return struct.pack("!H", len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one message."""
    (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), 5))
    return await asyncio.wait_for(reader.readexactly(length), 5)


async def test_tcp_answers_pipelined_queries_in_any_split() -> None:
    """Queries that arrive in one piece, or octet by octet, are each answered."""
    listener, _ = await start_tcp()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    stream = frame(b"one") + frame(b"two") + frame(b"three")
    writer.write(stream)
    assert [await read_frame(reader) for _ in range(3)] == [b"one", b"two", b"three"]
    for octet in stream:
        writer.write(bytes((octet,)))
        await writer.drain()
    assert [await read_frame(reader) for _ in range(3)] == [b"one", b"two", b"three"]
    writer.close()
    await listener.stop()


async def test_tcp_closes_idle_connections_even_when_octets_trickle() -> None:
    """A connection without a whole query within the idle time is closed."""
    listener, counters = await start_tcp(idle_timeout=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"\x00\xff\x01")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert counters.snapshot()["tcp.idle-closed"] == 1
    writer.close()
    await listener.stop()


async def test_tcp_limits_connections_per_client() -> None:
    """The connection above a client's limit is closed, the others go on."""
    listener, counters = await start_tcp(per_client=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(frame(b"first"))
    assert await read_frame(reader) == b"first"
    second, second_writer = await asyncio.open_connection("127.0.0.1", listener.port)
    assert await asyncio.wait_for(second.read(), 5) == b""
    assert counters.snapshot()["tcp.refused-connections"] == 1
    writer.write(frame(b"still"))
    assert await read_frame(reader) == b"still"
    second_writer.close()
    writer.close()
    await listener.stop()


async def test_tcp_answers_others_while_a_transfer_runs() -> None:
    """A stream of messages does not hold up a query behind it on the same connection."""
    release = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield b"stream-1"
        await release.wait()
        yield b"stream-2"

    def answer(query: bytes, _address: str, _port: int) -> bytes | AsyncIterator[bytes]:
        return stream() if query == b"transfer" else query

    listener, _ = await start_tcp(answer)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(frame(b"transfer"))
    assert await read_frame(reader) == b"stream-1"
    writer.write(frame(b"query"))
    assert await read_frame(reader) == b"query"
    release.set()
    assert await read_frame(reader) == b"stream-2"
    writer.close()
    await listener.stop()
