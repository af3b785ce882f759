"""From NOTIFY to the new answer (``notify``)."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final, Self

from bench.asking import Late, is_answer, question, soa_serial
from bench.hidden_primary import HiddenPrimary
from bench.result import Measurement
from bench.rows.row import Row
from bench.servers import Daemon
from bench.servers.daemon import Started
from bench.task import Task, ZoneFile

APEX: Final = "notified.example."
POLL_SECONDS: Final = 0.000_2
PAUSES: Final = (0.02, 0.1)  # between changes, so that no timer of a server beats in time with us
MILLI: Final = 1e3


class Notify(Row):
    """A small zone changes again and again; its primary costs nearly nothing."""

    names = ("notify",)
    without: ClassVar[dict[str, str]] = {"echo": "has no zones"}

    start_seconds: ClassVar[float] = 60.0
    answer_seconds: ClassVar[float] = 5.0

    def task(self) -> Task:
        """Make the primary."""
        self.primary = self.new_primary()
        self.serial = 1
        self.query = question(self.primary.apex)
        self.rng = random.Random(self.primary.apex)
        return Task((ZoneFile(self.primary.apex),), primary=self.primary.port)

    def new_primary(self) -> HiddenPrimary:
        """Return the primary, which has serial 1."""
        return HiddenPrimary(APEX)

    @contextmanager
    def surroundings(self) -> Iterator[Self]:
        """Run the primary for all of them."""
        with self.primary:
            yield self

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Change the zone so many times; a change that is not served in time ends the run."""
        daemon.prepare()
        with daemon.running() as started:
            started.client.wait(self.query, is_answer, self.start_seconds, 0.01)
            self.settle(daemon, started)
            delays = [
                self.change(daemon, started) * MILLI for _ in range(self.setting.sizes.notified)
            ]
            memory = started.process.memory()
        ordered = sorted(delays)
        late = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return [
            Measurement(
                self.names[0],
                daemon.name,
                statistics.median(delays),
                "ms",
                pss=memory.pss,
                peak=memory.peak,
                notes=(f"p99 {late:,.1f} ms, max {ordered[-1]:,.1f} ms",),
            )
        ]

    def settle(self, daemon: Daemon, started: Started) -> None:
        """Let one change pass that does not count: it is the first use of everything."""
        self.change(daemon, started)

    def change(self, daemon: Daemon, started: Started) -> float:
        """Return the seconds until a change is served."""
        time.sleep(self.rng.uniform(*PAUSES))
        self.serial += 1
        self.primary.load(self.serial)
        begun = time.monotonic()
        self.primary.notify(daemon.port, self.serial % 65_536)

        def is_new(message: bytes) -> bool:
            return soa_serial(message, len(self.query)) == self.serial

        try:
            return (
                started.client.wait(self.query, is_new, self.answer_seconds, POLL_SECONDS) - begun
            )
        except Late:
            raise Late(
                f"serial {self.serial} is not served {self.answer_seconds:g} s later"
            ) from None
