"""Clean departures: served until the parent has moved, and its TTL after that."""

from __future__ import annotations

import asyncio

from nameserver.address import Address
from nameserver.server import Server
from nameserver.settings import Settings
from registrar import facts
from registrar.desk import departures
from registrar.desk.daily import daily_run
from registrar.desk.departures import LONGEST_TTL, Referral, ask_parent, watch
from registrar.predelegation.asker import Patience
from registrar.predelegation.request import Endpoint
from storage import versions, zones
from storage.database import Database
from tests.answering.asking import version_of
from tests.desk_world import NAME, NAME_SERVERS, DeskWorld
from zones.name import from_text
from zones.zone import Zone

OURS = Referral(frozenset(NAME_SERVERS), 3600)
THEIRS = Referral(frozenset({"ns.elsewhere.example"}), 7200)


def left(database: Database) -> DeskWorld:
    """Return a desk whose domain was transferred away."""
    world = DeskWorld(database).set_up()
    assert world.place().done
    world.record(facts.Sent(world.clock.now))
    world.record(facts.Registered(world.clock.now))
    world.clock.forward(days=70)
    world.record(facts.TransferredAway(world.clock.now), actor="registry")
    return world


def test_served_until_the_parent_has_moved(database: Database) -> None:
    """While the parent names ours, or is silent, the zone is served; then for its TTL; then not."""
    world = left(database)

    def look(referral: Referral | None) -> list[str]:
        return watch(database, world.desk, world.clock.now, lambda _name: referral)

    assert look(OURS) == []
    assert look(None) == []
    assert world.answer().startswith("ns1.example.net.")
    assert look(THEIRS) == [NAME]
    assert look(THEIRS) == []  # known by now
    world.clock.forward(seconds=7000)
    daily_run(database, world.desk, world.clock.now)
    assert world.answer().startswith("ns1.example.net.")
    world.clock.forward(seconds=300)
    daily_run(database, world.desk, world.clock.now)
    assert world.answer() == "REFUSED"
    assert departures.departing(database, world.desk, world.clock.now) == []


async def test_the_parent_is_asked(database: Database) -> None:
    """A referral is read from the parent's servers; a name without one is gone; silence is none."""
    parent = version_of("example NS ns1.example.net.", "example NS ns2.example.net.", apex="org.")
    with database.write() as session:
        zones.add_zone(session, Zone(from_text("org.")), now=1.0, actor="")
        versions.publish(session, parent, origin=versions.Origin.EDIT, actor="", reason="", now=1.0)
    server = Server(Settings(listen=(Address("127.0.0.1", 0),), database=database.url), database)
    await server.start()
    try:
        (address,) = server.addresses
        there = [Endpoint(address.host, address.port)]
        found = await asyncio.to_thread(ask_parent, NAME, there)
        gone = await asyncio.to_thread(ask_parent, "other.org", there)
    finally:
        await server.stop()
    assert found == OURS
    assert gone == Referral(frozenset(), LONGEST_TTL)
    quick = Patience(0.2, 1)
    assert await asyncio.to_thread(ask_parent, NAME, there, quick) is None
