"""BIND 9 (named 9.18)."""

from __future__ import annotations

import signal
from typing import ClassVar

from tests.peers.base import Key, Peer, Remote, ServedZone, program


class Bind(Peer):
    """named, told to load what other servers would load too (it checks more than they do)."""

    binary: ClassVar[str] = "named"
    title: ClassVar[str] = "BIND"

    def configure(self) -> list[str]:
        """Write named.conf."""
        path = self.directory / "named.conf"
        parts = [self.options(), POLICIES, *map(key_clause, self.keys)]
        parts += [zone_clause(zone) for zone in self.zones.values()]
        path.write_text("\n".join(parts) + "\n")
        return [program(self.binary), "-g", "-n", "1", "-c", str(path)]

    def options(self) -> str:
        """Return the options: NOTIFY is sent for every change, and at once."""
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
  notify explicit;
  notify-delay 0;
  notify-rate 1000;
  startup-notify-rate 1000;
  minimal-responses no;
  zero-no-soa-ttl no;
  check-integrity no;
  check-names primary ignore;
  check-names secondary ignore;
  check-mx ignore;
  check-mx-cname ignore;
  check-srv-cname ignore;
  masterfile-format text;
  min-refresh-time 1;
  min-retry-time 1;
}};
controls {{ }};"""

    def reload(self, apex: str) -> None:
        """SIGHUP: the changed files are loaded again."""
        self.process.signal(signal.SIGHUP)


POLICIES = """\
dnssec-policy "nsec" {
  keys { csk lifetime unlimited algorithm ecdsap256sha256; };
};
dnssec-policy "nsec3" {
  keys { csk lifetime unlimited algorithm ecdsap256sha256; };
  nsec3param iterations 0 optout no salt-length 0;
};"""


def key_clause(key: Key) -> str:
    """Return the definition of a key."""
    return f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};'


def endpoint(remote: Remote) -> str:
    """Return a remote as it stands in a list of primaries or in also-notify."""
    key = f' key "{remote.key.name}"' if remote.key else ""
    return f"{remote.address} port {remote.port}{key};"


def zone_clause(zone: ServedZone) -> str:
    """Return the zone clause, as a primary or as a secondary."""
    head = f'zone "{zone.apex}" {{ file "{zone.file}"; '
    if zone.primary:
        return f"{head}type secondary; primaries {{ {endpoint(zone.primary)} }}; }};"
    allowed = " ".join(f'key "{key.name}";' for key in zone.keys) or "127.0.0.1;"
    notified = " ".join(map(endpoint, zone.remotes))
    head += "ixfr-from-differences yes; " if zone.incremental else ""
    if zone.signing:
        head += f'dnssec-policy "{zone.signing}"; inline-signing yes; '
    return f"{head}type primary; allow-transfer {{ {allowed} }}; also-notify {{ {notified} }}; }};"
