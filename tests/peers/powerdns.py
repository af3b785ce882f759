"""PowerDNS Authoritative Server (pdns_server 4.7) with its SQLite backend."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from tests.peers.base import Peer, ServedZone, program

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class PowerDNS(Peer):
    """pdns_server; zones are put into its database by pdnsutil, and NOTIFYed by pdns_control."""

    binary: ClassVar[str] = "pdns_server"
    title: ClassVar[str] = "PowerDNS"

    def configure(self) -> list[str]:
        """Write pdns.conf, create the database, put the zones in."""
        (self.directory / "pdns.conf").write_text(self.settings())
        with closing(sqlite3.connect(self.directory / "pdns.sqlite3")) as database:
            database.executescript(SCHEMA.read_text())
        for key in self.keys:
            self.command("pdnsutil", "import-tsig-key", key.name, key.algorithm, key.secret)
        for zone in self.zones.values():
            self.add_zone(zone)
        options = (f"--config-dir={self.directory}", "--daemon=no", "--guardian=no")
        return [program(self.binary), *options]

    def settings(self) -> str:
        """Return pdns.conf: no caches, both roles, a SOA check every second."""
        open_to = "" if self.keys else "127.0.0.0/8"
        return f"""\
launch=gsqlite3
gsqlite3-database={self.directory}/pdns.sqlite3
gsqlite3-dnssec=yes
socket-dir={self.directory}
setuid=
setgid=
local-address=127.0.0.1
local-port={self.port}
primary=yes
secondary=yes
xfr-cycle-interval=1
only-notify=
allow-axfr-ips={open_to}
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
consistent-backends=no
receiver-threads=1
distributor-threads=1
retrieval-threads=1
security-poll-suffix=
expand-alias=no
loglevel=6
"""

    def add_zone(self, zone: ServedZone) -> None:
        """Put one zone into the database, as a primary or as a secondary."""
        if zone.primary:
            source = f"{zone.primary.address}:{zone.primary.port}"
            self.command("pdnsutil", "create-secondary-zone", zone.apex, source)
            if zone.incremental:
                self.command("pdnsutil", "set-meta", zone.apex, "IXFR", "1")
        else:
            self.command("pdnsutil", "load-zone", zone.apex, zone.file)
            self.command("pdnsutil", "set-kind", zone.apex, "primary")
            self.sign(zone)
        role = "secondary" if zone.primary else "primary"
        for key in zone.keys:
            self.command("pdnsutil", "activate-tsig-key", zone.apex, key.name, role)
        if zone.remotes:
            targets = [f"{remote.address}:{remote.port}" for remote in zone.remotes]
            self.command("pdnsutil", "set-meta", zone.apex, "ALSO-NOTIFY", *targets)

    def reload(self, apex: str) -> None:
        """Replace the records in the database and have a NOTIFY sent."""
        zone = self.zones[apex]
        self.command("pdnsutil", "load-zone", apex, zone.file)
        self.rectify(zone)
        self.command("pdns_control", "notify", apex)

    def sign(self, zone: ServedZone) -> None:
        """Have it sign a zone, where that is asked for."""
        if zone.signing:
            self.command("pdnsutil", "secure-zone", zone.apex)
        if zone.signing == "nsec3":
            self.command("pdnsutil", "set-nsec3", zone.apex, "1 0 0 -")
        self.rectify(zone)

    def rectify(self, zone: ServedZone) -> None:
        """Have the order of the names of a zone that it signs put into the database."""
        if zone.signing:
            self.command("pdnsutil", "rectify-zone", zone.apex)

    def command(self, tool: str, *arguments: str) -> str:
        """Run pdnsutil or pdns_control on this server; what they say goes to the log."""
        done = subprocess.run(
            [program(tool), f"--config-dir={self.directory}", *arguments],
            cwd=self.directory,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        with self.process.log_file.open("a") as log:
            log.write(f"{tool} {' '.join(arguments)}: {done.stdout}\n")
        assert done.returncode == 0, f"{tool} {' '.join(arguments)} failed: {done.stdout}"
        return done.stdout
