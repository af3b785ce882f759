"""A secondary that is killed during transfer, commit or publishing has one whole version after."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from pathlib import Path

import pytest

from storage import versions
from storage.database import Database
from tests.peers.nsctl import Nsctl
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import LOOPBACK, wait_until
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


def stored(path: Path) -> int:
    """Return the serial in the store that nobody has open; its content is whole and of one serial."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    database = Database.open(f"sqlite:///{path}")
    with database.read() as session:
        version = versions.served(session, APEX)
        history = versions.history(session, APEX)
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
            found = stored(server.directory / "nsctl.db")
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
