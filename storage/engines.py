"""SQLAlchemy engines for SQLite and PostgreSQL: how connections and transactions begin."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import StorageError

WAIT_SECONDS: Final = 10  # for another writer
ROLE: Final = "nsctl_role"
WRITER_LOCK: Final = 0x6E736374  # "nsct", the advisory lock of the one writer on PostgreSQL
PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # with WAL: an fsync per commit, so that commits survive
    "PRAGMA cache_size = -4096",  # KiB
)


def parse(text: str) -> URL:
    """Return the URL, with the driver that is used; a text without ``://`` is a path.

    Raises ``StorageError`` for what is neither SQLite nor PostgreSQL.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        scheme = text.partition("://")[0]  # what follows may hold a password
        raise StorageError(
            f"the database URL that begins with {scheme}:// cannot be read; it has the form "
            "postgresql://user@host:port/database"
        ) from error
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StorageError("a SQLite database needs a file: sqlite:////var/lib/nsctl/nsctl.db")
        return url.set(drivername="sqlite", database=str(Path(url.database).expanduser()))
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise StorageError(f"database {backend!r} is not supported; use sqlite:// or postgresql://")


def place(url: URL) -> str:
    """Return the database as errors name it: the path of the file, or the URL less its password."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def create(url: URL) -> Engine:
    """Return an engine; creates the SQLite file, readable by its owner only, where it is missing.

    Raises driver errors and ``OSError``-based ``StorageError``.
    """
    return create_sqlite(url) if url.drivername == "sqlite" else create_postgresql(url)


def create_sqlite(url: URL) -> Engine:
    """Return an engine on a SQLite file in WAL mode."""
    path = Path(str(url.database))
    make_file(path)
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "timeout": WAIT_SECONDS},
        json_serializer=to_json,
        json_deserializer=from_json,
    )
    event.listen(engine, "connect", connected_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


encode_json: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def to_json(value: object) -> str:
    """Return a document as it is stored; most are empty, and bulk changes store many."""
    return encode_json(value) if value else "{}"


def make_file(path: Path) -> None:
    """Create an empty file of mode 0600, and its directory; one that is there stays as it is."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"database {path}: cannot be created or opened ({reason}); check that the directory "
            "exists and who may read and write there"
        ) from error


def connected_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a new connection."""
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        switch_to_wal(connection)


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set WAL mode, once in a file's life; SQLite does not wait for others here by itself."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def begin_sqlite(connection: Connection) -> None:
    """Begin the transaction that the engine is for."""
    match connection.get_execution_options().get(ROLE):
        case "write":
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        case "migrate":
            # A table that is rebuilt would take along what refers to it.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        case _:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")


def create_postgresql(url: URL) -> Engine:
    """Return an engine on PostgreSQL."""
    engine = create_engine(
        url, connect_args=postgresql_arguments(), pool_pre_ping=True, json_serializer=to_json
    )
    event.listen(engine, "begin", begin_postgresql)
    return engine


def postgresql_arguments() -> dict[str, Any]:
    """Return what every connection to PostgreSQL is opened with."""
    return {
        "connect_timeout": 5,
        "application_name": "nsctl",
        "options": f"-c lock_timeout={WAIT_SECONDS}s -c client_min_messages=warning",
    }


def begin_postgresql(connection: Connection) -> None:
    """Take the writer's lock; it is released by the end of the transaction."""
    if connection.get_execution_options().get(ROLE) in ("write", "migrate"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


def reading(engine: Engine) -> Engine:
    """Return the engine, sharing its connections, for transactions that read."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{ROLE: "read"})
    return engine.execution_options(
        **{ROLE: "read"}, isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def writing(engine: Engine) -> Engine:
    """Return the engine, sharing its connections, for transactions that write."""
    return engine.execution_options(**{ROLE: "write"})


def migrating(engine: Engine) -> Engine:
    """Return the engine, sharing its connections, for the transaction that changes the schema."""
    return engine.execution_options(**{ROLE: "migrate"})
