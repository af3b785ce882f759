"""Opening the store: creating, migrating, refusing; transactions; what is told when it fails."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from sqlalchemy import event, inspect, text

from storage import engines, feed, schema, zones
from storage.database import Database
from storage.errors import StorageError
from storage.feed import ChangeKind
from storage.migrations import HEAD
from storage.models import Base
from storage.names import name_of, text_of
from tests import strategies
from tests.storage_fixtures import PostgreSQLServer
from zones.name import ROOT, Name, from_text
from zones.zone import Zone

APEX = from_text("example.org")
NOW = 1_700_000_000.0


def add(database: Database, apex: Name = APEX) -> None:
    """Add a zone in a transaction of its own."""
    with database.write() as session:
        zones.add_zone(session, Zone(apex), now=NOW, actor="")


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    """Alembic finds nothing to change between what the migrations made and the models."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_knows() -> None:
    """``HEAD`` spares loading alembic; it must name the newest file."""
    scripts = ScriptDirectory.from_config(schema.configuration())
    assert scripts.get_heads() == [HEAD]


def test_a_store_at_head_is_opened_without_alembic(database_url: str) -> None:
    """Every command opens the store: it pays only for what it needs."""
    code = (
        "import sys; from storage.database import Database; "
        "Database.open(sys.argv[1]).close(); print('alembic' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, database_url], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "False\n"


def test_processes_that_open_a_new_store_at_once_all_succeed(new_database_url: str) -> None:
    """One of them creates the tables, the others wait and find them."""
    code = "import sys; from storage.database import Database; Database.open(sys.argv[1]).close()"
    program = [sys.executable, "-c", code, new_database_url]
    children = [subprocess.Popen(program, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [child.communicate()[1].decode() for child in children]
    assert errors == [""] * 4
    database = Database.open(new_database_url)
    add(database)
    database.close()


def test_a_migration_that_fails_leaves_nothing(
    new_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema changes as a whole or not at all: the next attempt starts from the same point."""
    upgrade = command.upgrade

    def half(*arguments: Any) -> None:
        upgrade(*arguments)
        raise StorageError("cut short")

    monkeypatch.setattr(command, "upgrade", half)
    with pytest.raises(StorageError, match="cut short"):
        Database.open(new_database_url)
    monkeypatch.undo()
    engine = engines.create(engines.parse(new_database_url))
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    Database.open(new_database_url).close()


def test_a_created_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It has the TSIG secrets in it; so have the files that SQLite keeps beside it."""
    database = Database.open(str(tmp_path / "new" / "nsctl.db"))
    add(database)
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    database.close()


def test_a_store_survives_a_power_cut_by_its_settings(tmp_path: Path) -> None:
    """WAL with an fsync per commit, foreign keys checked, others waited for."""
    database = Database.open(f"sqlite:///{tmp_path}/nsctl.db")
    with database.write() as session:
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000,
    }  # fmt: skip
    database.close()


def test_a_newer_schema_is_refused(database: Database) -> None:
    """An older release must not touch what it does not understand."""
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"written by a newer nsctl .*9999.* install the newer"):
        Database.open(database.url)


def test_what_is_not_a_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A text file, another program's database, a directory: told in one sentence each."""
    file = tmp_path / "notes.txt"
    file.write_text("Dear diary, " * 1000)
    with pytest.raises(StorageError, match="not a SQLite database"):
        Database.open(str(file))
    assert file.read_text() == "Dear diary, " * 1000
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(StorageError, match="belongs to another program"):
        Database.open(str(other))
    with pytest.raises(StorageError, match="cannot be"):
        Database.open(str(tmp_path))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://localhost/x", "'mysql' is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("://", "cannot be read"),
        ("postgresql://nsctl:secret@127.0.0.1:port/x", "cannot be read; it has the form"),
        ("sqlite:////proc/nowhere/nsctl.db", "cannot be created or opened"),
        ("postgresql://nsctl:secret@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_urls_that_lead_nowhere_are_told(url: str, reason: str) -> None:
    """One line, what is wrong and what to do, and never the password."""
    with pytest.raises(StorageError, match=reason) as caught:
        Database.open(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.postgresql
def test_a_postgresql_database_that_is_not_there_is_told(postgresql: PostgreSQLServer) -> None:
    """The reason says that the database is missing, not that the server is."""
    with pytest.raises(StorageError, match="no database of that name; create it"):
        Database.open(postgresql.url("nowhere"))


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """An exception in the block passes through, and what was done before it is undone."""

    def fail() -> None:
        with database.write() as session:
            zones.add_zone(session, Zone(APEX), now=NOW, actor="")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as session:
        assert zones.list_zones(session) == []


def test_a_reader_cannot_write(database: Database) -> None:
    """A change in the wrong kind of session fails instead of being lost."""
    with pytest.raises(StorageError), database.read() as session:
        zones.add_zone(session, Zone(APEX), now=NOW, actor="")


def test_a_reader_sees_one_state_and_waits_for_nobody(database: Database) -> None:
    """While a writer is at work and after it has committed, a reader sees what it saw first."""
    with database.read() as reader:
        assert zones.list_zones(reader) == []
        with database.write() as writer:
            zones.add_zone(writer, Zone(APEX), now=NOW, actor="")
            with database.read() as other:
                assert zones.list_zones(other) == []
        assert zones.list_zones(reader) == []
    with database.read() as session:
        assert len(zones.list_zones(session)) == 1


def test_writers_queue_and_lose_nothing(database: Database) -> None:
    """Read-then-write by many threads at once gives dense numbers: they were one after another."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                with database.write() as session:
                    expected = feed.latest(session) + 1
                    assert feed.append(session, ChangeKind.ZONE, APEX) == expected
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as session:
        assert [change.seq for change in feed.since(session, 0)] == list(range(1, 41))


def test_a_writer_that_does_not_end_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the waiting time the error says that somebody else writes; nothing hangs."""
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(engines, "PRAGMAS", ("PRAGMA busy_timeout = 200",))
    first, second = Database.open(database_url), Database.open(database_url)
    with first.write():
        with pytest.raises(StorageError, match="try again in a moment"):
            add(second)
        with second.read() as session:
            assert zones.list_zones(session) == []
    first.close()
    second.close()


def test_a_full_disk_refuses_the_edit_and_keeps_the_store(tmp_path: Path) -> None:
    """The edit fails with a plain reason, reading goes on, and later edits work again."""
    database = Database.open(str(tmp_path / "nsctl.db"))
    add(database)
    database.engine.dispose()
    pages = 60

    def limit(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "checkout", limit)
    many = [Zone(from_text(f"zone-{n}.example")) for n in range(2000)]
    with pytest.raises(StorageError, match="the disk is full; free some space"):
        add_all(database, many)
    with database.read() as session:
        assert [one.zone.apex for one in zones.list_zones(session)] == [APEX]
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    pages = 100_000
    add_all(database, many)
    database.close()


def add_all(database: Database, many: list[Zone]) -> None:
    """Add zones in one transaction."""
    with database.write() as session:
        zones.add_zones(session, many, now=NOW, actor="")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """Overwritten pages lead to an error that names the backup, not to wrong content."""
    path = tmp_path / "nsctl.db"
    database = Database.open(str(path))
    add_all(database, [Zone(from_text(f"zone-{n}.example")) for n in range(500)])
    database.close()
    octets = bytearray(path.read_bytes())
    for page in range(4096, len(octets), 4096):
        octets[page : page + 100] = b"\xa5" * 100
    path.write_bytes(octets)
    with pytest.raises(StorageError, match="the file is damaged; restore"):
        open_and_list(path)


def open_and_list(path: Path) -> None:
    """Open a store and read all of its zones."""
    database = Database.open(str(path))
    try:
        with database.read() as session:
            zones.list_zones(session)
    finally:
        database.close()


@pytest.mark.postgresql
def test_a_lost_server_is_told_and_found_again(postgresql: PostgreSQLServer) -> None:
    """Cut connections raise once at most; the next use connects anew, the follower too."""
    database = Database.open(postgresql.new_database())
    add(database)
    assert database.changed()
    postgresql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{database.engine.url.database}'"
    )
    with pytest.raises(StorageError, match=r"was lost|shutting down"):
        database.wait_for_change(5)
    assert database.changed()  # connected anew, and something may have been missed
    with database.read() as session:
        assert len(zones.list_zones(session)) == 1
    database.close()


@given(strategies.names)
def test_any_name_comes_back_from_its_stored_text(name: Name) -> None:
    """Whatever the octets of its labels: the text is ASCII and leads back to the name."""
    stored = text_of(name)
    assert stored.isascii()
    assert name_of(stored) == name


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        (from_text("example.org"), "example.org"),
        (ROOT, "."),
        (from_text("*._tcp.example.org"), "*._tcp.example.org"),
        (from_text("0/25.2.0.192.in-addr.arpa"), "0/25.2.0.192.in-addr.arpa"),
        (b"\x03a.b\x00", "a\\.b"),
        (b"\x02a.\x00", "a\\."),
        (b"\x01\xfc\x00", "\\252"),
        (b"\x01@\x00", "\\@"),
    ],
)
def test_names_are_stored_as_people_write_them(name: Name, stored: str) -> None:
    """No final dot; what zone files escape is escaped."""
    assert text_of(name) == stored
    assert name_of(stored) == name


def test_an_edit_survives_copying_the_files_of_a_running_store(tmp_path: Path) -> None:
    """What is committed is in the files at once: a copy taken without closing has it."""
    database = Database.open(str(tmp_path / "nsctl.db"))
    add(database)
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"nsctl.db{suffix}", tmp_path / f"copy.db{suffix}")
    copy = Database.open(str(tmp_path / "copy.db"))
    with copy.read() as session:
        assert zones.find_zone(session, APEX) == Zone(APEX)
    copy.close()
    database.close()
