"""Zones come, change, expire and go under full load: no answer is lost, none is wrong."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import pytest

from nameserver.address import Address
from nameserver.counters import Counters
from nameserver.engine import CompiledEngine, Engine, compiled_available, new_engine
from nameserver.respond import AnswerSettings
from nameserver.table import ServedZone, ZoneState
from tests.zone_content import content
from zones.name import Name, from_text

if not compiled_available:
    pytest.skip("the compiled modules are not built", allow_module_level=True)

SECONDS = float(os.environ.get("TEST_CHURN_SECONDS", "4"))
ZONES = 60
WINDOW = 40  # queries under way: fewer than any receive buffer holds
PATIENCE = 10.0
HOSTS = 30
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


class Bounds:
    """The serials that a zone may be answered with: from the one before a change to the one after.

    ``there`` counts the changes between being answered and not being answered: even while it is.
    """

    def __init__(self) -> None:
        self.serial = 0
        self.there = 0


class Client(threading.Thread):
    """Asks as fast as answers come, and keeps what was wrong with them."""

    def __init__(self, port: int, zones: list[Bounds], rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.wrong: list[str] = []
        self.answered = 0
        self.done = threading.Event()
        self._zones = zones
        self._rng = rng
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(PATIENCE)
        self._queries = [
            dns.message.make_query(apex_text(number), "SOA", id=0).to_wire()[2:]
            for number in range(len(zones))
        ]

    def run(self) -> None:
        """Keep a window of queries under way until told to stop; then wait for the rest."""
        waiting: dict[int, tuple[int, int, int]] = {}
        number = 0
        with self._socket:
            while not self.wrong and (waiting or not self.done.is_set()):
                while len(waiting) < WINDOW and not self.done.is_set():
                    number = (number + 1) & 0xFFFF
                    zone = self._rng.randrange(len(self._zones))
                    bounds = self._zones[zone]
                    waiting[number] = (zone, bounds.serial, bounds.there)
                    self._socket.send(struct.pack("!H", number) + self._queries[zone])
                try:
                    answer = self._socket.recv(4096)
                except TimeoutError:
                    self.wrong.append(f"{len(waiting)} answers lost after {self.answered}")
                    return
                (identity,) = struct.unpack_from("!H", answer)
                self._judge(answer, *waiting.pop(identity))
                self.answered += 1

    def _judge(self, answer: bytes, zone: int, serial: int, there: int) -> None:
        bounds = self._zones[zone]
        now_there, now = bounds.there, bounds.serial
        if answer[3] & 0xF in (SERVFAIL, NXDOMAIN, REFUSED):
            if there == now_there and there % 2 == 0:
                self.wrong.append(f"{apex_text(zone)} was there, but answered {answer.hex()}")
            return
        if there == now_there and there % 2:
            self.wrong.append(f"{apex_text(zone)} was not there, but answered {answer.hex()}")
        (found,) = dns.message.from_wire(answer).answer
        if not serial <= found[0].serial <= now + 1:
            self.wrong.append(f"{apex_text(zone)}: {found[0].serial}, not {serial} to {now + 1}")


def apex_text(number: int) -> str:
    """Return the name of a zone; some are within others."""
    return f"z{number}.example.org" if number else "example.org"


class Churn:
    """Changes zones one after the other, at random."""

    def __init__(self, engine: Engine, rng: random.Random) -> None:
        self.engine = engine
        self.bounds = [Bounds() for _ in range(ZONES)]
        self.changes = 0
        self._rng = rng
        for number in range(ZONES):
            self._serve(number)

    def apex(self, number: int) -> Name:
        """Return the name of a zone."""
        return from_text(apex_text(number))

    def change(self) -> None:
        """Change one zone: mostly its content."""
        number = self._rng.randrange(1, ZONES)
        bounds = self.bounds[number]
        self.changes += 1
        if bounds.there % 2:
            self._serve(number)
            bounds.there += 1
        elif self._rng.random() < 0.7:
            self._serve(number)
        else:
            bounds.there += 1
            self._take_away(number)

    def _serve(self, number: int) -> None:
        version = content(apex_text(number), serial=self.bounds[number].serial + 1, hosts=HOSTS)
        self.engine.prepare(version)
        self.engine.replace(ServedZone(self.apex(number), ZoneState.SERVING, version))
        self.bounds[number].serial += 1

    def _take_away(self, number: int) -> None:
        state = self._rng.choice([None, ZoneState.EXPIRED, ZoneState.SUSPENDED])
        if state is None:  # its name is one that the zone around it does not have
            self.engine.remove(self.apex(number))
        else:
            self.engine.replace(ServedZone(self.apex(number), state))


@contextmanager
def listening(engine: Engine) -> Iterator[int]:
    """Run an engine on a port of its own."""
    port = engine.listen(Address("127.0.0.1", 0))
    engine.start(AnswerSettings(), lambda _message, _host, _port: None)
    try:
        yield port
    finally:
        engine.stop()


# AddressSanitizer keeps what was freed for a while, 256 MB of it, to see whether it is used again.
KEEPS_FREED = "libasan" in os.environ.get("LD_PRELOAD", "")


def resident() -> int:
    """Return the memory of this process, in octets."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.timeout(60 + 3 * SECONDS)
async def test_zones_change_under_full_load(workers: int, rng: random.Random) -> None:
    """Each query has one answer, of a version that was served meanwhile; memory stays flat."""
    engine = new_engine("compiled", workers, Counters())
    assert isinstance(engine, CompiledEngine)
    churn = Churn(engine, rng)
    with listening(engine) as port:
        clients = [Client(port, churn.bounds, random.Random(rng.random())) for _ in range(2)]
        for client in clients:
            client.start()
        await churn_for(churn, SECONDS / 3)
        before = resident()
        await churn_for(churn, SECONDS * 2 / 3)
        grown = resident() - before
        for client in clients:
            client.done.set()
        for client in clients:
            await asyncio.to_thread(client.join)
    assert [wrong for client in clients for wrong in client.wrong] == []
    assert churn.changes > 20 * SECONDS
    assert sum(client.answered for client in clients) > 50 * SECONDS
    assert grown < 8 * 1024 * 1024 or KEEPS_FREED


async def churn_for(churn: Churn, seconds: float) -> None:
    """Change zones for a while, as the event loop lets."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(5):
            churn.change()
        await asyncio.sleep(0.001)


async def test_what_was_replaced_is_freed(rng: random.Random) -> None:
    """Nothing of an old version is kept once the workers have gone on."""
    engine = new_engine("compiled", 2, Counters())
    assert isinstance(engine, CompiledEngine)
    churn = Churn(engine, rng)
    with listening(engine):
        for _ in range(500):
            churn.change()
        async with asyncio.timeout(PATIENCE):
            while engine._replaced:  # noqa: ASYNC110 (a timer sees to it, and tells nobody)
                await asyncio.sleep(0.01)
