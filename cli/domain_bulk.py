"""Orders as a list: planned, then placed row by row; run again, it goes on where it was."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.app import App
from cli.desk import desk_of, reason_data
from cli.domain_order import FIELDS, fields, place
from cli.output import count, emit, print_table, progress
from zones.errors import DNSError

if TYPE_CHECKING:
    from registrar.desk.desk import Desk
    from storage.database import Database

LISTS: Final = frozenset(("options", "own_mx", "servers", "dnskeys", "ds"))  # joined by ;
MODES: Final = frozenset(("hosted", "primary", "hidden-primary", "external"))
SHOWN: Final = 40  # rows of a result that are listed for people


def run(app: App, file: Path, given: dict[str, Any]) -> None:
    """Place the orders of a file; each row is a transaction, and done once however often it runs.

    A row's key is its name with its customer: what is in the books for that customer already was
    ordered before.
    """
    rows = read(file, fields(app, given))
    results = []
    desk = desk_of(app)
    dry = bool(given["dry_run"])
    with app.opened() as database, progress(len(rows), "ordering", shown=not app.json) as step:
        for row in rows:
            results.append(one(app, database, desk, row, given))
            step(1)
    emit(app, results, lambda: _tell(results, dry=dry))
    if any(result["result"] == "refused" for result in results):
        raise click.exceptions.Exit(1)


def read(file: Path, common: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows with what the options say where a cell is empty; raises ``DNSError``."""
    from registrar.errors import RegistrarError
    from registrar.names import parse

    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            lines = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DNSError(f"{file}: {error}") from error
    reasons = [f"{file}:1: there is no column {column!r}; there are: {', '.join(FIELDS)}"
               for column in columns if column not in FIELDS]  # fmt: skip
    if "name" not in columns:
        reasons.append(f"{file}:1: the column name is missing")
    rows, seen = [], dict[str, int]()
    for number, line in lines:
        row = {**common, **_cells(line)}
        try:
            row["name"] = parse(str(row.get("name", ""))).name
        except RegistrarError as error:
            reasons.append(f"{file}:{number}: {error}")
            continue
        if row.get("mode", "hosted") not in MODES:
            reasons.append(f"{file}:{number}: mode {row['mode']!r} is none of {', '.join(MODES)}")
        if (first := seen.setdefault(row["name"], number)) != number:
            reasons.append(f"{file}:{number}: {row['name']} stands in line {first} too")
        rows.append(row | {"line": number})
    if reasons:
        raise DNSError("\n".join(reasons))
    return rows


def _cells(line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in line.items():
        text = (value or "").strip() if isinstance(value, str) else ""
        if text:
            parts = tuple(part.strip() for part in text.split(";") if part.strip())
            found[key] = parts if key in LISTS else text
    return found


def one(
    app: App, database: Database, desk: Desk, row: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Place one row, unless it was placed before; tell what came of it."""
    from registrar.desk import registrations

    told: dict[str, Any] = {"line": row["line"], "domain": row["name"], "reasons": []}
    with database.read() if given["dry_run"] else database.write() as session:
        entry = registrations.find(session, row["name"])
        if entry and entry.closed_at is None and entry.customer == row.get("customer"):
            return told | {"result": "ordered before", "life": entry.life}
        try:
            outcome = place(app, session, desk, row, given)
        except DNSError as error:
            reasons = [
                {"rule": "row", "sentence": line, "source": "", "lifts": None}
                for line in str(error).splitlines()
            ]
            return told | {"result": "refused", "reasons": reasons}
    reasons = [reason_data(reason) for reason in outcome.reasons]
    done = "would be ordered" if given["dry_run"] else "ordered"
    return told | {"result": "refused" if reasons else done, "reasons": reasons}


def _tell(results: list[dict[str, Any]], *, dry: bool) -> None:
    shown = results if len(results) <= SHOWN else [one for one in results if one["reasons"]]
    if shown:
        rows = [
            (one["line"], one["domain"], one["result"],
             " ".join(reason["sentence"] for reason in one["reasons"]))
            for one in shown
        ]  # fmt: skip
        print_table(("Line", "Domain", "Result", "Why"), rows, right=("Line",))
    sums: dict[str, int] = {}
    for result in results:
        sums[result["result"]] = sums.get(result["result"], 0) + 1
    told = ", ".join(f"{number} {word}" for word, number in sums.items())
    click.echo(f"{count(len(results), 'row')}: {told or 'nothing'}")
    if dry:
        click.echo("this was the plan; the same command without --dry-run carries it out")
