"""The secondary zones of this server: who is asked when, and what happens with the answer.

The asyncio shell around ``timetable`` and ``attempt``: one timer, and a task for each refresh under
way. Everything here runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from logging import DEBUG, INFO, WARNING
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from axfr import log as log_lines
from axfr import refresh as schedule
from axfr.attempt import Base, Outcome, Refresh, SecondaryZone, Surroundings
from axfr.client import Client, ClientSettings
from axfr.ixfr_memory import IxfrMemory
from axfr.notify import answer_notify, same_address
from axfr.outcome import Suspended, why_suspended
from axfr.refresh import Bounds
from axfr.timetable import Entry, Timetable, Wish
from axfr.turns import TurnLimits
from zones.name import Name, display
from zones.secondary import Primary, Result, SecondaryState, TsigKey
from zones.version import ZoneVersion

__all__ = ["Outcome", "Secondaries", "SecondariesSettings", "SecondaryZone"]

log = structlog.get_logger()

LEVELS: Final = {Result.CURRENT: DEBUG, Result.ACCEPTED: INFO}  # of the log; else WARNING
LONGEST_SLEEP: Final = 60.0  # seconds; the clock may be set while we wait
MOST_UNPUBLISHED: Final = 1000  # finished refreshes that wait for the store


@dataclass(frozen=True, slots=True)
class SecondariesSettings:
    """How many refreshes run at a time; ``spread`` is in seconds."""

    turns: TurnLimits = field(default_factory=TurnLimits)
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
        self._timetable = Timetable(self._settings.turns)
        self._entries = self._timetable.entries
        self._running: dict[Entry, asyncio.Task[None]] = {}
        self._sound: WeakKeyDictionary[ZoneVersion, None] = WeakKeyDictionary()  # by the checks
        self._loop: asyncio.AbstractEventLoop | None = None  # while this runs
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to ask; zones that are overdue are spread, so that no primary is overrun."""
        self._timetable.start(self._clock(), self._settings.spread, self._random.random)
        self._loop = asyncio.get_running_loop()
        self._wake()

    async def stop(self) -> None:
        """Stop asking; what is under way is dropped."""
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._loop = self._soon = self._timer = None
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
        self._timetable.stop()

    def add(self, zone: SecondaryZone, state: SecondaryState | None = None) -> None:
        """Follow a zone from now on; ``state`` is the persisted one, if there is one."""
        self._timetable.add(zone, state or SecondaryState(zone.apex))
        self._wake()

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
        entry = self._timetable.remove(apex)
        if entry is not None and (task := self._running.get(entry)) is not None:
            task.cancel()

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
            if entry.running and not entry.publishing:
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

    def expires_in(self, apex: Name) -> int | None:
        """Return the seconds a zone is answered for without further contact, as RFC 7314 3.2 has it.

        ``None`` for a zone that is no secondary one, or of which nothing is known here: there was
        no contact yet, or another node does the transfers.
        """
        state = self.state(apex)
        if self._loop is None or state is None or state.expires_at is None:
            return None
        return max(0, int(state.expires_at - self._clock()))

    def states(self) -> Iterator[SecondaryState]:
        """Yield the standing of every zone."""
        for entry in self._entries.values():
            yield entry.state

    def _want(self, entry: Entry, wish: Wish) -> None:
        self._timetable.want(entry, wish)
        self._wake()

    def _surroundings(self) -> Surroundings:
        """Return what every refresh needs."""
        return Surroundings(
            self._keys,
            self._client,
            IxfrMemory(),
            self._settings.bounds,
            self._clock,
            jitter=self._random.random,
            timer=time.perf_counter,
            suspended=self._suspended,
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
            for entry in self._timetable.act(self._clock()):
                self._expired(entry.zone.apex)
            for entry, wish in self._timetable.begin():
                self._running[entry] = self._loop.create_task(self._work(entry, wish))
        finally:
            due = self._timetable.next_time()
            wait = LONGEST_SLEEP if due is None else max(0.0, due - self._clock())
            self._sleep(self._loop.time() + min(wait, LONGEST_SLEEP))

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

    async def _work(self, entry: Entry, wish: Wish) -> None:
        """Refresh one zone, hand the outcome over, and see to its next times."""
        state = entry.state
        try:
            state = await self._refresh(entry, wish)
        except Exception as error:  # whatever it is, the other zones go on
            text = f"zone {display(entry.zone.apex)}: refresh failed, to be tried again: {error}"
            log.error(text, exc_info=not isinstance(error, OSError))
            wait = schedule.retry_interval(state, state.failures + 1, self._settings.bounds)
            state = replace(state, next_refresh=self._clock() + wait)
        finally:
            del self._running[entry]
            self._timetable.end(entry, state)
            self._wake()

    async def _refresh(self, entry: Entry, wish: Wish) -> SecondaryState:
        base = self._base(entry)
        outcome = await Refresh(entry.zone, entry.state, wish, self._around, base).run()
        outcome = self._paced(entry, outcome)
        # What waits for the store keeps no other zone from being asked for, within bounds.
        async with self._unpublished:
            self._timetable.publish(entry)
            self._wake()
            await self._publish(outcome)
        entry.zone = outcome.applied_to(entry.zone)
        if outcome.version is not None:
            self._sound[outcome.version] = None
        self._tell(outcome)
        return outcome.state

    def _paced(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Count what was transferred; where the zone has to wait now, the outcome says so."""
        count = sum(attempt.octets > 0 for attempt in outcome.attempts)
        if not count or not self._timetable.spend(entry, count, self._clock()):
            return outcome
        return outcome.too_frequent(entry.zone.limits.per_minute)

    def _base(self, entry: Entry) -> Base | None:
        """Return what changes may be asked for from."""
        version = self._content(entry.zone.apex)
        if version is None:
            return None
        return Base(version, sound=version in self._sound)

    def _tell(self, outcome: Outcome) -> None:
        for attempt in outcome.attempts:
            level = LEVELS.get(attempt.result, WARNING)
            if log.is_enabled_for(level):
                log.log(level, log_lines.attempt_line(attempt))
        if outcome.state.failures:
            log.warning(log_lines.standing_line(outcome.state, self._clock()))
