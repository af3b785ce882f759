"""Courses kept in the store, and daily runs that are broken off: both are as if nothing was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registrar import facts
from registrar.desk import daily, registrations
from registrar.desk.daily import daily_run, daily_slices
from registrar.desk.portfolio import portfolio
from registrar.fact_codec import encode
from registrar.lifecycle import project
from registrar.model import State
from storage import events
from storage import registrations as stored
from storage.database import Database
from storage.session import Session
from tests.desk_portfolio import fill
from tests.desk_world import desk

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
COUNT = 60
KNOWN = desk()


@pytest.fixture
def filled(empty_sqlite: Path, tmp_path: Path, rng: random.Random) -> Iterator[Database]:
    """A store with a portfolio, all of which is due."""
    path = tmp_path / "nsctl.db"
    path.write_bytes(empty_sqlite.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    fill(database, COUNT, NOW, rng)
    yield database
    database.close()


def projected(session: Session, at: datetime) -> dict[int, State]:
    """Return the portfolio at a moment, by number; the stage is the same told by itself."""
    lives, found = {}, {}
    for one in portfolio(session, KNOWN, at):
        lives[one.id] = one.life
        found[one.id] = one.state
    assert lives == {number: state.life for number, state in found.items()}
    return found


def replayed(session: Session, at: datetime) -> dict[int, State]:
    """Return the same by walking all facts."""
    return {
        entry.id: project(registrations.registration(session, KNOWN, entry), at)
        for entry in registrations.list_entries(session)
    }


def kept(session: Session) -> list[bool]:
    """Tell of each registration whether its course is kept."""
    return [row.course is not None for row in stored.outlooks(session)]


def to_be_kept(session: Session) -> list[bool]:
    """Tell of each registration whether its course can be kept: no fact of it is still to come."""
    known = {entry.id: entry for entry in registrations.list_entries(session)}
    found = [registrations.registration(session, KNOWN, known[id_]) for id_ in sorted(known)]
    return [all(fact.at <= NOW for fact in one.facts) for one in found]


def test_a_portfolio_is_the_same_from_kept_courses(filled: Database, rng: random.Random) -> None:
    """Before, at and after what is due next, and before the course was kept: as from all facts."""
    daily_run(filled, KNOWN, NOW)
    with filled.read() as session:
        assert kept(session) == to_be_kept(session)
        entries = registrations.list_entries(session)
        due = rng.choice([entry.next_due for entry in entries if entry.next_due is not None])
        second = timedelta(seconds=1)
        ahead = [NOW + timedelta(hours=rng.randrange(20_000)) for _ in range(3)]
        for at in (NOW - timedelta(days=100), NOW, due - second, due, due + second, *ahead):
            assert projected(session, at) == replayed(session, at)


def test_a_fact_voids_the_course(filled: Database) -> None:
    """Whoever adds facts, in whatever way: the course is gone with the same statement."""
    daily_run(filled, KNOWN, NOW)
    with filled.read() as session:
        before = kept(session)
        assert before == to_be_kept(session)
    number = before.index(True) + 1
    with filled.write() as session:
        body = encode(facts.DisputeOpened(NOW - timedelta(days=1), "UDRP 1"))
        stored.add_facts(session, [(number, body)], now=NOW.timestamp(), actor="erika")
    with filled.read() as session:
        assert kept(session) == [*before[: number - 1], False, *before[number:]]
        state = projected(session, NOW)[number]
        assert state == replayed(session, NOW)[number]


def test_a_run_that_is_broken_off_goes_on(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slice is committed; what is left is done by the next run, and all that is told of."""
    monkeypatch.setattr(daily, "BATCH", 20)
    monkeypatch.setattr(daily, "TOLD_EACH", 20)
    slices = daily_slices(filled, KNOWN, NOW)
    assert next(slices).touched == 20
    slices.close()
    with filled.read() as session:
        assert kept(session).count(True) == 20
        assert stored.count_due(session, NOW.timestamp()) == COUNT - 20
    assert daily_run(filled, KNOWN, NOW).touched == COUNT - 20
    assert daily_run(filled, KNOWN, NOW).touched == 0
    with filled.read() as session:
        told = [event.text for event in events.list_events(session, kinds=["daily-run"])]
    assert "daily run: 20 registrations looked at, 40 left" in told
    assert "daily run: done: 40 registrations looked at" in told
