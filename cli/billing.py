"""``nsctl customer arrears``, ``paid`` and ``fees``: what billing tells, and what it is told."""

from __future__ import annotations

import csv
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.app import App
from cli.command import Command
from cli.desk import DRY_RUN, MOMENT, NAME, change, desk_of, now
from cli.output import count, emit, print_table
from zones.errors import DNSError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.billing import Arrears
    from registrar.desk.desk import Desk
    from registrar.desk.outcome import Outcome

COLUMNS: Final = ("customer", "amount", "since")


@click.command(
    cls=Command,
    example="""nsctl customer arrears open.csv --dry-run
    nsctl customer arrears open.csv""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@DRY_RUN
@click.pass_obj
def arrears(app: App, file: Path, dry_run: bool) -> None:
    """Take in the whole list of what is overdue: CSV with customer, amount (EUR gross), since.

    A customer who is no longer in the list has settled. A column past_period with no: the claim is
    for the period to come, which is no lien on a gTLD.
    """
    from registrar.desk import billing

    rows = read(file)
    with app.read() if dry_run else app.write() as session:
        found = billing.import_arrears(
            session, desk_of(app), rows, now=now(), actor=app.actor, dry_run=dry_run
        )
    data = {
        "customers": found.customers,
        "registrations": found.registrations,
        "settled": found.settled,
        "unknown": list(found.unknown),
        "dry_run": dry_run,
    }

    def tell() -> None:
        would = "would be" if dry_run else "are"
        click.echo(
            f"{count(found.customers, 'customer')} with {count(found.registrations, 'registration')} {would} in arrears; {found.settled} settled"
        )
        if found.unknown:
            click.secho(f"not customers here: {', '.join(found.unknown)}", fg="yellow", err=True)

    emit(app, data, tell)


def read(file: Path) -> list[Arrears]:
    """Return the rows of a list; raises ``DNSError`` with every fault and its line."""
    from registrar.desk.billing import Arrears

    rows, faults = [], []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DNSError(f"{file}:1: columns are missing: {', '.join(missing)}")
            for line in reader:
                try:
                    rows.append(_row(line))
                except ValueError as error:
                    faults.append(f"{file}:{reader.line_num}: {error}")
    except (OSError, UnicodeError, csv.Error) as error:
        raise DNSError(f"{file}: {error}") from error
    if faults:
        raise DNSError("\n".join(faults))
    return [Arrears(*row) for row in rows]


def _row(line: dict[str, Any]) -> tuple[str, int, date, bool]:
    customer = (line["customer"] or "").strip()
    if not customer:
        raise ValueError("the customer is missing")
    past = (line.get("past_period") or "yes").strip().lower()
    if past not in ("yes", "no"):
        raise ValueError(f"past_period is yes or no, not {past!r}")
    return (
        customer,
        cents(line["amount"] or ""),
        date.fromisoformat(line["since"] or ""),
        past == "yes",
    )


def cents(text: str) -> int:
    """Return an amount of euros in cents: ``75``, ``75.00``, ``75,00``; raises ``ValueError``."""
    whole, _point, part = text.strip().replace(",", ".").partition(".")
    if not whole.isdigit() or not (part.isdigit() or not part) or len(part) > 2:
        raise ValueError(f"{text!r} is no amount in euros like 75.00")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


@click.command(cls=Command, example="nsctl customer paid example.org --through 2027-03-02")
@NAME
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Up to this day.")
@click.pass_obj
def paid(app: App, name: str, through: datetime) -> None:
    """Say that the fees for domain NAME are paid up to and with a day."""
    from registrar.desk import billing

    def act(session: Session, desk: Desk) -> Outcome:
        return billing.paid(session, desk, name, through.date(), now=now(), actor=app.actor)

    change(app, act)


@click.command(
    cls=Command,
    example="""nsctl customer fees --until 2026-12-31
    nsctl customer fees --until 2026-12-31 --csv > due.csv""",
)
@click.option("--until", type=MOMENT, help="Due by then; default: today.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, for the billing system.")
@click.pass_obj
def fees(app: App, until: datetime | None, as_csv: bool) -> None:
    """Export what is due and not paid: fees, yearly in advance (N 3.1)."""
    from registrar.days import local_day
    from registrar.desk import billing

    day = local_day(until) if until else local_day(now())
    with app.read() as session:
        found = billing.due_fees(session, desk_of(app), until=day)
    data = [
        {
            "customer": one.customer,
            "domain": one.name,
            "contract": one.contract,
            "product": one.product,
            "from": str(one.begins),
            "months": one.months,
            "source": one.source,
        }
        for one in found
    ]
    if as_csv and not app.json:
        writer = csv.DictWriter(sys.stdout, list(data[0]) if data else ["customer"])
        writer.writeheader()
        writer.writerows(data)
        return
    rows = [
        (one["customer"], one["domain"], one["product"], one["from"], one["months"]) for one in data
    ]
    columns = ("Customer", "Domain", "Product", "From", "Months")
    emit(
        app,
        data,
        lambda: (
            print_table(columns, rows, right=("Months",)) if rows else click.echo("nothing is due")
        ),
    )
