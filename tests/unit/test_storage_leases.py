"""Leases: one holder at a time, and another one soon after it has died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from storage import leases
from storage.database import Database
from tests.peers.waiting import wait_until


def held_by(database: Database) -> str | None:
    """Return who holds the lease."""
    with database.read() as session:
        return leases.holder_of(session, "transfers")


def test_one_holder_at_a_time(database: Database) -> None:
    """Who has it keeps it by renewing it; others get it when it is given up, or has run out."""
    assert held_by(database) is None
    assert leases.take(database, "transfers", "a", 60)
    assert not leases.take(database, "transfers", "b", 60)
    assert leases.take(database, "transfers", "a", 60)
    assert leases.take(database, "something else", "b", 60)
    assert held_by(database) == "a"
    leases.give_up(database, "transfers", "b")  # not its own
    assert held_by(database) == "a"
    leases.give_up(database, "transfers", "a")
    assert held_by(database) is None
    assert leases.take(database, "transfers", "b", 0.05)
    wait_until(lambda: leases.take(database, "transfers", "a", 60), "the lease runs out", 10)
    assert held_by(database) == "a"


def test_a_crowd_gets_one_lease(database: Database) -> None:
    """Of many that ask at the same moment one gets it."""
    names = [f"node{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as crowd:
        got = list(crowd.map(lambda name: leases.take(database, "transfers", name, 60), names))
    assert got.count(True) == 1
    assert held_by(database) == names[got.index(True)]


def test_a_writer_keeps_nobody_from_renewing(database: Database) -> None:
    """On PostgreSQL a lease is renewed while the store is being written to."""
    if database.is_sqlite:
        return  # one file, one writer; the nodes are on one machine
    assert leases.take(database, "transfers", "a", 60)
    with database.write():
        assert leases.take(database, "transfers", "a", 60)
