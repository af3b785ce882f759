"""Telling those below us, after a start, what has changed lately.

A NOTIFY may not have left before the process ended, and a zone may have been edited while no server
ran: whoever follows us would find that out at the REFRESH of the zone. A NOTIFY that says nothing
new costs one SOA query (RFC 1996 3.11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from storage import feed
from storage.database import Database
from storage.errors import StorageError
from zones.name import Name

log = structlog.get_logger()

LATELY: Final = 86_400.0  # seconds
AT_ONCE: Final = 20  # zones; as many each time ...
PAUSE: Final = 0.2  # ... these seconds are over, so that nobody below us is overrun


async def announce_lately_changed(
    database: Database, notify: Callable[[Name], None], now: float
) -> None:
    """Call ``notify`` for each zone that changed within the day before ``now``, slowly."""

    def read() -> list[Name]:
        with database.read() as session:
            return feed.changed_since(session, now - LATELY)

    try:
        changed = await asyncio.to_thread(read)
    except StorageError as error:
        log.error("what has changed lately was not told anybody", reason=str(error))
        return
    for number, apex in enumerate(changed, 1):
        notify(apex)
        if number % AT_ONCE == 0:
            await asyncio.sleep(PAUSE)
