"""A secondary that is killed during transfer, commit or publishing has one whole version after."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.opcode
import pytest

from storage import kept_versions, versions
from storage.database import Database
from tests.peers.base import Remote
from tests.peers.forked import Forked
from tests.peers.nsctl import Nsctl
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import LOOPBACK, wait_until
from tests.scenario.dying import POINTS, STORED, dying
from zones.name import from_text
from zones.rrset import TXT

APEX = from_text("example.org")
RECORDS = 200  # in several messages: enough to be killed between two of them
KILLS = 4


def text(serial: int) -> str:
    """Return a zone whose TXT records all tell its serial."""
    lines = [f"@ SOA ns1 hostmaster {serial} 2 1 3600 60", "@ NS ns1", "ns1 A 192.0.2.53"]
    lines += [f"host{number} TXT {serial}" for number in range(RECORDS)]
    # Where most records are others than before, the update would be held.
    lines += [f"host{number} A 192.0.2.1" for number in range(RECORDS + RECORDS // 4)]
    return "\n".join(lines)


def is_sqlite(url: str) -> bool:
    """Tell whether a database is a file."""
    return url.startswith("sqlite")


def stored(url: str) -> int:
    """Return the serial in the store that nobody has open; its content is whole and of one serial."""
    if is_sqlite(url):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    database = Database.open(url)
    with database.read() as session:
        version = versions.served(session, APEX)
        history = kept_versions.history(session, APEX)
        kept = [versions.load_id(session, APEX, info.id) for info in history]
    database.close()
    assert version is not None
    for one in kept:
        told = [rdata for rrset in one if rrset.rtype == TXT for rdata in rrset.rdatas]
        assert len(told) == RECORDS
        assert {int(rdata[1:]) for rdata in told} == {one.serial}
    return version.serial


@pytest.mark.timeout(180)
def test_kill_9_leaves_one_whole_version(tmp_path: Path, rng: random.Random) -> None:
    """Killed at random moments after a NOTIFY, nothing is lost that was served, nothing is half.

    After each restart the server answers from what is stored, and fetches the rest by itself.
    """
    serial, seen = 1, 0
    with PlainPrimary("example.org", text(serial)) as primary, Nsctl(tmp_path) as server:
        server.cli("secondary", "add", "example.org", "--primary", f"{LOOPBACK}@{primary.port}")
        server.wait_serial("example.org", serial, 30)
        caught = set()
        for _ in range(KILLS):
            serial += 1
            primary.publish(text(serial), server.remote())
            began, wait = time.monotonic(), rng.random() * 0.25
            while time.monotonic() - began < wait:
                with contextlib.suppress(Exception):
                    seen = max(seen, server.serial("example.org") or 0)
            server.kill()
            found = stored(f"sqlite:///{server.directory}/nsctl.db")
            caught.add(serial - found)
            assert seen <= found <= serial
            server.start()
            assert (server.serial("example.org") or 0) >= found
            wait_until(
                lambda: server.serial("example.org") == serial,  # noqa: B023  called at once
                f"serial {serial} is fetched after the restart",
                30,
            )
        print(f"behind the primary when killed: {sorted(caught)}")


@contextlib.contextmanager
def listener() -> Iterator[tuple[Remote, socket.socket]]:
    """Where somebody below us would hear a NOTIFY."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        sock.settimeout(20)
        yield Remote(sock.getsockname()[1]), sock


@pytest.mark.timeout(180)
def test_kill_9_at_each_point_of_a_transfer(tmp_path: Path, database_url: str) -> None:
    """Killed at each point, the store has the whole old version or the whole new one, and which.

    What was committed is served right after the restart, what was not is fetched again; those below
    are told of it in any case. On PostgreSQL a dead node's turn has to run out first, which takes
    its time.
    """
    points = list(POINTS) if is_sqlite(database_url) else ["in the commit", "after the commit"]
    serial, armed = 1, tmp_path / "armed"
    server = Nsctl(tmp_path, database=database_url)
    become(server, dying(points[0], armed))
    with PlainPrimary("example.org", text(serial)) as primary, listener() as (below, heard), server:
        server.follow("example.org", primary.remote())
        server.wait_serial("example.org", serial, 30)
        server.allow(below, "example.org")
        for point, following in zip(points, [*points[1:], points[0]], strict=True):
            serial += 1
            armed.touch()
            # After a NOTIFY changes are asked for at once; by its timers it asks for the SOA first.
            by_timer = point == "after the soa answer"
            with contextlib.suppress(dns.exception.Timeout):  # it may be dead before it answers
                primary.publish(text(serial), *([] if by_timer else [server.remote()]))
            assert server.process.child is not None
            assert server.process.child.wait(30) == -signal.SIGKILL, point
            armed.unlink()
            found = stored(database_url)
            assert found == (serial if point in STORED else serial - 1), point
            become(server, dying(following, armed))
            server.start()
            assert server.serial("example.org") in (found, serial), point
            primary.notify(server.remote())
            server.wait_serial("example.org", serial, 30)
            while told(heard) != serial:
                pass


def told(heard: socket.socket) -> int:
    """Return the serial that the next NOTIFY tells."""
    message = dns.message.from_wire(heard.recv(512))
    assert message.opcode() == dns.opcode.NOTIFY
    return int(message.answer[0][0].serial)


def become(server: Nsctl, prepare: Callable[[], None]) -> None:
    """Have the next process of the server do this before all else."""
    assert isinstance(server.process, Forked)
    server.process.prepare = prepare
