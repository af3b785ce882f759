"""Waiting for a condition with a deadline, and the free ports of this machine."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
CHANCE = random.SystemRandom()  # not the seeded one: runs beside each other must differ


def wait_until(condition: Callable[[], T | None], what: str, seconds: float = 10.0) -> T:
    """Call ``condition`` until it returns something true, and return that.

    An ``OSError`` (a server that does not listen yet) counts as "not yet". Raises
    ``AssertionError`` naming ``what`` and the last value after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except OSError as error:
            seen: object = error
        else:
            if value:
                return value
            seen = value
        if time.monotonic() > deadline:
            message = f"waited {seconds:g} s in vain until {what}; last seen: {seen!r}"
            raise AssertionError(message)
        time.sleep(0.02)


def holds_for(condition: Callable[[], object], what: str, seconds: float) -> None:
    """Assert that ``condition`` stays true during ``seconds``: for what must *not* happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"did not hold for {seconds:g} s: {what}"
        time.sleep(0.05)


GIVEN: Final[set[int]] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free for UDP and for TCP at this moment.

    It is below those that the system gives to clients: the next query of any program could take
    one of them before the server does that it is meant for. No two calls get the same one, in this
    process or another one of the same run.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(100):
        port = CHANCE.randrange(10_000 + number, 32_000, processes)
        if port in GIVEN:
            continue
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            try:
                udp.bind((LOOPBACK, port))
                tcp.bind((LOOPBACK, port))
            except OSError:
                continue
            GIVEN.add(port)
            return port
    raise AssertionError("no port is free for both UDP and TCP")
