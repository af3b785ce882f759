"""The process of a server: signals, the event loop, the service manager.

Answering comes first. What it takes is imported here and started (``front``); the rest of the
program, which takes longer to import than a hundred thousand zones to load, is imported when the
threads of the engine have begun to answer.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from nameserver.front import Front
from nameserver.logs import configure_logs
from nameserver.service_manager import tell_service_manager
from nameserver.settings import Settings
from storage.start import reading
from zones.packing import compiled_available

if TYPE_CHECKING:
    from nameserver.server import Server

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises ``DNSError`` where that cannot begin."""
    configure_logs(settings.log)
    for warning in settings.warnings:
        log.warning(warning)
    if not compiled_available:
        log.warning("the compiled modules are not installed: large transfers will be slow")
    _runner()(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    front = Front(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, front.log_counters)
    loop.add_signal_handler(signal.SIGHUP, front.reload)
    try:
        await _answer_early(front, settings)
        await _serve_all(front, settings, stop)
    finally:
        await front.stop()


async def _answer_early(front: Front, settings: Settings) -> None:
    """Answer from threads, which need nothing else, if the store can be read as it is."""
    if not front.engine.has_threads:
        return
    with reading(settings.database) as connection:
        if connection is None:
            return
        with loading():
            front.load(connection)
    await front.listen()


async def _serve_all(front: Front, settings: Settings, stop: asyncio.Event) -> None:
    from nameserver.server import Server  # noqa: PLC0415  see above
    from storage.database import Database  # noqa: PLC0415

    database = Database.open(settings.database)
    try:
        await _until(stop, Server(settings, database, front=front))
    finally:
        database.close()


async def _until(stop: asyncio.Event, server: Server) -> None:
    with loading():
        await server.start()
    tell_service_manager("READY=1")
    try:
        await stop.wait()
    finally:
        tell_service_manager("STOPPING=1")
        await server.stop()


@contextmanager
def loading() -> Iterator[None]:
    """Keep the collector from what is loaded: it stays, and to walk it again and again is for nothing.

    Importing is not loading: it leaves megabytes that have to be collected.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    try:
        import uvloop  # noqa: PLC0415 (not on every platform)
    except ImportError:  # asyncio's own loop does the same, slower
        return asyncio.run
    return uvloop.run
