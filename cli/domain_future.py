"""``nsctl domain project``, ``calendar`` and ``worklist``: what will be, and what is to be done."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import limited
from cli.command import Command, did_you_mean
from cli.desk import DOMAIN, MOMENT, desk_of, instant, now, stamp
from cli.domain_show import state_data
from cli.output import count, emit, print_facts, print_table

if TYPE_CHECKING:
    from registrar.desk.worklist import WorkItem

SHOWN = 200  # registrations of a portfolio that are listed for people


@click.command(
    cls=Command,
    example="""nsctl domain project example.org --at 2027-06-01
    nsctl domain project --at 2027-06-01 --customer 4711""",
)
@click.argument("name", metavar="[NAME]", type=DOMAIN, required=False)
@click.option("--at", type=MOMENT, required=True, help="The day, or the moment.")
@click.option("--customer", metavar="ID", help="Of the portfolio, this customer's.")
@click.pass_obj
def project(app: App, name: str | None, at: datetime, customer: str | None) -> None:
    """Tell how NAME, or the whole portfolio, stands at a date, past or to come.

    For a date to come it is taken for granted that what is due until then is done and succeeds.
    """
    if name is None:
        _portfolio(app, at, customer)
        return
    from registrar.desk import registrations
    from registrar.lifecycle import project as look

    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
    state = look(known, at)
    data = {"domain": name, **state_data(state)}

    def tell() -> None:
        shown: dict[str, object] = {
            "At": stamp(at),
            "Since": stamp(state.life_since),
            "Contract": state.contract,
            "Contract ends": str(state.contract_last_day or ""),
            "Notice until": str(state.notice_until or ""),
            "Registry expires": stamp(state.registry_expires),
            "Given back": stamp(state.domain_due),
            "Statuses": ", ".join(sorted([*state.statuses, *state.rgp])),
            "Delegation": state.delegation,
            "Zone": state.dns,
        }
        assumed = [f"{event} at {stamp(when)}" for event, when in state.assumed]
        shown["Taken for granted"] = "; ".join(assumed)
        print_facts(name, shown, state=state.life)

    emit(app, data, tell)


def _portfolio(app: App, at: datetime, customer: str | None) -> None:
    from registrar.desk.portfolio import portfolio

    with app.read() as session:
        found = list(portfolio(session, desk_of(app), at, customer=customer))
    stages = Counter(one.life.value for one in found)

    def tell() -> None:
        rows = [
            (
                one.name,
                one.life,
                one.state.contract,
                one.state.contract_last_day,
                stamp(one.state.registry_expires),
            )
            for one in found[:SHOWN]
        ]
        if rows:
            columns = ("Domain", "Stage", "Contract", "Contract ends", "Registry expires")
            print_table(columns, rows)
        if len(found) > SHOWN:
            click.echo(f"and {len(found) - SHOWN:,} more; --json has them all")
        told = ", ".join(f"{number} {stage}" for stage, number in stages.most_common())
        click.echo(f"{stamp(at)}: {count(len(found), 'registration')}: {told or 'none'}")

    # All of each registration is worked out only for who reads it.
    domains = [
        {"domain": one.name, "customer": one.customer, **state_data(one.state)}
        for one in (found if app.json else ())
    ]
    data = {
        "at": instant(at),
        "registrations": len(found),
        "stages": dict(stages),
        "domains": domains,
    }
    emit(app, data, tell)


def _kinds(names: tuple[str, ...]) -> list[Any] | None:
    from registrar.deadlines import Due

    for name in names:
        if name not in set(Due):
            hint = did_you_mean(name, list(Due))
            raise click.UsageError(f"nothing of the kind {name!r} is ever due{hint}")
    return [Due(name) for name in names] or None


@click.command(
    cls=Command,
    example="""nsctl domain worklist
    nsctl domain worklist --alarming --json
    nsctl domain worklist --kind forward-order --kind documents""",
)
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of this kind; repeat.")
@click.option("--until", type=MOMENT, help="Due by then; default: in 30 days.")
@click.option("--alarming", is_flag=True, help="Only what it is time to worry about.")
@limited(200)
@click.pass_obj
def worklist(
    app: App,
    *,
    customer: str | None,
    kinds: tuple[str, ...],
    until: datetime | None,
    alarming: bool,
    limit: int,
) -> None:
    """List what is due, overdue or to come, by date, with where each deadline stands."""
    from registrar.desk import worklist as work

    moment = now()
    with app.read() as session:
        items = work.worklist(
            session,
            moment,
            until=until or moment + timedelta(days=30),
            customer=customer,
            kinds=_kinds(kinds),
            alarming=alarming,
            limit=limit,
        )
    emit(app, [item_data(item) for item in items], lambda: _tell_items(items, moment))


@click.command(
    cls=Command,
    example="""nsctl domain calendar --until 2027-01-01
    nsctl domain calendar --from 2026-06-01 --until 2026-06-30 --kind notice --json""",
)
@click.option("--from", "start", type=MOMENT, help="From then on; default: now.")
@click.option("--until", "end", type=MOMENT, help="Up to then; default: 90 days after.")
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of this kind; repeat.")
@click.pass_obj
def calendar(
    app: App,
    *,
    start: datetime | None,
    end: datetime | None,
    customer: str | None,
    kinds: tuple[str, ...],
) -> None:
    """Show the portfolio as a calendar: what falls due on which day."""
    from registrar.desk import worklist as work

    begin = start or now()
    until = end or begin + timedelta(days=90)
    if until <= begin:
        raise click.UsageError("--until has to be after --from")
    with app.read() as session:
        items = work.calendar(
            session, start=begin, end=until, customer=customer, kinds=_kinds(kinds)
        )
    emit(app, [item_data(item) for item in items], lambda: _tell_items(items, now()))


def item_data(item: WorkItem) -> dict[str, Any]:
    """Return an item of the worklist for JSON."""
    return {
        "due": instant(item.due),
        "kind": str(item.kind),
        "domain": item.name,
        "customer": item.customer,
        "sentence": item.sentence,
        "source": item.source,
        "alarm": instant(item.alarm),
        "alarming": item.alarming,
        "overdue": item.overdue,
    }


def _tell_items(items: list[WorkItem], moment: datetime) -> None:
    if not items:
        click.echo("nothing is due")
        return
    rows = []
    for item in items:
        worry = "error" if item.due <= moment else "warning" if item.alarm <= moment else ""
        rows.append((stamp(item.due), worry, item.kind, item.name, item.sentence))
    print_table(("Due", "", "What", "Domain", "Says"), rows)
