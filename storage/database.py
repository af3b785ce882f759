"""Opening the store, and sessions on it.

``read()`` sees one state of the store from its first query to its end and never blocks or waits
for a writer. ``write()`` is alone: writers queue (SQLite: ``BEGIN IMMEDIATE``; PostgreSQL: an
advisory lock), so what a writer has read stays true until it commits, and the numbers of the
change feed are committed in order. What ``write()`` has committed survives a power cut.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from storage import alert_models as _alert_models  # noqa: F401  so that the metadata is complete
from storage import catalog_models as _catalog_models  # noqa: F401
from storage import desk_models as _desk_models  # noqa: F401
from storage import engines, schema
from storage import quarantine_models as _quarantine_models  # noqa: F401
from storage.explained import explained
from storage.watching import PostgreSQLWatcher, SQLiteWatcher, Watcher

NOTIFY = "SELECT pg_notify('nsctl', '')"


class Database:
    """An open store; may be used from several threads."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine on a migrated store; use ``Database.open``."""
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=False)
        self.place = engines.place(engine.url)
        self._reader = engines.reading(engine)
        self._writer = engines.writing(engine)
        self._watcher = self.watch()

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store at ``url``, creating it and migrating its schema where needed.

        ``sqlite:///relative.db``, ``sqlite:////absolute.db``, a path to a file, or
        ``postgresql://user@host/database``. Raises ``StorageError`` with a plain reason.
        """
        parsed = engines.parse(url)
        with explained(engines.place(parsed)):
            engine = engines.create(parsed)
            try:
                schema.bring_up_to_date(engine)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the store is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for queries; what it sees does not change; it cannot write."""
        with explained(self.place), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session; a clean exit commits, durably; an exception rolls all back.

        Waits up to 10 seconds for another writer to finish. Do not read files or talk to the
        network within the block.
        """
        with explained(self.place), Session(self._writer, expire_on_commit=False) as session:
            connection = session.connection()  # takes the lock now, not at the first statement
            yield session
            session.flush()
            if session.info.get("changed") and not self.is_sqlite:
                connection.exec_driver_sql(NOTIFY)
            session.commit()  # leaving the block without it rolls back

    def watch(self) -> Watcher:
        """Return a watcher of one's own, for a second follower in the same process."""
        if self.is_sqlite:
            return SQLiteWatcher(str(self.engine.url.database))
        return PostgreSQLWatcher(self.engine.url)

    def changed(self) -> bool:
        """Tell, without waiting, whether something may have been committed since last asked."""
        return self.wait_for_change(0.0)

    def wait_for_change(self, timeout: float, stop: threading.Event | None = None) -> bool:
        """Wait until something may have been committed since last asked, by any process.

        Returns ``True`` at the first call, and whenever in doubt; ``False`` after ``timeout``
        seconds, once ``stop`` is set, or once the database is closed. For one follower in one thread at a time; others
        take a ``watch()`` of their own. Raises ``StorageError`` where the database is away.
        """
        with explained(self.place):
            return self._watcher.wait(timeout, stop)

    def close(self) -> None:
        """Close all connections; a thread in ``wait_for_change`` returns."""
        self._watcher.close()
        self.engine.dispose()
