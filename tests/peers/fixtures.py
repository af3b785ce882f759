"""Fixtures for the tests that run real servers; they stop what a test started."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.peers import PEERS, Bind, Knot, Nsctl, Nsd, Peer, PowerDNS

__all__ = ["bind", "knot", "nsctl", "nsd", "place", "powerdns", "primary", "secondary"]


def as_primary(peer: type[Peer], *more: str) -> ParameterSet:
    """Return the parameter that makes ``peer`` the primary of a test, with further ones."""
    name = "-".join((peer.__name__, *more))
    return pytest.param(peer, *more, id=name, marks=pytest.mark.interop(peer.binary))


EACH_PEER = [as_primary(peer) for peer in PEERS]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path: those of UNIX sockets may have 107 octets only."""
    with tempfile.TemporaryDirectory(prefix="nsctl-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def lent(server: Peer | Nsctl) -> Iterator[Peer | Nsctl]:
    """Lend a server to a test, stop it afterwards, and print its log for the report."""
    try:
        yield server
    finally:
        server.stop()
        print(f"--- log of {type(server).__name__} on port {server.port}\n{server.log()[-6000:]}")


@pytest.fixture
def nsctl(place: Path) -> Iterator[Peer | Nsctl]:
    """This project's server, started, with an empty database."""
    server = Nsctl(place)
    server.start()
    yield from lent(server)


@pytest.fixture(params=EACH_PEER)
def primary(request: pytest.FixtureRequest, place: Path) -> Iterator[Peer | Nsctl]:
    """Each of the real servers, not started, to be a primary."""
    yield from lent(request.param(place))


@pytest.fixture(params=EACH_PEER)
def secondary(request: pytest.FixtureRequest, place: Path) -> Iterator[Peer | Nsctl]:
    """Each of the real servers, not started, to be a secondary."""
    yield from lent(request.param(place))


@pytest.fixture
def knot(place: Path) -> Iterator[Peer | Nsctl]:
    """A Knot, not started."""
    yield from lent(Knot(place))


@pytest.fixture
def bind(place: Path) -> Iterator[Peer | Nsctl]:
    """A BIND, not started."""
    yield from lent(Bind(place))


@pytest.fixture
def nsd(place: Path) -> Iterator[Peer | Nsctl]:
    """An NSD, not started."""
    yield from lent(Nsd(place))


@pytest.fixture
def powerdns(place: Path) -> Iterator[Peer | Nsctl]:
    """A PowerDNS, not started."""
    yield from lent(PowerDNS(place))
