"""``python -m bench [NAME...]``: measure this server beside others, in one run."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console

from bench import report, running
from bench.result import Result
from bench.rows import NAMES
from bench.servers import PEERS, SERVERS, Echo, Nsctl
from bench.setting import FULL, QUICK, Setting, default_cpus

QUICK_SECONDS = 2.0


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(NAMES))
@click.option("--quick", is_flag=True, help="Less work, once: shows that it works, not how fast.")
@click.option("--peers", metavar="LIST", help="As in knot,nsd; none: ours and echo alone.")
@click.option("--seconds", type=float, help="Length of each run under load.  [default: 10]")
@click.option("--repeat", type=click.IntRange(1), help="Runs of each server.  [default: 3]")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--directory", type=click.Path(file_okay=False, path_type=Path), help="For temporary files."
)
def main(
    *,
    names: tuple[str, ...],
    quick: bool,
    peers: str | None,
    seconds: float | None,
    repeat: int | None,
    json_file: Path | None,
    directory: Path | None,
) -> None:
    """Measure rows: all of them, or the NAMEd ones.

    The servers run on this machine's loopback address, one at a time, on one processor; the load
    comes from another.
    """
    # Ended by others it still stops the servers and removes its files.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    # Into a file: wide enough for the table, whoever reads it.
    screen = Console(width=None if sys.stdout.isatty() else 160)
    with tempfile.TemporaryDirectory(prefix="nsctl-bench-", dir=directory) as chosen:
        server_cpus, load_cpus = default_cpus()
        setting = Setting(
            Path(chosen),
            (Echo.name, Nsctl.name, *peers_of(peers)),
            QUICK if quick else FULL,
            seconds or (QUICK_SECONDS if quick else 10.0),
            repeat or (1 if quick else 3),
            server_cpus,
            load_cpus,
        )
        os.sched_setaffinity(0, load_cpus)
        measure(names, setting, screen, json_file)


def peers_of(listed: str | None) -> list[str]:
    """Return the names in a list of peers; all of them without one. Raises ``UsageError``."""
    known = [peer.name for peer in PEERS]
    if listed is None:
        return known
    names = [name for name in listed.replace(",", " ").split() if name != "none"]
    if unknown := [name for name in names if name not in SERVERS or name not in known]:
        raise click.UsageError(f"no such peer: {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def measure(
    names: tuple[str, ...], setting: Setting, screen: Console, json_file: Path | None
) -> None:
    """Run, show the table, write the file."""
    facts = report.machine(setting)
    absent = [name for name in setting.servers if not SERVERS[name].is_installed()]
    if absent:
        screen.print(f"not installed: {', '.join(absent)}", style="yellow")
    if report.is_busy(facts):
        load = facts["load_average"]
        screen.print(f"the machine is busy (load {load:.1f}); compare ratios only", style="yellow")
    results: list[Result] = []
    with screen.status("") as status:
        for kind in running.chosen(names):
            tell = status.update if screen.is_terminal else click.echo
            results += running.run(kind, setting, tell)
            if json_file:  # a long run that is broken off leaves what it has
                text = json.dumps(report.as_json(facts, results, setting.peers), indent=1)
                json_file.write_text(text + "\n")
    table = report.new_table()
    for _row, group in groupby(results, key=lambda result: result.row):
        report.add_row(table, list(group), setting.peers)
    screen.print(f"{facts['cpu']}, {facts['cpus']} CPUs, Linux {facts['kernel']}, {facts['date']}")
    for name, version in facts["versions"].items():
        screen.print(f"{name}: {version}", style="dim", highlight=False)
    screen.print(table)
    for result in results:
        if len(result.failure) > report.LONGEST_REASON:
            screen.print(f"{result.row}, {result.server}:\n{result.failure}", markup=False)


if __name__ == "__main__":
    main()
