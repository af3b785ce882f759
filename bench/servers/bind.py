"""BIND 9 (named 9.18)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from bench.servers.daemon import Daemon, first_line, path_of
from bench.task import ZoneFile


class Bind(Daemon):
    """named with one worker; its limits on transfers raised, which are made for a few zones."""

    name: ClassVar[str] = "bind"
    binary: ClassVar[str] = "named"

    @classmethod
    def version(cls) -> str:
        """Return its version."""
        return first_line("named", "-v").partition(" (")[0]

    def configure(self) -> list[str]:
        """Write named.conf."""
        path = self.directory / "named.conf"
        path.write_text("\n".join([self.options(), *map(self.zone_clause, self.task.zones), ""]))
        return [path_of(self.binary), "-f", "-n", "1", "-c", str(path)]

    def options(self) -> str:
        """Return what concerns all zones."""
        return f"""\
options {{
  directory "{self.directory}";
  listen-on port {self.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses yes;
  answer-cookie no;
  querylog no;
  notify no;
  tcp-clients 1000;
  serial-query-rate 1000;
  transfers-in 64;
  transfers-per-ns 64;
}};
logging {{ category default {{ null; }}; category unmatched {{ null; }}; }};
controls {{ }};"""

    def zone_clause(self, zone: ZoneFile) -> str:
        """Return the clause of one zone."""
        return f'zone "{zone.bare}" {{ {" ".join(self.statements(zone))} }};'

    def statements(self, zone: ZoneFile) -> Iterator[str]:
        """Yield what is said of one zone."""
        if self.task.primary:
            yield f'type secondary; file "{zone.apex}zone";'
            yield f"primaries {{ 127.0.0.1 port {self.task.primary}; }};"
            return
        yield f'type primary; file "{zone.path}";'
        if self.task.updates:
            yield f'allow-update {{ 127.0.0.1; }}; journal "{zone.apex}jnl";'
