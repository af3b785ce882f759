"""Telling of the ends of zones: ``deadlines`` with a clock, the store and the zones served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from nameserver.deadlines import Alert, Cause, DeadlineWatch
from storage import deadline_alerts
from storage.database import Database
from storage.deadline_alerts import Announcement
from storage.errors import StorageError
from storage.events import Event, EventSeverity
from zones.apex import apex_rrsets
from zones.name import Name, display
from zones.rrset import RRSIG
from zones.secondary import SecondaryState
from zones.signature_times import first_lapse
from zones.version import ZoneVersion

log = structlog.get_logger()

LONGEST_SLEEP: Final = 60.0  # seconds; the clock may be set while we wait
RETRY: Final = 5.0  # seconds, where the store is away
LARGE: Final = 100_000  # octets: from here on a scan is left to a thread
SHARE: Final = 0.1  # of the time is spent on scans, at most
UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
MANY: Final = 10  # of a unit: the next smaller one no longer matters

Look = Callable[[Name], tuple[SecondaryState | None, ZoneVersion | None]]


class DeadlineAlerts:
    """Watches the deadlines of all zones; plain methods are called on the event loop's thread.

    ``look`` returns the standing of a zone and the version in service.
    """

    def __init__(
        self,
        database: Database,
        distances: tuple[float, ...],
        look: Look,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._distances = distances
        self._look = look
        self._clock = clock
        self._watch = DeadlineWatch(distances)
        self._unscanned: dict[Name, None] = {}
        self._changed = asyncio.Event()  # versions
        self._wake = asyncio.Event()
        self._untold: list[Announcement] = []
        self._tasks: list[asyncio.Task[None]] = []

    def load(self) -> None:
        """Begin anew with what was told before; blocks; raises ``StorageError``."""
        with self._database.read() as session:
            told = deadline_alerts.announced(session)
        self._watch = DeadlineWatch(self._distances)
        self._watch.remember((apex, Cause(cause), distance) for apex, cause, distance in told)

    def start(self) -> None:
        """Begin to tell."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._run(), name="deadlines"),
            loop.create_task(self._scan(), name="signature times"),
        ]

    async def stop(self) -> None:
        """Stop telling."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def contact(self, state: SecondaryState) -> None:
        """Take what a refresh came to, or that a zone has expired."""
        self._watch.contact(state.apex, state, self._clock())
        self._wake.set()

    def changed(self, apex: Name) -> None:
        """Take that another version of a zone is in service; its signatures are looked at soon."""
        self._unscanned[apex] = None
        self._changed.set()

    def remove(self, apex: Name) -> None:
        """Forget a zone that is gone or suspended."""
        self._unscanned.pop(apex, None)
        self._watch.remove(apex)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock()
            alerts = self._watch.due(now)
            self._untold += [announcement(one, self._look(one.apex)[0], now) for one in alerts]
            if await self._tell():
                continue
            next_at = self._watch.next_at()
            wait = LONGEST_SLEEP if next_at is None else next_at - self._clock()
            if self._untold:
                wait = RETRY
            try:
                async with asyncio.timeout(max(0.0, min(wait, LONGEST_SLEEP))):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _tell(self) -> bool:
        """Store what is to be told; ``False`` where there was nothing, or the store is away."""
        if not self._untold:
            return False
        telling = list(self._untold)

        def write() -> int:
            with self._database.write() as session:
                return deadline_alerts.announce(session, telling, self._clock())

        try:
            new = await asyncio.to_thread(write)
        except StorageError as error:
            log.error("alerts were not stored; to be tried again", reason=str(error))
            return False
        del self._untold[: len(telling)]
        if new == 1:
            log.warning(telling[-1].event.text)
        elif new:
            log.warning("zones have come nearer to their end, or away from it", zones=new)
        return True

    async def _scan(self) -> None:
        """Look at the signatures of versions that are new in service, without haste."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._unscanned:
                begun = time.monotonic()
                while self._unscanned and time.monotonic() - begun < 0.01:
                    await self._scan_one(next(iter(self._unscanned)))
                self._wake.set()
                await asyncio.sleep((time.monotonic() - begun) * (1 / SHARE - 1))

    async def _scan_one(self, apex: Name) -> None:
        del self._unscanned[apex]
        version = self._look(apex)[1]
        if version is None:
            return
        lapse = None
        if version.octets < LARGE:
            lapse = first_lapse(version.blob)
        elif not any(rtype == RRSIG for rtype, _covers in apex_rrsets(version)):
            pass  # not signed: the octets of a large zone need not be made for it
        else:
            lapse = await asyncio.to_thread(lambda: first_lapse(version.blob))
        state, served = self._look(apex)
        if served is not None:  # it may be gone by now
            self._watch.signatures(apex, lapse, state, self._clock())


