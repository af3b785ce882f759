"""``nsctl zone history``, ``diff`` and ``rollback``: the versions that are kept."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ZONE, limited
from cli.command import Command
from cli.output import emit, iso, print_changes, print_table, stamp
from zones.errors import DNSError
from zones.name import Name, display

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from storage.kept_versions import VersionInfo

APEX = click.argument("apex", metavar="ZONE", type=ZONE)


class NoVersion(DNSError):
    """A zone has no version of that kind."""


@click.command(cls=Command, example="nsctl zone history example.org")
@APEX
@limited(None)
@click.pass_obj
def history(app: App, *, apex: Name, limit: int | None) -> None:
    """List the versions of ZONE that are kept, newest first: who, when, why."""
    from storage import kept_versions

    with app.read() as session:
        infos = kept_versions.history(session, apex)[:limit]
    data = [
        {
            "id": info.id,
            "serial": info.serial,
            "served": info.served,
            "at": iso(info.created_at),
            "origin": info.origin.value,
            "actor": info.actor,
            "reason": info.reason,
            "records": info.records,
            "hash": info.hash,
        }
        for info in infos
    ]
    rows = [
        (
            info.serial,
            "served" if info.served else "",
            stamp(info.created_at),
            info.origin.value,
            info.actor,
            info.records,
            info.reason,
        )
        for info in infos
    ]
    columns = ("Serial", "", "When", "How", "Who", "Records", "Why")
    emit(
        app,
        data,
        lambda: (
            print_table(columns, rows, right=("Serial", "Records"))
            if rows
            else click.echo(f"zone {display(apex)} has no versions yet")
        ),
    )


@click.command(
    cls=Command,
    example="""nsctl zone diff example.org
    nsctl zone diff example.org 2026112200 2026112203""",
)
@APEX
@click.argument("old", metavar="[FROM]", type=int, required=False)
@click.argument("new", metavar="[TO]", type=int, required=False)
@click.pass_obj
def diff(app: App, *, apex: Name, old: int | None, new: int | None) -> None:
    """Compare two versions of ZONE, each named by its serial or id.

    Without TO, with the version served; without FROM too, what its last change did.
    """
    from storage import kept_versions, versions
    from zones.diff import diff as compare

    with app.read() as session:
        later = the_served(session, apex) if new is None else kept_versions.find(session, apex, new)
        earlier = (
            before_served(session, apex) if old is None else kept_versions.find(session, apex, old)
        )
        after = versions.load_id(session, apex, later.id)
        before = versions.load_id(session, apex, earlier.id)
    difference = compare(before, after)
    data = {
        "zone": display(apex),
        "from": before.serial,
        "to": after.serial,
        "removed": [line for rrset in difference.removed for line in rrset.lines()],
        "added": [line for rrset in difference.added for line in rrset.lines()],
    }
    lines = difference.lines()

    def tell() -> None:
        click.echo(f"zone {display(apex)}: from serial {before.serial} to {after.serial}")
        print_changes(lines or ["  no record differs"])

    emit(app, data, tell)


@click.command(
    cls=Command,
    example="""nsctl zone rollback example.org
    nsctl zone rollback example.org 2026112200 --pin --reason 'wrong MX'""",
)
@APEX
@click.argument("version", metavar="[SERIAL]", type=int, required=False)
@click.option("--pin", is_flag=True, help="Keep it from being replaced by a transfer.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def rollback(app: App, *, apex: Name, version: int | None, pin: bool, reason: str) -> None:
    """Serve an earlier version of ZONE again: the one before, or SERIAL (or a version's id).

    A hosted zone gets a new serial, so that its secondaries follow.
    """
    from cli.zone_product import refuse_presets
    from storage import kept_versions, versions, zones
    from storage.rollback import rollback as roll_back
    from zones.diff import diff as compare

    moment = time.time()
    with app.write() as session:
        zone = zones.get_zone(session, apex)
        before = versions.served(session, apex)
        target = (
            before_served(session, apex)
            if version is None
            else kept_versions.find(session, apex, version)
        )
        if before is not None:
            content = versions.load_id(session, apex, target.id)
            refuse_presets(app, session, zone, before, content)
        roll_back(
            session,
            apex,
            target.id,
            actor=app.actor,
            reason=reason or f"back to serial {target.serial}",
            now=moment,
        )
        if pin and not zone.pinned:
            pinned = dataclasses.replace(zone, pinned=True)
            zones.update_zone(session, pinned, now=moment, actor=app.actor, reason="rollback")
        after = versions.load_id(session, apex, the_served(session, apex).id)
    lines = compare(before, after).lines() if before else []
    data: dict[str, Any] = {
        "zone": display(apex),
        "serial": after.serial,
        "content_of": target.serial,
        "pinned": pin or zone.pinned,
        "changes": lines,
    }

    def tell() -> None:
        click.echo(
            f"zone {display(apex)}: serves the content of serial {target.serial},"
            f" as serial {after.serial}{', pinned' if data['pinned'] else ''}"
        )
        print_changes(lines)
        if zone.mode.is_secondary and not data["pinned"]:
            click.echo("the next transfer replaces it; --pin, or nsctl zone pin, keeps it")

    emit(app, data, tell)


def the_served(session: Session, apex: Name) -> VersionInfo:
    """Return the version that is served; raises ``NoVersion``."""
    from storage import kept_versions

    for info in kept_versions.history(session, apex):
        if info.served:
            return info
    raise NoVersion(f"zone {display(apex)} has no content yet")


def before_served(session: Session, apex: Name) -> VersionInfo:
    """Return the version before the served one; raises ``NoVersion``."""
    from storage import kept_versions

    served = the_served(session, apex)
    for info in kept_versions.history(session, apex):
        if info.id < served.id:
            return info
    raise NoVersion(f"zone {display(apex)}: no version before serial {served.serial} is kept")
