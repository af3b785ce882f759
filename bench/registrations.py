"""``python -m bench.registrations``: the daily run over a portfolio, and its projection to dates."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from registrar.desk.daily import daily_run
from registrar.desk.portfolio import Projected, portfolio
from registrar.model import Life, State
from storage.database import Database
from tests.desk_portfolio import fill
from tests.desk_world import desk

NOW: Final = datetime(2026, 11, 22, 6, tzinfo=UTC)
DAYS: Final = (10, 400, 730)


@click.command(help=__doc__)
@click.option("--count", default=100_000, show_default=True, help="Registrations in the store.")
@click.option("--seed", default=5, show_default=True, help="What they are made from.")
def main(count: int, seed: int) -> None:
    """Fill a store on SQLite, live through two days, project to some dates; print what it took."""
    console = Console()
    table = Table("Work", "By the clock", "CPU", title=f"{count:,} registrations, SQLite")
    for column in table.columns[1:]:
        column.justify = "right"

    def timed(name: str, work: Callable[[], object]) -> None:
        with console.status(name):
            clock, processor = time.perf_counter(), time.process_time()
            work()
            clock, processor = time.perf_counter() - clock, time.process_time() - processor
        table.add_row(name, f"{clock:.1f} s", f"{processor:.1f} s")

    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(str(Path(directory) / "nsctl.db"))
        known = desk()
        timed("written", lambda: fill(database, count, NOW, random.Random(seed)))
        timed("daily run, all due, nothing kept", lambda: daily_run(database, known, NOW))
        tomorrow = NOW + timedelta(days=1)
        timed("daily run on the day after", lambda: daily_run(database, known, tomorrow))
        for days in DAYS:
            at = NOW + timedelta(days=days)
            with database.read() as session:
                every = partial(portfolio, session, known, at)
                timed(f"stages in {days} days", partial(lives, every))
                timed(f"states in {days} days", partial(states, every))
        database.close()
    console.print(table)
    busy = os.getloadavg()[0]
    if busy > 1.5:
        console.print(f"The machine was busy (load {busy:.1f}): the clock tells more than its own.")


def lives(every: Callable[[], Iterator[Projected]]) -> list[Life]:
    """Return the stage of each registration."""
    return [one.life for one in every()]


def states(every: Callable[[], Iterator[Projected]]) -> list[State]:
    """Return all that is known of each registration."""
    return [one.state for one in every()]


if __name__ == "__main__":
    main()
