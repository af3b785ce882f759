"""Alerting: what stands in the event log reaches those who want to know it.

Any node may do it: a round is one transaction, and the position in the log is in the store.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from nameserver.alert_text import compose
from nameserver.settings import Settings
from storage import digests
from storage.database import Database
from storage.deliveries import Channel
from storage.digests import BATCH, Pace
from storage.errors import StorageError
from storage.events import EventSeverity
from storage.recipients import Recipient

log = structlog.get_logger()

ROUND: Final = 2.0  # seconds between two looks at the log


def operators(settings: Settings) -> list[Recipient]:
    """Return where the operator is told everything."""
    alerts = settings.alerts
    severity = EventSeverity(alerts.severity)
    found = [
        Recipient(Channel.MAIL, address, severity=severity, kinds=alerts.kinds)
        for address in alerts.mail
    ]
    if alerts.webhook:
        found.append(
            Recipient(Channel.WEBHOOK, alerts.webhook, severity=severity, kinds=alerts.kinds)
        )
    return found


class Alerting:
    """Routes events and enqueues the messages; ``start`` and ``stop`` on the event loop."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        *,
        interval: float = ROUND,
    ) -> None:
        self._database = database
        self._operators = operators(settings)
        self._pace = Pace(settings.alerts.window, settings.alerts.pause)
        self._clock = clock
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at the log."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="alerting")

    async def stop(self) -> None:
        """Stop; a round under way is finished by its thread."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failing = False
        while True:
            try:
                while await asyncio.to_thread(self.round) == BATCH:
                    continue
                failing = False
            except StorageError as error:
                if not failing:
                    log.error("alerts wait: the store is away", reason=str(error))
                failing = True
            await asyncio.sleep(self._interval)

    def round(self) -> int:
        """Route what is new, enqueue what is due, and return how many events mattered."""
        now = self._clock()
        with self._database.read() as session:
            if not digests.has_work(session, self._operators, now):
                return 0
        with self._database.write() as session:
            found = digests.collect(session, self._operators, now, self._pace)
            told = digests.tell_due(session, self._operators, now, self._pace, compose)
        if told:
            log.info("alerts enqueued", messages=told)
        return found
