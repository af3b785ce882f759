"""Looking for drift: zones are compared with their primaries, a few an hour.

A zone whose primary shows another SOA under the same serial is compared soon: that is seen at each
refresh for nothing. The others are transferred whole in turn, within a budget.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from cachetools import LRUCache

from axfr.client import Client, ClientSettings
from axfr.drift import Comparing, Comparison
from axfr.inbound import Limits
from axfr.outcome import Outcome
from nameserver.settings_alerts import DriftSettings
from storage import drifts
from storage.database import Database
from storage.drifts import DRIFT, KEPT_CHANGES, Drift, Schedule
from storage.errors import StorageError
from zones.name import Name, display
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion

log = structlog.get_logger()

SUSPECT_WAIT: Final = 60.0  # seconds between two zones that look suspicious
REMEMBERED: Final = 10_000  # suspicions


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the present primaries, keys and versions are looked up."""

    primaries: Callable[[Name], tuple[Primary, ...] | None]
    keys: Callable[[], Mapping[Name, TsigKey]]
    served: Callable[[Name], ZoneVersion | None]


class DriftWatch:
    """Compares zones in the background; plain methods are called on the event loop."""

    def __init__(
        self,
        database: Database,
        settings: DriftSettings,
        client: ClientSettings,
        limits: Limits,
        *,
        sources: Sources,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._settings = settings
        self._client = Client(client, clock=clock)
        self._limits = limits
        self._sources = sources
        self._clock = clock
        self._seen: LRUCache[Name, bytes] = LRUCache(REMEMBERED)
        self._suspects: dict[Name, None] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to compare."""
        if self._settings.enabled:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="drift")

    async def stop(self) -> None:
        """Stop; a comparison under way is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._client.close()

    def seen(self, outcome: Outcome, version: ZoneVersion) -> None:
        """Look at the SOA that a primary showed: is it the one in service, if the serial is?"""
        apex = outcome.state.apex
        if not outcome.soa or outcome.soa in version.blob or self._seen.get(apex) == outcome.soa:
            return
        if int.from_bytes(outcome.soa[-20:-16], "big") == version.serial:
            self._seen[apex] = outcome.soa
            self._suspects[apex] = None
            self._wake.set()

    async def _run(self) -> None:
        interval = 3600.0 / self._settings.per_hour
        last = 0.0
        while True:
            wait = min(interval, SUSPECT_WAIT) if self._suspects else interval
            left = last + wait - time.monotonic() if last else (0.0 if self._suspects else interval)
            self._wake.clear()
            if left > 0:
                try:
                    async with asyncio.timeout(left):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                else:
                    continue
            last = time.monotonic()
            try:
                await self._compare_next()
            except StorageError as error:
                log.error("no zone was compared: the store is away", reason=str(error))

    async def _compare_next(self) -> None:
        apex = next(iter(self._suspects), None)
        if apex is not None:
            del self._suspects[apex]
        else:
            apex = await asyncio.to_thread(self._claim)
        if apex is not None:
            await self.compare(apex)

    def _claim(self) -> Name | None:
        settings = self._settings
        schedule = Schedule(settings.every, settings.apart, settings.max_records)
        now = self._clock()
        with self._database.read() as session:  # takes a while where there are many zones
            apex = drifts.next_zone(session, now, schedule)
        if apex is None:
            return None
        with self._database.write() as session:
            return apex if drifts.claim(session, apex, now, schedule) else None

    async def compare(self, apex: Name) -> None:
        """Compare one zone and store what is found; raises ``StorageError``."""
        version = self._sources.served(apex)
        primaries = self._sources.primaries(apex)
        if version is None or not primaries:
            return
        comparing = Comparing(self._client, self._sources.keys(), self._limits)
        comparison = await comparing.run(version, primaries)
        if self._sources.served(apex) is not version:
            return  # another one is served by now
        found = await asyncio.to_thread(self._store, comparison)
        if found.finding:
            log.warning(found.text)

    def _store(self, comparison: Comparison) -> Drift:
        with self._database.write() as session:
            return drifts.note(
                session,
                drift_from(comparison, self._clock()),
                compared=comparison.is_compared,
                served_serial=comparison.serial,
                apart=self._settings.apart,
            )


def drift_from(comparison: Comparison, now: float) -> Drift:
    """Return a comparison as it is stored."""
    apart_since = now if comparison.is_apart else None
    found = comparison.drift
    if found is None or found.difference is None:
        return Drift(comparison.apex, now, apart_since=apart_since, serials=comparison.serials)
    lines = found.difference.lines()
    return Drift(
        comparison.apex,
        now,
        DRIFT,
        now,
        comparison.serial,
        found.primary,
        found.hash,
        sentence(comparison.apex, comparison.serial, found.primary, lines),
        tuple(lines[:KEPT_CHANGES]),
        len(lines),
        apart_since,
        serials=comparison.serials,
    )


def sentence(apex: Name, serial: int, primary: str, lines: list[str]) -> str:
    """Return what is told of content that changed without a new serial, and what to do."""
    name = display(apex)
    added = sum(line.startswith("+") for line in lines)
    what = f"{added:,} {'record' if added == 1 else 'records'} more, {len(lines) - added:,} fewer"
    return (
        f"zone {name}: {primary} has other content than is served here, both with serial {serial} "
        f"({what}): it was changed without a new serial, so no secondary fetches it; raise the "
        f"serial at the primary, or fetch it as it is: nsctl secondary retransfer {name}"
    )
