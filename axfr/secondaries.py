"""The secondary zones of this server: who is asked when, and what happens with the answer.

The asyncio shell around ``refresh``, ``turns`` and ``attempt``: one heap of times, one loop, and a
task for each refresh under way. Everything here runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import heapq
import random as random_module
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import count
from logging import DEBUG, INFO, WARNING
from typing import Final

import structlog

from axfr import log as log_lines
from axfr import refresh as schedule
from axfr.attempt import Base, Outcome, Refresh, SecondaryZone, Surroundings, Wish
from axfr.client import Client, ClientSettings
from axfr.ixfr_memory import IxfrMemory
from axfr.notify import answer_notify, same_address
from axfr.outcome import Suspended, why_suspended
from axfr.refresh import Bounds
from axfr.turns import Turns
from zones.name import Name, display
from zones.secondary import Primary, Result, SecondaryState, TsigKey
from zones.version import ZoneVersion

__all__ = ["Outcome", "Secondaries", "SecondariesSettings", "SecondaryZone"]

log = structlog.get_logger()

LEVELS: Final = {Result.CURRENT: DEBUG, Result.ACCEPTED: INFO}  # of the log; else WARNING
LONGEST_SLEEP: Final = 60.0  # seconds; the clock may be set while we wait
MOST_UNPUBLISHED: Final = 1000  # finished refreshes that wait for the store
OVERDUE_RATE: Final = 100.0  # overdue zones a second, at most, that a start begins to ask for


class _Queued(IntEnum):
    """Whether a zone waits for its turn."""

    NO = 0
    ORDINARY = 1
    URGENT = 2


@dataclass(slots=True)
class _Entry:
    """A zone and what goes on with it; the two times are those that count in the heap."""

    zone: SecondaryZone
    state: SecondaryState
    refresh_at: float | None = None
    expiry_at: float | None = None
    expiry_told: float | None = None  # the moment that ``expired`` was called for
    queued: _Queued = _Queued.NO
    wish: Wish = field(default_factory=Wish)
    task: asyncio.Task[None] | None = None
    publishing: bool = False
    sound: weakref.ref[ZoneVersion] | None = None  # that was found so by the checks

    @property
    def group(self) -> str:
        """Return whose turn the zone shares: that of its first primary."""
        return self.zone.primaries[0].address if self.zone.primaries else ""


@dataclass(frozen=True, slots=True)
class SecondariesSettings:
    """How many refreshes run at a time, in all and per primary; ``spread`` is in seconds."""

    concurrency: int = 64
    per_primary: int = 16
    bounds: Bounds = field(default_factory=Bounds)
    client: ClientSettings = field(default_factory=ClientSettings)
    spread: float = 30.0  # over which the zones that are overdue at the start are asked for


class Secondaries:
    """Keeps secondary zones fresh, and tells when they expire.

    ``publish`` persists and serves an outcome; while it has not returned, or when it raises, the
    state before counts. ``expired`` is called at the moment when a zone may no longer be answered.
    ``content`` returns the version in service, which changes are asked for from (IXFR). Before
    ``start`` and after ``stop`` nobody is asked; ``idle`` is then called for a zone whose primary
    sent NOTIFY.
    """

    def __init__(
        self,
        publish: Callable[[Outcome], Awaitable[None]],
        expired: Callable[[Name], None],
        *,
        content: Callable[[Name], ZoneVersion | None] = lambda _apex: None,
        idle: Callable[[Name], None] = lambda _apex: None,
        settings: SecondariesSettings | None = None,
        keys: Mapping[Name, TsigKey] | None = None,
        clock: Callable[[], float] = time.time,
        random: random_module.Random | None = None,
    ) -> None:
        self._publish = publish
        self._expired = expired
        self._content = content
        self._idle = idle
        self._settings = settings or SecondariesSettings()
        self._keys: Mapping[Name, TsigKey] = dict(keys or {})
        self._clock = clock
        self._random = random or random_module.Random()
        self._suspended: Suspended = {}
        self._unpublished = asyncio.Semaphore(MOST_UNPUBLISHED)
        self._client = Client(self._settings.client, clock=clock)
        self._around = self._surroundings()
        self._entries: dict[Name, _Entry] = {}
        self._heap: list[tuple[float, int, Name]] = []
        self._order = count()
        self._turns = Turns(self._settings.concurrency, self._settings.per_primary)
        self._loop: asyncio.AbstractEventLoop | None = None  # while this runs
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to ask; zones that are overdue are spread, so that no primary is overrun."""
        now = self._clock()
        overdue = sum(entry.state.next_refresh <= now for entry in self._entries.values())
        over = min(self._settings.spread, overdue / OVERDUE_RATE)
        for entry in self._entries.values():
            entry.state = schedule.spread(entry.state, now, self._random.random(), over)
            self._schedule(entry)
        self._loop = asyncio.get_running_loop()
        self._wake()

    async def stop(self) -> None:
        """Stop asking; what is under way is dropped."""
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._loop = self._soon = self._timer = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
        self._heap.clear()
        self._turns = Turns(self._settings.concurrency, self._settings.per_primary)
        for entry in self._entries.values():
            entry.queued, entry.wish = _Queued.NO, Wish()

    def add(self, zone: SecondaryZone, state: SecondaryState | None = None) -> None:
        """Follow a zone from now on; ``state`` is the persisted one, if there is one."""
        entry = _Entry(zone, state or SecondaryState(zone.apex))
        self._entries[zone.apex] = entry
        if self._loop is not None:
            self._schedule(entry)

    def replace(self, zone: SecondaryZone, state: SecondaryState | None = None) -> None:
        """Take over other primaries or settings, or another state of a zone, and ask anew."""
        before = self._entries.get(zone.apex)
        if before is not None:
            if state is None and before.zone == zone:
                return
            self.remove(zone.apex)
            state = state or before.state
        self.add(zone, state)
        if before is not None and self._loop is not None:
            self._want(self._entries[zone.apex], before.wish | Wish(asked=True))

    def set_states(self, states: Iterable[SecondaryState]) -> None:
        """Take over how zones stand, before ``start``: another node has followed them so far."""
        for state in states:
            if state.apex in self._entries:
                self._entries[state.apex].state = state

    def remove(self, apex: Name) -> None:
        """Follow a zone no longer; a refresh under way is dropped."""
        entry = self._entries.pop(apex, None)
        if entry is not None and entry.task is not None:
            entry.task.cancel()

    def set_keys(self, keys: Mapping[Name, TsigKey]) -> None:
        """Use other TSIG keys; zones that failed by theirs are asked for at once."""
        self._keys = dict(keys)
        self._around = replace(self._around, keys=self._keys)
        for entry in self._entries.values():
            if entry.state.last_rule.startswith(("tsig-", "key-")):
                self._want(entry, Wish(asked=True))

    def set_suspended(self, suspended: Suspended) -> None:
        """Cut off other primaries: what runs with them is dropped, who is free again is asked."""
        before, self._suspended = self._suspended, dict(suspended)
        self._around = replace(self._around, suspended=self._suspended)
        for entry in list(self._entries.values()):
            were = [why_suspended(one, before) is not None for one in entry.zone.primaries]
            are = [why_suspended(one, suspended) is not None for one in entry.zone.primaries]
            if were == are:
                continue
            if entry.task is not None and not entry.publishing:
                self.replace(replace(entry.zone), entry.state)
            else:
                self._want(entry, Wish(asked=True))

    def notified(self, apex: Name, address: str, key: Name | None) -> None:
        """Take a NOTIFY that was found to come from a primary of the zone."""
        entry = self._entries.get(apex)
        if entry is None:
            return
        if self._loop is None:
            self._idle(apex)
            return
        known = same_address(address, entry.zone.primaries)
        if known is None:
            known = next((one for one in entry.zone.primaries if one.key == key), None)
        self._want(entry, Wish(asked=True, address=known.address if known else ""))

    def answer_notify(self, message: bytes, address: str, port: int) -> bytes | None:
        """Answer a NOTIFY request, and refresh the zone if it is due; ``None`` for silence."""
        answer = answer_notify(message, address, self._heard, self._keys, self._clock())
        if answer.due:
            assert answer.apex is not None
            self.notified(answer.apex, address, answer.key)
        if answer.apex is not None and log.is_enabled_for(INFO):
            peer = str(Primary(address, port))
            text = log_lines.line(answer.apex, "NOTIFY", "incoming, from", peer, answer.told)
            log.info(text)
        return answer.octets

    def refresh(self, apex: Name, *, force: bool = False) -> bool:
        """Ask for a zone now; with ``force`` take over what is there, whatever its serial."""
        entry = self._entries.get(apex)
        if entry is None:
            return False
        self._want(entry, Wish(asked=True, force=force))
        return True

    def primaries(self, apex: Name) -> tuple[Primary, ...] | None:
        """Return the primaries of a zone, ``None`` where it is not a secondary here."""
        entry = self._entries.get(apex)
        return entry.zone.primaries if entry else None

    def _heard(self, apex: Name) -> tuple[Primary, ...] | None:
        """Return those primaries of a zone whose NOTIFY counts."""
        primaries = self.primaries(apex)
        if primaries is None or not self._suspended:
            return primaries
        return tuple(one for one in primaries if why_suspended(one, self._suspended) is None)

    def state(self, apex: Name) -> SecondaryState | None:
        """Return the standing of a zone."""
        entry = self._entries.get(apex)
        return entry.state if entry else None

    def states(self) -> Iterator[SecondaryState]:
        """Yield the standing of every zone."""
        for entry in self._entries.values():
            yield entry.state

    def _want(self, entry: _Entry, wish: Wish) -> None:
        """Refresh a zone soon; while it is being refreshed, once more afterwards."""
        entry.wish |= wish
        if entry.task is None and self._loop is not None:
            self._enqueue(entry, _Queued.URGENT)

    def _enqueue(self, entry: _Entry, how: _Queued) -> None:
        if entry.queued >= how:
            return
        entry.queued = how
        self._turns.put(entry.zone.apex, entry.group, urgent=how is _Queued.URGENT)
        self._wake()

    def _schedule(self, entry: _Entry) -> None:
        """Put the times of a zone on the heap; what stood there before counts no more."""
        entry.refresh_at = entry.state.next_refresh
        self._push(entry.refresh_at, entry.zone.apex)
        expires_at = entry.state.expires_at
        if expires_at is not None and expires_at != entry.expiry_told:
            entry.expiry_at = expires_at
            self._push(expires_at, entry.zone.apex)

    def _push(self, when: float, apex: Name) -> None:
        heapq.heappush(self._heap, (when, next(self._order), apex))
        self._wake()

    def _surroundings(self) -> Surroundings:
        """Return what every refresh needs."""
        bounds, draw = self._settings.bounds, self._random.random
        memory = IxfrMemory()
        return Surroundings(
            self._keys, self._client, memory, bounds, self._clock, draw, self._suspended
        )

    def _wake(self) -> None:
        """Look soon, once, at what is due and whose turn it is."""
        if self._soon is None and self._loop is not None:
            self._soon = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        if self._loop is None:
            return
        self._soon = None
        try:
            self._act_on_time(self._clock())
            self._start_turns()
        finally:
            wait = LONGEST_SLEEP
            if self._heap:
                wait = min(wait, max(0.0, self._heap[0][0] - self._clock()))
            self._sleep(self._loop.time() + wait)

    def _sleep(self, until: float) -> None:
        """Let ``_turn`` be called then at the latest."""
        assert self._loop is not None
        if self._timer is not None:
            if self._timer.when() <= until and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(until, self._timed)

    def _timed(self) -> None:
        self._timer = None
        self._turn()

    def _act_on_time(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            when, _order, apex = heapq.heappop(self._heap)
            entry = self._entries.get(apex)
            if entry is None:
                continue
            if when == entry.expiry_at and not entry.publishing:
                self._expire(entry)
            if when == entry.refresh_at:
                entry.refresh_at = None
                if entry.task is None:
                    self._enqueue(entry, _Queued.ORDINARY)

    def _expire(self, entry: _Entry) -> None:
        entry.expiry_at, entry.expiry_told = None, entry.state.expires_at
        self._expired(entry.zone.apex)

    def _start_turns(self) -> None:
        while (turn := self._turns.take()) is not None:
            apex, group = turn
            entry = self._entries.get(apex)
            if entry is None or not entry.queued or entry.task is not None:
                self._turns.done(group)
                continue
            wish, entry.wish, entry.queued = entry.wish, Wish(), _Queued.NO
            entry.task = asyncio.get_running_loop().create_task(self._work(entry, wish, group))
            self._tasks.add(entry.task)

    async def _work(self, entry: _Entry, wish: Wish, group: str) -> None:
        """Refresh one zone, hand the outcome over, and see to its next times."""
        try:
            entry.state = await self._refresh(entry, wish, group)
        except Exception as error:  # whatever it is, the other zones go on
            text = f"zone {display(entry.zone.apex)}: refresh failed, to be tried again: {error}"
            log.error(text, exc_info=not isinstance(error, OSError))
            wait = schedule.retry_interval(
                entry.state, entry.state.failures + 1, self._settings.bounds
            )
            entry.state = replace(entry.state, next_refresh=self._clock() + wait)
        finally:
            if entry.task is not None:
                self._tasks.discard(entry.task)
            entry.task = None
            if not entry.publishing:
                self._turns.done(group)
            entry.publishing = False
            self._wake()
        if self._entries.get(entry.zone.apex) is entry:
            self._schedule(entry)
            if entry.wish != Wish():
                self._enqueue(entry, _Queued.URGENT)

    async def _refresh(self, entry: _Entry, wish: Wish, group: str) -> SecondaryState:
        around = self._around
        base = self._base(entry)
        outcome = await Refresh(entry.zone, entry.state, wish, around, base).run()
        # What waits for the store keeps no other zone from being asked for, within bounds.
        async with self._unpublished:
            entry.publishing = True
            self._turns.done(group)
            self._wake()
            await self._publish(outcome)
        entry.zone = outcome.applied_to(entry.zone)
        if outcome.version is not None:
            entry.sound = weakref.ref(outcome.version)
        self._tell(outcome)
        return outcome.state

    def _base(self, entry: _Entry) -> Base | None:
        """Return what changes may be asked for from."""
        version = self._content(entry.zone.apex)
        if version is None:
            return None
        return Base(version, sound=entry.sound is not None and entry.sound() is version)

    def _tell(self, outcome: Outcome) -> None:
        for attempt in outcome.attempts:
            level = LEVELS.get(attempt.result, WARNING)
            if log.is_enabled_for(level):
                log.log(level, log_lines.attempt_line(attempt))
        if outcome.state.failures:
            log.warning(log_lines.standing_line(outcome.state, self._clock()))
