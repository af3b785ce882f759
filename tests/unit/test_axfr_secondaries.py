"""Secondary zones followed over loopback: refresh, refusal, failover, expiry."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from axfr.client import ClientSettings
from axfr.refresh import Bounds, status
from axfr.secondaries import Outcome, Secondaries, SecondariesSettings, SecondaryZone
from tests.peers.base import Key
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import LOOPBACK, free_port
from tests.peers.zonetext import ORIGIN, zone_text
from zones.name import Name, from_text
from zones.secondary import Primary, Result, SecondaryState, SecondaryStatus, TsigKey

APEX = from_text(ORIGIN)
CLIENT = ClientSettings(udp_timeout=0.1, udp_tries=2, connect_timeout=1.0, idle_timeout=1.0)
BOUNDS = Bounds(refresh_min=0.2, retry_min=0.2, bootstrap_min=0.2, bootstrap_max=0.2)
WIRE_KEY = Key()
KEY = TsigKey(from_text(WIRE_KEY.name), WIRE_KEY.algorithm, b"thirty-two octets of a secret...")


class Served:
    """What a server would do with the outcomes: keep them, and say when a zone expires."""

    def __init__(self, **how: object) -> None:
        self.outcomes: list[Outcome] = []
        self.expired: list[tuple[Name, float]] = []
        self.failing = False
        settings = SecondariesSettings(client=CLIENT, bounds=BOUNDS)
        self.secondaries = Secondaries(
            self.publish,
            lambda apex: self.expired.append((apex, time.time())),
            settings=settings,
            random=random.Random(1),
            **how,  # type: ignore[arg-type]
        )

    async def publish(self, outcome: Outcome) -> None:
        """Store the outcome, unless the disk is full."""
        if self.failing:
            raise OSError(28, "No space left on device")
        self.outcomes.append(outcome)

    @property
    def state(self) -> SecondaryState:
        """The standing of the one zone."""
        state = self.secondaries.state(APEX)
        assert state is not None
        return state

    @property
    def serials(self) -> list[int]:
        """The serials that were put into service, in order."""
        return [o.version.serial for o in self.outcomes if o.version is not None]

    def follow(self, *primaries: Primary, state: SecondaryState | None = None) -> None:
        """Follow the zone from these primaries."""
        self.secondaries.add(SecondaryZone(APEX, primaries), state)


@asynccontextmanager
async def running(served: Served) -> AsyncIterator[None]:
    """Run the secondaries meanwhile."""
    await served.secondaries.start()
    try:
        yield
    finally:
        await served.secondaries.stop()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for lies in other objects)
            await asyncio.sleep(0.01)


def at(primary: PlainPrimary, position: int = 0) -> Primary:
    """Return the primary as it is entered."""
    return Primary(LOOPBACK, primary.port, position=position)


async def test_first_transfer_and_notify() -> None:
    """A new zone is transferred at once, and again when a NOTIFY tells of a new version."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            primary.load(zone_text(2))
            served.secondaries.notified(APEX, LOOPBACK, None)
            await until(lambda: served.serials == [1, 2])
            assert served.state.last_result is Result.ACCEPTED
    (attempt,) = served.outcomes[-1].attempts
    assert (attempt.kind, attempt.serial_from, attempt.serial_to) == ("AXFR", 1, 2)
    assert attempt.octets > 0


async def test_timers_bring_a_change_without_notify() -> None:
    """Without a NOTIFY the change comes when REFRESH has run out."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1, refresh=1)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            primary.load(zone_text(2, refresh=1))
            await until(lambda: served.serials == [1, 2])
            await until(lambda: served.state.last_result is Result.CURRENT)


async def test_refused_content_is_told_and_not_fetched_again() -> None:
    """A faulty zone is refused with its rule; until it changes only its SOA is asked for."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1, retry=1)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            expires = served.state.expires_at
            primary.load(zone_text(2, ns=False))
            served.secondaries.refresh(APEX)
            await until(lambda: served.state.last_result is Result.REFUSED)
            assert served.state.last_rule == "ns-missing"
            assert served.state.last_record
            assert served.state.last_fix
            assert served.outcomes[-1].findings
            await until(lambda: served.state.failures >= 3)
            assert primary.transfers == 2
            assert (served.state.serial, served.state.primary_serial) == (1, 2)
            assert served.state.last_rule == "ns-missing"
            assert served.state.expires_at == expires
            primary.load(zone_text(3))
            await until(lambda: served.serials == [1, 3])
            assert status(served.state, time.time()) is SecondaryStatus.OK


async def test_serial_that_went_back() -> None:
    """A lower serial is refused and explained, and taken over once when forced."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(5)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [5])
            primary.load(zone_text(4))
            served.secondaries.refresh(APEX)
            await until(lambda: served.state.last_rule == "serial-went-back")
            assert served.state.serial == 5
            served.secondaries.refresh(APEX, force=True)
            await until(lambda: served.serials == [5, 4])
            assert served.state.last_rule == ""


async def test_expiry_and_recovery() -> None:
    """The zone expires at its time to the moment, once; a repaired primary heals it."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(5, refresh=1, retry=1, expire=2)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [5])
            primary.load(zone_text(6, ns=False, retry=1))
            served.secondaries.refresh(APEX)
            await until(lambda: served.expired)
            expires = served.state.expires_at
            assert expires is not None
            assert 0 <= served.expired[0][1] - expires < 0.5
            assert status(served.state, time.time()) is SecondaryStatus.EXPIRED
            failures = served.state.failures
            await until(lambda: served.state.failures > failures)
            assert len(served.expired) == 1
            primary.load(zone_text(3))
            await until(lambda: served.serials == [5, 3])
            assert status(served.state, time.time()) is SecondaryStatus.OK


