"""Knot DNS (knotd 3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line, path_of
from bench.task import ZoneFile


class Knot(Daemon):
    """knotd, started from its configuration database, as its manual advises for many zones."""

    name: ClassVar[str] = "knot"
    binary: ClassVar[str] = "knotd"

    @classmethod
    def version(cls) -> str:
        """Return its version."""
        return first_line("knotd", "--version")

    def configure(self) -> list[str]:
        """Write knot.conf and import it."""
        path = self.directory / "knot.conf"
        path.write_text("\n".join([self.server_section(), *self.sections(), ""]))
        database = str(self.directory / "confdb")
        self.run("knotc", "-C", database, "conf-import", str(path))
        return [path_of(self.binary), "-C", database]

    def server_section(self) -> str:
        """Return what concerns the process."""
        return f"""\
server:
  rundir: "{self.directory}"
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  automatic-acl: off
log:
  - target: stderr
    any: error
database:
  storage: "{self.directory}"
  journal-db-max-size: 4G"""

    def sections(self) -> Iterator[str]:
        """Yield the sections about other servers and zones; their order is prescribed."""
        task = self.task
        other = task.primary or task.secondary
        if other:
            yield f"remote:\n  - id: other\n    address: 127.0.0.1@{other}"
        yield "acl:\n  - id: anybody\n    address: 127.0.0.0/8"
        yield "    action: [transfer, notify, update]"
        yield f'template:\n  - id: default\n    storage: "{self.directory}"\n    acl: anybody'
        if task.primary:
            yield "    master: other"
        else:
            yield f"    zonefile-sync: -1\n    journal-content: {self.journal()}"
            yield "    notify: other" if task.secondary else ""
        yield "zone:"
        for zone in task.zones:
            yield f"  - domain: {zone.apex}{self.file_of(zone)}"

    def journal(self) -> str:
        """Return what the journal keeps: only what is not in a file."""
        return "changes" if self.task.updates else "none"

    def file_of(self, zone: ZoneFile) -> str:
        """Return the line about the file of a primary's zone."""
        return f'\n    file: "{zone.path}"' if zone.path else ""

    def reload_zones(self) -> None:
        """Have all changed zone files read, and NOTIFY sent."""
        self.run("knotc", "-C", str(self.directory / "confdb"), "zone-reload")
