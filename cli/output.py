"""How results are shown: JSON for programs, tables and sentences for people.

Times are UTC: ISO 8601 in JSON; for people, how long ago or how long still.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from cli.app import App

WIDTH = 100  # of running text
PLAIN_FROM = 2_000  # rows; from here on a table is written as plain columns, rich being slow
STYLES = {
    "ok": "green",
    "served": "green",
    "accepted": "green",
    "current": "green",
    "pending": "yellow",
    "held": "yellow",
    "warning": "yellow",
    "failing": "yellow",
    "unreachable": "yellow",
    "suspended": "magenta",
    "refused": "red",
    "expired": "red",
    "error": "red",
    "no content": "red",
}


@cache
def console() -> Console:
    """Return the console of stdout; where that is no terminal, lines are not cut to 80 columns."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 240
    return Console(width=wide, highlight=False, emoji=False, soft_wrap=False)


def emit(app: App, data: Any, show: Callable[[], None]) -> None:
    """Write ``data`` as JSON where it was asked for, else call ``show``."""
    if app.json:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
    else:
        show()


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()
) -> None:
    """Write a table without lines; columns named in ``right`` are aligned to the right.

    A cell that is a word of ``STYLES`` has its colour.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    rightmost = set(right)
    if len(cells) >= PLAIN_FROM:
        _print_plain(columns, cells, rightmost)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column, justify="right" if column in rightmost else "left", overflow="fold"
        )
    for row in cells:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    put(table)


def _print_plain(columns: Sequence[str], cells: list[list[str]], right: set[str]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in ([*columns], *cells):
        line = "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo(line.rstrip())


def print_facts(
    title: str, facts: Mapping[str, object] | Iterable[tuple[str, object]], *, state: str = ""
) -> None:
    """Write a title, its state in colour, and below it a column of names and values."""
    from rich.table import Table
    from rich.text import Text

    head = Text(title, style="bold")
    if state:
        head.append("  ").append(state, style=STYLES.get(state, ""))
    put(head)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    pairs = facts.items() if isinstance(facts, Mapping) else facts
    for name, value in pairs:
        if value not in (None, ""):
            shown = value if isinstance(value, Text) else Text(str(value))
            if isinstance(value, str):
                shown.stylize(STYLES.get(value, ""))
            table.add_row(f"  {name}", shown)
    put(table)


def put(renderable: RenderableType) -> None:
    """Write something of rich's, without the blanks at the ends of lines where nobody watches."""
    screen = console()
    if screen.is_terminal:
        screen.print(renderable)
        return
    with screen.capture() as capture:
        screen.print(renderable)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def print_changes(lines: Iterable[str]) -> None:
    """Write the lines of a diff: removed ones red, added ones green."""
    for line in lines:
        colour = {"-": "red", "+": "green"}.get(line[:1])
        click.secho(line, fg=colour)


def wrapped(text: str, width: int = WIDTH) -> str:
    """Return text in lines no longer than ``width``; its own line breaks stay."""
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )


def sentences(text: str) -> str:
    """Return a reason with each of its sentences, which semicolons join, on a line of its own."""
    return text.replace(".; ", ".\n")


@contextmanager
def progress(total: int, what: str, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Yield what is called with the number of steps done since; a bar shows on a terminal."""
    if not shown or not sys.stderr.isatty() or total < 2:
        yield lambda _steps: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


def iso(at: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the second."""
    if at is None or at <= 0:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(at: float | None) -> str:
    """Return a time as a person reads it: ``2026-11-22 01:47 UTC``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC") if at else ""


UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """Return the two largest units of a time span: ``6 d 23 h``, ``4 min 10 s``, ``0 s``."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for size, unit in UNITS:
        count, left = divmod(left, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


def ago(at: float | None, now: float) -> str:
    """Return ``3 min ago``, ``in 2 h`` or ``never``."""
    if at is None or at <= 0:
        return "never"
    if abs(at - now) < 1:
        return "now"
    return f"{duration(now - at)} ago" if at < now else f"in {duration(at - now)}"


def count(number: int, one: str, many: str = "") -> str:
    """Return ``1 zone``, ``2 zones``."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {many or one + 's'}"


def octets(number: int) -> str:
    """Return a size with its unit: ``812 B``, ``1.4 MB``."""
    size = float(number)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
