"""This project's server, as ``nsctl serve`` starts it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line
from bench.task import Task, ZoneFile
from storage.database import Database
from storage.secondaries import set_primaries_of
from storage.versions import Origin, Publication, publish_many
from storage.zones import add_zones
from zones.name import from_text
from zones.secondary import Primary
from zones.version import ZoneVersion
from zones.zone import Mode, Zone
from zones.zonefile import read_zone_file

IN_ONE_COMMIT = 5_000
COMMAND = str(Path(sys.executable).parent / "nsctl")
ACTOR = "bench"
# The engine is the caller's choice; the rest is what the peers are told too.
SETTINGS = {
    "NSCTL_MINIMAL_RESPONSES": "on",
    "NSCTL_RRL": "off",
    "NSCTL_COOKIES": "off",
    "NSCTL_LOG_LEVEL": "error",
    "NSCTL_WORKERS": "1",
}


class Nsctl(Daemon):
    """``nsctl serve`` on a SQLite store that was filled before."""

    name: ClassVar[str] = "nsctl"
    binary: ClassVar[str] = COMMAND

    @classmethod
    def version(cls) -> str:
        """Return its version, and the engine that was asked for."""
        return (
            f"{first_line(COMMAND, '--version')}, engine {os.environ.get('NSCTL_ENGINE', 'auto')}"
        )

    @property
    def database_url(self) -> str:
        """Where its store is."""
        return f"sqlite:///{self.directory}/nsctl.db"

    def environment(self) -> Mapping[str, str]:
        """Return its settings; of ours it takes the engine alone."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NSCTL_") or name == "NSCTL_ENGINE"
        }
        own = {
            "NSCTL_DATABASE": self.database_url,
            "NSCTL_LISTEN": f"127.0.0.1@{self.port}",
        }
        return kept | SETTINGS | own

    def configure(self) -> list[str]:
        """Fill the store."""
        with closing(Database.open(self.database_url)) as database:
            fill(database, self.task)
        return [COMMAND, "serve"]


def fill(database: Database, task: Task) -> None:
    """Store the zones, with their content or with their primary."""
    mode = Mode.HIDDEN_PRIMARY if task.primary else Mode.HOSTED
    for files in groups(task.zones):
        zones = [Zone(from_text(file.apex), mode) for file in files]
        contents = [content(file) for file in files if file.path]
        now = time.time()
        with database.write() as session:
            add_zones(session, zones, now=now, actor=ACTOR)
            if task.primary:
                primary = Primary("127.0.0.1", task.primary)
                apexes = [zone.apex for zone in zones]
                set_primaries_of(session, apexes, [primary], now=now, actor=ACTOR)
            imported = [Publication(version, Origin.IMPORT, ACTOR) for version in contents]
            publish_many(session, imported, now=now)


def content(file: ZoneFile) -> ZoneVersion:
    """Return what a zone file says."""
    assert file.path is not None
    packed = read_zone_file(file.path.read_text(), filename=str(file.path))
    return ZoneVersion(packed.blob)


def groups(files: Iterable[ZoneFile]) -> Iterator[list[ZoneFile]]:
    """Yield as many zones as go into one commit."""
    left = iter(files)
    while group := list(islice(left, IN_ONE_COMMIT)):
        yield group
