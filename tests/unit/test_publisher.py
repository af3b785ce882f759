"""Publishing: finished refreshes are stored in groups, and served once they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from axfr.secondaries import Outcome
from nameserver.publisher import Publisher
from storage import secondaries, versions, zones
from storage.database import Database
from storage.errors import StorageError
from storage.versions import Published
from tests.zone_content import content
from zones.name import Name, from_text
from zones.secondary import Result, SecondaryState, TransferAttempt
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0


def outcome(apex: str, serial: int) -> Outcome:
    """Return a transfer that brought this serial."""
    version = content(apex, serial=serial)
    state = SecondaryState(version.apex, serial=serial, last_result=Result.ACCEPTED)
    attempt = TransferAttempt(version.apex, NOW, "192.0.2.1@53", "AXFR", Result.ACCEPTED)
    return Outcome(state, (attempt,), version, ())


def add_zones(database: Database, *apexes: str, pinned: bool = False) -> None:
    """Add secondary zones to a store."""
    with database.write() as session:
        for apex in apexes:
            zone = Zone(from_text(apex), Mode.HIDDEN_PRIMARY, pinned=pinned)
            zones.add_zone(session, zone, now=NOW, actor="test")


Served = list[tuple[Name, Published | None]]


@pytest.fixture
async def running(database: Database) -> AsyncIterator[tuple[Publisher, Served]]:
    """A publisher, and what it gave out to be served."""
    served: Served = []
    publisher = Publisher(
        database,
        lambda outcome, published: served.append((outcome.state.apex, published)),
        lambda: NOW,
    )
    publisher.start()
    yield publisher, served
    await publisher.stop()


async def test_outcomes_that_wait_share_a_commit(
    database: Database, running: tuple[Publisher, Served]
) -> None:
    """A hundred outcomes at once are all stored and served, in a few commits."""
    publisher, served = running
    names = [f"z{number}.example" for number in range(100)]
    add_zones(database, *names)
    commits = 0
    write = database.write

    def counting() -> object:
        nonlocal commits
        commits += 1
        return write()

    database.write = counting  # type: ignore[method-assign, assignment]
    await asyncio.gather(*(publisher.publish(outcome(name, 7)) for name in names))
    assert commits <= 2
    assert {apex for apex, _ in served} == {from_text(name) for name in names}
    with database.read() as session:
        for name in names:
            version = versions.served(session, from_text(name))
            assert version is not None
            assert version.serial == 7
            assert secondaries.get_state(session, from_text(name)).serial == 7


async def test_zone_deleted_meanwhile_does_not_fail_its_group(
    database: Database, running: tuple[Publisher, Served]
) -> None:
    """A transfer for a zone that is gone is dropped; its neighbours are stored."""
    publisher, _ = running
    add_zones(database, "here.example")
    await asyncio.gather(
        publisher.publish(outcome("gone.example", 1)), publisher.publish(outcome("here.example", 1))
    )
    with database.read() as session:
        assert versions.served(session, from_text("here.example")) is not None
        assert zones.find_zone(session, from_text("gone.example")) is None


async def test_pinned_zone_keeps_what_it_serves(
    database: Database, running: tuple[Publisher, Served]
) -> None:
    """A zone that is pinned while its transfer runs: stored, not served, to be asked for again.

    Its standing stays as it was, so that the next look finds the new serial once more.
    """
    publisher, served = running
    add_zones(database, "pinned.example", pinned=True)
    brought = outcome("pinned.example", 2)
    before = SecondaryState(brought.state.apex, serial=1)
    with pytest.raises(StorageError, match="pinned meanwhile"):
        await publisher.publish(replace(brought, before=before))
    with database.read() as session:
        assert secondaries.get_state(session, brought.state.apex).serial == 1
    ((_, published),) = served
    assert published is not None
    assert not published.served


async def test_storage_that_fails_is_told_and_nothing_is_served(
    database: Database, running: tuple[Publisher, Served]
) -> None:
    """Who waits for a commit that fails gets the reason; the publisher goes on."""
    publisher, served = running
    add_zones(database, "a.example")
    write = database.write

    def failing() -> object:
        raise StorageError("the disk is full")

    database.write = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(StorageError, match="disk is full"):
        await publisher.publish(outcome("a.example", 1))
    assert served == []
    database.write = write  # type: ignore[method-assign]
    await publisher.publish(outcome("a.example", 1))
    assert len(served) == 1
