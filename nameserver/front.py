"""The front of a server: the zones that it answers from, and the listeners.

This is all that answering takes. It is loaded and started before the rest of the program is
imported (``nameserver.process``): that would keep a server silent for longer than reading a hundred
thousand zones. What only Python answers (NOTIFY, transfers, DNS over TLS) waits meanwhile, for the
event loop does not run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from nameserver.address import Address
from nameserver.configured import answer_settings
from nameserver.cookie_secrets import CookieSecrets
from nameserver.counters import Counters
from nameserver.engine import new_engine
from nameserver.listening import Listeners
from nameserver.settings import Settings
from nameserver.table import ServedZone, ZoneState
from nameserver.version_ids import VersionIds
from storage.start import OtherZone, Start, read_start

if TYPE_CHECKING:
    from nameserver.dispatch import Dispatcher

log = structlog.get_logger()


class Front:
    """Zones, engine and listeners; ``listen`` after ``load``, and ``stop`` in any case.

    ``addresses`` tells where it listens, with the ports chosen for a configured port 0;
    ``loaded_seq`` is the number of the change feed at which the store was read.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.counters = Counters()
        self.engine = new_engine(settings.engine, settings.workers, self.counters)
        self.table = self.engine.table  # changed through the engine only
        self.version_ids = VersionIds(self.engine.loaded_id)  # of what is in service
        self.secrets = CookieSecrets(settings.cookies, clock, self._use_secrets)
        self.answering = answer_settings(settings, self.secrets.now())
        self.listeners = Listeners(settings, self.engine, self.counters, clock)
        self.addresses: list[Address] = []
        self.loaded_seq: int | None = None
        self._clock = clock
        self._listening = False
        self._dispatcher: Dispatcher | None = None

    def load(self, connection: Any) -> None:
        """Read what is answered in the transaction of a driver's connection.

        Raises ``StorageError``, and what the driver raises.
        """
        found = read_start(connection, self._clock(), self.engine.load_many)
        for zone in found.others:
            self.version_ids[zone.apex] = zone.version_id
            self.engine.replace(ServedZone(zone.apex, state_of(zone, found), zone.version))
        for apex in found.expired | found.followed:
            served = self.table.get(apex)
            if served is not None and served.state is ZoneState.SERVING:  # it came in bulk
                state = ZoneState.SUSPENDED if apex in found.followed else ZoneState.EXPIRED
                self.version_ids[apex] = self.engine.loaded_id(apex)
                self.engine.replace(replace(served, state=state))
        self.loaded_seq = found.seq

    async def listen(self) -> None:
        """Begin to answer. Raises ``ListenError``."""
        self._listening = True
        try:
            self.addresses = await self.listeners.start(self.answering)
        except BaseException:
            await self.stop()
            raise

    def hand_over_to(self, dispatcher: Dispatcher) -> None:
        """Have this answer what the engine leaves to Python; before the event loop goes on."""
        self._dispatcher = dispatcher
        self.listeners.hand_over_to(dispatcher)

    async def stop(self) -> None:
        """Stop answering, if that was begun."""
        if self._listening:
            self._listening = False
            await self.listeners.stop()

    def reload(self) -> None:
        """Take over a certificate that was replaced; it would be found by itself, somewhat later."""
        self.listeners.reload()

    def log_counters(self) -> None:
        """Write a line with all counts."""
        log.info("counters", **self.counters.snapshot())

    def _use_secrets(self, secrets: tuple[bytes, ...]) -> None:
        self.answering = replace(self.answering, cookie_secrets=secrets)
        if self._dispatcher is not None:
            self._dispatcher.settings = self.answering
        self.engine.use(self.answering)


def state_of(zone: OtherZone, found: Start) -> ZoneState:
    """Return how a zone stands that did not come in bulk.

    A catalog that is followed is in the table, but nobody is answered from it.
    """
    if zone.suspended or zone.apex in found.followed:
        return ZoneState.SUSPENDED
    if zone.version is None:
        return ZoneState.PENDING
    return ZoneState.EXPIRED if zone.apex in found.expired else ZoneState.SERVING
