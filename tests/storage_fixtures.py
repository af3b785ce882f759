"""Databases for tests: each test that asks for ``database`` runs on SQLite and on PostgreSQL.

PostgreSQL is started once per test process, in a directory of its own, on a unix socket only, as
an unprivileged user where the tests run as root; with everything off that makes it survive a power
cut, since its data does not have to. Each test finds an empty migrated database.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.database import Database
from storage.migrations import HEAD
from storage.models import Base
from tests.peers.waiting import wait_until
from tests.requirements import find_program

SHARED = "shared"  # by all tests of the process, one after the other
FIRST_ID = 7000  # of each table there: a test that takes numbers for known fails
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_wal_senders=0",
        "wal_level=minimal", "shared_buffers=32MB", "max_connections=60", "autovacuum=off")  # fmt: skip


def environment() -> dict[str, str]:
    """Return ours, less what `make sanitize` has loaded into every process: initdb hangs in it."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def unprivileged() -> dict[str, Any]:
    """Return the arguments of ``Popen`` that drop root's rights, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.fail("there is no user postgres or nobody to run PostgreSQL as")


@dataclass
class PostgreSQLServer:
    """A PostgreSQL server of our own; ``directory`` holds its data, its log and its socket."""

    directory: Path
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), init=False)

    def start(self) -> None:
        """Make a cluster, start the server, wait until it answers."""
        rights = unprivileged()
        if rights:
            os.chown(self.directory, rights["user"], rights["group"])
        data = str(self.directory / "data")
        with (self.directory / "log").open("wb") as log:
            subprocess.run(
                [program("initdb"), "--pgdata", data, "--username=nsctl", "--auth=trust",
                 "--no-sync", "--locale=C", "--encoding=UTF8"],
                stdout=log, stderr=log, check=True, cwd=self.directory, env=environment(), **rights,
            )  # fmt: skip
            settings = [f"-c{setting}" for setting in FAST]
            self.child = subprocess.Popen(
                [program("postgres"), "-D", data, "-k", str(self.directory),
                 "-clisten_addresses=", *settings],
                stdout=log, stderr=log, cwd=self.directory, env=environment(), **rights,
            )  # fmt: skip
        wait_until(self.answers, f"PostgreSQL answers in {self.directory}", 30)

    def answers(self) -> bool:
        """Tell whether it takes connections; fails where it has ended."""
        assert self.child is not None
        assert self.child.poll() is None, (self.directory / "log").read_text(errors="replace")
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://nsctl@/{database}?host={self.directory}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement in a database."""
        where = f"host={self.directory} user=nsctl dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """Create a database without any tables and return its URL."""
        name = f"test{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def empty(self, database: str) -> None:
        """Cut off who is still connected and delete every row: quicker than a new one."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        tables = reversed(Base.metadata.sorted_tables)
        statements = [f"DELETE FROM {table.name}" for table in tables]
        statements.append(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        self.execute("; ".join(statements), database)

    def count_from(self, first: int, database: str) -> None:
        """Have every table give its next row the number ``first``."""
        self.execute(
            f"DO $$ DECLARE one record; BEGIN FOR one IN SELECT sequencename FROM pg_sequences "
            f"LOOP EXECUTE format('ALTER SEQUENCE %I RESTART {first}', one.sequencename); "
            "END LOOP; END $$",
            database,
        )

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server: cleanly and at once with SIGINT, as after a crash with SIGQUIT."""
        if self.child is not None:
            self.child.send_signal(number)
            self.child.wait(20)


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, which the mark says is there."""
    path = find_program(name)
    assert path is not None, f"{name} is not installed"
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server with an empty migrated database."""
    # Not below pytest's directory, which another user may not enter; short, for the socket's path.
    directory = Path(tempfile.mkdtemp(prefix="nsctl-pg-"))
    server = PostgreSQLServer(directory)
    try:
        server.start()
        server.execute(f"CREATE DATABASE {SHARED}")
        Database.open(server.url(SHARED)).close()
        server.count_from(FIRST_ID, SHARED)
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    Database.open(f"sqlite:///{path}").close()
    return path


BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty migrated database; the test runs once per backend."""
    if request.param == "sqlite":
        path = tmp_path / "nsctl.db"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    yield server.url(SHARED)
    server.empty(SHARED)


@pytest.fixture(params=BACKENDS)
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet; the test runs once per backend."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/er/new.db"
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open empty store; the test runs once per backend."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
