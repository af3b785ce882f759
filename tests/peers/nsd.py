"""NSD (nsd 4.6)."""

from __future__ import annotations

import signal
from typing import ClassVar

from tests.peers.base import Key, Peer, Remote, ServedZone, program


class Nsd(Peer):
    """nsd, with one server process, running as whoever started it."""

    binary: ClassVar[str] = "nsd"
    title: ClassVar[str] = "NSD"

    def configure(self) -> list[str]:
        """Write nsd.conf."""
        path = self.directory / "nsd.conf"
        parts = [self.server_clause(), *map(key_clause, self.keys)]
        parts += [zone_clause(zone) for zone in self.zones.values()]
        path.write_text("\n".join(parts) + "\n")
        return [program(self.binary), "-d", "-c", str(path)]

    def server_clause(self) -> str:
        """Return the server clause; all files in the directory, no database, no control port."""
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
  server-count: 1
  xfrd-reload-timeout: 0
  minimal-responses: no
  rrl-ratelimit: 0
  zonefiles-check: yes
  verbosity: 2
remote-control:
  control-enable: no"""

    def reload(self, apex: str) -> None:
        """SIGHUP: the changed files are loaded again."""
        self.process.signal(signal.SIGHUP)


def key_clause(key: Key) -> str:
    """Return the definition of a key."""
    return f'key:\n  name: {key.name}\n  algorithm: {key.algorithm}\n  secret: "{key.secret}"'


def named(remote: Remote) -> str:
    """Return a remote with its key or NOKEY."""
    return f"{remote} {remote.key.name if remote.key else 'NOKEY'}"


def zone_clause(zone: ServedZone) -> str:
    """Return the zone clause, as a primary or as a secondary."""
    lines = ["zone:", f"  name: {zone.apex}", f"  zonefile: {zone.file}"]
    key = zone.keys[0].name if zone.keys else "NOKEY"
    if zone.primary:
        how = "" if zone.incremental else "AXFR "
        lines += [f"  request-xfr: {how}{named(zone.primary)}", f"  allow-notify: 127.0.0.1 {key}"]
        lines += ["  min-refresh-time: 1", "  min-retry-time: 1"]
    else:
        lines.append(f"  provide-xfr: 127.0.0.1 {key}")
        lines += [f"  notify: {named(remote)}" for remote in zone.remotes]
        lines += ["  store-ixfr: yes", "  create-ixfr: yes"] if zone.incremental else []
    return "\n".join(lines)
