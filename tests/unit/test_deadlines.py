"""Alerts before the end of a zone: at which moments, how often, and what survives a restart."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field, replace

import pytest

from nameserver.deadline_alerts import DeadlineAlerts, duration
from nameserver.deadlines import MOST, Alert, Cause, DeadlineWatch, scaled
from storage import events, zones
from storage.database import Database
from storage.events import Event
from tests.peers.waiting import wait_until
from tests.zone_content import content
from zones.name import Name, from_text
from zones.rrset import RRSIG, A, RRset
from zones.secondary import Result, SecondaryState
from zones.signature_times import Lapse, first_lapse
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

DAY = 86_400.0
HOUR = 3600.0
NOW = 1_800_000_000.0
DISTANCES = (7 * DAY, 3 * DAY, DAY, 6 * HOUR)
APEX = from_text("example.org")


def failing(expires_at: float, *, expire: float = 28 * DAY, apex: Name = APEX) -> SecondaryState:
    """Return the state of a zone whose primary is away."""
    return SecondaryState(
        apex, serial=1, expire=int(expire), expires_at=expires_at, failures=3,
        last_result=Result.UNREACHABLE, last_rule="timeout", last_reason="no answer in time",
        last_primary="192.0.2.1@53",
    )  # fmt: skip


def healthy(expires_at: float, *, apex: Name = APEX) -> SecondaryState:
    """Return the state of a zone whose primary answers."""
    return replace(failing(expires_at, apex=apex), failures=0, last_reason="", last_rule="")


def drive(watch: DeadlineWatch, start: float, end: float) -> list[tuple[float, Alert]]:
    """Let time pass, from one moment that the watch names to the next."""
    told = [(start, alert) for alert in watch.due(start)]
    while (at := watch.next_at()) is not None and at <= end:
        assert at > start, "a watch that wants to be called all the time"
        start = at
        told += [(at, alert) for alert in watch.due(at)]
    return told


def test_each_distance_is_told_once_and_on_the_second() -> None:
    """Seven days, three, one, six hours before EXPIRE, and the end itself."""
    watch = DeadlineWatch(DISTANCES)
    end = NOW + 28 * DAY
    watch.contact(APEX, failing(end), NOW)
    told = drive(watch, NOW, end + 30 * DAY)
    assert [(end - at, alert.distance) for at, alert in told] == [
        (one, one) for one in (*DISTANCES, 0.0)
    ]
    assert [alert.last for _, alert in told] == [False, False, False, True, False]


def test_failures_in_between_change_nothing() -> None:
    """Each failed attempt is reported, and nothing is told twice."""
    watch = DeadlineWatch(DISTANCES)
    end = NOW + 28 * DAY
    told = []
    for hour in range(28 * 24 + 48):
        now = NOW + hour * HOUR
        watch.contact(APEX, failing(end), now)
        told += [alert.distance for alert in watch.due(now)]
    assert told == [*DISTANCES, 0.0]


def test_short_expire_shortens_the_distances() -> None:
    """With an EXPIRE of one hour the first alert comes at half of it, not at once."""
    assert scaled(DISTANCES, HOUR / 2)[0] == HOUR / 2
    watch = DeadlineWatch(DISTANCES)
    watch.contact(APEX, failing(NOW + HOUR, expire=HOUR), NOW)
    moments = [at - NOW for at, _ in drive(watch, NOW, NOW + 2 * HOUR)]
    assert moments[0] == HOUR / 2
    assert len(moments) == 5
    assert moments[-1] == HOUR


def test_healthy_zones_cost_nothing() -> None:
    """A zone whose primary answers is on no heap, however short its EXPIRE is."""
    watch = DeadlineWatch(DISTANCES)
    for number in range(1000):
        apex = from_text(f"zone{number}.example")
        watch.contact(apex, healthy(NOW + 60, apex=apex), NOW)
    assert len(watch) == 0
    assert watch.next_at() is None


def test_recovery_is_told_where_the_danger_was() -> None:
    """After an alert the return of the primary is told, once; without one it is not."""
    watch = DeadlineWatch(DISTANCES)
    watch.contact(APEX, failing(NOW + 5 * DAY), NOW)
    (alert,) = watch.due(NOW)
    assert alert.distance == 7 * DAY
    watch.contact(APEX, healthy(NOW + 29 * DAY), NOW + DAY)
    (over,) = watch.due(NOW + DAY)
    assert over.over
    assert watch.next_at() is None
    assert len(watch) == 0
    watch.contact(APEX, failing(NOW + 29 * DAY), NOW + DAY)
    watch.contact(APEX, healthy(NOW + 29 * DAY), NOW + 2 * DAY)
    assert watch.due(NOW + 2 * DAY) == []


def test_after_a_long_pause_only_the_nearest_is_told() -> None:
    """A server that was off for days tells where the zone stands, not what it missed."""
    watch = DeadlineWatch(DISTANCES)
    watch.remember([(APEX, Cause.EXPIRE, 7 * DAY)])
    watch.contact(APEX, failing(NOW + 20 * HOUR), NOW)
    assert [alert.distance for alert in watch.due(NOW)] == [DAY]


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    """The distances that were told are remembered; the recovery too is told after a restart."""
    watch = DeadlineWatch(DISTANCES)
    watch.remember([(APEX, Cause.EXPIRE, DAY)])
    watch.contact(APEX, failing(NOW + 20 * HOUR), NOW)
    assert watch.due(NOW) == []
    watch.contact(APEX, healthy(NOW + 28 * DAY), NOW + 1)
    assert [alert.over for alert in watch.due(NOW + 1)] == [True]


def test_signatures_that_somebody_renews_alarm_late() -> None:
    """Two weeks of validity and a primary that answers: an eighth of it, not seven days."""
    watch = DeadlineWatch(DISTANCES)
    lapse = Lapse(NOW + 14 * DAY, 14 * DAY)
    watch.signatures(APEX, lapse, healthy(NOW + 28 * DAY), NOW)
    told = drive(watch, NOW, NOW + 30 * DAY)
    assert told[0][0] == lapse.at - 14 * DAY / 8
    assert {alert.cause for _, alert in told} == {Cause.SIGNATURES}
    assert told[-1][1].distance == 0
    watch.signatures(APEX, Lapse(NOW + 60 * DAY, 14 * DAY), healthy(NOW + 90 * DAY), NOW + 30 * DAY)
    assert [alert.over for alert in watch.due(NOW + 30 * DAY)] == [True]


def test_of_expire_and_signatures_the_earlier_counts() -> None:
    """While the primary is away: only the one that comes first is told."""
    for lapse_days, expected in ((5, Cause.SIGNATURES), (40, Cause.EXPIRE)):
        watch = DeadlineWatch(DISTANCES)
        state = failing(NOW + 28 * DAY)
        watch.signatures(APEX, Lapse(NOW + lapse_days * DAY, 30 * DAY), state, NOW)
        first = drive(watch, NOW, NOW + 27 * DAY)[0][1]
        assert first.cause is expected


def test_a_zone_that_is_gone_or_unsigned_now_is_told_no_more() -> None:
    """After ``remove`` nothing comes; a zone without signatures is out of that danger."""
    watch = DeadlineWatch(DISTANCES)
    watch.contact(APEX, failing(NOW + DAY), NOW)
    watch.remove(APEX)
    assert drive(watch, NOW, NOW + 30 * DAY) == []
    watch.signatures(APEX, Lapse(NOW + HOUR, 14 * DAY), None, NOW)
    assert len(watch.due(NOW)) == 1
    watch.signatures(APEX, None, None, NOW + 1)
    assert [alert.over for alert in watch.due(NOW + 1)] == [True]


def signed(expirations: list[list[int]]) -> ZoneVersion:
    """Return a zone with one RRSIG RRset for each list of expirations."""
    plain = content("example.org", hosts=len(expirations))
    hosts = [rrset for rrset in plain if rrset.rtype == A]
    signatures = [
        RRset.of(
            host.owner,
            RRSIG,
            300,
            [
                struct.pack("!HBBIIIH", A, 13, 3, 300, at, max(at - 1000, 0), tag)
                + APEX
                + bytes(64)
                for tag, at in enumerate(times)
            ],
        )
        for host, times in zip(hosts, expirations, strict=True)
    ]
    return ZoneVersion.of(APEX, [*plain, *signatures])


def test_the_first_signatures_to_lapse() -> None:
    """Of each RRset the last one counts, of the zone the first; an unsigned zone has none."""
    assert first_lapse(content("example.org", hosts=50).blob) is None
    version = signed([[5000, 9000], [7000], [8000, 1]])
    assert first_lapse(version.blob) == Lapse(7000.0, 1000.0)
    # A type number alone makes no signature: 46 octets of something else.
    txt = ZoneVersion.of(APEX, [*content("example.org"), RRset.of(APEX, 16, 46, [b"\x02\x00\x2e"])])
    assert first_lapse(txt.blob) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7 * DAY, "7 days"), (1.5 * DAY, "1 day 12 hours"), (5400, "1 hour 30 minutes"), (1, "1 second"),
     (0, "a moment"), (3 * DAY - 0.01, "3 days")],
)  # fmt: skip
def test_durations_for_people(seconds: float, text: str) -> None:
    """Two units where both matter."""
    assert duration(seconds) == text


@dataclass
class World:
    """Zones as the server would have them; the clock is set by hand."""

    database: Database
    now: float = NOW
    states: dict[Name, SecondaryState] = field(default_factory=dict)
    versions: dict[Name, ZoneVersion] = field(default_factory=dict)

    def alerts(self) -> DeadlineAlerts:
        """Return the alerts of a server that starts now."""
        found = DeadlineAlerts(self.database, DISTANCES, self.look, lambda: self.now)
        found.load()
        return found

    def look(self, apex: Name) -> tuple[SecondaryState | None, ZoneVersion | None]:
        """Return what is known of a zone."""
        return self.states.get(apex), self.versions.get(apex)

    def told(self) -> list[Event]:
        """Return what was told."""
        with self.database.read() as session:
            found = events.list_events(session, limit=1000)
        return [event for event in found if event.kind.startswith(("zone-exp", "signatures"))]


async def until(told: World, number: int) -> None:
    """Wait for so many events."""
    await asyncio.to_thread(wait_until, lambda: len(told.told()) >= number, "the event", 10)


async def test_alerts_survive_a_restart_and_other_nodes(database: Database) -> None:
    """Two nodes and a restart tell each thing once, in words that say what to do."""
    with database.write() as session:
        zones.add_zone(session, Zone(APEX, Mode.HIDDEN_PRIMARY, "4711"), now=NOW, actor="t")
    world = World(database)
    world.states[APEX] = failing(NOW + 2.9 * DAY)
    one, two = world.alerts(), world.alerts()
    for node in (one, two):
        node.start()
        node.contact(world.states[APEX])
    await until(world, 1)
    await one.stop()
    await two.stop()
    again = world.alerts()
    again.start()
    again.contact(world.states[APEX])
    world.now = NOW + 2.9 * DAY
    again.contact(world.states[APEX])
    await until(world, 2)
    world.states[APEX] = healthy(world.now + 28 * DAY)
    again.contact(world.states[APEX])
    await until(world, 3)
    await again.stop()
    first, second, third = world.told()
    assert first.kind == "zone-expiring"
    assert "expires in 2 days 21 hours" in first.text
    assert "192.0.2.1@53: no answer in time" in first.text
    assert first.data["primary"] == "192.0.2.1@53"
    assert (second.kind, second.severity) == ("zone-expired", "error")
    assert (third.kind, third.data["ends"], third.data["after"]) == (
        "zone-expiring-over",
        "zone-expired",
        "error",
    )


async def test_signatures_of_what_is_served_are_looked_at(database: Database) -> None:
    """A version that comes into service is scanned, and its lapse is told in time."""
    with database.write() as session:
        zones.add_zone(session, Zone(APEX, Mode.HOSTED), now=NOW, actor="t")
    world = World(database)
    world.versions[APEX] = signed([[int(NOW) + 400]])
    alerts = world.alerts()
    alerts.start()
    alerts.changed(APEX)
    await until(world, 1)
    world.versions[APEX] = signed([[int(NOW) + 10_000]])
    alerts.changed(APEX)
    await until(world, 2)
    await alerts.stop()
    first, second = world.told()
    assert first.kind == "signatures-lapsing"
    assert "lapse in 6 minutes 40 seconds" in first.text
    assert second.kind == "signatures-lapsing-over"


def test_many_at_once_come_in_slices() -> None:
    """When a primary of many zones dies, they are told a slice at a time, and none is lost."""
    watch = DeadlineWatch((DAY,))
    names = [from_text(f"zone{number}.example") for number in range(1200)]
    for apex in names:
        watch.contact(apex, failing(NOW + HOUR, apex=apex), NOW)
    slices = []
    while alerts := watch.due(NOW):
        slices.append(alerts)
    assert len(slices) > 1
    assert max(map(len, slices)) <= MOST
    assert sorted(alert.apex for part in slices for alert in part) == sorted(names)
