"""The work of the registrar's desk in a serving process: registries, time, and notices.

It has a thread and an event loop of its own: a registry that is slow, and transactions on the
store, keep no query waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from nameserver.settings import Settings
from registrar import notice_files, notices, policy_files
from registrar.desk.desk import Desk, Hosting
from registrar.desk.runner import Runner
from registrar.errors import RegistrarError
from registrar.notice_text import Letters
from storage.database import Database

log = structlog.get_logger()

FAREWELL = 30.0  # seconds that a stop waits for what is being done at a registry


def desk_of(settings: Settings) -> Desk:
    """Return what the desk goes by; raises ``PolicyError`` with every fault of its files."""
    hosted = settings.hosted
    hosting = Hosting(
        name_servers=tuple(name.rstrip(".") for name in hosted.nameservers),
        mailbox=hosted.mailbox,
        ttl=hosted.ttl,
        refresh=hosted.refresh,
        retry=hosted.retry,
        expire=hosted.expire,
        minimum=hosted.minimum,
    )
    return Desk(policy_files.load(settings.desk.policies), hosting)


def letters_of(settings: Settings) -> Letters:
    """Return the templates of notices, and who writes them; raises ``PolicyError``."""
    own = settings.desk
    return Letters(notice_files.load(own.notices), own.provider, own.mailbox, own.portal)


class DeskWork:
    """Does what is due, where ``[desk] work`` says so; ``start`` and ``stop`` are quick to ask."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._began = threading.Event()

    def start(self) -> None:
        """Begin, if this process is to do it. Raises ``RegistrarError`` for faulty policies."""
        if not self._settings.desk.work:
            return
        runner = self.runner()
        self._thread = threading.Thread(target=self._run, args=(runner,), name="desk", daemon=True)
        self._thread.start()
        self._began.wait()

    async def stop(self) -> None:
        """Stop after the piece of work that is being done; what is left is done another time."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join, FAREWELL)
        self._thread = None

    def runner(self) -> Runner:
        """Return a runner as the settings want it."""
        letters = letters_of(self._settings)

        def notify(database: Database, _desk: Desk, now: datetime) -> int:
            with database.write() as session:
                return notices.deliver_pending(session, letters, now=now)

        return Runner(
            self._database,
            desk_of(self._settings),
            clock=lambda: datetime.fromtimestamp(self._clock(), UTC),
            notify=notify,
        )

    def _run(self, runner: Runner) -> None:
        try:
            asyncio.run(self._serve(runner))
        except RegistrarError as error:
            log.error("the work of the desk has ended", reason=str(error))
        finally:
            self._began.set()

    async def _serve(self, runner: Runner) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._began.set()
        own = self._settings.desk
        await runner.serve(self._stop, pause=own.work_every, poll_every=own.poll_every)
