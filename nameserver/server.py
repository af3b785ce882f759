"""The server: what follows the store and the primaries, and renews what is answered (``front``)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from axfr.notifier import Notifier
from axfr.secondaries import Outcome, Secondaries
from nameserver.access import Access
from nameserver.address import Address
from nameserver.alerting import Alerting
from nameserver.announcing import announce_lately_changed
from nameserver.catalogs import Catalogs
from nameserver.configured_transfers import secondaries_settings, transfer_limits
from nameserver.deadline_alerts import DeadlineAlerts
from nameserver.delivering import Deliverer
from nameserver.differences import Differences
from nameserver.dispatch import Dispatcher
from nameserver.drifting import DriftWatch, Sources
from nameserver.duty import Alone, Duty, Shared
from nameserver.follower import Follower, Update
from nameserver.front import Front
from nameserver.housekeeping import DAY, keep_house
from nameserver.loading import LoadedZone
from nameserver.publisher import Publisher
from nameserver.settings import Settings
from nameserver.table import ServedZone, ZoneState
from storage.database import Database
from storage.versions import Published
from zones.name import Name, display
from zones.secondary import SecondaryState
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from nameserver.desk_work import DeskWork

log = structlog.get_logger()


def new_desk_work(
    database: Database, settings: Settings, clock: Callable[[], float]
) -> DeskWork | None:
    """Return the work of the desk, where this process is to do it."""
    if not settings.desk.work:
        return None
    # A fifth of the program, in memory and in time to load, of which other servers need nothing.
    from nameserver.desk_work import DeskWork  # noqa: PLC0415

    return DeskWork(database, settings, clock)


class Server:
    """One name server: ``start`` loads and listens, ``stop`` leaves nothing behind.

    ``front`` may have begun with both. ``addresses`` tells where it listens, with the ports chosen
    for a configured port 0.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], float] = time.time,
        *,
        front: Front | None = None,
    ) -> None:
        self.settings = settings
        self._front = front or Front(settings, clock)
        self.counters = self._front.counters
        self.engine = self._front.engine
        self.table = self._front.table
        self._database = database
        self._clock = clock
        self._limits = transfer_limits(settings)
        self._version_ids = self._front.version_ids
        self._publisher = Publisher(
            database,
            self._serve_outcome,
            clock,
            self.engine.prepare,
            lambda apex: self._version_ids.get(apex, 0),
            fence=lambda session: self._duty.fence(session),  # noqa: PLW0108  not there yet
        )
        self._follower = Follower(
            database,
            self._version_ids,
            self._apply,
            self.engine.prepare,
            published=self._publisher.ids,
            own=self._publisher.own,
        )
        self._secondaries = Secondaries(
            self._publisher.publish,
            self._expire,
            content=self._content,
            idle=lambda apex: self._duty.notified(apex),  # noqa: PLW0108
            settings=secondaries_settings(settings),
            clock=clock,
        )
        self._duty = self._new_duty()
        self._notifier = Notifier(
            source=settings.transfers.source_ipv4,
            source6=settings.transfers.source_ipv6,
            clock=clock,
        )
        self._access = Access()
        self._dispatcher = Dispatcher(
            self.engine,
            self._front.answering,
            self._secondaries,
            self.counters,
            clock,
            differences=Differences(database),
        )
        self._deadlines = DeadlineAlerts(database, settings.alerts.distances, self._standing, clock)
        self._drift = DriftWatch(
            database,
            settings.drift,
            secondaries_settings(settings).client,
            self._limits,
            sources=Sources(self._secondaries.primaries, lambda: self._access.keys, self._content),
            clock=clock,
        )
        self._alerting = Alerting(database, settings, clock)
        self._catalogs = Catalogs(database, clock, self._duty.fence)
        self._deliverer = Deliverer(database, settings, clock)
        self._desk_work = new_desk_work(database, settings, clock)
        self._tasks: list[asyncio.Task[None]] = []

    def _new_duty(self) -> Duty:
        begun, ended = self._begin_duty, self._end_duty
        if self._database.is_sqlite:
            return Alone(self._secondaries, begun, ended)
        return Shared(
            self._database,
            self.settings.identity,
            self._secondaries,
            begun=begun,
            ended=ended,
            stands=self._stands,
            clock=self._clock,
        )

    async def start(self) -> None:
        """Load the store and listen, where that is not done. Raises ``StorageError``, ``ListenError``.

        Until all is loaded the event loop stands still: who is handed a message needs all of it.
        """
        started = self._clock()
        self._front.hand_over_to(self._dispatcher)
        if self._front.loaded_seq is None:
            self._load_front()
        self._apply(self._follower.load_rest(self._front.loaded_seq or 0))
        if not self.addresses:
            await self._front.listen()
        self._publisher.start()
        await self._notifier.start()
        self._follower.start(asyncio.get_running_loop())
        await self._duty.start()
        self._alerting.start()
        self._deliverer.start()
        if self._desk_work is not None:
            self._desk_work.start()
        keep = self.settings.events.retention_days * DAY
        self._tasks = [
            asyncio.create_task(keep_house(self._database, keep, self._clock)),
            asyncio.create_task(self._front.secrets.run()),
        ]
        if self._access.notifies:
            told = announce_lately_changed(self._database, self._announce, self._clock())
            self._tasks.append(asyncio.create_task(told))
        log.info(
            "ready",
            engine=self.engine.name,
            zones=len(self.table),
            listening=", ".join(map(str, self.addresses)),
            tls=", ".join(map(str, self._front.listeners.tls_addresses)) or None,
            seconds=round(self._clock() - started, 3),
        )

    async def stop(self) -> None:
        """Stop answering, finish what is being stored, end every task."""
        await self._front.stop()
        await self._duty.stop()
        await self._notifier.stop()
        await self._publisher.stop()
        await self._alerting.stop()
        await self._deliverer.stop()
        if self._desk_work is not None:
            await self._desk_work.stop()
        await asyncio.to_thread(self._follower.stop)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._front.log_counters()
        log.info("stopped")

    @property
    def addresses(self) -> list[Address]:
        """Return where it listens."""
        return self._front.addresses

    def _load_front(self) -> None:
        with self._database.read() as session:
            self._front.load(session.connection().connection.driver_connection)

    # -- what is served

    def _apply(self, update: Update) -> None:
        """Take over what the store says; runs on the event loop."""
        if update.access is not None:
            self._access = update.access
            self._dispatcher.access = update.access
            self._secondaries.set_keys(update.access.keys)
        if update.suspended is not None:
            self._secondaries.set_suspended(update.suspended)
        self._catalogs.update(update.catalogs, listing_changed=update.listing_changed)
        if update.first:
            self._take_over_all(update)
            return
        gone = update.gone
        if update.complete:
            gone = (self._version_ids.keys() | self.table.apexes()) - update.zones.keys()
        for apex in list(gone):
            self._forget(apex)
        for apex, loaded in update.zones.items():
            if loaded is None:
                self._forget(apex)
            else:
                self._take_over(loaded, announce=apex in update.changed_content)
        for apex, force in update.refresh.items():
            self._duty.refresh(apex, force=force)

    def _forget(self, apex: Name) -> None:
        self.engine.remove(apex)
        self._version_ids.forget(apex)
        self._secondaries.remove(apex)
        self._deadlines.remove(apex)

    def _take_over_all(self, update: Update) -> None:
        """Follow the primaries of the zones of a start; their content is there."""
        for loaded in update.zones.values():
            if loaded is not None:
                apex = loaded.zone.apex
                self._version_ids[apex] = self._version_ids.get(apex, 0)  # not in bulk any more
                self._follow_primaries(loaded, state_changed=True)

    def _put(self, served: ServedZone) -> None:
        """Put a zone into the table; a catalog is there, but nobody is answered from it."""
        if served.apex in self._catalogs.followed:
            served = replace(served, state=ZoneState.SUSPENDED)
        self.engine.replace(served)

    def _take_over(self, loaded: LoadedZone, *, announce: bool) -> None:
        apex = loaded.zone.apex
        old = self.table.get(apex)
        is_newer = loaded.version_id > self._version_ids.get(apex, 0)
        if not is_newer and old is not None:
            # A transfer was published after the store was read.
            loaded = replace(loaded, version=old.version)
        self._version_ids[apex] = max(loaded.version_id, self._version_ids.get(apex, 0))
        self._follow_primaries(loaded, state_changed=is_newer)
        served = loaded.served(self._clock())
        self._watch_deadlines(loaded)
        if served is None:
            self.engine.remove(apex)
            return
        if served != old or apex in self._catalogs.followed:
            self._put(served)
        if is_newer:
            self._catalogs.changed(apex)
        if announce and is_newer:
            self._notify(served)

    def _watch_deadlines(self, loaded: LoadedZone) -> None:
        """See to it that the end of a zone is told before it comes."""
        apex = loaded.zone.apex
        if loaded.zone.suspended or loaded.version is None:
            self._deadlines.remove(apex)
            return
        self._watch_contact(apex)
        self._deadlines.changed(apex)

    def _watch_contact(self, apex: Name) -> None:
        state = self._secondaries.state(apex)
        if state is not None:
            self._deadlines.contact(state)

    async def _begin_duty(self) -> None:
        """Watch the deadlines of all zones, who does the transfers knows them; see to catalogs."""
        await asyncio.to_thread(self._deadlines.load)
        for apex in {
            *self._version_ids,
            *self.engine.loaded_signed(),
        }:
            served = self.table.get(apex)
            if served is None or served.version is None or served.state is ZoneState.SUSPENDED:
                continue
            state = self._secondaries.state(apex)
            if state is not None:
                self._deadlines.contact(state)
            self._deadlines.changed(apex)
        self._deadlines.start()
        self._drift.start()
        self._catalogs.start()

    async def _end_duty(self) -> None:
        await self._catalogs.stop()
        await self._drift.stop()
        await self._deadlines.stop()

    def _standing(self, apex: Name) -> tuple[SecondaryState | None, ZoneVersion | None]:
        """Return the timers of a zone, and what is in service."""
        return self._secondaries.state(apex), self._content(apex)

    def _follow_primaries(self, loaded: LoadedZone, *, state_changed: bool) -> None:
        secondary = loaded.secondary(self._limits)
        if secondary is None:
            self._secondaries.remove(loaded.zone.apex)
        elif self._secondaries.primaries(loaded.zone.apex) is None:
            self._secondaries.add(secondary, loaded.state)
        else:
            self._secondaries.replace(secondary, loaded.state if state_changed else None)

    def _serve_outcome(self, outcome: Outcome, published: Published | None) -> None:
        """Serve what a refresh brought; called after it is stored."""
        apex = outcome.state.apex
        served = self.table.get(apex)
        hidden = apex in self._catalogs.followed
        if served is None or (served.state is ZoneState.SUSPENDED and not hidden):
            return
        version = served.version
        if published is not None and published.served and outcome.version is not None:
            version = outcome.version
            self._version_ids[apex] = published.id
        if version is None:
            return
        self._deadlines.contact(outcome.state)
        self._drift.seen(outcome, version)
        if version is not served.version:
            self._deadlines.changed(apex)
        if outcome.state.is_expired(self._clock()):
            return
        if version is served.version and served.state is ZoneState.SERVING:
            return
        replacement = ServedZone(apex, ZoneState.SERVING, version)
        self._put(replacement)
        if version is not served.version:
            self._catalogs.changed(apex)
            self._notify(replacement)

    def _announce(self, apex: Name) -> None:
        """Tell our own secondaries what is in service, if there are any and anything is."""
        if not self._access.notify_targets(apex):
            return  # before an object is made of a zone that came in bulk
        served = self.table.get(apex)
        if served is not None and served.state is ZoneState.SERVING:
            self._notify(served)

    def _notify(self, served: ServedZone) -> None:
        """Tell our own secondaries of a new version (RFC 1996 4.1)."""
        if served.content is not None and (targets := self._access.notify_targets(served.apex)):
            self._notifier.notify(served.content, targets)

    def _content(self, apex: Name) -> ZoneVersion | None:
        """Return the version that changes are transferred from."""
        served = self.table.get(apex)
        return served.version if served is not None else None

    def _expire(self, apex: Name) -> None:
        """Stop answering a zone whose EXPIRE has run out (RFC 1034 4.3.5)."""
        if not self._stands(apex, True):
            return
        log.error("a zone has expired", zone=display(apex))
        self._watch_contact(apex)

    def _stands(self, apex: Name, expired: bool) -> bool:  # noqa: FBT001  it is the subject
        """Answer for a zone, or do so no longer; tell whether that is a change."""
        was, becomes = ZoneState.EXPIRED, ZoneState.SERVING
        if expired:
            was, becomes = becomes, was
        served = self.table.get(apex)
        if served is None or served.state is not was:
            return False
        self.engine.replace(ServedZone(apex, becomes, served.version))
        return True
