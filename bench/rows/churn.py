"""Answers per second while zones change all the time (``churn``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Final

from bench.asking import A, Late, question
from bench.churner import OWNER
from bench.many_work import ManyZones, apex_of, sample
from bench.result import Measurement
from bench.rows.answering import Answering
from bench.servers import Daemon, Nsctl
from bench.servers.daemon import Started
from bench.setting import KEPT
from bench.task import Task

RATE: Final = 100  # changes a second
START_SECONDS: Final = 120.0
CURRENT_SECONDS: Final = 30.0  # within which the last changes have to be answered
ENOUGH: Final = 0.5  # of the changes: with fewer, it is another kind of work
CHECKED: Final = 200  # of the changed zones
ROOT: Final = KEPT.parents[1]


class Churn(Answering):
    """Small zones under load, a hundred of them changing each second."""

    names = ("churn",)
    without: ClassVar[dict[str, str]] = {
        "echo": "has no zones",
        "nsd": "has no UPDATE, and reads all its zone files again for one change",
    }

    @cached_property
    def zones(self) -> ManyZones:
        """The zones."""
        return ManyZones(self.directory / "zones", self.setting.sizes.changing).write()

    def task(self) -> Task:
        """Return the zones, and questions about them."""
        self.questions = self.zones.write_questions(
            self.directory / "questions", self.setting.sizes.questions
        )
        return Task(tuple(self.zones.files()), updates=True)

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Load it while another process changes the zones; then see that it has followed."""
        daemon.prepare()  # the last run has changed them
        with daemon.running() as started:
            return [self.measure_started(daemon, started)]

    def measure_started(self, daemon: Daemon, started: Started) -> Measurement:
        """Measure a server that has just been started."""
        started.client.wait_all(sample(self.zones.names), START_SECONDS)
        with self.churner(daemon) as churner:
            try:
                measured, changes, behind = self.under_change(daemon, started, churner)
            finally:
                churner.kill()
        note = f"{changes:,} changes, the last one answered {behind:.2f} s after the load"
        return replace(measured, notes=(note,))

    def under_change(
        self, daemon: Daemon, started: Started, churner: subprocess.Popen[str]
    ) -> tuple[Measurement, int, float]:
        """Return the measurement, the number of changes, and how long the last ones took."""
        assert churner.stdin
        assert churner.stdout
        churner.stdout.readline()  # it is ready, or has ended
        begun = time.monotonic()
        churner.stdin.write("go\n")
        churner.stdin.flush()
        measured = self.under_load(daemon, started, self.questions)
        ended = time.monotonic()
        output, problem = churner.communicate(timeout=CURRENT_SECONDS)
        if churner.returncode:
            raise RuntimeError(f"changing the zones failed: {problem.splitlines()[-1]}\n{problem}")
        done = json.loads(output)
        if done["changes"] < ENOUGH * RATE * (ended - begun):
            raise RuntimeError(f"only {done['changes']:,} changes in {ended - begun:.1f} s")
        self.see_current(started, {int(key): value for key, value in done["last"].items()})
        return measured, done["changes"], time.monotonic() - ended

    def churner(self, daemon: Daemon) -> subprocess.Popen[str]:
        """Start what changes the zones, from a line on its stdin to the end of it."""
        where = (
            ("--database", daemon.database_url)
            if isinstance(daemon, Nsctl)
            else ("--port", str(daemon.port))
        )
        command = [sys.executable, "-m", "bench.churner", *where]
        command += ["--zones", str(self.zones.count), "--rate", str(RATE)]
        return subprocess.Popen(
            command,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            preexec_fn=lambda: os.sched_setaffinity(0, self.load_cpus),  # noqa: PLW1509
        )

    def see_current(self, started: Started, last: dict[int, str]) -> None:
        """Wait until the zones that changed last answer what they were changed to."""
        for number in list(last)[-CHECKED:]:
            address = bytes(map(int, last[number].split(".")))
            query = question(f"{OWNER}.{apex_of(number)}", A)
            try:
                started.client.wait(
                    query,
                    lambda message, address=address: address in message,  # type: ignore[misc]
                    CURRENT_SECONDS,
                    0.01,
                )
            except Late:
                raise Late(f"{apex_of(number)} does not answer its last change") from None

    @property
    def nxdomain(self) -> float:
        """One of the eight questions is for a name that no zone has."""
        return 1 / 8
