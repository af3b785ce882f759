"""What was measured: one value per run, medians over runs, ratios to the others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one row on one server; ``None`` is what that row does not measure.

    ``value`` is in ``unit``: more of ``q/s`` is better, less of anything else. Processor times
    are microseconds per answered query; memory is in octets.
    """

    row: str
    server: str
    value: float
    unit: str = "q/s"
    user: float | None = None
    system: float | None = None
    lost: int | None = None
    pss: int | None = None
    peak: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def more_is_better(self) -> bool:
        """Tell in which direction the value is good."""
        return self.unit == "q/s"


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of a row on a server, with all its runs; or the reason why there is none."""

    row: str
    server: str
    runs: tuple[Measurement, ...] = field(default=())
    failure: str = ""

    @property
    def median(self) -> Measurement | None:
        """Return the median of each column; what is noted is what the last run noted."""
        if not self.runs:
            return None
        last = self.runs[-1]
        lost = middle(run.lost for run in self.runs)
        return Measurement(
            self.row,
            self.server,
            statistics.median(run.value for run in self.runs),
            last.unit,
            user=middle(run.user for run in self.runs),
            system=middle(run.system for run in self.runs),
            lost=None if lost is None else round(lost),
            pss=whole(run.pss for run in self.runs),
            peak=whole(run.peak for run in self.runs),
            notes=last.notes,
        )


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of those that were measured."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def whole(values: Iterable[int | None]) -> int | None:
    """Return the median as a whole number."""
    value = middle(values)
    return None if value is None else round(value)


def ratio(ours: Measurement, other: Measurement | None) -> float | None:
    """Return how many times better ``ours`` is than ``other``; below 1 it is worse."""
    if other is None or not ours.value or not other.value:
        return None
    if ours.more_is_better:
        return ours.value / other.value
    return other.value / ours.value


def best(results: Sequence[Result], servers: Iterable[str]) -> Measurement | None:
    """Return the best median of these servers in one row."""
    wanted = set(servers)
    medians = [result.median for result in results if result.server in wanted]
    there = [median for median in medians if median is not None and median.value]
    if not there:
        return None
    choose = max if there[0].more_is_better else min
    return choose(there, key=lambda median: median.value)
