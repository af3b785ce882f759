"""What can go wrong with the database, told in one sentence with what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from storage.errors import StorageError

# SQLite result codes (low octet) and PostgreSQL SQLSTATEs (or their class): what it means and what
# to do about it. A person reads this at three in the morning: no code, no jargon.
SQLITE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and repeat the command",
    sqlite3.SQLITE_BUSY: "it is locked by another process that writes; try again in a moment",
    sqlite3.SQLITE_LOCKED: "it is locked by another process that writes; try again in a moment",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore the latest backup (nsctl restore)",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database; name another file or remove it",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that the directory exists and who "
    "may read and write there",
    sqlite3.SQLITE_READONLY: "the file cannot be written to; check its owner and permissions",
    sqlite3.SQLITE_PERM: "access was denied; check the owner and permissions of the file",
    sqlite3.SQLITE_AUTH: "access was denied; check the owner and permissions of the file",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check the disk and the system log",
    sqlite3.SQLITE_TOOBIG: "the content is larger than the database can hold",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}
POSTGRESQL: Final = {
    "53100": "the disk of the database server is full; free some space and repeat the command",
    "53300": "the database server has no free connection; raise max_connections or try again",
    "55P03": "another process is writing and did not finish in time; try again in a moment",
    "28": "the database server denied the login; check user and password in the database URL",
    "3D000": "there is no database of that name; create it (createdb) or check the database URL",
    "42501": "the user of the database may not do that; grant it CREATE on the schema",
    "25006": "the database server is read-only; connect to the one that accepts writes",
    "57": "the database server is shutting down or starting; try again in a moment",
    "08": "the connection to the database server was lost; try again in a moment",
    "XX001": "the database is damaged; restore the latest backup",
    "XX002": "the database is damaged; restore the latest backup",
}
UNREACHABLE: Final = "the database server cannot be reached; check that it runs and the URL"


def reason(error: BaseException) -> str:
    """Return what a driver's or SQLAlchemy's error means and what to do, without the place."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return reason(error.orig)
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return SQLITE.get(code, first_line(error))
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return POSTGRESQL.get(state) or POSTGRESQL.get(state[:2]) or first_line(error)
    if type(error).__module__.startswith("psycopg"):  # the server did not say it
        return connection_reason(str(error))
    return first_line(error)


def connection_reason(text: str) -> str:
    """Return the reason of a connection that failed without a SQLSTATE from the server."""
    if "does not exist" in text and "database" in text:
        return POSTGRESQL["3D000"]
    if "authentication failed" in text or "no password supplied" in text:
        return POSTGRESQL["28"]
    if "starting up" in text or "shutting down" in text:
        return POSTGRESQL["57"]
    if "closed" in text or "lost" in text or "terminating connection" in text:
        return POSTGRESQL["08"]
    return UNREACHABLE


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, its type where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn every database error of the block into a ``StorageError`` that names ``place``."""
    try:
        yield
    except IntegrityError as error:
        raise StorageError(f"database {place}: conflicting data: {reason(error)}") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StorageError(f"database {place}: {reason(error)}") from error
