"""Leases: which one of several nodes does what only one may do, such as transfers.

A lease ends by itself when its holder does not renew it, so that a node that dies is replaced. Times
are those of the database, whatever the clocks of the nodes say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Double, cast, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from storage import engines
from storage.database import Database
from storage.explained import explained
from storage.models import LeaseRow

UNIX_EPOCH: Final = 2_440_587.5  # as a Julian day
DAY: Final = 86_400.0


def take(database: Database, name: str, holder: str, seconds: float) -> bool:
    """Take a lease that is free, or renew one's own; tell whether ``holder`` has it now.

    Raises ``StorageError``.
    """
    with _beside(database) as connection:
        now = _time(connection)
        insert = (sqlite if database.is_sqlite else postgresql).insert(LeaseRow)
        wanted = insert.values(name=name, holder=holder, until=now + seconds)
        done = connection.execute(
            wanted.on_conflict_do_update(
                index_elements=[LeaseRow.name],
                set_={"holder": wanted.excluded.holder, "until": wanted.excluded.until},
                where=(LeaseRow.holder == holder) | (LeaseRow.until <= now),
            ).returning(LeaseRow.holder)
        )
        return done.first() is not None


def give_up(database: Database, name: str, holder: str) -> None:
    """End a lease of one's own before its time; raises ``StorageError``."""
    mine = (LeaseRow.name == name) & (LeaseRow.holder == holder)
    with _beside(database) as connection:
        connection.execute(delete(LeaseRow).where(mine))


def holder_of(session: Session, name: str) -> str | None:
    """Return who holds a lease, ``None`` where nobody does."""
    now = _time(session.connection())
    return session.scalar(
        select(LeaseRow.holder).where(LeaseRow.name == name, LeaseRow.until > now)
    )


@contextmanager
def _beside(database: Database) -> Iterator[Connection]:
    """Yield a connection in a transaction that, on PostgreSQL, waits for no writer of the store.

    A lease that a bulk import kept from being renewed would be lost.
    """
    engine = engines.writing(database.engine) if database.is_sqlite else database.engine
    with explained(database.place), engine.begin() as connection:
        yield connection


def _time(connection: Connection) -> ColumnElement[float]:
    """Return the expression for the database's time, in seconds since the epoch."""
    if connection.dialect.name == "sqlite":
        return (func.julianday("now") - UNIX_EPOCH) * DAY
    return cast(func.extract("epoch", func.clock_timestamp()), Double())
