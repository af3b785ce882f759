"""Which zone is asked for when: times, turns and wishes, without I/O; the time is an argument.

A zone is due by its timers, or at once because somebody wishes so (a NOTIFY, an operator). Due zones
wait for their turn (``turns``), wishes in a lane of their own. While a zone is being refreshed a
wish is kept, and leads to one more refresh afterwards, however many came.

::

    timetable.act(now)       -> entries that have expired by now
    timetable.begin()        -> (entry, wish) to refresh, as many as may be under way
    timetable.publish(entry)    the answer is there; the place is free for another zone
    timetable.end(entry, state) all is done, and ``state`` has the next times
    timetable.next_time()    -> when to call ``act`` again
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from axfr import pace, refresh
from axfr.turns import Share, TurnLimits, Turns
from zones.name import Name
from zones.secondary import SecondaryState

if TYPE_CHECKING:
    from axfr.outcome import SecondaryZone

OVERDUE_RATE: Final = 100.0  # overdue zones a second, at most, that a start begins to ask for


@dataclass(frozen=True, slots=True)
class Wish:
    """Why a refresh runs: a NOTIFY (``asked``, and ``address`` of who sent it), or ``force``."""

    asked: bool = False
    force: bool = False
    address: str = ""

    def __or__(self, other: Wish) -> Wish:
        """Return what satisfies both."""
        return Wish(
            self.asked or other.asked, self.force or other.force, other.address or self.address
        )


NO_WISH: Final = Wish()


class _Queued(IntEnum):
    """Whether a zone waits for its turn."""

    NO = 0
    ORDINARY = 1
    URGENT = 2


@dataclass(slots=True, eq=False)
class Entry:
    """A zone and what goes on with it.

    It stands on the heap once, at ``wake_at``: no later than the earlier of the two times. A time
    that moves on stays there until it comes, so that the heap does not grow with each refresh.
    """

    zone: SecondaryZone
    state: SecondaryState
    wish: Wish = NO_WISH
    running: bool = False
    publishing: bool = False
    refresh_at: float | None = None
    expiry_at: float | None = None
    wake_at: float | None = None
    expiry_told: float | None = None  # the moment of the expiry that was told
    used_until: float = 0.0  # how much of its transfers a zone has used up (``pace``)
    free_at: float = 0.0  # when a zone that has used up all of them may be transferred again
    queued: _Queued = field(default=_Queued.NO, repr=False)
    place: Share | None = None  # whose place a refresh has
    share: Share = field(init=False)  # whose turn the zone shares: that of its first primary

    def __post_init__(self) -> None:
        primary = self.zone.primaries[0].address if self.zone.primaries else ""
        self.share = Share(self.zone.customer or primary, primary)


class Timetable:
    """The times of all zones, and whose turn it is; before ``start`` zones are only gathered."""

    def __init__(self, limits: TurnLimits) -> None:
        self.entries: dict[Name, Entry] = {}
        self._limits = limits
        self._heap: list[tuple[float, Name]] = []
        self._turns = Turns(self._limits)
        self._started = False

    def stop(self) -> None:
        """Forget who waits, and why; no refresh is under way any more. ``start`` begins anew."""
        self._started = False
        self._heap.clear()
        self._turns = Turns(self._limits)
        for entry in self.entries.values():
            entry.queued, entry.wish, entry.wake_at = _Queued.NO, NO_WISH, None

    def start(self, now: float, spread: float, draw: Callable[[], float]) -> None:
        """Begin; zones that are overdue are spread over some seconds, but for those never had."""
        overdue = sum(entry.state.next_refresh <= now for entry in self.entries.values())
        over = min(spread, overdue / OVERDUE_RATE)
        self._started = True
        for entry in self.entries.values():
            entry.state = refresh.spread(entry.state, now, draw(), over)
            self._set(entry)

    def add(self, zone: SecondaryZone, state: SecondaryState) -> Entry:
        """Take in a zone, in place of one of the same name."""
        entry = self.entries[zone.apex] = Entry(zone, state)
        if self._started:
            self._set(entry)
        return entry

    def remove(self, apex: Name) -> Entry | None:
        """Take out a zone; who refreshes it has to call ``end`` all the same."""
        return self.entries.pop(apex, None)

    def want(self, entry: Entry, wish: Wish) -> None:
        """Refresh a zone soon; while it is being refreshed, once more afterwards."""
        entry.wish |= wish
        if wish.force:
            entry.free_at = 0.0
        if not entry.running and self._started:
            self._enqueue(entry, _Queued.URGENT)

    def act(self, now: float) -> list[Entry]:
        """Let those wait for their turn that are due; return those that have expired."""
        expired = []
        while self._heap and self._heap[0][0] <= now:
            when, apex = heapq.heappop(self._heap)
            entry = self.entries.get(apex)
            if entry is None or entry.wake_at != when:
                continue
            entry.wake_at = None
            if entry.expiry_at is not None and entry.expiry_at <= when:
                entry.expiry_at = None
                if not entry.publishing:  # else ``end`` tells how it stands
                    entry.expiry_told = entry.state.expires_at
                    expired.append(entry)
            if entry.refresh_at is not None and entry.refresh_at <= when:
                entry.refresh_at = None
                if entry.free_at <= when:
                    entry.free_at = 0.0
                if not entry.running:
                    asked = entry.wish != NO_WISH  # and had to wait
                    self._enqueue(entry, _Queued.URGENT if asked else _Queued.ORDINARY)
            self._wake(entry)
        return expired

    def begin(self) -> Iterator[tuple[Entry, Wish]]:
        """Yield whom to refresh now, and why."""
        while (turn := self._turns.take()) is not None:
            apex, share = turn
            entry = self.entries.get(apex)
            if entry is None or not entry.queued or entry.running:
                self._turns.done(share)
                continue
            wish, entry.wish, entry.queued = entry.wish, NO_WISH, _Queued.NO
            entry.running, entry.place = True, share
            yield entry, wish

    def publish(self, entry: Entry) -> None:
        """Give another zone its turn: what is left to be done asks no primary."""
        entry.publishing = True
        self._give_back(entry)

    def end(self, entry: Entry, state: SecondaryState) -> None:
        """Take what came of a refresh."""
        self._give_back(entry)
        entry.running = entry.publishing = False
        entry.state = state
        if self.entries.get(entry.zone.apex) is entry:
            self._set(entry)
            if entry.wish != NO_WISH:
                self._enqueue(entry, _Queued.URGENT)

    def _give_back(self, entry: Entry) -> None:
        """Give back the place of a refresh, if it still has one."""
        if entry.place is not None:
            self._turns.done(entry.place)
            entry.place = None

    def next_time(self) -> float | None:
        """Return when ``act`` has something to do, ``None`` for never."""
        return self._heap[0][0] if self._heap else None

    def spend(self, entry: Entry, count: int, now: float) -> bool:
        """Count transfers of a zone; tell whether it has to wait for the next one."""
        per_minute = entry.zone.limits.per_minute
        entry.used_until = pace.spent(entry.used_until, now, count, per_minute)
        entry.free_at = pace.free_at(entry.used_until, per_minute)
        if entry.free_at <= now:
            entry.free_at = 0.0
        return bool(entry.free_at)

    def _enqueue(self, entry: Entry, how: _Queued) -> None:
        if entry.free_at:
            entry.refresh_at = entry.free_at
            self._wake(entry)
        elif entry.queued < how:
            entry.queued = how
            self._turns.put(entry.zone.apex, entry.share, urgent=how is _Queued.URGENT)

    def _set(self, entry: Entry) -> None:
        """Take the times of a zone; those from before count no more."""
        entry.refresh_at = entry.state.next_refresh
        expires_at = entry.state.expires_at
        entry.expiry_at = None if expires_at == entry.expiry_told else expires_at
        self._wake(entry)

    def _wake(self, entry: Entry) -> None:
        """Put a zone on the heap, unless it stands there early enough."""
        when = entry.refresh_at
        if entry.expiry_at is not None and (when is None or entry.expiry_at < when):
            when = entry.expiry_at
        if when is not None and (entry.wake_at is None or when < entry.wake_at):
            entry.wake_at = when
            heapq.heappush(self._heap, (when, entry.zone.apex))
