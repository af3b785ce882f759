"""Real name servers, started and driven by the tests.

Each class starts one server in a directory of its own, on a free port of 127.0.0.1, as a child
process in the foreground, and speaks to it only as the world would: with DNS messages, signals
and files. ``Knot``, ``Bind``, ``Nsd`` and ``PowerDNS`` have the same verbs, so that a test can be
written once and run with each; ``PlainPrimary`` serves what no real server would agree to load;
``Nsctl`` is this project's own server and command line.
"""

from __future__ import annotations

from tests.peers.base import Key, Peer, Remote
from tests.peers.bind import Bind
from tests.peers.knot import Knot
from tests.peers.nsctl import Nsctl
from tests.peers.nsd import Nsd
from tests.peers.plain_primary import PlainPrimary
from tests.peers.powerdns import PowerDNS

PEERS: tuple[type[Peer], ...] = (Knot, Bind, Nsd, PowerDNS)

__all__ = [
    "PEERS",
    "Bind",
    "Key",
    "Knot",
    "Nsctl",
    "Nsd",
    "Peer",
    "PlainPrimary",
    "PowerDNS",
    "Remote",
]
