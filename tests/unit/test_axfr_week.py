"""A simulated week of many secondary zones: no sockets, no sleep, the real timetable and timers.

Customers have a primary each, one customer half of all zones; some primaries are away for hours or
days, some have a stand-in. The number of zones of the ordinary week is ``NSCTL_WEEK_ZONES``: with
100,000 it takes minutes where the machine is busy (docs/performance.md).
"""

from __future__ import annotations

import heapq
import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import count

from axfr.dead_primaries import DeadPrimaries
from axfr.errors import TransferError
from axfr.outcome import SecondaryZone
from axfr.refresh import SPREAD, Bounds, after_failure, after_success
from axfr.soa import Soa
from axfr.timetable import OVERDUE_RATE, Entry, Timetable, Wish
from axfr.turns import TurnLimits
from zones.name import from_text
from zones.secondary import Primary, Result, SecondaryState

ZONES = int(os.environ.get("NSCTL_WEEK_ZONES", "3000"))
FEW = min(ZONES, 1500)  # where something else than the number counts
CUSTOMERS = 40
HOUR, DAY = 3600.0, 86_400.0
START = 1_700_000_000.0
WEEK = 7 * DAY
PLACES = TurnLimits(total=64, customer=48, primary=16)
ANSWER, SILENCE = 0.03, 11.0  # seconds until a primary has answered, or is given up
SLACK = 120.0  # seconds that a refresh may come later than its SOA says
# Refresh, retry, expire: most zones are of the first kind.
KINDS = ((DAY, 2 * HOUR, 30 * DAY), (DAY, HOUR, 3 * DAY), (4 * HOUR, HOUR, 7 * DAY))
BOUNDS = Bounds()


