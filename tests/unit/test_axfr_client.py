"""Asking a primary over loopback: SOA query and transfer, and all that may not come back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import dns.message
import pytest

from axfr.client import Client, ClientSettings, Fetched
from axfr.errors import TransferError
from axfr.inbound import Limits
from axfr.soa_query import SoaAnswer
from tests.peers.base import Key
from tests.peers.plain_primary import PlainPrimary, messages
from tests.peers.waiting import LOOPBACK, free_port
from tests.peers.zonetext import ORIGIN, zone_text
from zones.name import Name, from_text
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion

APEX = from_text(ORIGIN)
QUICK = ClientSettings(udp_timeout=0.1, udp_tries=2, connect_timeout=1.0, idle_timeout=0.3)
WIRE_KEY = Key()
KEY = TsigKey(from_text(WIRE_KEY.name), WIRE_KEY.algorithm, b"thirty-two octets of a secret...")
ZONE = zone_text(5, *(f"host{number} 300 A 192.0.2.{number}" for number in range(200)))


def at(primary: PlainPrimary) -> Primary:
    """Return the primary as a secondary has it entered."""
    return Primary(LOOPBACK, primary.port)


async def query_soa(
    primary: Primary, apex: Name, key: TsigKey | None, settings: ClientSettings
) -> SoaAnswer:
    """Ask for a SOA as a client that has no connection yet."""
    client = Client(settings)
    try:
        return await client.query_soa(primary, apex, key)
    finally:
        await client.close()


async def fetch(
    primary: Primary, apex: Name, key: TsigKey | None, settings: ClientSettings, limits: Limits
) -> Fetched:
    """Transfer a zone over a new connection."""
    client = Client(settings)
    try:
        return await client.fetch(primary, apex, key, limits)
    finally:
        await client.close()


async def failure(query: object) -> TransferError:
    """Return what the query fails with."""
    with pytest.raises(TransferError) as raised:
        await query  # type: ignore[misc]
    return raised.value


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
async def test_soa_and_transfer(key: TsigKey | None) -> None:
    """Serial and zone come from a primary, with and without a key."""
    with PlainPrimary(ORIGIN, ZONE, key=WIRE_KEY if key else None) as primary:
        answer = await query_soa(at(primary), APEX, key, QUICK)
        assert answer.serial == 5
        fetched = await fetch(at(primary), APEX, key, QUICK, Limits())
        assert fetched.packed
        version = ZoneVersion(fetched.packed.blob)
        assert (version.serial, version.record_count) == (5, 203)
        assert fetched.messages > 1


async def test_source_address() -> None:
    """Queries leave from the address that is set."""
    settings = ClientSettings(udp_timeout=0.5, source="127.0.0.9")
    with PlainPrimary(ORIGIN, ZONE) as primary:
        assert (await query_soa(at(primary), APEX, None, settings)).serial == 5
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind((LOOPBACK, 0))
            deaf.setblocking(False)
            silent = Primary(LOOPBACK, deaf.getsockname()[1])
            await failure(query_soa(silent, APEX, None, settings))
            assert deaf.recvfrom(512)[1][0] == "127.0.0.9"


async def test_truncated_answer_is_fetched_over_tcp() -> None:
    """TC over UDP leads to TCP."""

    class Truncating(PlainPrimary):
        def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
            for answer in super().answers(wire, stream=stream):
                yield answer if stream else answer[:2] + bytes((answer[2] | 2,)) + answer[3:]

    with Truncating(ORIGIN, ZONE) as primary:
        assert (await query_soa(at(primary), APEX, None, QUICK)).serial == 5


async def test_udp_that_is_blocked_is_made_up_for_by_tcp() -> None:
    """Where no datagram comes back, TCP is tried."""

    class Deaf(PlainPrimary):
        def answers(self, wire: bytes, *, stream: bool) -> Iterator[bytes]:
            yield from super().answers(wire, stream=stream) if stream else ()

    with Deaf(ORIGIN, ZONE) as primary:
        assert (await query_soa(at(primary), APEX, None, QUICK)).serial == 5


async def test_nobody_there() -> None:
    """A closed port is told as unreachable, in the system's plain words."""
    nobody = Primary(LOOPBACK, free_port())
    for query in (
        query_soa(nobody, APEX, None, QUICK),
        fetch(nobody, APEX, None, QUICK, Limits()),
    ):
        error = await failure(query)
        assert error.rule == "unreachable"
        assert error.reason == "no connection: Connection refused"
        assert error.peer == str(nobody)


async def test_silence() -> None:
    """A primary that takes the connection and says nothing is a timeout."""
    with PlainPrimary(ORIGIN, ZONE) as primary:
        primary.reachable = False
        primary.transfer = lambda *_: iter(())
        error = await failure(query_soa(at(primary), APEX, None, QUICK))
        assert error.rule in {"timeout", "unreachable"}
        primary.reachable = True
        error = await failure(fetch(at(primary), APEX, None, QUICK, Limits()))
        assert error.rule == "timeout"


async def test_closed_early() -> None:
    """A connection that ends before the closing SOA is told as such."""

    def cut(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
        yield from messages(query, server.records)
        raise EOFError

    with PlainPrimary(ORIGIN, ZONE) as primary:
        primary.transfer = cut
        error = await failure(fetch(at(primary), APEX, None, QUICK, Limits()))
        assert error.rule == "cut-short"


async def test_dripping_transfer_is_stopped() -> None:
    """A transfer that never ends, but never pauses for long either, ends at its time limit."""

    def drip(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
        while True:
            yield from messages(query, server.records[:1] + server.records[1:2])
            server.records.pop(0)
            time.sleep(0.05)

    with PlainPrimary(ORIGIN, ZONE) as primary:
        primary.transfer = drip
        async with asyncio.timeout(5):
            error = await failure(fetch(at(primary), APEX, None, QUICK, Limits(seconds=0.3)))
        assert error.rule == "too-slow"
