"""Backup and restore of a SQLite store while it is in use.

Both copy pages with SQLite's online backup, so a copy is one state of the store, never a mixture.
PostgreSQL has ``pg_dump`` and ``pg_restore``, which do this better than we could.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import events, feed, schema
from storage.database import Database
from storage.engines import WAIT_SECONDS
from storage.errors import StorageError
from storage.events import EventSeverity
from storage.explained import explained
from storage.feed import ChangeKind


def backup(database: Database, target: Path) -> int:
    """Write a copy of the store to ``target`` and return its size in octets.

    The copy is checked and flushed to the disk before it takes the place of an older file of that
    name; it has the TSIG secrets in it, so its owner alone may read it. Raises ``StorageError``.
    """
    need_sqlite(database, "pg_dump")
    aside = target.with_name(target.name + ".part")
    with told(target):
        aside.unlink(missing_ok=True)
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            copy(path_of(database), aside)
            with closing(
                connect(aside)
            ) as connection:  # one file, readable where nothing is written
                connection.execute("PRAGMA journal_mode = DELETE")
            flush(aside)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        flush(target.parent)
        return target.stat().st_size


def restore(database: Database, source: Path, *, now: float, actor: str) -> None:
    """Replace the content of the store by that of a backup, all or nothing.

    Servers that follow the store find that the feed does not continue and read everything anew. A
    backup of an older release is migrated. Raises ``StorageError``, also for a file that is no
    backup of this system or is damaged.
    """
    need_sqlite(database, "pg_restore")
    with told(source):
        check(source)
    with database.read() as session:
        last = feed.latest(session)
    with explained(database.place):
        copy(source, path_of(database))
        schema.bring_up_to_date(database.engine)
    with database.write() as session:
        # One number is left out: that is the gap which tells even those who were up to date.
        number = max(last, feed.latest(session)) + 2
        feed.restart(session, ChangeKind.ZONE, number, at=now)
        text = f"the store was restored from {source.name}"
        events.record(session, "restored", EventSeverity.WARNING, None, text, actor=actor, at=now)


def need_sqlite(database: Database, instead: str) -> None:
    """Raise ``StorageError`` for a store that has a tool of its own."""
    if not database.is_sqlite:
        raise StorageError(f"database {database.place}: use {instead} for a PostgreSQL store")


def path_of(database: Database) -> Path:
    """Return the file of a SQLite store."""
    return Path(str(database.engine.url.database))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn errors of files and of SQLite into ``StorageError`` that names the path."""
    try:
        with explained(str(path)):
            yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def copy(source: Path, target: Path) -> None:
    """Copy all pages into ``target`` in one transaction there."""
    with closing(connect(source, read_only=True)) as reader, closing(connect(target)) as writer:
        reader.backup(writer)
        if writer.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise StorageError(f"{target}: the copy is damaged; check the disk")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a file that is there."""
    mode = "ro" if read_only else "rw"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=WAIT_SECONDS
    )


def check(path: Path) -> None:
    """Raise ``StorageError`` unless the file is a sound backup of this system."""
    with closing(connect(path, read_only=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not {"alembic_version", "feed", "versions"} <= tables:
            raise StorageError(f"{path}: this is not a backup of nsctl")
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise StorageError(f"{path}: the backup is damaged; take an older one")
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        schema.refuse_newer(revision[0], str(path))


def flush(path: Path) -> None:
    """Have a file or directory written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
