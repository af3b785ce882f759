"""The servers that are measured, each told to be as fast as its documentation knows how.

One worker, no logging, no rate limiting, minimal responses, no cookies; what is left are the
defaults, also where they cost: what makes a transfer durable stays on.
"""

from __future__ import annotations

from bench.servers.bind import Bind
from bench.servers.daemon import Daemon
from bench.servers.echo import Echo
from bench.servers.knot import Knot
from bench.servers.nsctl import Nsctl
from bench.servers.nsd import Nsd
from bench.servers.powerdns import PowerDNS

PEERS: tuple[type[Daemon], ...] = (Knot, Nsd, Bind, PowerDNS)
ALL: tuple[type[Daemon], ...] = (Echo, Nsctl, *PEERS)
SERVERS: dict[str, type[Daemon]] = {kind.name: kind for kind in ALL}

__all__ = ["PEERS", "SERVERS", "Bind", "Daemon", "Echo", "Knot", "Nsctl", "Nsd", "PowerDNS"]
