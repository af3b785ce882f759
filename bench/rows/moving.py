"""Zones from a Knot primary: one large one (``axfr``), and many at once (``storm``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final, Self

from bench.asking import A, is_answer, question
from bench.many_work import ManyZones, write_million
from bench.result import Measurement
from bench.rows.row import Row
from bench.servers import Daemon, Knot
from bench.servers.daemon import Started
from bench.task import Task, ZoneFile

TRANSFER_SECONDS: Final = 300.0


class Axfr(Row):
    """From the start of an empty secondary to its first answer from the zone."""

    names = ("axfr",)
    without: ClassVar[dict[str, str]] = {"echo": "has no zones"}

    def task(self) -> Task:
        """Write the zone for the primary."""
        zone = write_million(self.directory, self.setting.sizes.transferred)
        self.asked = f"ns1.{zone.apex}"
        self.primary = Knot(self.directory, Task((zone,)), self.setting.load_cpus)
        return Task((ZoneFile(zone.apex),), primary=self.primary.port)

    @contextmanager
    def surroundings(self) -> Iterator[Self]:
        """Run the primary for all of them."""
        self.primary.prepare()
        with self.primary.running() as started:
            started.client.wait(question(self.asked, A), is_answer, TRANSFER_SECONDS, 0.1)
            yield self

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Start it empty."""
        daemon.prepare()
        with daemon.running() as started:
            first = started.client.wait(question(self.asked, A), is_answer, TRANSFER_SECONDS, 0.002)
            used = started.process.cpu_time()
            memory = started.process.memory()
        return [
            Measurement(
                "axfr",
                daemon.name,
                first - started.begun,
                "s",
                pss=memory.pss,
                peak=memory.peak,
                notes=(f"{used.user + used.system:.2f} s of CPU",),
            )
        ]


class Storm(Row):
    """Ten thousand zones: the first transfer of all, and then all changed and NOTIFYed at once."""

    names = ("storm-first", "storm")
    without: ClassVar[dict[str, str]] = {"echo": "has no zones"}

    def task(self) -> Task:
        """Name the zones; each secondary gets a primary of its own."""
        self.zones = ManyZones(self.directory / "zones", self.setting.sizes.storm)
        return Task(tuple(map(ZoneFile, self.zones.names)), primary=1)

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Start primary and secondary, wait, change everything, wait."""
        self.zones.write(serial=1)
        files = tuple(self.zones.files())
        own = Task(files, secondary=daemon.port)
        primary = Knot(self.directory / "primary", own, self.setting.load_cpus)
        daemon.task = Task(daemon.task.zones, primary=primary.port)
        primary.prepare()
        daemon.prepare()
        with primary.running() as source:
            source.client.wait_serials(self.zones.names, 1, TRANSFER_SECONDS)
            with daemon.running() as started:
                first = self.follow(daemon, started, "storm-first", started.begun, serial=1)
                self.zones.write(serial=2)
                begun = time.monotonic()
                primary.reload_zones()
                changed = self.follow(daemon, started, "storm", begun, serial=2)
        return [first, changed]

    def follow(
        self, daemon: Daemon, started: Started, row: str, begun: float, *, serial: int
    ) -> Measurement:
        """Return the time until the last zone has this serial."""
        before = started.process.cpu_time()
        patience = self.setting.sizes.patience
        last, missing = started.client.wait_serials(self.zones.names, serial, patience)
        used = started.process.cpu_time() - before
        memory = started.process.memory()
        notes = [f"{used.user + used.system:.2f} s of CPU"]
        if missing:
            notes.append(f"{missing:,} of {self.zones.count:,} missing after {patience:g} s")
        return Measurement(
            row,
            daemon.name,
            patience if missing else last - begun,
            "s",
            pss=memory.pss,
            peak=memory.peak,
            notes=tuple(notes),
        )
