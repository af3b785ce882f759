"""Suspicious versions followed over loopback: held, told once, given up for a newer one."""

from __future__ import annotations

import time
from dataclasses import replace

from axfr.secondaries import Outcome, SecondaryZone
from tests.peers.plain_primary import PlainPrimary
from tests.peers.zonetext import ORIGIN, zone_text
from tests.unit.test_axfr_secondaries import APEX, Served, at, running, until
from zones.quarantine import Standing, TransferSettings, Validation
from zones.secondary import Result
from zones.version import ZoneVersion

HOSTS = [f"h{number} 300 A 192.0.2.{number}" for number in range(20)]
FULL, HALF = zone_text(1, *HOSTS, retry=1), zone_text(2, *HOSTS[:5], retry=1)


class Holding(Served):
    """A server that also knows what it serves, which guards compare with."""

    def __init__(self) -> None:
        self.version: ZoneVersion | None = None
        super().__init__(content=lambda _apex: self.version)

    async def publish(self, outcome: Outcome) -> None:
        """Store and serve."""
        await super().publish(outcome)
        self.version = outcome.version or self.version

    @property
    def zone(self) -> SecondaryZone:
        """What is known of the zone."""
        return self.secondaries._entries[APEX].zone


async def test_a_suspicious_version_is_held_and_a_newer_one_takes_its_place() -> None:
    """Held is contact: EXPIRE is renewed. It is fetched once; the next good version is served."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            expires = served.state.expires_at
            primary.load(HALF)
            served.secondaries.notified(APEX, "127.0.0.1", None)
            await until(lambda: served.state.last_result is Result.HELD)
            held = served.outcomes[-1].quarantined
            assert held is not None
            assert (held.standing, held.serial, held.served) == (Standing.HELD, 2, 1)
            assert held.content is not None
            assert held.content.serial == 2
            assert served.state.last_rule == "names-lost"
            assert served.state.serial == 1
            assert served.state.primary_serial == 2
            assert served.state.failures == 0
            assert expires is not None
            assert served.state.expires_at is not None
            assert served.state.expires_at > expires
            transfers, count = primary.transfers, len(served.outcomes)
            served.secondaries.notified(APEX, "127.0.0.1", None)
            await until(lambda: len(served.outcomes) > count)
            assert primary.transfers == transfers
            assert served.state.last_result is Result.HELD
            assert served.state.last_rule == "names-lost"
            primary.load(zone_text(3, *HOSTS[:15]))
            served.secondaries.refresh(APEX)
            await until(lambda: served.serials == [1, 3])
            assert served.zone.held is None


async def test_discarded_stays_discarded() -> None:
    """What somebody discarded is neither fetched nor held again; the standing says so."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            primary.load(HALF)
            served.secondaries.refresh(APEX)
            await until(lambda: served.zone.held is not None)
            assert served.zone.held is not None
            transfers = primary.transfers
            discarded = replace(served.zone.held, discarded=True)
            served.secondaries.replace(replace(served.zone, held=discarded))
            await until(lambda: served.state.last_rule == "discarded")
            assert served.state.last_result is Result.CURRENT
            assert primary.transfers == transfers
            served.secondaries.refresh(APEX, force=True)
            await until(lambda: served.state.last_rule == "names-lost")


async def test_other_settings_judge_anew() -> None:
    """With other guards what is held is fetched and judged again, and served if it passes."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            primary.load(HALF)
            served.secondaries.refresh(APEX)
            await until(lambda: served.zone.held is not None)
            guards = replace(served.zone.settings.guards, names_lost=0, records_lost=0)
            settings = TransferSettings(guards)
            served.secondaries.replace(replace(served.zone, settings=settings))
            await until(lambda: served.serials == [1, 2])


async def test_a_pinned_zone_keeps_the_new_version_aside() -> None:
    """The version at the primary is fetched once and held, and served when the pin is gone."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            served.secondaries.replace(replace(served.zone, pinned=True))
            primary.load(zone_text(2, *HOSTS, "new 300 A 192.0.2.99"))
            served.secondaries.refresh(APEX)
            await until(lambda: served.state.last_rule == "pinned")
            held = served.outcomes[-1].quarantined
            assert held is not None
            assert held.content is not None
            served.secondaries.replace(replace(served.zone, pinned=False))
            await until(lambda: served.serials == [1, 2])


async def test_an_expired_zone_is_not_held() -> None:
    """After expiry any valid version is served, however little is left in it."""
    served = Holding()
    with PlainPrimary(ORIGIN, zone_text(5, *HOSTS, refresh=1, retry=1, expire=2)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [5])
            primary.reachable = False
            await until(lambda: served.expired)
            primary.load(HALF)
            primary.reachable = True
            await until(lambda: served.serials == [5, 2])


async def test_a_lower_serial_is_accepted_once() -> None:
    """The serial that was named is taken over, another lower one is not."""
    served = Holding()
    with PlainPrimary(ORIGIN, zone_text(9, *HOSTS)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [9])
            primary.load(zone_text(4, *HOSTS))
            served.secondaries.refresh(APEX)
            await until(lambda: served.state.last_rule == "serial-went-back")
            settings = TransferSettings(accepted_serial=4)
            served.secondaries.replace(replace(served.zone, settings=settings))
            await until(lambda: served.serials == [9, 4])
            assert served.outcomes[-1].accepted_once
            assert served.zone.settings.accepted_serial is None


async def test_refused_content_is_kept_to_be_compared() -> None:
    """What was refused is told with its content, so that the difference can be shown."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            primary.load(zone_text(2, *HOSTS, ns=False))
            served.secondaries.refresh(APEX)
            await until(lambda: served.state.last_rule == "ns-missing")
    kept = served.outcomes[-1].quarantined
    assert kept is not None
    assert kept.standing is Standing.REFUSED
    assert kept.content is not None
    assert served.zone.held is None


async def test_validation_refuses_an_unsigned_zone() -> None:
    """A zone that is to be validated has to be signed."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        settings = TransferSettings(validation=Validation.SIGNATURES)
        served.secondaries.add(SecondaryZone(APEX, (at(primary),), settings=settings))
        async with running(served):
            await until(lambda: served.state.last_rule == "dnssec-unsigned")


async def test_a_suspended_primary_is_cut_off() -> None:
    """It is asked for nothing and its NOTIFY counts for nothing, until it is resumed."""
    served = Holding()
    with PlainPrimary(ORIGIN, FULL) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            served.secondaries.set_suspended({("127.0.0.1", 0): "endless transfers"})
            await until(lambda: served.state.last_rule == "primary-suspended")
            assert "endless transfers" in served.state.last_reason
            asked = primary.soa_queries + primary.transfers
            primary.load(zone_text(3, *HOSTS))
            count = len(served.outcomes)
            served.secondaries.refresh(APEX)
            await until(lambda: len(served.outcomes) > count)
            assert primary.soa_queries + primary.transfers == asked
            assert served.state.expires_at is not None
            assert served.state.expires_at > time.time()
            served.secondaries.set_suspended({})
            await until(lambda: served.serials == [1, 3])
