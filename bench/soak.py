"""``python -m bench.soak``: full load for minutes while zones change; memory must stay flat.

The work is that of the row ``churn``. Memory is looked at every few seconds; once the server has
warmed up, a straight line is laid through what is left, and its rise over the whole run counted.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from bench.processes import Process
from bench.result import Measurement
from bench.rows.churn import Churn
from bench.servers import Nsctl
from bench.setting import FULL, QUICK, Setting, default_cpus

MEGABYTE: Final = 1e6
SHARE_OF_WARM_UP: Final = 0.3  # of the samples: allocators and caches reach their size meanwhile
ALLOWED_RISE: Final = 0.02  # of the memory, over the rest of the run
SHOWN: Final = 12  # lines of the table


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of all processes, in octets, so many seconds after the load began."""

    seconds: float
    pss: int


class Samples(list[Sample]):
    """What was seen of a process, taken by a thread of its own."""

    @contextmanager
    def taken(self, process: Process, interval: float) -> Iterator[None]:
        """Take samples while the body runs."""
        ended = threading.Event()
        begun = time.monotonic()

        def take() -> None:
            while not ended.wait(interval):
                self.append(Sample(time.monotonic() - begun, process.memory().pss))

        thread = threading.Thread(target=take, name="memory")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @property
    def settled(self) -> Sequence[Sample]:
        """The samples after the warm-up."""
        return self[int(len(self) * SHARE_OF_WARM_UP) :]

    def rise(self) -> float:
        """Return by what share the memory rose after the warm-up, on the fitted line."""
        there = self.settled
        seconds = [sample.seconds for sample in there]
        line = statistics.linear_regression(seconds, [sample.pss for sample in there])
        begun = line.intercept + line.slope * seconds[0]
        return line.slope * (seconds[-1] - seconds[0]) / begun


class Soak(Churn):
    """Churn for long, with an eye on the memory."""

    names = ("soak",)

    def run(self, interval: float) -> tuple[Measurement, Samples]:
        """Run this project's server once; raises ``RuntimeError`` where an answer is wrong."""
        daemon = self.prepare(Nsctl, self.task())
        samples = Samples()
        with daemon.running() as started, samples.taken(started.process, interval):
            measured = self.measure_started(daemon, started)
        return measured, samples


def table_of(samples: Samples) -> Table:
    """Return some of the samples, evenly spread."""
    table = Table("minute", "Pss MB", title="memory under load")
    for sample in samples[:: max(1, len(samples) // SHOWN)]:
        table.add_row(f"{sample.seconds / 60:.1f}", f"{sample.pss / MEGABYTE:.1f}")
    return table


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True)
@click.option("--quick", is_flag=True, help="Few zones: shows that it works.")
def main(*, minutes: float, quick: bool) -> None:
    """Load this server at full speed while a hundred zones change each second.

    Exits with 1 where its memory rises after the warm-up, or an answer was wrong.
    """
    screen = Console(width=None if sys.stdout.isatty() else 100)
    server_cpus, load_cpus = default_cpus()
    with tempfile.TemporaryDirectory(prefix="nsctl-soak-") as chosen:
        setting = Setting(
            Path(chosen),
            (Nsctl.name,),
            QUICK if quick else FULL,
            minutes * 60,
            1,
            server_cpus,
            load_cpus,
        )
        os.sched_setaffinity(0, load_cpus)
        measured, samples = Soak(setting, setting.directory).run(max(minutes, 0.5))
    rise = samples.rise()
    screen.print(table_of(samples))
    screen.print(
        f"{measured.value:,.0f} answers a second over {minutes:g} minutes, {measured.lost:,} lost, "
        f"{', '.join(measured.notes)}"
    )
    flat = rise <= ALLOWED_RISE
    screen.print(f"memory after the warm-up: {rise:+.2%}, {'flat' if flat else 'not flat'}")
    sys.exit(not flat)


if __name__ == "__main__":
    main()
