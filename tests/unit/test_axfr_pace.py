"""How often a zone is transferred, however often it changes."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from axfr import pace
from axfr.answer_stream import Limits
from axfr.outcome import SecondaryZone
from axfr.refusal import from_state
from axfr.timetable import Timetable, Wish
from axfr.turns import TurnLimits
from tests.peers.plain_primary import PlainPrimary
from tests.peers.waiting import LOOPBACK
from tests.peers.zonetext import ORIGIN, zone_text
from tests.unit.test_axfr_secondaries import APEX, Served, running, until
from zones.name import Name, from_text
from zones.secondary import Primary, Result, SecondaryState

OTHER = from_text("other.example")
ASKED = Wish(asked=True)


def zone(apex: Name, per_minute: int) -> SecondaryZone:
    """Return a zone that may be transferred so often."""
    return SecondaryZone(apex, (Primary("192.0.2.1"),), limits=Limits(per_minute=per_minute))


def test_so_many_at_once_and_evenly_after_that() -> None:
    """Driven for an hour by changes without end, no minute but the first sees more than allowed."""
    until_, now, times = 0.0, 1000.0, []
    while now < 1000.0 + 3600:
        if pace.free_at(until_, 6) <= now:
            until_ = pace.spent(until_, now, 1, 6)
            times.append(now)
        now += 0.5
    assert len([one for one in times if one < 1010]) == 6  # at once
    assert len(times) == 6 + 359
    assert all(later - sooner >= 10 for sooner, later in pairwise(times[6:]))


def test_a_zone_waits_and_others_do_not() -> None:
    """Wishes of a zone that has used up its transfers are one wish, when it may go on."""
    table = Timetable(TurnLimits())
    table.start(0.0, 0.0, lambda: 0.0)
    state = SecondaryState(APEX, next_refresh=9e9)
    entry = table.add(zone(APEX, 2), state)
    other = table.add(zone(OTHER, 2), SecondaryState(OTHER, next_refresh=9e9))
    now = 100.0
    for expected in (False, True):
        table.want(entry, ASKED)
        assert [one for one, _wish in table.begin()] == [entry]
        assert table.spend(entry, 1, now) is expected
        table.end(entry, state)
    for _ in range(50):
        table.want(entry, ASKED)
    table.want(other, ASKED)
    assert [one for one, _wish in table.begin()] == [other]
    assert table.next_time() == now + 30
    table.act(now + 29)
    assert not list(table.begin())
    table.act(now + 30)
    assert list(table.begin()) == [(entry, ASKED)]


def test_who_insists_does_not_wait() -> None:
    """An operator's transfer is done at once, and counts."""
    table = Timetable(TurnLimits())
    table.start(0.0, 0.0, lambda: 0.0)
    entry = table.add(zone(APEX, 1), SecondaryState(APEX, next_refresh=9e9))
    assert table.spend(entry, 1, 100.0)
    table.want(entry, ASKED)
    assert not list(table.begin())
    table.want(entry, Wish(asked=True, force=True))
    assert [one for one, _wish in table.begin()] == [entry]


async def test_a_primary_that_changes_without_end() -> None:
    """Three versions are fetched of many; the zone says why, and the other one is not kept waiting.

    The NOTIFY messages are answered all the time.
    """
    served = Served()
    with (
        PlainPrimary(ORIGIN, zone_text(1)) as busy,
        PlainPrimary("other.example.", zone_text(1, apex="other.example.")) as quiet,
    ):
        limits = Limits(per_minute=3)
        served.secondaries.add(SecondaryZone(APEX, (Primary(LOOPBACK, busy.port),), limits=limits))
        served.secondaries.add(
            SecondaryZone(OTHER, (Primary(LOOPBACK, quiet.port),), limits=limits)
        )
        async with running(served):
            await until(lambda: len(served.serials) == 2)
            for serial in range(2, 40):
                busy.load(zone_text(serial))
                served.secondaries.notified(APEX, LOOPBACK, None)
                await asyncio.sleep(0.005)
            await until(lambda: served.state.last_rule == "too-frequent")
            quiet.load(zone_text(2, apex="other.example."))
            served.secondaries.notified(OTHER, LOOPBACK, None)
            theirs = served.secondaries.state
            await until(lambda: (state := theirs(OTHER)) is not None and state.serial == 2)
            assert busy.transfers == 3
        told = from_state(served.state, 0.0)
        assert told is not None
        assert "3 times a minute" in told.sentence
        assert "as long as the primary answers" in told.served_meanwhile
        assert served.state.last_result is Result.ACCEPTED
        assert served.state.failures == 0
