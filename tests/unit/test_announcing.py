"""Those below us are told after a start of what has changed lately."""

from __future__ import annotations

import pytest

from nameserver import announcing
from nameserver.announcing import AT_ONCE, LATELY, announce_lately_changed
from storage import feed
from storage.database import Database
from storage.errors import StorageError
from storage.feed import ChangeKind
from storage.session import Session
from zones.name import Name, from_text

NOW = 1_700_000_000.0
ZONES = [from_text(f"z{number}.example") for number in range(2 * AT_ONCE + 1)]


async def test_what_changed_within_a_day_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each zone once, what changed last first; what changed before is not."""
    monkeypatch.setattr(announcing, "PAUSE", 0.01)
    with database.write() as session:
        for number, apex in enumerate(ZONES):
            feed.append(session, ChangeKind.CONTENT, apex, at=NOW - LATELY - 1 + number)
            feed.append(session, ChangeKind.ZONE, apex, at=NOW)
    told: list[Name] = []
    await announce_lately_changed(database, told.append, NOW)
    assert told == ZONES[:0:-1]


async def test_a_store_that_is_away_ends_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told then, and the server goes on."""

    def away(session: Session, at: float) -> list[Name]:
        raise StorageError("the database is away")

    monkeypatch.setattr(feed, "changed_since", away)
    told: list[Name] = []
    await announce_lately_changed(database, told.append, NOW)
    assert told == []
