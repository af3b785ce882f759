"""The process of a server: signals, the event loop, the service manager."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from nameserver.logs import configure_logs
from nameserver.server import Server
from nameserver.service_manager import tell_service_manager
from nameserver.settings import Settings
from storage.database import Database
from zones.packing import compiled_available

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises ``DNSError`` where that cannot begin."""
    configure_logs(settings.log)
    for warning in settings.warnings:
        log.warning(warning)
    if not compiled_available:
        log.warning("the compiled modules are not installed: large transfers will be slow")
    database = Database.open(settings.database)
    try:
        _runner()(_serve(settings, database))
    finally:
        database.close()


async def _serve(settings: Settings, database: Database) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings, database)
    loop.add_signal_handler(signal.SIGUSR1, server.log_counters)
    loop.add_signal_handler(signal.SIGHUP, server.reload)
    # What is loaded stays: the collector would walk millions of objects again and again for nothing.
    gc.disable()
    await server.start()
    gc.freeze()
    gc.enable()
    tell_service_manager("READY=1")
    try:
        await stop.wait()
    finally:
        tell_service_manager("STOPPING=1")
        await server.stop()


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    try:
        import uvloop  # noqa: PLC0415 (not on every platform)
    except ImportError:  # asyncio's own loop does the same, slower
        return asyncio.run
    return uvloop.run
