"""Knot DNS (knotd 3.2)."""

from __future__ import annotations

import signal
from typing import ClassVar

from tests.peers.base import Key, Peer, Remote, ServedZone, program


class Knot(Peer):
    """knotd; signs zones by itself when asked to (``signing="nsec"`` or ``"nsec3"``)."""

    binary: ClassVar[str] = "knotd"
    title: ClassVar[str] = "Knot DNS"

    def configure(self) -> list[str]:
        """Write knot.conf. Sections must stand in this order."""
        remotes = [
            remote
            for zone in self.zones.values()
            for remote in (*zone.remotes, *([zone.primary] if zone.primary else []))
        ]
        text = "\n".join(
            (
                self.server_section(),
                "key:",
                *(key_entry(key) for key in self.keys),
                "remote:",
                *(remote_entry(remote) for remote in dict.fromkeys(remotes)),
                "acl:",
                *(acl_entry(zone) for zone in self.zones.values()),
                POLICIES,
                TEMPLATE,
                "zone:",
                *(zone_entry(zone) for zone in self.zones.values()),
            )
        )
        path = self.directory / "knot.conf"
        path.write_text(text + "\n")
        return [program(self.binary), "-c", str(path)]

    def server_section(self) -> str:
        """Return the parts about the process; few threads and small databases."""
        directory = self.directory
        return f"""\
server:
  rundir: "{directory}"
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  automatic-acl: off
log:
  - target: stderr
    any: info
database:
  storage: "{directory}"
  journal-db-max-size: 20M
  kasp-db-max-size: 5M
  timer-db-max-size: 1M"""

    def reload(self, apex: str) -> None:
        """SIGHUP: the changed files are loaded again."""
        self.process.signal(signal.SIGHUP)


TEMPLATE = """\
template:
  - id: default
    storage: .
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole"""

POLICIES = """\
policy:
  - id: nsec
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: off
  - id: nsec3
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0"""


def key_entry(key: Key) -> str:
    """Return the entry of the key section."""
    return f"  - id: {key.name}\n    algorithm: {key.algorithm}\n    secret: {key.secret}"


def remote_id(remote: Remote) -> str:
    """Return the name that a remote has in the file."""
    return f"r{remote.port}" + (f"-{remote.key.name}" if remote.key else "")


def remote_entry(remote: Remote) -> str:
    """Return the entry of the remote section."""
    key = f"\n    key: {remote.key.name}" if remote.key else ""
    return f"  - id: {remote_id(remote)}\n    address: {remote}{key}"


def acl_entry(zone: ServedZone) -> str:
    """Return who may transfer the zone, or from whom its NOTIFY is taken."""
    key = "".join(f"\n    key: {key.name}" for key in zone.keys[:1])
    action = "notify" if zone.primary else "transfer"
    return f"  - id: acl-{zone.apex}\n    address: 127.0.0.1\n    action: {action}{key}"


def zone_entry(zone: ServedZone) -> str:
    """Return the entry of the zone section."""
    lines = [f"  - domain: {zone.apex}", f"    file: {zone.file}", f"    acl: acl-{zone.apex}"]
    if zone.primary:
        lines.append(f"    master: {remote_id(zone.primary)}")
    if zone.remotes:
        lines.append("    notify: [" + ", ".join(map(remote_id, zone.remotes)) + "]")
    if zone.incremental:
        lines.append("    zonefile-load: difference\n    journal-content: all")
    elif zone.primary:
        lines.append("    journal-content: changes")
    if zone.signing:
        # The file stays as the test wrote it; what signing adds lives in the journal.
        lines.append(f"    dnssec-signing: on\n    dnssec-policy: {zone.signing}")
        lines.append("    zonefile-load: difference-no-serial\n    journal-content: all")
    return "\n".join(lines)
