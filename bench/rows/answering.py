"""Answers per second: ``udp``, ``flood``, ``dnssec`` and ``tcp``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from bench.load import TCP, UDP, Load, dnsperf
from bench.result import Measurement
from bench.rows.row import Row
from bench.servers import Daemon, Echo
from bench.servers.daemon import Started
from bench.setting import KEPT
from bench.task import Task
from bench.zone_work import APEX, NXDOMAIN, ZoneWork, sign_zone, write_zone_work

START_SECONDS: Final = 60.0
EXPECTED: Final = frozenset({"NOERROR", "NXDOMAIN"})
TOLERATED: Final = 0.03  # of the answers may have another rcode than the questions ask for
MICRO: Final = 1e6


class Answering(Row):
    """One large zone under full load."""

    flood: ClassVar[bool] = False
    signed: ClassVar[bool] = False
    transport: ClassVar[Sequence[str]] = UDP

    @cached_property
    def work(self) -> ZoneWork:
        """The zone and the questions."""
        sizes = self.setting.sizes
        work = write_zone_work(
            self.directory, sizes.names, flood=self.flood, questions=sizes.questions
        )
        return sign_zone(work, KEPT / f"signed-{sizes.names}") if self.signed else work

    def task(self) -> Task:
        """Return the zone."""
        return Task((self.work.zone,))

    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Load it until it is warm, then for the time that counts."""
        with daemon.running() as started:
            if daemon.name != Echo.name:
                started.client.wait_all([APEX], START_SECONDS)
            return [self.under_load(daemon, started, self.work.questions)]

    def under_load(self, daemon: Daemon, started: Started, questions: Path) -> Measurement:
        """Return the rate, and what a query costs."""
        self.ask(daemon, questions, self.setting.warm_up)
        before = started.process.cpu_time()
        load = self.ask(daemon, questions, self.setting.seconds)
        used = started.process.cpu_time() - before
        started.process.assert_running()
        if daemon.name != Echo.name:
            self.check(load)
        memory = started.process.memory()
        each = MICRO / max(load.answered, 1)
        return Measurement(
            self.names[0],
            daemon.name,
            load.rate,
            user=used.user * each,
            system=used.system * each,
            lost=load.lost,
            pss=memory.pss,
            peak=memory.peak,
        )

    def ask(self, daemon: Daemon, questions: Path, seconds: float) -> Load:
        """Ask for some seconds."""
        return dnsperf(
            daemon.port,
            questions,
            seconds,
            self.transport,
            dnssec=self.signed,
            cpus=self.load_cpus,
        )

    @property
    def load_cpus(self) -> frozenset[int]:
        """Where dnsperf runs."""
        return self.setting.load_cpus

    def check(self, load: Load) -> None:
        """Raise ``RuntimeError`` where these were not the answers to these questions."""
        wrong = 1.0 - sum(load.rcodes.get(name, 0) for name in EXPECTED) / max(load.answered, 1)
        missing = load.rcodes.get("NXDOMAIN", 0) / max(load.answered, 1)
        if wrong > TOLERATED or abs(missing - self.nxdomain) > TOLERATED:
            raise RuntimeError(f"not the answers that were asked for: {told(load.rcodes)}")

    @property
    def nxdomain(self) -> float:
        """The share of questions for names that do not exist."""
        return 1.0 if self.flood else NXDOMAIN / 100


def told(rcodes: Mapping[str, int]) -> str:
    """Return rcodes with their counts as text."""
    return ", ".join(f"{name} {count:,}" for name, count in rcodes.items()) or "no answers"


class Udp(Answering):
    """What resolvers ask, over UDP."""

    names = ("udp",)


class Flood(Answering):
    """Random names that do not exist."""

    names = ("flood",)
    flood = True


class Dnssec(Answering):
    """The mixed questions with DO, the zone signed (ECDSA P-256, NSEC)."""

    names = ("dnssec",)
    signed = True


class Tcp(Answering):
    """The mixed questions over sixteen connections, many at a time in each."""

    names = ("tcp",)
    transport = TCP
    without: ClassVar[dict[str, str]] = {"echo": "is for UDP"}

    @property
    def cpus(self) -> frozenset[int]:
        """Not pinned: the kernel does much of the work in the sender's time."""
        return self.setting.all_cpus

    @property
    def load_cpus(self) -> frozenset[int]:
        """Not pinned."""
        return self.setting.all_cpus
