"""How a run is made: sizes, repetitions, which processors, where files go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bench.servers import SERVERS, Daemon, Nsctl

# Signing takes longer than measuring; what was signed stays here until `make clean`.
KEPT: Final = Path(__file__).parents[1] / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much work there is."""

    names: int = 100_000  # in the large zone
    questions: int = 300_000
    zones: int = 100_000  # small ones, at a start
    changing: int = 20_000  # small ones, for churn
    transferred: int = 1_000_000  # records of one zone
    storm: int = 10_000  # zones that change at once
    notified: int = 100  # changes, one after the other
    patience: float = 120.0  # seconds until what is not transferred counts as missing


FULL: Final = Sizes()
QUICK: Final = Sizes(10_000, 50_000, 3_000, 1_000, 50_000, 300, 10, 30.0)


@dataclass(frozen=True)
class Setting:
    """What all rows share."""

    directory: Path
    servers: tuple[str, ...]
    sizes: Sizes = FULL
    seconds: float = 10.0
    repeat: int = 3
    server_cpus: frozenset[int] = frozenset({0})
    load_cpus: frozenset[int] = frozenset({1})

    @property
    def all_cpus(self) -> frozenset[int]:
        """Both sides' processors, for what is measured unpinned."""
        return self.server_cpus | self.load_cpus

    @property
    def warm_up(self) -> float:
        """Seconds of load before anything counts."""
        return min(2.0, self.seconds / 2)

    @cached_property
    def kinds(self) -> tuple[type[Daemon], ...]:
        """The servers that are wanted and installed."""
        return tuple(SERVERS[name] for name in self.servers if SERVERS[name].is_installed())

    @property
    def peers(self) -> list[str]:
        """The names of the servers that ours is compared with."""
        return [kind.name for kind in self.kinds if kind.name not in (Nsctl.name, "echo")]


def default_cpus() -> tuple[frozenset[int], frozenset[int]]:
    """Return one processor for the server and the others for the load; one may be all there is."""
    first, *others = sorted(os.sched_getaffinity(0))
    return frozenset({first}), frozenset(others or [first])
