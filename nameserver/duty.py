"""Which of several nodes does the transfers, and what the others do meanwhile.

Nodes share a store on PostgreSQL. The one that holds the lease asks the primaries. The others serve
what it publishes, as the change feed tells them, pass on the NOTIFYs that they receive, and look at
the store for zones that have expired or come back. When the holder dies, another node has the lease
within ``LIFE`` and ``LOOK`` seconds, reads how the zones stand, and goes on. A node alone with its
SQLite file needs no lease.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from sqlalchemy.orm import Session

from axfr.secondaries import Secondaries
from storage import feed, leases
from storage import secondaries as standings
from storage.database import Database
from storage.errors import StorageError
from storage.feed import ChangeKind
from zones.name import Name

log = structlog.get_logger()

LEASE: Final = "transfers"
LIFE: Final = 6.0  # seconds that a lease is good for
LOOK: Final = 1.5  # seconds between two attempts to take or renew it
MARGIN: Final = 1.0  # how long before its end nobody relies on it any more
REMEMBERED: Final = 30.0  # seconds that a request is kept, in case the node that heard it died


class Duty(Protocol):
    """Begins and ends the transfers of this node."""

    async def start(self) -> None:
        """Begin to ask primaries, at once or when it is this node's turn."""

    async def stop(self) -> None:
        """Ask nobody any more."""

    def notified(self, apex: Name) -> None:
        """Take a NOTIFY that this node received while it does not do the transfers."""

    def refresh(self, apex: Name, *, force: bool) -> None:
        """Have a zone refreshed, as somebody has asked for through the store."""

    def fence(self, session: Session) -> None:
        """Raise ``StorageError`` where this node may not publish transfers any more."""


class Alone:
    """The duty of the only node; ``begun`` and ``ended`` as in ``Shared``."""

    def __init__(
        self,
        secondaries: Secondaries,
        begun: Callable[[], Awaitable[None]],
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        self._secondaries = secondaries
        self._begun = begun
        self._ended = ended

    async def start(self) -> None:
        """Begin."""
        await self._secondaries.start()
        await self._begun()

    async def stop(self) -> None:
        """End."""
        await self._ended()
        await self._secondaries.stop()

    def notified(self, apex: Name) -> None:
        """Nothing: it comes as the server starts or stops."""

    def refresh(self, apex: Name, *, force: bool) -> None:
        """Refresh it."""
        self._secondaries.refresh(apex, force=force)

    def fence(self, session: Session) -> None:
        """Nobody else publishes transfers."""


@dataclass(slots=True)
class Hold:
    """How sure a node may be of its lease; times are monotonic, in seconds."""

    until: float = 0.0

    def answered(self, asked_at: float, *, taken: bool) -> None:
        """Note the answer to a request; the life of a lease counts from the request."""
        self.until = asked_at + LIFE if taken else 0.0

    def is_sure(self, now: float) -> bool:
        """Tell whether nobody else can have the lease."""
        return now < self.until - MARGIN


class Shared:
    """The duty of one of several nodes.

    ``begun`` and ``ended`` are awaited when this node begins and ends to do the transfers.
    ``stands(apex, expired)`` is called, while another node does them, for each zone that has expired
    there, or is answered again.
    """

    def __init__(
        self,
        database: Database,
        identity: str,
        secondaries: Secondaries,
        *,
        begun: Callable[[], Awaitable[None]],
        ended: Callable[[], Awaitable[None]],
        stands: Callable[[Name, bool], object],
        clock: Callable[[], float],
    ) -> None:
        self.node = f"{identity or socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._database = database
        self._secondaries = secondaries
        self._begun = begun
        self._ended = ended
        self._stands = stands
        self._clock = clock
        self._hold = Hold()
        self._active = False
        self._expired: set[Name] = set()
        self._heard: dict[Name, float] = {}
        self._notified: set[Name] = set()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Look for the lease now, and from now on."""
        await self._look()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._pass_on())]

    async def stop(self) -> None:
        """End, and leave the lease to others."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._active:
            await self._end()
            with suppress(StorageError):  # then it runs out
                await asyncio.to_thread(leases.give_up, self._database, LEASE, self.node)

    def notified(self, apex: Name) -> None:
        """Pass it on to the node that does the transfers."""
        self._notified.add(apex)
        self._arrived.set()

    def refresh(self, apex: Name, *, force: bool) -> None:
        """Refresh it, or remember it for a while: the node that should may have died."""
        if self._active:
            self._secondaries.refresh(apex, force=force)
        else:
            self._heard[apex] = time.monotonic()

    def fence(self, session: Session) -> None:
        """Ask the store itself: a node that was asleep may have lost the lease meanwhile."""
        if leases.holder_of(session, LEASE) != self.node:
            raise StorageError("another node does the transfers now")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._look()

    async def _look(self) -> None:
        asked_at = time.monotonic()
        try:
            take = asyncio.to_thread(leases.take, self._database, LEASE, self.node, LIFE)
            self._hold.answered(asked_at, taken=await asyncio.wait_for(take, LIFE))
        except (StorageError, TimeoutError) as error:
            if self._active:
                log.warning("the lease of the transfers was not renewed", reason=str(error))
        sure = self._hold.is_sure(time.monotonic())
        try:
            if sure and not self._active:
                await self._begin()
            elif self._active and not sure:
                await self._end()
            elif not sure:
                await self._watch()
        except StorageError as error:
            log.error("how the secondary zones stand was not read", reason=str(error))

    async def _begin(self) -> None:
        """Go on from where the node before has got to."""

        def read() -> None:
            with self._database.read() as session:
                self._secondaries.set_states(standings.list_states(session))

        await asyncio.to_thread(read)
        log.info("this node does the transfers", node=self.node)
        self._active = True
        await self._secondaries.start()
        await self._begun()
        since = time.monotonic() - REMEMBERED
        for apex, at in self._heard.items():
            if at >= since:
                self._secondaries.refresh(apex)
        self._heard.clear()
        self._expired.clear()

    async def _end(self) -> None:
        log.info("this node does not do the transfers any more", node=self.node)
        self._active = False
        await self._ended()
        await self._secondaries.stop()

    async def _watch(self) -> None:
        """See which zones have expired, or have come back, as the other node has written down."""

        def read() -> set[Name]:
            with self._database.read() as session:
                return standings.expired(session, self._clock())

        expired = await asyncio.to_thread(read)
        for apex in expired ^ self._expired:
            self._stands(apex, apex in expired)
        self._expired = expired
        since = time.monotonic() - REMEMBERED
        self._heard = {apex: at for apex, at in self._heard.items() if at >= since}

    async def _pass_on(self) -> None:
        """Write down what was notified; what comes meanwhile goes together into the next commit."""

        def write() -> None:
            with self._database.write() as session:
                feed.append_many(session, [(ChangeKind.REFRESH, apex, {}) for apex in told])

        while True:
            await self._arrived.wait()
            self._arrived.clear()
            told, self._notified = self._notified, set()
            try:
                await asyncio.to_thread(write)
            except StorageError as error:
                log.error("NOTIFYs were not passed on", zones=len(told), reason=str(error))
