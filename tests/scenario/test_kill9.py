"""A process that is killed in the middle of its work loses no edit that it has acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import Self

from sqlalchemy import text

from storage import events, feed, kept_versions, versions, zones
from storage.database import Database
from storage.feed import ChangeKind
from zones.name import from_text
from zones.zone import Zone

APEX = from_text("example.org")
SECONDS = 8.0  # of killing, at most
KILLS = 30
AT_LEAST = 4  # kills, however slow the machine


class Editors:
    """The program in ``editor.py``; its children are killed with SIGKILL and cannot clean up."""

    def __init__(self, url: str) -> None:
        self.program = subprocess.Popen(
            [sys.executable, "-m", "tests.scenario.editor", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_while_editing(self, rng: random.Random) -> list[int]:
        """Let a child edit for a while, kill it, and return the serials that it acknowledged."""
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write("go\n")
        self.program.stdin.flush()
        output = iter(self.program.stdout.readline, "ended\n")
        pid = int(next(output).removeprefix("started "))
        lines = [next(output) for _ in range(rng.randrange(1, 30))]
        time.sleep(rng.random() * 0.02)  # into the middle of one of the next edits
        os.kill(pid, signal.SIGKILL)
        return [int(line) for line in [*lines, *output]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.communicate()


def check(database: Database, acknowledged: list[int]) -> None:
    """Assert that every acknowledged edit is there, whole, and told to the feed and the log."""
    with database.read() as session:
        if database.is_sqlite:
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
        history = kept_versions.history(session, APEX)
        serials = [info.serial for info in reversed(history)]
        current = versions.served(session, APEX)
        told = [one for one in feed.since(session, 0, 10**6) if one.kind is ChangeKind.CONTENT]
        logged = [one for one in events.list_events(session, limit=10**6) if one.apex == APEX]
        assert all(kept_versions.load(session, APEX, one.serial).serial for one in history[:3])
    assert set(acknowledged) <= set(serials), set(acknowledged) - set(serials)
    assert serials == list(range(1, len(serials) + 1))
    assert current is not None
    assert current.serial == serials[-1]
    assert [change.seq for change in told] == [info.id for info in reversed(history)]
    assert len(logged) == len(serials) + 1  # and the one that added the zone


def test_kill_9_loses_no_acknowledged_edit(database: Database, rng: random.Random) -> None:
    """Killed at random moments, many times, the store has after each restart what it promised.

    The store is intact, edits are there whole or not at all, and the next process goes on at once.
    """
    with database.write() as session:
        zone = Zone(APEX, keep_versions=10**6)
        zones.add_zone(session, zone, now=time.time(), actor="")
    acknowledged: list[int] = []
    began = time.monotonic()
    kills = 0
    with Editors(database.url) as editors:
        while kills < AT_LEAST or (kills < KILLS and time.monotonic() - began < SECONDS):
            acknowledged += editors.kill_while_editing(rng)
            kills += 1
            restarted = Database.open(database.url)
            check(restarted, acknowledged)
            restarted.close()
    print(f"{kills} kills, {len(acknowledged)} acknowledged edits")
    assert len(acknowledged) >= kills
