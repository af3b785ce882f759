"""What changed between a version that a client has and the one in service, for IXFR out.

Differences are made from the versions that the store keeps, in a thread, once for all clients that
ask for the same, and are remembered within bounds. Where none can be made the client is sent the
whole zone: the version is no longer kept, its serial was used for different content, or the store
is away.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Final

import structlog
from cachetools import LRUCache

from axfr.outbound_changes import ReadyChanges, ready_changes
from storage import kept_versions
from storage.database import Database
from storage.errors import StorageError
from zones.errors import ZoneError
from zones.name import Name
from zones.version import ZoneVersion

log = structlog.get_logger()

MOST_OCTETS: Final = 64 * 1024**2  # of remembered differences
OVERHEAD: Final = 100  # octets that a record takes beside its own, about

_Key = tuple[Name, int]


class Differences:
    """Finds differences; runs on the event loop, but for the work."""

    def __init__(self, database: Database, most_octets: int = MOST_OCTETS) -> None:
        self._database = database
        self._known: LRUCache[_Key, tuple[weakref.ref[ZoneVersion], ReadyChanges | None]]
        self._known = LRUCache(most_octets, getsizeof=_size)
        self._under_way: dict[_Key, asyncio.Task[ReadyChanges | None]] = {}

    def known(self, version: ZoneVersion, serial: int) -> ReadyChanges | None:
        """Return what changed since a serial, where that was found before."""
        of, changes = self._known.get((version.apex, serial), (None, None))
        return changes if of is not None and of() is version else None

    async def find(self, version: ZoneVersion, serial: int) -> ReadyChanges | None:
        """Return what changed since a serial, ``None`` where the whole zone is to be sent."""
        key = version.apex, serial
        of, changes = self._known.get(key, (None, None))
        if of is not None and of() is version:
            return changes
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._find(version, serial))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _find(self, version: ZoneVersion, serial: int) -> ReadyChanges | None:
        changes = await asyncio.to_thread(self._make, version, serial)
        entry = weakref.ref(version), changes
        if _size(entry) <= self._known.maxsize:
            self._known[version.apex, serial] = entry
        return changes

    def _make(self, version: ZoneVersion, serial: int) -> ReadyChanges | None:
        try:
            with self._database.read() as session:
                old = kept_versions.with_serial(session, version.apex, serial)
            return None if old is None else ready_changes(old, version)
        except (StorageError, ZoneError) as error:
            log.warning("no differences for an IXFR; sending the whole zone", reason=str(error))
            return None


def _size(entry: tuple[object, ReadyChanges | None]) -> int:
    changes = entry[1]
    return OVERHEAD + (changes.octets + OVERHEAD * len(changes.records) if changes else 0)
