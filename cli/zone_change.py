"""``nsctl zone set``, ``pin``, ``unpin``, ``suspend``, ``resume`` and ``delete``."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import count, emit, print_changes
from cli.zone_product import mail_servers, refuse_mode, set_product
from zones.name import Name, display
from zones.serial import SerialPolicy
from zones.zone import Mode

APEX = click.argument("apex", metavar="ZONE", type=ZONE)
APEXES = click.argument("apexes", metavar="ZONE...", nargs=-1, required=True, type=ZONE)


def change(app: App, apex: Name, reason: str, said: str, **changes: Any) -> None:
    """Change settings of a zone, and say so."""
    from storage import zones

    with app.write() as session:
        before = zones.get_zone(session, apex)
        after = dataclasses.replace(before, **changes)
        if after.mode is not before.mode:
            refuse_mode(app, session, apex, after.mode)
        if after != before:
            zones.update_zone(session, after, now=time.time(), actor=app.actor, reason=reason)
    data = {"zone": display(apex), "changed": after != before}
    data |= {key: str(value) if isinstance(value, str) else value for key, value in changes.items()}
    verb = said if after != before else "nothing to change, it is so already"
    emit(app, data, lambda: click.echo(f"zone {display(apex)}: {verb}"))


@click.command(cls=Command, example="nsctl zone pin example.org --reason 'until the move is done'")
@APEX
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def pin(app: App, apex: Name, reason: str) -> None:
    """Keep the served version of ZONE: transfers do not replace it until it is unpinned."""
    change(app, apex, reason or "pinned", "pinned; transfers do not replace it", pinned=True)


@click.command(cls=Command, example="nsctl zone unpin example.org")
@APEX
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def unpin(app: App, apex: Name, reason: str) -> None:
    """Let transfers replace the served version of ZONE again."""
    change(app, apex, reason or "unpinned", "unpinned; follows its primaries", pinned=False)


@click.command(cls=Command, example="nsctl zone suspend example.org --reason 'abuse report 4711'")
@APEX
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and shown.")
@click.pass_obj
def suspend(app: App, apex: Name, reason: str) -> None:
    """Stop answering for ZONE at once; its content stays."""
    if not reason.strip():
        raise click.UsageError("a zone is suspended for a reason: --reason TEXT")
    change(app, apex, reason, f"suspended: {reason}", suspended=reason)


@click.command(cls=Command, example="nsctl zone resume example.org")
@APEX
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def resume(app: App, apex: Name, reason: str) -> None:
    """Answer for a suspended ZONE again."""
    change(app, apex, reason or "resumed", "resumed", suspended="")


@click.command(
    "set",
    cls=Command,
    example="""nsctl zone set example.org --serial-policy increment
    nsctl zone set example.org --customer 4711 --keep-versions 50""",
)
@APEX
@click.option("--customer", metavar="ID", help="Whose the zone is; '' for nobody.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Where the content comes from.",
)
@click.option(
    "--serial-policy",
    type=click.Choice([policy.value for policy in SerialPolicy]),
    help="How edits choose the next serial.",
)
@click.option("--keep-versions", type=click.IntRange(1), help="How many versions stay.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def set_(
    app: App,
    *,
    apex: Name,
    customer: str | None,
    mode: str | None,
    serial_policy: str | None,
    keep_versions: int | None,
    reason: str,
) -> None:
    """Change the settings of ZONE; what is not named stays as it is."""
    changes: dict[str, Any] = {}
    if customer is not None:
        changes["customer"] = customer
    if mode is not None:
        changes["mode"] = Mode(mode)
    if serial_policy is not None:
        changes["serial_policy"] = SerialPolicy(serial_policy)
    if keep_versions is not None:
        changes["keep_versions"] = keep_versions
    if not changes:
        raise click.UsageError("name at least one setting to change; see --help")
    said = ", ".join(
        f"{key.replace('_', ' ')} {value or 'nobody'}" for key, value in changes.items()
    )
    change(app, apex, reason or f"set {said}", f"now {said}", **changes)


@click.command(
    cls=Command,
    example="""nsctl zone product example.org webhosting-plus
    nsctl zone product example.org solodomain --option own-mail-server --own-mx '10 mail.example.org'
    nsctl zone product example.org none""",
)
@APEX
@click.argument("name", metavar="PRODUCT")
@click.option("--option", "options", multiple=True, metavar="OPTION", help="Booked too; repeat.")
@click.option(
    "--own-mx",
    multiple=True,
    metavar="'PREF HOST'",
    help="A mail server of the customer's own; repeat.",
)
@click.pass_obj
def product(
    app: App, *, apex: Name, name: str, options: tuple[str, ...], own_mx: tuple[str, ...]
) -> None:
    """Say which PRODUCT (or none) ZONE is booked with; the records that come with it follow.

    From then on its customer edits what the product allows. A registered domain has the product of
    its registration: nsctl domain product.
    """
    from storage import zones

    wanted = "" if name == "none" else name
    with app.write() as session:
        zone = zones.get_zone(session, apex)
        lines = set_product(app, session, zone, wanted, options, mail_servers(own_mx))
    data = {"zone": display(apex), "product": wanted or None, "changes": lines}

    def tell() -> None:
        click.echo(f"zone {display(apex)}: product {name}")
        print_changes(line for line in lines if " IN SOA " not in line)

    emit(app, data, tell)


@click.command(cls=Command, example="nsctl zone delete example.org --yes")
@APEXES
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(app: App, apexes: tuple[Name, ...], yes: bool) -> None:
    """Delete each ZONE, with its records and all versions. It is no longer answered."""
    from storage import zones

    with app.read() as session:  # tell what is unknown before asking
        for apex in apexes:
            zones.get_zone(session, apex)
    if not yes and sys.stdin.isatty():
        names = ", ".join(map(display, apexes))
        click.confirm(f"delete {names} with all versions?", abort=True)
    moment = time.time()
    with app.write() as session:
        for apex in apexes:
            zones.delete_zone(session, apex, now=moment, actor=app.actor)
    emit(
        app,
        [{"zone": display(apex), "deleted": True} for apex in apexes],
        lambda: click.echo(
            f"zone {display(apexes[0])}: deleted"
            if len(apexes) == 1
            else f"{count(len(apexes), 'zone')} deleted"
        ),
    )
