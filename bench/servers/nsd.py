"""NSD (nsd 4.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line, path_of


class Nsd(Daemon):
    """nsd with one server process."""

    name: ClassVar[str] = "nsd"
    binary: ClassVar[str] = "nsd"

    @classmethod
    def version(cls) -> str:
        """Return its version."""
        return first_line("nsd", "-v")

    def configure(self) -> list[str]:
        """Write nsd.conf."""
        path = self.directory / "nsd.conf"
        path.write_text("\n".join([self.server_clause(), *self.zone_clauses(), ""]))
        return [path_of(self.binary), "-d", "-c", str(path)]

    def server_clause(self) -> str:
        """Return what concerns the process."""
        directory = self.directory
        return f"""\
server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
  cookie-secret-file: ""
  answer-cookie: no
  server-count: 1
  minimal-responses: yes
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  verbosity: 0
remote-control:
  control-enable: no"""

    def zone_clauses(self) -> Iterator[str]:
        """Yield the zones."""
        for zone in self.task.zones:
            yield f"zone:\n  name: {zone.bare}\n  zonefile: {zone.path or zone.apex + 'zone'}"
            if self.task.primary:
                yield f"  request-xfr: 127.0.0.1@{self.task.primary} NOKEY"
                yield "  allow-notify: 127.0.0.1 NOKEY"