async def test_next_primary_is_asked() -> None:
    """Where the first primary is dead or refuses, the next one is asked."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1)) as primary:
        served.follow(at(primary, 1), Primary(LOOPBACK, free_port(), position=0))
        async with running(served):
            await until(lambda: served.serials == [1])
    assert [a.result for a in served.outcomes[0].attempts] == [Result.UNREACHABLE, Result.ACCEPTED]
    assert served.state.last_primary == str(Primary(LOOPBACK, primary.port))


async def test_most_telling_failure_is_kept() -> None:
    """Of several failures the one about content is told, not the timeout after it."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1, ns=False)) as primary:
        served.follow(at(primary), Primary(LOOPBACK, free_port(), position=1))
        async with running(served):
            await until(lambda: served.outcomes)
    assert served.state.last_rule == "ns-missing"
    assert len(served.outcomes[0].attempts) == 2


async def test_unreachable() -> None:
    """Without any answer the zone stays pending, and is asked for again."""
    served = Served()
    served.follow(Primary(LOOPBACK, free_port()))
    async with running(served):
        await until(lambda: served.state.failures == 2)
    assert served.state.last_result is Result.UNREACHABLE
    assert status(served.state, time.time()) is SecondaryStatus.PENDING


async def test_no_primary_and_unknown_key() -> None:
    """A zone without a primary, or with a key that nobody entered, says so."""
    served = Served()
    served.follow()
    async with running(served):
        await until(lambda: served.state.last_rule == "no-primary")
        primary = Primary(LOOPBACK, free_port(), key=KEY.name)
        served.secondaries.replace(SecondaryZone(APEX, (primary,)))
        await until(lambda: served.state.last_rule == "key-unusable")


async def test_new_key_is_tried_at_once() -> None:
    """A zone that failed for want of its key comes as soon as the key is entered."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1), key=WIRE_KEY) as primary:
        served.follow(Primary(LOOPBACK, primary.port, key=KEY.name))
        async with running(served):
            await until(lambda: served.state.last_rule == "key-unusable")
            served.secondaries.set_keys({KEY.name: KEY})
            await until(lambda: served.serials == [1])


async def test_notify_during_a_refresh() -> None:
    """A NOTIFY that comes while a transfer runs leads to one more check afterwards."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1)) as primary:
        plain = primary.transfer

        def slow(server: PlainPrimary, query: object) -> object:
            if server.transfers == 1:
                time.sleep(0.3)
            return plain(server, query)  # type: ignore[arg-type]

        primary.transfer = slow  # type: ignore[assignment]
        served.follow(at(primary))
        async with running(served):
            await until(lambda: primary.transfers == 1)
            for _ in range(5):
                served.secondaries.notified(APEX, LOOPBACK, None)
            await until(lambda: served.state.last_result is Result.CURRENT)
            assert primary.soa_queries == 1


async def test_failed_publish_keeps_the_old_state() -> None:
    """A version that could not be stored is not counted, and is fetched again."""
    served = Served()
    served.failing = True
    with PlainPrimary(ORIGIN, zone_text(1)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: primary.transfers == 1)
            await until(lambda: served.state.next_refresh > 0)
            assert served.state.serial is None
            served.failing = False
            await until(lambda: served.serials == [1])


async def test_restart_asks_nobody_that_is_not_due() -> None:
    """With persisted timers a start asks for nothing that is not due, and knows of expiry."""
    served = Served()
    now = time.time()
    with PlainPrimary(ORIGIN, zone_text(9)) as primary:
        state = SecondaryState(
            APEX, serial=1, next_refresh=now + 100, expires_at=now + 0.3, expire=50, retry=60
        )
        served.follow(at(primary), state=state)
        async with running(served):
            await until(lambda: served.expired)
            assert (primary.soa_queries, primary.transfers) == (0, 0)


async def test_removed_zone_is_left_alone() -> None:
    """A removed zone is neither asked for nor published."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1, refresh=1)) as primary:
        served.follow(at(primary))
        async with running(served):
            await until(lambda: served.serials == [1])
            served.secondaries.remove(APEX)
            assert served.secondaries.state(APEX) is None
            assert not served.secondaries.refresh(APEX)
            served.secondaries.notified(APEX, LOOPBACK, None)
            assert primary.soa_queries == 0


async def test_pinned_zone() -> None:
    """A pinned zone stays at its version, says so, and does not expire."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(2)) as primary:
        state = SecondaryState(APEX, serial=1, expires_at=time.time() + 5, expire=50, retry=60)
        zone = SecondaryZone(APEX, (at(primary),), pinned=True)
        served.secondaries.add(zone, state)
        async with running(served):
            await until(lambda: served.outcomes)
    assert served.state.last_result is Result.HELD
    assert (served.state.serial, served.state.primary_serial) == (1, 2)
    assert served.state.expires_at is not None
    assert served.state.expires_at > time.time() + 40


@pytest.mark.parametrize("zones", [300])
async def test_many_zones(zones: int) -> None:
    """Hundreds of zones of one primary all arrive, a bounded number at a time."""
    served = Served()
    with PlainPrimary(ORIGIN, zone_text(1)) as primary:
        served.follow(at(primary))
        apexes = [from_text(f"z{number}.example.org") for number in range(zones)]
        for apex in apexes:
            served.secondaries.add(SecondaryZone(apex, (at(primary),)))
        async with running(served):
            await until(lambda: len({one.state.apex for one in served.outcomes}) > zones)
            await until(lambda: served.serials)  # those that are refused are tried again meanwhile
    # The primary has one zone only: the others are refused, each with its own state.
    assert served.serials == [1]
    rules = {served.secondaries.state(apex).last_rule for apex in apexes}  # type: ignore[union-attr]
    assert rules == {"malformed"}
