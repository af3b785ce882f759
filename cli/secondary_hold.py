"""``nsctl secondary held``, ``approve``, ``discard`` and ``accept-serial``: deciding what is served."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import ago, emit, iso, print_table
from cli.secondary_status import load
from zones.errors import DNSError
from zones.finding import holds
from zones.name import Name, display
from zones.serial import is_newer

APEX = click.argument("apex", metavar="ZONE", type=ZONE)
REASON = click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
SERIAL = click.option(
    "--serial",
    type=click.IntRange(0, 2**32 - 1),
    help="Only if this one is held: nothing newer came since you looked.",
)


class NothingToAccept(DNSError):
    """No serial went back that could be accepted."""


@click.command(cls=Command, example="nsctl secondary held")
@click.pass_obj
def held(app: App) -> None:
    """List the versions that wait for somebody's approval, those that wait longest first."""
    from storage import quarantine

    now = time.time()
    with app.read() as session:
        waiting = quarantine.held(session)
    data = [
        {
            "zone": display(one.apex),
            "serial": one.serial,
            "served_serial": one.served,
            "since": iso(one.at),
            "primary": one.primary,
            "rules": [finding.rule for finding in holds(one.findings)],
        }
        for one in waiting
    ]
    rows = [
        (
            display(one.apex),
            one.serial,
            one.served,
            ago(one.at, now),
            ", ".join(finding.rule for finding in holds(one.findings)),
        )
        for one in waiting
    ]
    columns = ("Zone", "Held", "Served", "Since", "Why")
    emit(
        app,
        data,
        lambda: (
            print_table(columns, rows, right=("Held", "Served"))
            if rows
            else click.echo("nothing is held")
        ),
    )


@click.command(
    cls=Command,
    example="nsctl secondary approve example.org --reason 'the customer has confirmed it'",
)
@APEX
@SERIAL
@REASON
@click.pass_obj
def approve(app: App, apex: Name, serial: int | None, reason: str) -> None:
    """Serve the held version of ZONE.

    Refused where the primary has moved on to another version meanwhile.
    """
    from storage import quarantine

    with app.write() as session:
        load(session, apex)
        version = quarantine.approve(
            session, apex, serial, actor=app.actor, reason=reason, now=time.time()
        )
    data = {"zone": display(apex), "serial": version.serial, "records": version.record_count}
    text = f"zone {display(apex)}: serial {version.serial} is approved and served"
    emit(app, data, lambda: click.echo(text))


@click.command(
    cls=Command, example="nsctl secondary discard example.org --reason 'an export cut off half-way'"
)
@APEX
@SERIAL
@REASON
@click.pass_obj
def discard(app: App, apex: Name, serial: int | None, reason: str) -> None:
    """Drop the held version of ZONE; the one in service stays until the primary has another.

    The serial is remembered and not fetched again; retransfer does so all the same.
    """
    from storage import quarantine

    with app.write() as session:
        load(session, apex)
        found = quarantine.discard(
            session, apex, serial, actor=app.actor, reason=reason, now=time.time()
        )
    data = {"zone": display(apex), "discarded": found.serial, "served_serial": found.served}
    text = f"zone {display(apex)}: serial {found.serial} is discarded, {found.served} stays"
    emit(app, data, lambda: click.echo(text))


@click.command(
    "accept-serial",
    cls=Command,
    example="nsctl secondary accept-serial example.org --reason 'the customer restored a backup'",
)
@APEX
@click.argument("serial", type=click.IntRange(0, 2**32 - 1), required=False)
@REASON
@click.pass_obj
def accept_serial(app: App, apex: Name, serial: int | None, reason: str) -> None:
    """Take over the lower serial that the primary of ZONE went back to, this once.

    Without SERIAL, the one that was refused. It is fetched at once, or when the server runs and
    the primary answers; all checks apply.
    """
    from storage import transfer_settings

    moment = time.time()
    with app.write() as session:
        _zone, state, _primaries = load(session, apex)
        name = display(apex)
        wanted = state.primary_serial if serial is None else serial
        if serial is None and state.last_rule != "serial-went-back":
            raise NothingToAccept(
                f"zone {name}: no serial went back; see nsctl secondary explain {name},"
                " or name the serial"
            )
        if wanted is None or state.serial is None or wanted == state.serial:
            raise NothingToAccept(f"zone {name}: serial {state.serial} is what is served")
        if is_newer(wanted, state.serial):
            raise NothingToAccept(
                f"zone {name}: serial {wanted} is higher than {state.serial} in service and needs"
                " no acceptance"
            )
        settings = replace(transfer_settings.get(session, apex), accepted_serial=wanted)
        told = f"serial {wanted} is accepted once, though {state.serial} is in service"
        transfer_settings.put(
            session,
            apex,
            settings,
            told=told + (f" ({reason})" if reason else ""),
            actor=app.actor,
            now=moment,
        )
    data = {"zone": name, "accepted_serial": wanted, "served_serial": state.serial}
    text = f"zone {name}: serial {wanted} is taken over when the primary next answers, this once"
    emit(app, data, lambda: click.echo(text))
