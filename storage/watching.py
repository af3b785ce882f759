"""Waiting for commits of other connections and processes.

SQLite has no notifications: one connection asks ``PRAGMA data_version``, a few microseconds, every
10 ms. PostgreSQL has LISTEN/NOTIFY.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Final

import sqlalchemy
from sqlalchemy import URL

from storage.engines import WAIT_SECONDS, place, postgresql_arguments
from storage.errors import StorageError
from storage.explained import reason

POLL_SECONDS: Final = 0.01
SLICE_SECONDS: Final = 0.25  # how long a PostgreSQL watcher may still wait once it is to stop


class Watcher(ABC):
    """Waits for commits; one caller at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the connection
        self._closed = threading.Event()

    def wait(self, timeout: float, stop: threading.Event | None = None) -> bool:
        """Wait up to ``timeout`` seconds or until ``stop``; tell whether a commit may have come.

        The first call, and the first after a lost connection, returns ``True`` at once: nobody was
        watching before it. Raises a driver's error or ``StorageError``.
        """
        with self._lock:
            return not self._closed.is_set() and self._wait(timeout, stop or self._closed)

    def close(self) -> None:
        """Make a waiting thread return ``False`` and close the connection."""
        self._closed.set()
        with self._lock:
            self._disconnect()

    @abstractmethod
    def _wait(self, timeout: float, stop: threading.Event) -> bool: ...

    @abstractmethod
    def _disconnect(self) -> None: ...


class SQLiteWatcher(Watcher):
    """Polls the version counter of a SQLite file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._seen = -1

    def _wait(self, timeout: float, stop: threading.Event) -> bool:
        deadline = time.monotonic() + timeout
        while (version := self._version()) == self._seen:
            left = deadline - time.monotonic()
            if left <= 0 or self._closed.is_set() or stop.wait(min(left, POLL_SECONDS)):
                return False
        self._seen = version
        return True

    def _version(self) -> int:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgreSQLWatcher(Watcher):
    """Listens on a connection of its own."""

    def __init__(self, url: URL) -> None:
        super().__init__()
        self._url = url
        self._connection: Any = None

    def _wait(self, timeout: float, stop: threading.Event) -> bool:
        import psycopg  # noqa: PLC0415  not loaded where the store is SQLite

        try:
            if self._connection is None:
                self._connect()
                return True
            deadline = time.monotonic() + timeout
            while not (self._closed.is_set() or stop.is_set()):
                left = max(0.0, deadline - time.monotonic())
                slice_ = min(left, SLICE_SECONDS)
                if any(True for _ in self._connection.notifies(timeout=slice_, stop_after=1)):
                    return True
                if left <= SLICE_SECONDS:
                    break
        except psycopg.Error as error:
            self._disconnect()
            raise StorageError(f"database {place(self._url)}: {reason(error)}") from error
        return False

    def _connect(self) -> None:
        engine = sqlalchemy.create_engine(
            self._url, connect_args=postgresql_arguments(), poolclass=sqlalchemy.pool.NullPool
        )
        connection = engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.detach()
        driver.autocommit = True
        driver.execute("LISTEN nsctl")
        self._connection = driver

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
