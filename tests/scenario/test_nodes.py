"""Several nodes with one store: one does the transfers, all serve, and the next one takes over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.peers import Nsctl, PlainPrimary
from tests.peers.waiting import wait_until
from tests.peers.zonetext import ORIGIN, zone_text
from tests.storage_fixtures import SHARED, PostgreSQLServer

pytestmark = [pytest.mark.postgresql, pytest.mark.interop]

TAKE_OVER = 10.0  # seconds, at most


def version(serial: int, refresh: int = 3600, expire: int = 86_400) -> str:
    """Return a version of the zone."""
    record = f"www 300 A 192.0.2.{serial}"
    return zone_text(serial, record, refresh=refresh, retry=refresh, expire=expire)


@pytest.fixture
def nodes(postgresql: PostgreSQLServer, place: Path) -> Iterator[dict[str, Nsctl]]:
    """Two nodes, started, by their names."""
    url = postgresql.url(SHARED)
    pair = {name: Nsctl(place, database=url, identity=name) for name in ("a", "b")}
    try:
        for node in pair.values():
            node.start()
        yield pair
    finally:
        for node in pair.values():
            node.stop()
        postgresql.empty(SHARED)


def on_duty(node: Nsctl) -> str:
    """Return the name of the node that does the transfers, empty where none does."""
    return str(node.cli("status")["transfers"] or "")


def has_expired(node: Nsctl) -> bool:
    """Tell whether a node answers for the zone no longer."""
    return node.serial(ORIGIN) is None


def roles(nodes: dict[str, Nsctl]) -> tuple[Nsctl, Nsctl]:
    """Return the node that does the transfers, and the other one."""
    wait_until(lambda: on_duty(nodes["a"]), "a node does the transfers", TAKE_OVER)
    name = on_duty(nodes["a"])
    return nodes[name], nodes["b" if name == "a" else "a"]


def test_one_transfers_and_all_serve(nodes: dict[str, Nsctl]) -> None:
    """A zone is fetched once; a NOTIFY to either node is followed; a node that dies is replaced."""
    active, standby = roles(nodes)
    with PlainPrimary(ORIGIN, version(1)) as primary:
        active.follow(ORIGIN, primary.remote())
        for node in (active, standby):
            node.wait_serial(ORIGIN, 1)
        assert primary.transfers == 1

        primary.publish(version(2), standby.remote())
        for node in (active, standby):
            node.wait_serial(ORIGIN, 2)
        assert primary.transfers == 2

        active.kill()
        killed = time.monotonic()
        primary.publish(version(3), standby.remote())  # before anybody has noticed
        standby.wait_serial(ORIGIN, 3, seconds=TAKE_OVER)
        assert time.monotonic() - killed < TAKE_OVER
        assert nodes[on_duty(standby)] is standby

        active.start()
        active.wait_serial(ORIGIN, 3)
        assert nodes[on_duty(standby)] is standby


def test_a_node_that_ends_in_good_order_leaves_at_once(nodes: dict[str, Nsctl]) -> None:
    """The other node does not have to wait for the end of the lease."""
    active, standby = roles(nodes)
    active.stop()
    wait_until(lambda: on_duty(standby), "the other node does the transfers", 4)
    assert nodes[on_duty(standby)] is standby


def test_expiry_and_recovery_are_seen_by_all(nodes: dict[str, Nsctl]) -> None:
    """A zone that expires does so on each node, and each answers again when it has come back."""
    active, standby = roles(nodes)
    with PlainPrimary(ORIGIN, version(1, refresh=1, expire=4)) as primary:
        active.follow(ORIGIN, primary.remote())
        for node in (active, standby):
            node.wait_serial(ORIGIN, 1)
        primary.reachable = False
        for node in (active, standby):
            wait_until(partial(has_expired, node), "the zone expires", 15)
        primary.reachable = True
        for node in (active, standby):
            node.wait_serial(ORIGIN, 1, seconds=15)
