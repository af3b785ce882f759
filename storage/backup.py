"""Backups: one SQLite file with everything, whatever database the store is in.

A backup is consistent, and taken while servers and commands work on. Bringing one back replaces the
whole content of the store; running servers notice and read everything anew. A backup of a SQLite
store can be brought back into PostgreSQL, and the other way round.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Integer, Table, delete, func, insert, select, text

from storage.database import Database
from storage.errors import StorageError, explained
from storage.models import Base

PAGES: Final = 4096  # copied at a time; writers get their turn in between
ROWS: Final = 500


def back_up(database: Database, target: Path) -> int:
    """Write a backup to ``target``, whole or not at all; return its size in octets.

    The file can be read by its owner only: TSIG secrets are in it. Raises ``StorageError``.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with explained(str(target)):
            if database.is_sqlite:
                copy_file(Path(database.place), beside)
            else:
                copy_tables(database, Database.open(f"sqlite:///{beside.absolute()}"))
        settle(beside)
        beside.replace(target)
        return target.stat().st_size
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror or error}; no backup was made") from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{beside}{suffix}").unlink(missing_ok=True)


def bring_back(url: str, source: Path) -> None:
    """Replace the content of the store at ``url`` by that of a backup, in one transaction.

    A backup of an older release is migrated; the backup itself is left alone. Raises
    ``StorageError``.
    """
    verify(source)
    with tempfile.TemporaryDirectory(prefix="nsctl-restore-") as directory:
        copy = Path(directory) / "backup.db"
        with explained(str(source)):
            copy_file(source, copy)
        copied = Database.open(f"sqlite:///{copy}")  # migrates it
        try:
            copy_tables(copied, Database.open(url))
        finally:
            copied.close()


def verify(source: Path) -> None:
    """Raise ``StorageError`` where a file is no undamaged backup."""
    if not source.is_file():
        raise StorageError(f"{source}: there is no such file")
    try:
        with reading(source) as connection:
            (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {name for (name,) in tables}
    except sqlite3.Error as error:
        raise StorageError(f"{source}: not a backup of nsctl ({error})") from error
    if result != "ok":
        raise StorageError(f"{source}: the backup is damaged ({result}); take an older one")
    if not {"alembic_version", "zones", "versions"} <= names:
        raise StorageError(f"{source}: not a backup of nsctl: it has no zones in it")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that does not write."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        yield connection


def copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite database that may be in use."""
    with reading(source) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=PAGES)


def settle(path: Path) -> None:
    """Make a SQLite file complete without its companions, and durable."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_tables(source: Database, target: Database) -> None:
    """Replace all rows of ``target`` by those of ``source``, in one transaction; closes target."""
    tables = Base.metadata.sorted_tables
    try:
        with source.read() as old, target.write() as new:
            into = new.connection()
            for table in reversed(tables):
                into.execute(delete(table))
            for table in tables:
                rows = old.execute(select(table), execution_options={"yield_per": ROWS})
                for chunk in rows.mappings().partitions(ROWS):
                    into.execute(insert(table), [dict(row) for row in chunk])
                if not target.is_sqlite:
                    continue_numbering(into, table)
            new.info["changed"] = True
    finally:
        target.close()


def continue_numbering(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number the next rows after those that were copied."""
    (key, *more) = table.primary_key.columns
    if more or not isinstance(key.type, Integer) or table.name in ("feed", "versions"):
        return  # not numbered by the database
    newest = connection.scalar(select(func.max(key)))
    sequence = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"),
        {"table": table.name, "column": key.name},
    )
    if sequence:
        connection.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :newest, :called)"),
            {"sequence": sequence, "newest": newest or 1, "called": newest is not None},
        )
