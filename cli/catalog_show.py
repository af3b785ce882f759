"""``nsctl catalog list``, ``show``, ``approve`` and ``delete``."""

from __future__ import annotations

import time
from typing import Any

import click

from cli.app import App
from cli.catalog_add import CATZONE, as_data
from cli.command import Command
from cli.output import count, emit, print_table
from zones.name import Name, display

SHOWN = 50  # members, at most, in a table


@click.command("list", cls=Command, example="nsctl catalog list")
@click.pass_obj
def list_(app: App) -> None:
    """List the catalogs: which way they go, how many zones came from them, what is wrong."""
    from storage import catalogs

    with app.read() as session:
        known = catalogs.list_catalogs(session)
        counts = catalogs.member_counts(session)
    rows = [
        (
            display(one.apex),
            "followed" if one.role is catalogs.Role.CONSUMER else "made here",
            one.customer or "-",
            str(counts.get(one.apex, 0)) if one.role is catalogs.Role.CONSUMER else "-",
            standing(one),
        )
        for one in known
    ]
    emit(
        app,
        [as_data(one) | {"members": counts.get(one.apex, 0)} for one in known],
        lambda: (
            print_table(("Catalog", "Which way", "Customer", "Zones", "State"), rows)
            if rows
            else click.echo("no catalogs; see: nsctl catalog add --help")
        ),
    )


def standing(one: Any) -> str:
    """Return how a catalog stands, in a word."""
    if one.held:
        return "held"
    return "trouble" if one.trouble else "ok"


@click.command(cls=Command, example="nsctl catalog show catalog.example")
@CATZONE
@click.pass_obj
def show(app: App, *, apex: Name) -> None:
    """Show one catalog: the zones that came from it, and why others did not."""
    from storage import catalogs

    with app.read() as session:
        one = catalogs.get_catalog(session, apex)
        members = catalogs.listed_by(session, one)
    data = as_data(one) | {
        "members": [
            {
                "zone": display(member.apex),
                "label": member.label.decode("ascii", "backslashreplace"),
                "groups": list(member.groups),
            }
            for member in members
        ]
    }

    def tell() -> None:
        which = "followed" if one.role is catalogs.Role.CONSUMER else "made here"
        click.echo(f"{display(apex)}  {which}, {count(len(members), 'zone')}, {standing(one)}")
        if one.trouble:
            click.echo(f"  {one.trouble}")
        if one.held:
            click.echo(f"  to do it all the same: nsctl catalog approve {display(apex)}")
        rows = [(display(member.apex), ", ".join(member.groups)) for member in members[:SHOWN]]
        if rows:
            print_table(("Zone", "Groups"), rows)
        if len(members) > SHOWN:
            click.echo(f"and {len(members) - SHOWN} more; --json lists all")

    emit(app, data, tell)


@click.command(cls=Command, example="nsctl catalog approve catalog.example")
@CATZONE
@click.pass_obj
def approve(app: App, *, apex: Name) -> None:
    """Do what the served version of CATZONE asks for, however many zones it removes."""
    from storage import catalogs

    with app.write() as session:
        done = catalogs.apply(session, apex, now=time.time(), approved=True, actor=app.actor)
    plan = done.plan
    data = {
        "catalog": display(apex),
        "added": len(plan.add),
        "deleted": len(plan.remove),
        "begun_anew": len(plan.reset),
        "moved_here": len(plan.move),
        "changed": len(plan.change),
        "trouble": done.trouble or None,
    }

    def tell() -> None:
        click.echo(
            f"catalog {display(apex)}: {count(len(plan.add), 'zone')} added,"
            f" {len(plan.remove)} deleted, {len(plan.reset)} begun anew"
        )
        if done.trouble:
            click.echo(f"  {done.trouble}")

    emit(app, data, tell)


@click.command(cls=Command, example="nsctl catalog delete catalog.example")
@CATZONE
@click.option("--members", is_flag=True, help="Delete the zones that came from it, too.")
@click.pass_obj
def delete(app: App, *, apex: Name, members: bool) -> None:
    """Follow or make CATZONE no longer; the zones that came from it stay, as if added by hand."""
    from storage import catalogs, zones

    now = time.time()
    with app.write() as session:
        gone = list(catalogs.members_of(session, apex)) if members else []
        catalogs.delete_catalog(session, apex, now=now, actor=app.actor)
        for member in (*gone, apex):
            zones.delete_zone(session, member, now=now, actor=app.actor)
    told = f", and {count(len(gone), 'zone')} with it" if members else "; its zones stay"
    data = {"catalog": display(apex), "deleted": [display(one) for one in (*gone, apex)]}
    emit(app, data, lambda: click.echo(f"catalog {display(apex)}: deleted{told}"))