@dataclass
class World:
    """The primaries of all customers, and what is seen of our server."""

    seed: int
    zones: int = FEW
    now: float = START
    away: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    states: dict[bytes, SecondaryState] = field(default_factory=dict)
    told: dict[bytes, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: dict[str, float] = field(default_factory=dict)  # the longest, by primary
    begun: Counter[str] = field(default_factory=Counter)
    runs: Counter[bytes] = field(default_factory=Counter)
    minutes: Counter[tuple[str, int]] = field(default_factory=Counter)  # refreshes begun in each

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.order = count()
        self.under_way: Counter[str] = Counter()
        self.all_under_way = 0
        self.soas: dict[bytes, Soa] = {}
        self.events: list[tuple[float, int, Entry, SecondaryState]] = []
        self.serials: Counter[bytes] = Counter()
        self.dead = DeadPrimaries()
        self.all = [self.zone(number) for number in range(self.zones)]
        self.table = Timetable(PLACES)

    def zone(self, number: int) -> SecondaryZone:
        """Return a zone; the first customer has half of them, every fourth a stand-in."""
        customer = 0 if number % 2 else 1 + number // 2 % (CUSTOMERS - 1)
        address = f"192.0.2.{customer}"
        primaries: tuple[Primary, ...] = (Primary(address),)
        if customer % 4 == 1:
            primaries += (Primary(f"198.51.100.{customer}", position=1),)
        return SecondaryZone(from_text(f"zone{number}.example."), primaries)

    def soa(self, zone: SecondaryZone) -> Soa:
        """Return the SOA that the primary has now."""
        soa, serial = self.soas.get(zone.apex), 1 + self.serials[zone.apex]
        if soa is None or soa.serial != serial:
            refresh, retry, expire = map(int, KINDS[max(0, zone.apex[-10] % 5 - 2)])
            soa = self.soas[zone.apex] = Soa(serial, refresh, retry, expire, 300)
        return soa

    def answers(self, primary: Primary) -> bool:
        """Tell whether a primary is there now."""
        times = self.away.get(primary.address)
        return times is None or not any(begin <= self.now < end for begin, end in times)

    # -- our server

    def start(self) -> None:
        """Start it with what was stored."""
        for zone in self.all:
            self.table.add(zone, self.states.get(zone.apex, SecondaryState(zone.apex)))
        self.table.start(self.now, 30.0, self.rng.random)

    def restart(self, downtime: float) -> None:
        """Stop it at once, and start it later; what was under way is lost."""
        self.now += downtime
        self.events.clear()
        self.under_way.clear()
        self.all_under_way = 0
        self.table = Timetable(PLACES)
        self.start()

    def run(self, until: float) -> None:
        """Let time pass."""
        table, events = self.table, self.events
        while self.now < until:
            due, done = table.next_time(), events[0][0] if events else until
            self.now = max(self.now, min(until, done if due is None or done < due else due))
            for entry in table.act(self.now):
                self.told[entry.zone.apex].append(self.now)
                assert self.now == entry.state.expires_at, "an expiry is told on the second"
            while events and events[0][0] <= self.now:
                _when, _order, entry, state = heapq.heappop(events)
                self.finish(entry, state)
            for entry, _wish in table.begin():
                self.begin(entry)

    def begin(self, entry: Entry) -> None:
        """Ask the primaries in turn; what comes of it is known some time later."""
        group, took = entry.share.primary, 0.0
        self.runs[entry.zone.apex] += 1
        self.begun[group] += 1
        self.minutes[group, int(self.now // 60)] += 1
        self.under_way[group] += 1
        self.all_under_way += 1
        assert self.under_way[group] <= PLACES.primary, (
            "a primary is asked for too many zones at a time"
        )
        assert self.all_under_way <= PLACES.total
        self.note_lateness(entry)
        result: Primary | None = None
        for primary in self.dead.in_order(entry.zone.primaries, self.now):
            there = self.answers(primary)
            self.dead.note(primary, self.now, answered=there)
            took += ANSWER if there else SILENCE
            if there:
                result = primary
                break
        self.push(entry, result, took)

    def push(self, entry: Entry, primary: Primary | None, took: float) -> None:
        """Let a refresh end some time later."""
        state, now = entry.state, self.now + took
        if primary is None:
            error = TransferError(entry.zone.apex, "", "unreachable", "no answer")
            state = after_failure(
                state, error, now, self.rng.random(), BOUNDS, result=Result.UNREACHABLE
            )
        else:
            soa = self.soa(entry.zone)
            new = soa.serial != state.serial
            result = Result.ACCEPTED if new else Result.CURRENT
            state = after_success(state, soa, now, self.rng.random(), BOUNDS, result=result)
        heapq.heappush(self.events, (now, next(self.order), entry, state))

    def finish(self, entry: Entry, state: SecondaryState) -> None:
        """Store what came of a refresh."""
        self.under_way[entry.share.primary] -= 1
        self.all_under_way -= 1
        self.table.publish(entry)
        self.states[entry.zone.apex] = state
        self.table.end(entry, state)

    def note_lateness(self, entry: Entry) -> None:
        """Note how much later than the SOA says a zone is asked for after a success."""
        state = entry.state
        if state.last_success is not None and not state.failures:
            late = self.now - state.last_success - state.refresh
            self.late[entry.share.primary] = max(late, self.late.get(entry.share.primary, late))


def everybody_is_fresh(world: World) -> None:
    """Check that every zone is asked for in time, and not much too early either."""
    assert max(world.late.values()) < SLACK


def nobody_is_hammered(world: World) -> None:
    """Check that no minute after the first hour brings a primary a tenth of all its zones."""
    zones = Counter(zone.primaries[0].address for zone in world.all)
    for (group, minute), begun in world.minutes.items():
        if minute * 60 > START + HOUR:
            assert begun <= zones[group] / 10 + 10, (group, minute)


def test_an_ordinary_week(rng: random.Random) -> None:
    """All zones are asked for in time; none expires; the load of each primary is even."""
    world = World(rng.randrange(2**32), zones=ZONES)
    world.start()
    world.run(START + WEEK)
    everybody_is_fresh(world)
    nobody_is_hammered(world)
    assert not world.told
    for zone in world.all:
        refresh = world.soa(zone).refresh
        least, most = WEEK / refresh, WEEK / (refresh * (1 - SPREAD)) + 2
        assert least - 1 <= world.runs[zone.apex] <= most, "as often as its SOA says"


def test_a_dead_primary_of_half_of_all_zones(rng: random.Random) -> None:
    """Other customers' zones stay fresh; its own expire on the second, and come back with it."""
    world = World(rng.randrange(2**32))
    big = "192.0.2.0"
    world.away[big] = [(START + DAY, START + 5.5 * DAY)]
    world.start()
    world.run(START + 5.5 * DAY)
    assert max(late for group, late in world.late.items() if group != big) < SLACK
    short = [zone for zone in world.all if world.soa(zone).expire == int(KINDS[1][2])]
    for zone in world.all:
        expected = zone.primaries[0].address == big and zone in short
        assert bool(world.told[zone.apex]) is expected, zone
        if expected:
            state = world.states[zone.apex]
            assert world.told[zone.apex] == [state.expires_at], "told once"
    world.run(START + WEEK)
    assert not any(state.is_expired(world.now) for state in world.states.values())
    assert all(not state.failures for state in world.states.values())


def test_failover_costs_nothing(rng: random.Random) -> None:
    """With a stand-in no zone is late or fails, and the dead primary is hardly ever asked."""
    world = World(rng.randrange(2**32))
    dead = "192.0.2.1"
    world.away[dead] = [(START + HOUR, START + WEEK)]
    world.start()
    world.run(START + 3 * DAY)
    everybody_is_fresh(world)
    theirs = [zone for zone in world.all if zone.primaries[0].address == dead]
    assert theirs
    assert not any(world.states[zone.apex].failures for zone in theirs)


def test_a_restart_asks_nobody_who_is_not_due(rng: random.Random) -> None:
    """After a short stop only due zones are asked for; after a long one the overdue are spread."""
    world = World(rng.randrange(2**32))
    world.start()
    world.run(START + 2 * DAY)
    due = {apex for apex, state in world.states.items() if state.next_refresh <= world.now + 120}
    world.runs.clear()
    world.restart(downtime=60.0)
    world.run(world.now + 60.0)
    assert set(world.runs) <= due
    world.begun.clear()
    world.restart(downtime=20 * HOUR)
    overdue = sum(state.next_refresh <= world.now for state in world.states.values())
    assert overdue > world.zones // 3
    world.run(world.now + 1.0)
    assert sum(world.begun.values()) < max(2 * OVERDUE_RATE, overdue / 10)
    world.run(world.now + 60.0)
    assert all(state.next_refresh > world.now for state in world.states.values())


def test_notifies_bring_changes_at_once(rng: random.Random) -> None:
    """NOTIFYs in any number, also during a transfer, lead to the newest serial within seconds."""
    world = World(rng.randrange(2**32), zones=FEW)
    world.start()
    world.run(START + HOUR)
    for _ in range(200):
        zone = world.rng.choice(world.all)
        for _ in range(world.rng.randrange(1, 4)):
            world.serials[zone.apex] += 1
            world.table.want(world.table.entries[zone.apex], Wish(asked=True))
            world.run(world.now + world.rng.choice((0.0, ANSWER / 2, ANSWER)))
    world.run(world.now + 2.0)
    for zone in world.all:
        assert world.states[zone.apex].serial == 1 + world.serials[zone.apex]


def test_a_notify_during_a_transfer_leads_to_one_more(rng: random.Random) -> None:
    """However many come meanwhile, the zone is asked for once more, not more often."""
    world = World(rng.randrange(2**32), zones=1)
    (zone,) = world.all
    world.start()
    world.run(START + 1.0)
    world.runs.clear()
    entry = world.table.entries[zone.apex]
    world.table.want(entry, Wish(asked=True))
    world.run(world.now + ANSWER / 3)
    for _ in range(5):
        world.table.want(entry, Wish(asked=True))
        world.run(world.now + ANSWER / 10)
    world.run(world.now + 1.0)
    assert world.runs[zone.apex] == 2


def test_a_storm_delays_nobody_else(rng: random.Random) -> None:
    """While one customer NOTIFYs all of its zones, a single NOTIFY of another is served at once."""
    world = World(rng.randrange(2**32), zones=min(ZONES, 3000))
    world.start()
    world.run(START + HOUR)
    for entry in world.table.entries.values():
        if entry.share.primary == "192.0.2.0":
            world.table.want(entry, Wish(asked=True))
    other = next(one for one in world.table.entries.values() if one.share.primary == "192.0.2.5")
    world.run(world.now + ANSWER)
    world.serials[other.zone.apex] += 1
    world.table.want(other, Wish(asked=True))
    asked = world.now
    world.run(asked + 2 * ANSWER)
    assert world.states[other.zone.apex].serial == 1 + world.serials[other.zone.apex]
    assert any(entry.running for entry in world.table.entries.values()), "the storm goes on"


class OneLargeCustomer(World):
    """All zones but one are a single customer's, on a hundred primaries."""

    def zone(self, number: int) -> SecondaryZone:
        """Return a zone; number 0 is that of the other customer."""
        apex = from_text(f"zone{number}.example.")
        if number == 0:
            return SecondaryZone(apex, (Primary("198.51.100.1"),), customer="small")
        return SecondaryZone(apex, (Primary(f"192.0.2.{number % 100}"),), customer="large")


def test_a_large_customer_delays_nobody_else(rng: random.Random) -> None:
    """While he NOTIFYs all zones, half of his hundred primaries dead, another's zone comes at once."""
    world = OneLargeCustomer(rng.randrange(2**32), zones=FEW)
    world.start()
    world.run(START + HOUR)
    for number in range(50):
        world.away[f"192.0.2.{number}"] = [(world.now, world.now + DAY)]
    single = world.table.entries[world.all[0].apex]
    for entry in world.table.entries.values():
        if entry is not single:
            world.table.want(entry, Wish(asked=True))
    world.run(world.now + SILENCE / 2)
    assert world.all_under_way == PLACES.customer, "the large customer has all he may have"
    world.serials[single.zone.apex] += 1
    world.table.want(single, Wish(asked=True))
    world.run(world.now + ANSWER / 10)
    world.run(world.now + ANSWER)
    assert world.states[single.zone.apex].serial == 1 + world.serials[single.zone.apex]
    assert any(entry.running for entry in world.table.entries.values()), "the others go on"


def test_a_zone_that_is_replaced_is_asked_for_anew(rng: random.Random) -> None:
    """A zone that is taken out and in again while it is refreshed is refreshed anew."""
    world = World(rng.randrange(2**32), zones=1)
    (zone,) = world.all
    world.start()
    world.run(START + ANSWER / 2)
    world.table.remove(zone.apex)
    world.table.add(replace(zone), SecondaryState(zone.apex))
    world.run(START + 1.0)
    assert world.runs[zone.apex] == 2
    assert world.states[zone.apex].serial == 1
