"""Catalogs are seen to by the node on duty, and by no other."""

from __future__ import annotations

import asyncio

import pytest

from nameserver import catalogs
from nameserver.catalogs import Catalogs
from storage.catalogs import Catalog, Role
from storage.database import Database
from zones.name import Name, from_text

FOLLOWED, MADE = from_text("catalog.example."), from_text("ours.example.")
ZONE_CATALOGS = [Catalog(FOLLOWED, Role.CONSUMER), Catalog(MADE, Role.PRODUCER)]


class Recorded(Catalogs):
    """Notes which catalogs it would see to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, lambda: 0.0, lambda _session: None)
        self.done: list[Name] = []

    def _do(self, apex: Name) -> None:
        self.done.append(apex)

    async def wait_done(self, count: int) -> None:
        """Wait until so many are done."""
        async with asyncio.timeout(10):
            while len(self.done) < count:  # noqa: ASYNC110  a thread notes it
                await asyncio.sleep(0.005)


async def test_only_on_duty(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off duty nothing is done; whoever begins sees to all catalogs, then to those that change."""
    monkeypatch.setattr(catalogs, "PAUSE", 0.01)
    node = Recorded(database)
    node.update(ZONE_CATALOGS, listing_changed=True)
    await asyncio.sleep(0.05)
    assert node.done == []
    node.start()
    await node.wait_done(2)
    assert node.done == sorted([FOLLOWED, MADE])
    await node.stop()
    node.changed(FOLLOWED)
    node.update(None, listing_changed=True)
    await asyncio.sleep(0.05)
    assert len(node.done) == 2, "not on duty any more"
    node.start()
    await node.wait_done(4)
    assert sorted(node.done[2:]) == sorted([FOLLOWED, MADE])
    node.changed(FOLLOWED)
    await node.wait_done(5)
    assert node.done[4] == FOLLOWED
    await node.stop()
