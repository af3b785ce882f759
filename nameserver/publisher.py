"""Publishing: what transfers brought is committed in groups, then served.

Ten thousand zones that change at once become a few commits: whatever has arrived while one commit
was under way goes into the next. Nothing is served that is not stored; a commit that fails leaves
what is served as it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from sqlalchemy.orm import Session

from axfr.secondaries import Outcome
from nameserver.patches import Patches
from nameserver.transfer_events import TransferEvents
from storage import events, quarantine, secondaries, transfer_settings, versions, zones
from storage.database import Database
from storage.errors import StorageError
from storage.versions import Origin, Publication, Published
from zones.name import Name, display
from zones.version import ZoneVersion

log = structlog.get_logger()

# The most outcomes of one commit: bounds how long the first of them waits for the last.
GROUP: Final = 500
# After a commit of many nobody starts the next one for so many times as long as it took, so that in a storm
# many zones share one: half of what a commit costs does not depend on how many zones it has.
REST: Final = 4.0
LONGEST_REST: Final = 0.1  # seconds
MANY: Final = 8  # zones in a commit
MOST_OWN: Final = 1000  # commits of our own that are remembered
LARGE: Final = 1000  # records; with fewer there is nothing to prepare that takes any time

Waiting = tuple[Outcome, asyncio.Future[None]]


class Publisher:
    """Takes finished refreshes one by one and stores them in groups.

    ``prepare(version)`` is called in a thread meanwhile. ``loaded`` returns the store's id of the
    version in service. ``serve(outcome, published)`` is called on
    the event loop after the commit; ``published`` is ``None`` for a refresh that brought no new
    version.

    ``fence(session)`` is called in each transaction and raises ``StorageError`` where this node may
    no longer publish what it has transferred.

    ``own`` has the numbers of the changes of each commit, the first and the last, in their order:
    who follows the store need not read them. ``ids`` has the number of the newest version of each
    zone that came this way, from the moment on when others may see it in the store.
    """

    def __init__(
        self,
        database: Database,
        serve: Callable[[Outcome, Published | None], None],
        clock: Callable[[], float],
        prepare: Callable[[ZoneVersion], None] = lambda _version: None,
        loaded: Callable[[Name], int] = lambda _apex: 0,
        *,
        fence: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        self._database = database
        self._prepare = prepare
        self._fence = fence
        self._serve = serve
        self._clock = clock
        self.ids: dict[Name, int] = {}
        self.own: deque[tuple[int, int]] = deque(maxlen=MOST_OWN)
        self._patches = Patches(loaded)
        self._kept: set[Name] | None = None  # zones of which an unserved version is stored
        self._told = TransferEvents()
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to store what arrives."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="publisher")

    async def stop(self) -> None:
        """Store what has arrived, then stop."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._arrived.set()
        await task

    async def publish(self, outcome: Outcome) -> None:
        """Return once the outcome is stored and served; raises ``StorageError``."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, future))
        self._arrived.set()
        await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_at = 0.0
        while self._task is not None or self._waiting:
            await self._arrived.wait()
            if next_at > loop.time() and len(self._waiting) < GROUP:
                await asyncio.sleep(next_at - loop.time())
            begun = loop.time()
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            if not self._waiting and self._task is not None:
                self._arrived.clear()
            if group:
                await self._publish_group(group)
                if len(group) >= MANY:
                    next_at = loop.time() + min(LONGEST_REST, REST * (loop.time() - begun))

    async def _publish_group(self, group: Sequence[Waiting]) -> None:
        try:
            published, _ = await asyncio.gather(
                asyncio.to_thread(self._commit, [outcome for outcome, _ in group]),
                self._prepare_large([outcome.version for outcome, _ in group]),
            )
        except StorageError as error:
            log.error("transfers were not stored; serving goes on unchanged", reason=str(error))
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for outcome, future in group:
            done = published.get(outcome.state.apex)
            self._serve(outcome, done)
            if future.done():
                continue
            if done is not None and not done.served:
                # This server has not read of it yet; when it has, it asks once more.
                reason = f"zone {display(outcome.state.apex)} was pinned meanwhile"
                future.set_exception(StorageError(reason))
            else:
                future.set_result(None)

    async def _prepare_large(self, versions: Sequence[ZoneVersion | None]) -> None:
        large = [one for one in versions if one is not None and one.record_count > LARGE]
        if large:
            await asyncio.to_thread(lambda: [self._prepare(one) for one in large])

    def _commit(self, outcomes: Sequence[Outcome]) -> dict[Name, Published]:
        before = {outcome.state.apex: self.ids.get(outcome.state.apex, 0) for outcome in outcomes}
        try:
            return self._store(outcomes)
        except BaseException:
            self.ids |= before
            self._told.forget(outcomes)
            raise

    def _store(self, outcomes: Sequence[Outcome]) -> dict[Name, Published]:
        with self._database.write() as session:
            self._fence(session)
            # A zone may have been deleted while its transfer ran.
            there = zones.existing(session, [outcome.state.apex for outcome in outcomes])
            kept = [outcome for outcome in outcomes if outcome.state.apex in there]
            publications = [
                Publication(
                    outcome.version,
                    Origin.TRANSFER,
                    outcome.attempts[-1].primary,
                    patch=self._patches.patch(session, outcome.version),
                )
                for outcome in kept
                if outcome.version is not None
            ]
            published = versions.publish_many(session, publications, now=self._clock())
            unserved = {one.apex for one in published if not one.served}
            states = [
                outcome.before
                if outcome.before is not None and outcome.state.apex in unserved
                else outcome.state
                for outcome in kept
            ]
            secondaries.save_states(session, states, there=there)
            attempts = [attempt for outcome in kept for attempt in outcome.attempts]
            secondaries.log_attempts(session, attempts, there=there)
            self._store_unserved(session, kept, there)
            told = self._told.of(kept, self._clock())
            events.record_many(session, told)
            self.ids |= {one.apex: one.id for one in published}
        new = [one.id for one in published if one.new]
        if new:
            self.own.append((new[0], new[-1]))
        for item, one in zip(publications, published, strict=True):
            self._patches.note(item.version, one, item.patch)
        return {one.apex: one for one in published}

    def _store_unserved(
        self, session: Session, outcomes: Sequence[Outcome], there: set[Name]
    ) -> None:
        """Keep what is held or refused, and drop what the primaries have moved on from."""
        if self._kept is None:
            self._kept = quarantine.apexes(session)
        new = [one.quarantined for one in outcomes if one.quarantined is not None]
        gone = {one.state.apex for one in outcomes if one.clears and one.state.apex in self._kept}
        if new:
            quarantine.keep(session, new, there=there)
        if gone:
            quarantine.drop(session, gone)
        self._kept |= {one.apex for one in new}  # a superset: others approve and discard
        used = [one.state.apex for one in outcomes if one.accepted_once]
        if used:
            transfer_settings.used_serial(session, used)
