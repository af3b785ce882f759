"""What a server answers at its start, before anything but that is loaded."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nameserver.address import Address
from nameserver.engine import compiled_available
from nameserver.front import Front
from nameserver.server import Server
from nameserver.settings import Settings
from nameserver.table import ZoneState
from storage import catalogs, feed, secondaries, versions, zones
from storage.catalogs import Catalog, Role
from storage.database import Database
from storage.errors import StorageError
from storage.start import reading
from storage.versions import Origin, Publication
from tests.peers.waiting import wait_until
from tests.zone_content import content as zone_content
from zones.name import Name, from_text
from zones.secondary import SecondaryState
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0
ENGINES = ["python", *(["compiled"] if compiled_available else [])]


@dataclass(frozen=True, slots=True)
class Case:
    """A zone as it is stored, and how it has to stand; ``None``: not at all."""

    name: str
    stands: ZoneState | None
    mode: Mode = Mode.HOSTED
    suspended: str = ""
    hosts: int = 2
    published: bool = True
    expires_in: float | None = None
    role: Role | None = None

    @property
    def apex(self) -> Name:
        """Return the name of the zone."""
        return from_text(f"{self.name}.example")

    def version(self) -> ZoneVersion:
        """Return its content."""
        return zone_content(f"{self.name}.example", serial=5, hosts=self.hosts)


SECONDARY = Mode.HIDDEN_PRIMARY
CASES = (
    Case("small", ZoneState.SERVING),
    Case("large", ZoneState.SERVING, hosts=1000),
    Case("escaped\\046dot", ZoneState.SERVING),
    Case("secondary", ZoneState.SERVING, SECONDARY, expires_in=1.0),
    Case("visible", ZoneState.SERVING, Mode.PRIMARY, expires_in=1.0),
    Case("new", ZoneState.PENDING, SECONDARY, published=False),
    Case("empty", ZoneState.PENDING, published=False),
    Case("expired", ZoneState.EXPIRED, SECONDARY, expires_in=0.0),
    Case("largely-expired", ZoneState.EXPIRED, SECONDARY, hosts=1000, expires_in=-1.0),
    Case("never", ZoneState.PENDING, SECONDARY, published=False, expires_in=-1.0),
    Case("hosted-now", ZoneState.SERVING, expires_in=-1.0),
    Case("suspended", ZoneState.SUSPENDED, suspended="unpaid"),
    Case("suspended-empty", ZoneState.SUSPENDED, suspended="unpaid", published=False),
    Case("both", ZoneState.SUSPENDED, SECONDARY, suspended="unpaid", expires_in=-1.0),
    Case("theirs", None, Mode.EXTERNAL),
    Case("theirs-empty", None, Mode.EXTERNAL, published=False),
    Case("theirs-suspended", None, Mode.EXTERNAL, suspended="unpaid", published=False),
    Case("followed", ZoneState.SUSPENDED, SECONDARY, role=Role.CONSUMER, expires_in=1.0),
    Case("followed-late", ZoneState.SUSPENDED, SECONDARY, role=Role.CONSUMER, expires_in=-1.0),
    Case("made", ZoneState.SERVING, role=Role.PRODUCER),
)


def store(database: Database, *cases: Case) -> dict[Name, int]:
    """Store zones; return the ids of what is served."""
    with database.write() as session:
        added = [Zone(case.apex, case.mode, suspended=case.suspended) for case in cases]
        zones.add_zones(session, added, now=NOW, actor="anna")
        done = versions.publish_many(
            session,
            [
                Publication(case.version(), Origin.IMPORT, "anna")
                for case in cases
                if case.published
            ],
            now=NOW,
        )
        states = [
            SecondaryState(case.apex, expires_at=NOW + case.expires_in)
            for case in cases
            if case.expires_in is not None
        ]
        secondaries.save_states(session, states)
        for case in cases:
            if case.role is not None:
                catalog = Catalog(case.apex, case.role)
                catalogs.add_catalog(session, catalog, now=NOW, actor="anna")
    return {published.apex: published.id for published in done}


def loaded(database: Database, engine: str) -> Front:
    """Return the front of a server on a store."""
    settings = Settings(engine=engine, listen=(Address("127.0.0.1", 0),), database=database.url)
    front = Front(settings, lambda: NOW)
    with database.read() as session:
        front.load(session.connection().connection.driver_connection)
    return front


@pytest.mark.parametrize("engine", ENGINES)
def test_each_zone_stands_as_the_store_says(database: Database, engine: str) -> None:
    """Suspended, expired, empty and other zones are not answered, the others by what is served."""
    ids = store(database, *CASES)
    front = loaded(database, engine)
    found = {case.name: front.table.get(case.apex) for case in CASES}
    stands = {name: served and served.state for name, served in found.items()}
    assert stands == {case.name: case.stands for case in CASES}
    assert len(front.table) == sum(case.stands is not None for case in CASES)
    for case in CASES:
        served = found[case.name]
        if served is None:
            continue
        if case.published:
            assert served.version is not None, case
            assert served.version.blob == case.version().blob, case
            assert front.version_ids[case.apex] == ids[case.apex], case
        else:
            assert served.version is None, case
    with database.read() as session:
        assert front.loaded_seq == feed.latest(session)


def test_the_served_version_is_loaded(database: Database) -> None:
    """Of the versions of a zone it is the served one, also when it is not the newest."""
    case = Case("pinned", ZoneState.SERVING, SECONDARY)
    store(database, case)
    with database.write() as session:
        pinned = Zone(case.apex, SECONDARY, pinned=True)
        zones.update_zone(session, pinned, now=NOW, actor="anna", reason="")
        newer = Publication(zone_content("pinned.example", serial=6), Origin.TRANSFER, "anna")
        versions.publish_many(session, [newer], now=NOW)
    served = loaded(database, ENGINES[-1]).table.get(case.apex)
    assert served is not None
    assert served.version is not None
    assert served.version.serial == 5


async def test_what_changes_while_the_rest_is_loaded_is_followed(database: Database) -> None:
    """Changes between reading the zones and following the feed are not lost."""
    changed, ended, late = CASES[0], CASES[3], Case("late", None)
    store(database, changed, ended)
    front = loaded(database, ENGINES[-1])
    store(database, late)
    with database.write() as session:
        newer = Publication(zone_content("small.example", serial=6), Origin.EDIT, "anna")
        versions.publish_many(session, [newer], now=NOW)
        zones.delete_zone(session, ended.apex, now=NOW, actor="anna")
    settings = Settings(listen=(Address("127.0.0.1", 0),), database=database.url)
    server = Server(settings, database, front=front)
    await server.start()
    try:
        wanted = {(changed.apex, 6), (late.apex, 5)}

        def standing() -> set[tuple[Name, int]]:
            return {(one.apex, one.version.serial if one.version else 0) for one in front.table}

        await asyncio.to_thread(wait_until, lambda: standing() == wanted, "all is followed", 20)
    finally:
        await server.stop()


def test_only_a_store_of_today_is_read_at_once(tmp_path: Path, database_url: str) -> None:
    """What is missing, older, another program's or damaged is left to ``Database.open``."""
    path = tmp_path / "store.db"
    Database.open(str(path)).close()
    for url in (str(path), f"sqlite:///{path}"):
        with reading(url) as connection:
            assert connection is not None
            with pytest.raises(sqlite3.OperationalError):
                connection.execute("DELETE FROM zones")
    others = [f"{tmp_path}/missing.db", f"sqlite:///{path}?mode=ro", f"{tmp_path}"]
    if database_url.startswith("postgresql"):
        others.append(database_url)
    for name, statement in (
        ("older", "UPDATE alembic_version SET version_num = '0001'"),
        ("foreign", "DROP TABLE alembic_version"),
    ):
        other = tmp_path / f"{name}.db"
        other.write_bytes(path.read_bytes())
        changed = sqlite3.connect(other)
        changed.execute(statement)
        changed.commit()
        changed.close()
        others.append(str(other))
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database" * 1000)
    for url in (*others, str(damaged)):
        with reading(url) as connection:
            assert connection is None, url
    assert not (tmp_path / "missing.db").exists()


