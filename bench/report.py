"""The table for people and the JSON for programs."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench.result import Measurement, Result, best, ratio
from bench.servers import Echo, Nsctl
from bench.setting import Setting

MEGABYTE: Final = 1e6
BUSY: Final = 0.3  # processes that wanted to run on average before we began
LONGEST_REASON: Final = 80
COLUMNS: Final = (
    "peer",
    "echo",
    "user µs",
    "system µs",
    "lost",
    "Pss MB",
    "peak MB",
)


def machine(setting: Setting) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "server_cpus": sorted(setting.server_cpus),
        "load_cpus": sorted(setting.load_cpus),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        "seconds": setting.seconds,
        "repeat": setting.repeat,
        "sizes": asdict(setting.sizes),
        "versions": {kind.name: kind.version() for kind in setting.kinds},
    }


def cpu_model() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def is_busy(facts: dict[str, Any]) -> bool:
    """Tell whether others were using the machine when we began."""
    return bool(facts["load_average"] > BUSY)


def new_table() -> Table:
    """Return the empty table."""
    table = Table(title="x peer, x echo: how many times better than the best peer, than the limit")
    table.add_column("row")
    table.add_column("server")
    table.add_column("median", justify="right")
    table.add_column("spread", justify="right")
    for column in COLUMNS[:2]:
        table.add_column(f"x {column}", justify="right")
    for column in COLUMNS[2:]:
        table.add_column(column, justify="right")
    table.add_column("notes", overflow="fold")
    return table


def add_row(table: Table, results: Sequence[Result], peers: Sequence[str]) -> None:
    """Add the results of one row."""
    echo = best(results, [Echo.name])
    peer = best(results, peers)
    for result in results:
        median = result.median
        name = f"[bold]{result.server}[/]" if result.server == Nsctl.name else result.server
        if median is None:
            table.add_row(result.row, name, "-", *[""] * (1 + len(COLUMNS)), reason(result))
        else:
            notes = [*median.notes, *([reason(result)] if result.failure else [])]
            table.add_row(
                result.row,
                name,
                amount(median.value, median.unit),
                spread(result.runs),
                *cells(median, peer, echo),
                "; ".join(notes),
            )
    table.add_section()


def reason(result: Result) -> str:
    """Return in a few words why a run is missing; the whole of it stands below the table."""
    first = (result.failure or "no result").splitlines()[0]
    return first if len(first) <= LONGEST_REASON else f"{first[:LONGEST_REASON]}..."


def cells(median: Measurement, peer: Measurement | None, echo: Measurement | None) -> list[str]:
    """Return ratios, processor time and memory of a line."""
    return [
        times(ratio(median, peer)),
        times(ratio(median, echo)),
        figure(median.user, 2),
        figure(median.system, 2),
        "" if median.lost is None else f"{median.lost:,}",
        "" if median.pss is None else figure(median.pss / MEGABYTE, 0),
        "" if median.peak is None else figure(median.peak / MEGABYTE, 0),
    ]


def amount(value: float, unit: str) -> str:
    """Return a value with its unit, to a sensible precision."""
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:,.{digits}f} {unit}"


def spread(runs: Sequence[Measurement]) -> str:
    """Return how far apart the runs were, in per cent of the median's size."""
    values = [run.value for run in runs]
    if len(values) < 2 or not max(values):
        return ""
    return f"±{(max(values) - min(values)) / (max(values) + min(values)):.0%}"


def times(value: float | None) -> str:
    """Return a ratio."""
    return "" if value is None else f"{value:.2f}"


def figure(value: float | None, digits: int) -> str:
    """Return a number, or nothing."""
    return "" if value is None else f"{value:,.{digits}f}"


def as_json(
    facts: dict[str, Any], results: Sequence[Result], peers: Sequence[str]
) -> dict[str, Any]:
    """Return everything that was measured."""
    lines = []
    for result in results:
        same_row = [other for other in results if other.row == result.row]
        median = result.median
        line: dict[str, Any] = {
            "row": result.row,
            "server": result.server,
            "median": asdict(median) if median else None,
            "runs": [asdict(run) for run in result.runs],
            "failure": result.failure,
        }
        if median:
            line["x_best_peer"] = ratio(median, best(same_row, peers))
            line["x_echo"] = ratio(median, best(same_row, [Echo.name]))
        lines.append(line)
    return {"machine": facts, "results": lines}