def announcement(alert: Alert, state: SecondaryState | None, now: float) -> Announcement:
    """Return an alert with the event that tells it."""
    kind = kind_of(alert)
    data: dict[str, Any] = {
        "cause": alert.cause.value,
        "deadline": alert.deadline,
        "distance": alert.distance,
        "primary": state.last_primary if state is not None else "",
        "rule": state.last_rule if state is not None else "",
    }
    severity = EventSeverity.ERROR if alert.last or not alert.distance else EventSeverity.WARNING
    if alert.over:
        trouble = kind_of(Alert(alert.apex, alert.cause, alert.deadline, alert.distance))
        data |= {"after": severity.value, "ends": trouble}
        severity = EventSeverity.INFO
    text = f"zone {display(alert.apex)} {sentence(alert, state, now)}"
    event = Event(0, now, kind, severity, alert.apex, text, "nsctl", data)
    return Announcement(
        alert.apex, alert.cause.value, alert.deadline, alert.distance, event, alert.over
    )


def kind_of(alert: Alert) -> str:
    """Return the kind of the event."""
    if alert.cause is Cause.EXPIRE:
        kind = "zone-expiring" if alert.distance or alert.over else "zone-expired"
    else:
        kind = "signatures-lapsing" if alert.distance or alert.over else "signatures-lapsed"
    return kind + "-over" if alert.over else kind


SENTENCES: Final = {  # by cause, whether it is over, and whether it is still to come
    (Cause.EXPIRE, False, True): "expires in {left}, at {at}, unless a primary gives a usable "
    "version{why}",
    (Cause.EXPIRE, False, False): "has expired: no primary gave a usable version in time{why}",
    (Cause.EXPIRE, True, True): "no longer is about to expire: a primary is back",
    (Cause.EXPIRE, True, False): "is answered again: a primary gave a usable version",
    (Cause.SIGNATURES, False, True): "has signatures that lapse in {left}, at {at}; have the zone "
    "signed anew{why}",
    (Cause.SIGNATURES, False, False): "has signatures that lapsed at {at}: validating resolvers "
    "fail now; have the zone signed anew{why}",
    (Cause.SIGNATURES, True, True): "has new signatures",
    (Cause.SIGNATURES, True, False): "has new signatures: validating resolvers no longer fail",
}


def sentence(alert: Alert, state: SecondaryState | None, now: float) -> str:
    """Return what is told of a zone, after its name."""
    return SENTENCES[alert.cause, alert.over, bool(alert.distance)].format(
        left=duration(alert.deadline - now),
        at=datetime.fromtimestamp(alert.deadline, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        why=because(state),
    )


def because(state: SecondaryState | None) -> str:
    """Return what the last attempt ended with, where it failed."""
    if state is None or not state.last_reason or not state.failures:
        return ""
    told = f"; {state.last_primary}: {state.last_reason}" if state.last_primary else ""
    told = told or f"; {state.last_reason}"
    return told + (f"; {state.last_fix}" if state.last_fix else "")


def duration(seconds: float) -> str:
    """Return a time for people, in the two units that matter: ``2 days 21 hours``."""
    left = round(seconds)
    for unit, name in UNITS:
        if left >= unit:
            number, rest = divmod(left, unit)
            finer = next((one for one in UNITS if one[0] < unit), None)
            more = rest // finer[0] if finer is not None and number < MANY else 0
            tail = f" {counted(more, finer[1])}" if more and finer is not None else ""
            return counted(number, name) + tail
    return "a moment"


def counted(number: int, name: str) -> str:
    """Return ``1 day`` or ``2 days``."""
    return f"{number} {name}{'s' if number != 1 else ''}"
