"""Connections to a primary, kept and shared by the requests for its zones (RFC 7766)."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Self

import dns.message
import pytest

from axfr import connection, connections
from axfr.client import Client, ClientSettings
from axfr.errors import TransferError
from axfr.inbound import Limits
from tests.peers.plain_primary import PlainPrimary, messages
from tests.peers.waiting import LOOPBACK
from tests.peers.zonetext import ORIGIN, zone_text
from zones.name import from_text
from zones.secondary import Primary

APEX = from_text(ORIGIN)
SETTINGS = ClientSettings(udp_timeout=0.1, udp_tries=1, connect_timeout=1.0, idle_timeout=0.5)


class Counting(PlainPrimary):
    """Counts the connections and what came over each; may close them after some requests."""

    closes_after = 1_000_000

    def __init__(self) -> None:
        super().__init__(ORIGIN, zone_text(5))
        self.requests: Counter[int] = Counter()

    def serve_connection(self, connection: socket.socket) -> None:
        """Answer as many requests as this primary likes."""
        self.requests[connection.fileno()] += 0
        super().serve_connection(Limited(self, connection))  # type: ignore[arg-type]


class Limited:
    """A socket that ends after so many messages were sent."""

    def __init__(self, server: Counting, inner: socket.socket) -> None:
        self._server = server
        self._inner = inner
        self._sent = 0

    def recv(self, size: int) -> bytes:
        """Receive, or be at the end."""
        return b"" if self._sent >= self._server.closes_after else self._inner.recv(size)

    def sendall(self, octets: bytes) -> None:
        """Count and send."""
        self._sent += 1
        self._server.requests[self._inner.fileno()] += 1
        self._inner.sendall(octets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()


@pytest.fixture
def primary() -> Iterator[Counting]:
    """A primary that counts."""
    with Counting() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client, closed afterwards."""
    made = Client(SETTINGS)
    yield made
    await made.close()


def at(primary: PlainPrimary) -> Primary:
    """Return the primary as it is entered."""
    return Primary(LOOPBACK, primary.port)


async def serials(client: Client, primary: PlainPrimary, count: int) -> list[int]:
    """Transfer the zone so many times at once."""
    async with asyncio.timeout(10):
        fetched = await asyncio.gather(
            *(client.fetch(at(primary), APEX, None, Limits()) for _ in range(count))
        )
    return [int.from_bytes(one.packed.blob[8:12], "big") for one in fetched if one.packed]


async def test_requests_share_few_connections(client: Client, primary: Counting) -> None:
    """Forty transfers at once, and one later, come over a handful of connections."""
    assert await serials(client, primary, 40) == [5] * 40
    assert await serials(client, primary, 1) == [5]
    assert sum(primary.requests.values()) == 41
    assert len(primary.requests) <= connections.MOST


async def test_soa_query_takes_a_connection_that_is_there(
    client: Client, primary: Counting
) -> None:
    """A SOA is asked for by UDP at first, over the connection once there is one."""
    assert (await client.query_soa(at(primary), APEX, None)).serial == 5
    assert not primary.requests
    await serials(client, primary, 1)
    assert (await client.query_soa(at(primary), APEX, None)).serial == 5
    assert list(primary.requests.values()) == [2]


@pytest.mark.parametrize("closes_after", [1, 2, 3])
async def test_primary_that_closes_connections(
    client: Client, primary: Counting, closes_after: int
) -> None:
    """Requests that a closing connection took with it are sent again; all are answered."""
    primary.closes_after = closes_after
    assert await serials(client, primary, 30) == [5] * 30
    assert await serials(client, primary, 3) == [5] * 3


async def test_idle_connection_is_closed(
    client: Client, primary: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection with nothing to do is given back after a while."""
    monkeypatch.setattr(connection, "KEEP_SECONDS", 0.1)
    await serials(client, primary, 1)
    async with asyncio.timeout(5):
        while client._connections.has(at(primary)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await serials(client, primary, 1) == [5]


async def test_one_faulty_answer_costs_no_other_zone(client: Client, primary: Counting) -> None:
    """A broken answer fails its own transfer; others on the connection are sent once more."""
    broken = from_text("broken.example.net")
    results = await asyncio.gather(
        *(
            client.fetch(at(primary), broken if number % 5 == 0 else APEX, None, Limits())
            for number in range(20)
        ),
        return_exceptions=True,
    )
    for number, result in enumerate(results):
        if number % 5 == 0:
            assert isinstance(result, TransferError)
            assert (result.rule, result.zone) == ("malformed", broken)
        else:
            assert not isinstance(result, BaseException), result


async def test_silent_exchange_among_others(client: Client, primary: Counting) -> None:
    """Where one request of several is never answered, it alone fails, in its time."""
    silent = from_text("silent.example.net")

    def transfer(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
        if query.question[0].name.to_text() == "silent.example.net.":
            return iter(())
        return messages(query, [*server.records, server.records[0]])

    primary.transfer = transfer
    async with asyncio.timeout(10):
        lost = asyncio.create_task(client.fetch(at(primary), silent, None, Limits()))
        while not lost.done():
            assert await serials(client, primary, 6) == [5] * 6
    error = lost.exception()
    assert isinstance(error, TransferError)
    assert error.rule == "timeout"


async def test_given_up_exchange_leaves_the_connection_sound(
    client: Client, primary: Counting
) -> None:
    """Cancelling one transfer neither fails others nor lets its answer reach them."""
    for _ in range(10):
        tasks = [
            asyncio.create_task(client.fetch(at(primary), APEX, None, Limits())) for _ in range(8)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[3].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(one, BaseException) for one in done) == 1
