"""PowerDNS Authoritative Server (pdns_server 4.7) with its SQLite backend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line, path_of
from bench.task import ZoneFile

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
# A secondary that is asked during a transfer keeps the old answers for these times otherwise.
NO_CACHES = """\
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
"""
INSERT_DOMAIN = "INSERT INTO domains (id, name, master, type) VALUES (?, ?, ?, ?)"
INSERT_RECORD = (
    "INSERT INTO records (domain_id, name, type, content, ttl, prio, auth)"
    " VALUES (?, ?, ?, ?, 3600, ?, 1)"
)
ONE_BY_ONE = 10  # zones that pdnsutil loads; it needs a process for each


class PowerDNS(Daemon):
    """pdns_server; its caches, on by default, are what it answers from where it is no secondary."""

    name: ClassVar[str] = "powerdns"
    binary: ClassVar[str] = "pdns_server"

    @classmethod
    def is_installed(cls) -> bool:
        """Tell whether server and backend are there."""
        return super().is_installed() and SCHEMA.exists()

    @classmethod
    def version(cls) -> str:
        """Return its version."""
        return first_line("pdns_server", "--version").partition("PowerDNS ")[2].partition(" (C)")[0]

    def configure(self) -> list[str]:
        """Write pdns.conf and fill the database."""
        (self.directory / "pdns.conf").write_text(self.settings())
        with closing(sqlite3.connect(self.directory / "pdns.sqlite3")) as database:
            database.executescript(SCHEMA.read_text())
            database.execute("PRAGMA journal_mode=WAL")
            if len(self.task.zones) > ONE_BY_ONE or self.task.primary:
                self.insert(database)
        if len(self.task.zones) <= ONE_BY_ONE and not self.task.primary:
            for zone in self.task.zones:
                self.load(zone)
        options = (f"--config-dir={self.directory}", "--daemon=no", "--guardian=no")
        return [path_of(self.binary), *options]

    def settings(self) -> str:
        """Return pdns.conf."""
        return f"""\
launch=gsqlite3
gsqlite3-database={self.directory}/pdns.sqlite3
gsqlite3-dnssec=yes
gsqlite3-pragma-synchronous=1
socket-dir={self.directory}
setuid=
setgid=
local-address=127.0.0.1
local-port={self.port}
primary=no
secondary={"yes" if self.task.primary else "no"}
xfr-cycle-interval=1
xfr-max-received-mbytes=1000
dnsupdate={"yes" if self.task.updates else "no"}
allow-dnsupdate-from=127.0.0.0/8
receiver-threads=1
distributor-threads=1
retrieval-threads=4
security-poll-suffix=
consistent-backends={"no" if self.task.primary else "yes"}
disable-syslog=yes
loglevel=2
{NO_CACHES if self.task.primary else ""}"""

    def load(self, zone: ZoneFile) -> None:
        """Have a zone file loaded by its own tool, which sees to what DNSSEC needs."""
        options = f"--config-dir={self.directory}"
        self.run("pdnsutil", options, "load-zone", zone.apex, str(zone.path))
        if zone.signed:
            self.run("pdnsutil", options, "set-presigned", zone.apex)

    def insert(self, database: sqlite3.Connection) -> None:
        """Put many small zones in, or secondary zones without content."""
        primary = f"127.0.0.1:{self.task.primary}" if self.task.primary else ""
        kind = "SLAVE" if self.task.primary else "NATIVE"
        with database:
            for number, zone in enumerate(self.task.zones, 1):
                database.execute(INSERT_DOMAIN, (number, zone.bare, primary, kind))
                if zone.path:
                    rows = [(number, *record) for record in records(zone)]
                    database.executemany(INSERT_RECORD, rows)


def records(zone: ZoneFile) -> Iterator[tuple[str, str, str, int]]:
    """Yield name, type, content and priority of a file with one record a line, as we write them."""
    assert zone.path is not None
    for line in zone.path.read_text().splitlines():
        if line.startswith("$"):
            continue
        owner, rtype, content = line.split(" ", 2)
        name = zone.bare if owner == "@" else f"{owner}.{zone.bare}"
        priority = 0
        if rtype == "MX":
            before, content = content.split()
            priority = int(before)
        yield (
            name,
            rtype,
            content if rtype == "TXT" else content.replace(". ", " ").rstrip("."),
            priority,
        )
