"""Many zones: how long a start takes, and the memory then (``start``, ``memory``)."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from bench.many_work import ManyZones, sample
from bench.processes import Memory, Process
from bench.result import Measurement
from bench.rows.row import Row
from bench.servers import Daemon
from bench.task import Task

START_SECONDS: Final = 180.0
SETTLE_SECONDS: Final = 10.0
SETTLED: Final = 0.005  # of the memory: less than that changes no more
MEGABYTE: Final = 1e6


class Start(Row):
    """From the start of the program to the answers of zones all over the configuration."""

    names = ("start", "memory")
    without: ClassVar[dict[str, str]] = {"echo": "has no zones"}

    def task(self) -> Task:
        """Write the zones."""
        self.zones = ManyZones(self.directory / "zones", self.setting.sizes.zones).write()
        return Task(tuple(self.zones.files()))

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Start it, wait for the last answer, weigh it."""
        with daemon.running() as started:
            answered = started.client.wait_all(sample(self.zones.names), START_SECONDS)
            used = started.process.cpu_time()
            memory = settled(started.process)
        seconds = answered - started.begun
        cpu = f"{used.user + used.system:.2f} s of CPU"
        return [
            weighed("start", daemon, seconds, "s", memory, cpu),
            weighed("memory", daemon, memory.pss / MEGABYTE, "MB", memory),
        ]


def weighed(
    row: str, daemon: Daemon, value: float, unit: str, memory: Memory, *notes: str
) -> Measurement:
    """Return a measurement with the memory beside it."""
    return Measurement(row, daemon.name, value, unit, pss=memory.pss, peak=memory.peak, notes=notes)


def settled(process: Process) -> Memory:
    """Return the memory when it changes no more."""
    deadline = time.monotonic() + SETTLE_SECONDS
    before = process.memory()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = process.memory()
        if abs(now.pss - before.pss) < SETTLED * before.pss:
            return now
        before = now
    return before
