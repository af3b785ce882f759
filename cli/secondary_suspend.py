"""``nsctl secondary suspend-primary``, ``resume-primary`` and ``suspended``."""

from __future__ import annotations

import time

import click

from cli.app import App
from cli.command import Command
from cli.output import ago, count, emit, iso, print_table
from nameserver.address import Address, BadAddress


class Server(click.ParamType[tuple[str, int]]):
    """``ADDR`` for all ports of a server, or ``ADDR@PORT``."""

    name = "server"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return address and port, 0 where none is named."""
        text = str(value)
        try:
            address = Address.parse(text)
        except BadAddress as error:
            self.fail(str(error), param, ctx)
        return address.host, address.port if "@" in text else 0


WHICH = click.argument("server", metavar="ADDR[@PORT]", type=Server())


@click.command(
    "suspend-primary",
    cls=Command,
    example="nsctl secondary suspend-primary 192.0.2.1 --reason 'endless transfers since 02:10'",
)
@WHICH
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and shown.")
@click.pass_obj
def suspend_primary(app: App, server: tuple[str, int], reason: str) -> None:
    """Cut a primary off at once, in all zones: it is asked for nothing, its NOTIFY is refused.

    The zones stay in service until their EXPIRE has run out, or from another primary of theirs.
    """
    from storage import secondaries, suspensions

    if not reason.strip():
        raise click.UsageError("a primary is suspended for a reason: --reason TEXT")
    host, port = server
    one = suspensions.Suspension(host, port, reason, time.time(), app.actor)
    with app.write() as session:
        suspensions.suspend(session, one)
        zones = sum(
            any(p.address == host and port in (0, p.port) for p in primaries)
            for primaries in secondaries.all_primaries(session).values()
        )
    data = {"address": host, "port": port or None, "reason": reason, "zones": zones}
    text = f"primary {one} is suspended, for {count(zones, 'zone')}: {reason}"
    emit(app, data, lambda: click.echo(text))


@click.command("resume-primary", cls=Command, example="nsctl secondary resume-primary 192.0.2.1")
@WHICH
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def resume_primary(app: App, server: tuple[str, int], reason: str) -> None:
    """Ask a suspended primary again."""
    from storage import suspensions

    with app.write() as session:
        one = suspensions.resume(session, *server, reason=reason, actor=app.actor, now=time.time())
    data = {"address": one.address, "port": one.port or None, "suspended": False}
    emit(app, data, lambda: click.echo(f"primary {one} is asked again"))


@click.command(cls=Command, example="nsctl secondary suspended")
@click.pass_obj
def suspended(app: App) -> None:
    """List the primaries that are suspended, since when, by whom and why."""
    from storage import suspensions

    now = time.time()
    with app.read() as session:
        found = suspensions.all_suspensions(session)
    data = [
        {
            "address": one.address,
            "port": one.port or None,
            "since": iso(one.at),
            "actor": one.actor,
            "reason": one.reason,
        }
        for one in found
    ]
    rows = [(str(one), ago(one.at, now), one.actor, one.reason) for one in found]
    columns = ("Primary", "Since", "By", "Why")
    emit(
        app,
        data,
        lambda: print_table(columns, rows) if rows else click.echo("no primary is suspended"),
    )
