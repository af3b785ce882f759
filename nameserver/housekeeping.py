"""Once a day: what is kept for a while only goes (REG-16)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from storage import deliveries, digests, events
from storage.database import Database
from storage.errors import StorageError

log = structlog.get_logger()

DAY: Final = 86_400.0


async def keep_house(database: Database, keep: float, clock: Callable[[], float]) -> None:
    """Prune events and messages older than ``keep`` seconds each day, until cancelled."""

    def prune() -> None:
        before = clock() - keep
        with database.write() as session:
            events.prune(session, before)
            deliveries.prune(session, before)
            digests.prune(session, before)

    while True:
        try:
            await asyncio.to_thread(prune)
        except StorageError as error:
            log.error("old events were not pruned", reason=str(error))
        await asyncio.sleep(DAY)
