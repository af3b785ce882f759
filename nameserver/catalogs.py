"""Catalog zones in the running server: when one has changed, what it says is done.

A catalog that is followed is applied when a new version of it is in service; one that is made here
is made anew when zones come, go, or change hands. What comes of it goes through the store, and
reaches this server, like any other, by the change feed. Of several nodes the one that does the
transfers (``duty``) does this too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from sqlalchemy.orm import Session

from storage import catalogs
from storage.catalogs import Catalog, Role
from storage.database import Database
from storage.errors import StorageError
from zones.errors import DNSError
from zones.name import Name, display

log = structlog.get_logger()

PAUSE: Final = 0.2  # seconds, in which further changes join
RETRY: Final = 5.0  # seconds, after the store failed


class Catalogs:
    """Keeps the zones of catalogs, and the catalogs of zones, what they are to be.

    ``followed`` are the catalogs that come from a primary: they are answered to nobody.
    ``fence`` raises ``StorageError`` in a transaction where another node is to write.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        fence: Callable[[Session], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._fence = fence
        self.followed: frozenset[Name] = frozenset()
        self._roles: dict[Name, Role] = {}
        self._due: set[Name] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to do what is due: all catalogs, whatever was done before, or by another node."""
        for apex in self._roles:
            self._mark(apex)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="catalogs")

    async def stop(self) -> None:
        """Stop; what is due is done at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def update(self, known: Iterable[Catalog] | None, *, listing_changed: bool) -> None:
        """Take which catalogs there are, where that changed, and whether zones came or went."""
        if known is not None:
            self._take(known)
        elif listing_changed:
            for apex in self._roles.keys() - self.followed:
                self._mark(apex)

    def _take(self, known: Iterable[Catalog]) -> None:
        self._roles = {catalog.apex: catalog.role for catalog in known}
        self.followed = frozenset(
            apex for apex, role in self._roles.items() if role is Role.CONSUMER
        )
        for apex in self._roles:
            self._mark(apex)

    def changed(self, apex: Name) -> None:
        """Take that another version of a zone is in service."""
        if apex in self.followed:
            self._mark(apex)

    def _mark(self, apex: Name) -> None:
        self._due.add(apex)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(PAUSE)
            self._wake.clear()
            due, self._due = self._due, set()
            for apex in sorted(due):
                try:
                    await asyncio.to_thread(self._do, apex)
                except DNSError as error:
                    text = f"catalog {display(apex)}: {error}"
                    log.error(text)
                    if isinstance(error, StorageError) and apex in self._roles:
                        asyncio.get_running_loop().call_later(RETRY, self._mark, apex)
                except Exception:  # one catalog must not stop the others
                    log.exception("a catalog could not be looked at", catalog=display(apex))

    def _do(self, apex: Name) -> None:
        """Apply or make one catalog."""
        with self._database.write() as session:
            self._fence(session)
            catalog = catalogs.find_catalog(session, apex)
            if catalog is None:
                return
            if catalog.role is Role.PRODUCER:
                catalogs.produce(session, apex, now=self._clock())
                return
            done = catalogs.apply(session, apex, now=self._clock())
        plan = done.plan
        told = done.trouble or f"{len(plan.add)} zones added, {len(plan.remove)} deleted"
        text = f"catalog {display(apex)}: {told}"
        if done.trouble:
            log.error(text)
        elif not plan.is_empty:
            log.info(text)