def test_errors_of_the_driver_are_explained(tmp_path: Path) -> None:
    """Whoever starts a server reads a sentence, whichever way the store is read."""
    path = tmp_path / "store.db"
    Database.open(str(path)).close()

    def ask() -> None:
        with reading(str(path)) as connection:
            assert connection is not None
            connection.execute("SELECT nothing FROM nowhere")

    with pytest.raises(StorageError, match=r"database .*store\.db: "):
        ask()


@pytest.mark.skipif(not compiled_available, reason="the Python engine answers on the event loop")
def test_a_server_answers_before_the_rest_is_loaded(tmp_path: Path) -> None:
    """Answers come while the event loop stands still, and nothing was imported for them in vain."""
    database = Database.open(f"sqlite:///{tmp_path}/nsctl.db")
    store(database, *CASES)
    database.close()
    done = subprocess.run(
        [sys.executable, "-c", EARLY],
        env={**os.environ, "NSCTL_DATABASE": database.url, "NSCTL_LISTEN": "127.0.0.1@0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rcodes"] == {"small": 0, "expired": 2, "empty": 2, "theirs": 5, "none": 5}
    assert told["imported"] == []


NOT_YET = (
    "alembic", "cryptography", "email_validator", "holidays", "http.client", "phonenumbers",
    "psycopg", "registrar", "smtplib", "sqlalchemy", "storage.database", "axfr.secondaries",
)  # fmt: skip
EARLY = rf"""
import json, socket, sys
from nameserver import process
from nameserver.settings import load

async def told(front, settings, stop):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(20)
    client.connect(("127.0.0.1", front.addresses[0].port))
    rcodes = {{}}
    for name in ("small", "expired", "empty", "theirs", "none"):
        question = bytes([len(name)]) + name.encode() + b"\7example\0\0\6\0\1"
        client.send(bytes([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + question)
        rcodes[name] = client.recv(4096)[3] & 15
    imported = [name for name in {NOT_YET!r} if name in sys.modules]
    print(json.dumps({{"rcodes": rcodes, "imported": imported}}))

process._serve_all = told
process.run(load())
"""
