"""Backup and restore of a SQLite store that is in use."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from storage import backup, events, feed, zones
from storage.database import Database
from storage.errors import FeedGap, StorageError
from tests.storage_fixtures import PostgreSQLServer
from zones.name import Name, from_text
from zones.zone import Zone

APEX = from_text("example.org")
LATER = from_text("later.example")
NOW = 1_700_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Database:
    """A SQLite store with one zone."""
    database = Database.open(str(tmp_path / "nsctl.db"))
    add(database, APEX)
    return database


def add(database: Database, apex: Name) -> None:
    """Add a zone in a transaction of its own."""
    with database.write() as session:
        zones.add_zone(session, Zone(apex), now=NOW, actor="")


def apexes(database: Database) -> set[Name]:
    """Return the zones there are."""
    with database.read() as session:
        return {summary.zone.apex for summary in zones.list_zones(session)}


def test_a_restored_store_is_as_it_was(store: Database, tmp_path: Path) -> None:
    """What came after the backup is gone, what went is back, and the log says so."""
    target = tmp_path / "nsctl.backup"
    assert backup.backup(store, target) == target.stat().st_size
    add(store, LATER)
    with store.write() as session:
        zones.delete_zone(session, APEX, now=NOW, actor="")
    backup.restore(store, target, now=NOW, actor="anna")
    assert apexes(store) == {APEX}
    with store.read() as session:
        assert events.list_events(session)[-1].text == "the store was restored from nsctl.backup"
    add(store, LATER)


def test_followers_learn_of_a_restore(store: Database, tmp_path: Path) -> None:
    """Whoever followed the feed is woken and told to read all anew, up to date or not."""
    target = tmp_path / "nsctl.backup"
    backup.backup(store, target)
    add(store, LATER)
    follower = Database.open(store.url)
    follower.changed()
    with follower.read() as session:
        seen = feed.latest(session)
    backup.restore(store, target, now=NOW, actor="anna")
    assert follower.wait_for_change(10)
    for number in range(seen + 1):
        with follower.read() as session, pytest.raises(FeedGap):
            feed.since(session, number)
    with follower.read() as session:
        assert feed.since(session, feed.latest(session)) == []
    follower.close()


def test_a_backup_is_one_private_file(store: Database, tmp_path: Path) -> None:
    """It has the TSIG secrets in it; it replaces an older one and leaves nothing beside it."""
    target = tmp_path / "backups" / "nsctl.backup"
    target.parent.mkdir()
    target.write_text("an older one")
    backup.backup(store, target)
    assert [path.name for path in target.parent.iterdir()] == ["nsctl.backup"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with sqlite3.connect(f"file:{target}?mode=ro&immutable=1", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT apex FROM zones").fetchall() == [("example.org",)]
    connection.close()


def test_a_backup_under_load_is_one_state_of_the_store(store: Database, tmp_path: Path) -> None:
    """While another thread adds zones, every copy has as many zones as its feed has changes."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            add(store, from_text(f"zone-{number}.example"))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(5):
            target = tmp_path / f"backup-{number}"
            backup.backup(store, target)
            copy = Database.open(str(target))
            with copy.read() as session:
                assert len(zones.list_zones(session)) == feed.latest(session)
            copy.close()
    finally:
        stop.set()
        thread.join()


def test_what_is_no_backup_is_refused_and_changes_nothing(store: Database, tmp_path: Path) -> None:
    """A file of something else, a damaged one, a missing one, one of a newer release."""
    text = tmp_path / "text"
    text.write_text("not a database at all " * 100)
    other = tmp_path / "other"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    newer = tmp_path / "newer"
    backup.backup(store, newer)
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    damaged = tmp_path / "damaged"
    backup.backup(store, damaged)
    octets = bytearray(damaged.read_bytes())
    octets[8192:8292] = os.urandom(100)
    damaged.write_bytes(octets)
    expected = {
        text: "not a SQLite database",
        other: "not a backup of nsctl",
        newer: "newer nsctl",
        damaged: "damaged",
        tmp_path / "missing": "cannot be opened",
    }
    for source, reason in expected.items():
        with pytest.raises(StorageError, match=reason):
            backup.restore(store, source, now=NOW, actor="")
    assert apexes(store) == {APEX}


def test_a_backup_that_cannot_be_written_is_told(store: Database, tmp_path: Path) -> None:
    """The error names the path and why."""
    with pytest.raises(StorageError, match=r"nowhere/backup: No such file or directory"):
        backup.backup(store, tmp_path / "nowhere" / "backup")


@pytest.mark.postgresql
def test_postgresql_is_left_to_its_own_tools(postgresql: PostgreSQLServer, tmp_path: Path) -> None:
    """The error says which."""
    database = Database.open(postgresql.new_database())
    with pytest.raises(StorageError, match="use pg_dump"):
        backup.backup(database, tmp_path / "backup")
    with pytest.raises(StorageError, match="use pg_restore"):
        backup.restore(database, tmp_path / "backup", now=NOW, actor="")
    database.close()
