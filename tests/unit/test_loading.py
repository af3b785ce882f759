"""What the server reads of zones: the same, whether one by one or many together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from axfr.inbound import Limits
from nameserver.loading import FEW, load_all, load_zone, load_zones
from storage import secondaries, transfer_settings, zones
from storage.database import Database
from zones.guards import OFF
from zones.name import from_text
from zones.quarantine import TransferSettings, ZoneLimits
from zones.secondary import Primary
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0
SETTINGS = TransferSettings(guards=OFF, limits=ZoneLimits(records=7))


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_zones_are_read_with_all_that_is_stored(database: Database, count: int) -> None:
    """Settings, limits and primaries of a zone do not depend on how many are read with it."""
    apexes = [from_text(f"zone{number}.example") for number in range(count)]
    with database.write() as session:
        for apex in apexes:
            zone = Zone(apex, Mode.HIDDEN_PRIMARY, customer="acme")
            zones.add_zone(session, zone, now=NOW, actor="")
            secondaries.set_primaries(session, apex, [Primary("192.0.2.1")])
        transfer_settings.put(session, apexes[0], SETTINGS, told="", actor="", now=NOW)
    with database.read() as session:
        one = load_zone(session, apexes[0])
        found = {loaded.zone.apex: loaded for loaded in load_zones(session, apexes)}
        everything = {loaded.zone.apex: loaded for loaded in load_all(session)}
    assert one is not None
    assert one.settings == SETTINGS
    assert found[apexes[0]] == everything[apexes[0]] == one
    assert len(found) == len(everything) == count
    followed = one.secondary(Limits(octets=5, records=5, seconds=5))
    assert followed is not None
    assert followed.customer == "acme"  # whose turn it takes
    assert replace(followed.limits, messages=0) == Limits(5, 7, 0, 5)
