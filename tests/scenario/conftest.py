"""The fixtures of real servers; here ours runs on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import Nsctl, Peer
from tests.peers.fixtures import (  # fixtures are found by name in the conftest
    bind,
    knot,
    lent,
    nsd,
    place,
    powerdns,
    primary,
    secondary,
)

__all__ = ["bind", "knot", "nsctl", "nsd", "place", "powerdns", "primary", "secondary"]


@pytest.fixture
def nsctl(place: Path, database_url: str) -> Iterator[Peer | Nsctl]:
    """This project's server, started, with an empty database: SQLite's, then PostgreSQL's."""
    server = Nsctl(place, database=database_url)
    server.start()
    yield from lent(server)
