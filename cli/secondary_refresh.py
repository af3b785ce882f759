"""``nsctl secondary refresh`` and ``retransfer``: asking a running server to ask the primary."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import count, emit
from cli.secondary_status import as_data, is_failure, load, print_status
from zones.name import Name, display

if TYPE_CHECKING:
    from storage.database import Database

APEXES = click.argument("apexes", metavar="ZONE...", nargs=-1, type=ZONE)
ALL = click.option("--all", "everything", is_flag=True, help="Every secondary zone.")
WAIT = click.option(
    "--wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="For the result."
)


@click.command(cls=Command, example="nsctl secondary refresh example.org --wait 10")
@APEXES
@ALL
@WAIT
@click.pass_obj
def refresh(app: App, *, apexes: tuple[Name, ...], everything: bool, wait: float) -> None:
    """Ask the primary of each ZONE now for its serial, and transfer the zone if it is newer.

    A running server does it at once; else it is done when the server starts.
    """
    ask(app, apexes, everything, wait, force=False)


@click.command(cls=Command, example="nsctl secondary retransfer example.org --wait 10")
@APEXES
@ALL
@WAIT
@click.pass_obj
def retransfer(app: App, *, apexes: tuple[Name, ...], everything: bool, wait: float) -> None:
    """Fetch each ZONE whole, whatever its serial: an older one is accepted this once."""
    ask(app, apexes, everything, wait, force=True)


def ask(app: App, apexes: tuple[Name, ...], everything: bool, wait: float, *, force: bool) -> None:
    """Put the wish into the change feed, which the server follows."""
    from storage import events, feed, secondaries

    if bool(apexes) == everything:
        raise click.UsageError("name zones, or --all of them")
    what = "retransfer" if force else "refresh"
    asked_at = time.time()
    with app.opened() as database:
        with database.write() as session:
            if everything:
                apexes = tuple(state.apex for state in secondaries.list_states(session))
            for apex in dict.fromkeys(apexes):
                load(session, apex)
                feed.append(session, feed.ChangeKind.REFRESH, apex, {"force": force})
                text = f"zone {display(apex)}: {what} asked for"
                events.record(session, what, "info", apex, text, actor=app.actor)
        found = results(database, apexes, asked_at, wait) if wait else []
    if not wait:
        data = [{"zone": display(apex), "asked": what} for apex in apexes]
        told = display(apexes[0]) if len(apexes) == 1 else count(len(apexes), "zone")
        emit(app, data, lambda: click.echo(f"{told}: {what} asked for"))
        return

    def tell() -> None:
        for one in found:
            print_status(one[0], one[1], one[2], time.time())

    emit(app, [as_data(*one, time.time()) for one in found], tell)
    late = [one for one in found if (one[1].last_attempt or 0) < asked_at]
    if late:
        names = ", ".join(display(one[0].apex) for one in late[:5])
        click.echo(f"no attempt within {wait:g} s: {names}; is the server running?", err=True)
    if late or any(is_failure(one[1].last_result) for one in found):
        raise click.exceptions.Exit(1)


def results(
    database: Database, apexes: tuple[Name, ...], asked_at: float, wait: float
) -> list[tuple[Any, Any, Any]]:
    """Return how the zones stand once each was tried, or the time is over."""
    deadline = asked_at + wait
    while True:
        with database.read() as session:
            found = [load(session, apex) for apex in dict.fromkeys(apexes)]
        tried = all((one[1].last_attempt or 0) >= asked_at for one in found)
        if tried or time.time() >= deadline:
            return found
        time.sleep(0.05)
