"""What is answered when a server starts: read by the driver alone, in one transaction.

SQLAlchemy takes longer to load than a hundred thousand zones do. So the queries of a start are
written out here, and nothing of it is imported: a server answers while it loads the rest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from storage.content import PLAIN, decode, no_root
from storage.migrations import HEAD
from storage.names import name_of
from zones.name import Name
from zones.version import ZoneVersion

Rows: TypeAlias = Sequence[tuple[int, bytes]]  # ids of versions, and their packed forms

ROWS: Final = 2000  # at a time
WAIT_SECONDS: Final = 10  # for another process that has the file locked

LATEST: Final = "SELECT max(seq) FROM feed"
# In the order of an index: rows come as they are found, and neighbours stand near each other.
SERVED: Final = """
    SELECT s.version, v.codec, v.content FROM served s JOIN versions v ON v.id = s.version
    ORDER BY s.version"""
WHOLE: Final = "SELECT codec, content FROM versions WHERE codec <> 2 AND id = {}"
NOT_ANSWERED: Final = """
    SELECT z.apex, z.mode, s.version FROM zones z LEFT JOIN served s ON s.apex = z.apex
    WHERE z.suspended <> '' OR z.mode = 'external'"""
# The counts spare most stores a look at each zone.
EMPTY: Final = """
    SELECT apex FROM zones WHERE mode <> 'external' AND suspended = ''
    AND (SELECT count(*) FROM zones) > (SELECT count(*) FROM served)
    AND apex NOT IN (SELECT apex FROM served)"""
EXPIRED: Final = """
    SELECT t.apex FROM secondary_states t JOIN zones z ON z.apex = t.apex
    WHERE t.expires_at <= {} AND z.mode IN ('primary', 'hidden-primary')"""
FOLLOWED: Final = "SELECT apex FROM catalogs WHERE role = 'consumer'"


@dataclass(frozen=True, slots=True)
class OtherZone:
    """A zone that does not come in bulk; without a version the id is 0."""

    apex: Name
    version_id: int
    version: ZoneVersion | None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The state of the store at number ``seq`` of the change feed, beside what came in bulk.

    ``expired`` are secondary zones of which no usable version came in time, ``followed`` catalogs
    of others; their content may be among what came in bulk.
    """

    seq: int
    others: tuple[OtherZone, ...]
    expired: frozenset[Name]
    followed: frozenset[Name]


@contextmanager
def reading(url: str) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection to a store whose schema is today's, with a transaction that reads.

    ``None`` for what ``Database.open`` has to see to: a store that is missing, to be migrated, on a
    server, or in trouble, of which it tells. Raises ``StorageError`` for errors within the block.
    """
    connection = open_current(url)
    try:
        yield connection
    except sqlite3.Error as error:
        from storage.explained import explained  # noqa: PLC0415  it needs SQLAlchemy

        with explained(url):
            raise error from None
    finally:
        if connection is not None:
            connection.close()


def open_current(url: str) -> sqlite3.Connection | None:
    """Return what ``reading`` yields."""
    path = url.removeprefix("sqlite:///")
    if "://" in path or "?" in path:
        return None
    try:
        file = Path(path).expanduser().absolute().as_uri()
        connection = sqlite3.connect(
            f"{file}?mode=rw", uri=True, isolation_level=None, timeout=WAIT_SECONDS
        )
    except (sqlite3.Error, ValueError):
        return None
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        if connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]:
            return connection
    connection.close()
    return None


def read_start(connection: Any, now: float, take: Callable[[Rows], object]) -> Start:
    """Read all that is answered, in the transaction of a driver's connection.

    ``take`` is given most zones, some thousand at a time: content of a few kilobytes that is to be
    answered. The rest is returned. Raises ``StorageError`` for damaged content, and the driver's
    errors.
    """
    seq = connection.execute(LATEST).fetchone()[0] or 0
    apart = {}
    others = []
    for text, mode, version_id in connection.execute(NOT_ANSWERED):
        if version_id is not None:
            apart[version_id] = mode
        elif mode != "external":
            others.append(OtherZone(name_of(text), 0, None, suspended=True))
    left: list[tuple[int, int, bytes]] = []
    for rows in in_parts(connection, SERVED):
        take([row[::2] for row in rows if row[1] == PLAIN and row[0] not in apart])
        left += [row for row in rows if row[1] != PLAIN or row[0] in apart]
    others += [OtherZone(name_of(text), 0, None) for (text,) in connection.execute(EMPTY)]
    for version_id, codec, stored in left:
        if (mode := apart.get(version_id)) != "external":
            version = ZoneVersion(content_of(connection, codec, stored))
            others.append(OtherZone(version.apex, version_id, version, mode is not None))
    return Start(
        seq,
        tuple(others),
        frozenset(name_of(text) for (text,) in connection.execute(EXPIRED.format(repr(now)))),
        frozenset(name_of(text) for (text,) in connection.execute(FOLLOWED)),
    )


def in_parts(connection: Any, query: str) -> Iterator[list[Any]]:
    """Yield the rows of a query, many at a time, without having all of them in memory."""
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.execute(query)
    else:  # psycopg: without a name it would fetch everything at once
        cursor = connection.cursor("start", binary=True)
        cursor.execute(query)
    while rows := cursor.fetchmany(ROWS):
        yield rows
    cursor.close()


def content_of(connection: Any, codec: int, stored: bytes) -> bytes:
    """Return the packed form of what is stored; raises ``StorageError``."""

    def whole(root: int) -> bytes:
        found = connection.execute(WHOLE.format(int(root))).fetchone()
        return no_root(root) if found is None else decode(*found)

    return decode(codec, stored, whole)
