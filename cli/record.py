"""``nsctl record``: the records of hosted zones.

Owners are relative to the zone, @ is the zone itself; a name that ends in the zone's own is taken
as it is. Names in rdata follow the rule of zone files: without a final dot they are relative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ZONE, now
from cli.command import Command, Group
from cli.findings import as_data, print_findings
from cli.output import emit, print_changes, print_table
from cli.rdata_arguments import Parsed, owner_name, parse_rdata, parse_type
from cli.zone_product import preset_titles, refuse_change
from zones.errors import DNSError, ZoneError
from zones.name import Name, display

if TYPE_CHECKING:
    from zones.edit import Edit
    from zones.version import ZoneVersion
    from zones.zone import Zone

record = Group("record", help="Records of hosted zones: list, set, add, delete.")

APEX = click.argument("apex", metavar="ZONE", type=ZONE)
OWNER = click.argument("owner")
REASON = click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
# Rdata may begin with a minus sign; options stand before the zone.
RAW = {"ignore_unknown_options": True}


class NotEditable(DNSError):
    """A zone whose records are not ours to edit."""


@record.command(
    "list",
    cls=Command,
    example="""nsctl record list example.org
    nsctl record list example.org www A""",
)
@APEX
@click.argument("owner", required=False)
@click.argument("rtype", metavar="[TYPE]", required=False)
@click.pass_obj
def list_(app: App, *, apex: Name, owner: str | None, rtype: str | None) -> None:
    """List the served records of ZONE, all of them or those of an OWNER and TYPE."""
    from storage import versions
    from zones import rdata

    name = owner_name(owner, apex) if owner not in (None, "*", "") else None
    wanted = parse_type(rtype) if rtype else None
    with app.read() as session:
        version = versions.served(session, apex)
        preset = preset_titles(app, session, apex)
    if version is None:
        raise NotEditable(f"zone {display(apex)} has no content yet")
    found: list[dict[str, Any]] = [
        {
            "owner": display(rrset.owner),
            "type": rdata.type_text(rrset.rtype),
            "ttl": rrset.ttl,
            "rdata": rdata.to_text(rrset.rtype, octets),
            "preset": preset.get((rrset.owner, rrset.rtype)),
        }
        for rrset in version
        if (name is None or rrset.owner == name) and wanted in (None, rrset.rtype)
        for octets in rrset.rdatas
    ]

    def tell() -> None:
        marked = any(one["preset"] for one in found)
        rows = [
            (one["owner"], one["ttl"], one["type"], one["rdata"], *_mark(one["preset"], marked))
            for one in found
        ]
        if rows:
            columns = ("Owner", "TTL", "Type", "Data", *(("Preset",) if marked else ()))
            print_table(columns, rows, right=("TTL",))
        else:
            click.echo(f"zone {display(apex)} has no such record")

    emit(app, found, tell)


def _mark(title: str | None, marked: bool) -> tuple[str, ...]:
    """Return the cell of a column that is there only where the product presets something."""
    return (title or "",) if marked else ()


@record.command(
    "set",
    cls=Command,
    context_settings=RAW,
    example="""nsctl record set example.org www A 300 192.0.2.10 192.0.2.11
    nsctl record set example.org @ MX '10 mail' '20 backup.example.net.'
    nsctl record set example.org @ TXT 'v=spf1 mx -all'""",
)
@APEX
@OWNER
@click.argument("rtype", metavar="TYPE")
@click.argument("words", metavar="[TTL] RDATA...", nargs=-1, required=True)
@REASON
@click.pass_obj
def set_(
    app: App, *, apex: Name, owner: str, rtype: str, words: tuple[str, ...], reason: str
) -> None:
    """Make RDATA all the records that OWNER has of TYPE; there may have been others, or none.

    Each RDATA is one record. OWNER is relative to ZONE, @ is the zone itself. Names in RDATA are
    relative too, unless they end with a dot.
    """
    name, number = owner_name(owner, apex), parse_type(rtype)
    parsed = parse_rdata(number, words, apex)

    def change(edit: Edit) -> None:
        edit.set(name, number, parsed.ttl, parsed.rdatas)

    run(app, apex, change, reason or f"set {display(name)} {rtype.upper()}", parsed)


@record.command(
    "add",
    cls=Command,
    context_settings=RAW,
    example="nsctl record add example.org www AAAA 2001:db8::10",
)
@APEX
@OWNER
@click.argument("rtype", metavar="TYPE")
@click.argument("words", metavar="[TTL] RDATA...", nargs=-1, required=True)
@REASON
@click.pass_obj
def add(
    app: App, *, apex: Name, owner: str, rtype: str, words: tuple[str, ...], reason: str
) -> None:
    """Add RDATA to the records that OWNER has of TYPE."""
    name, number = owner_name(owner, apex), parse_type(rtype)
    parsed = parse_rdata(number, words, apex)

    def change(edit: Edit) -> None:
        edit.add(name, number, parsed.ttl, parsed.rdatas)

    run(app, apex, change, reason or f"add {display(name)} {rtype.upper()}", parsed)


@record.command(
    "delete",
    cls=Command,
    context_settings=RAW,
    example="""nsctl record delete example.org www
    nsctl record delete example.org www A
    nsctl record delete example.org www A 192.0.2.11""",
)
@APEX
@OWNER
@click.argument("rtype", metavar="[TYPE]", required=False)
@click.argument("words", metavar="[RDATA...]", nargs=-1)
@REASON
@click.pass_obj
def delete(
    app: App, *, apex: Name, owner: str, rtype: str | None, words: tuple[str, ...], reason: str
) -> None:
    """Delete records of OWNER: all, those of TYPE, or only those with RDATA."""
    name = owner_name(owner, apex)
    number = parse_type(rtype) if rtype else None
    parsed = parse_rdata(number, words, apex) if number is not None and words else None

    def change(edit: Edit) -> None:
        if parsed is None:
            edit.delete(name, number)
        else:
            for rdata in parsed.rdatas:
                edit.delete(name, number, rdata)

    run(
        app,
        apex,
        change,
        reason or f"delete {display(name)} {(rtype or '').upper()}".rstrip(),
        parsed,
    )


def run(
    app: App,
    apex: Name,
    change: Callable[[Edit], None],
    reason: str,
    parsed: Parsed | None,
) -> None:
    """Edit the served version, publish the result, and show what changed."""
    from storage import versions, zones
    from zones.check import check
    from zones.diff import diff
    from zones.edit import Edit

    moment = now()
    with app.write() as session:
        zone = zones.get_zone(session, apex)
        base = editable(zone, versions.served(session, apex))
        edit = Edit(base)
        change(edit)
        try:
            after = edit.finish(zone.serial_policy, moment)
        except ZoneError as error:
            raise ZoneError(
                [*error.reasons, f"zone {display(apex)}: nothing was changed"]
            ) from error
        if after.content_hash != base.content_hash:
            refuse_change(app, session, zone, base, after)
            versions.publish(
                session,
                after,
                origin=versions.Origin.EDIT,
                actor=app.actor,
                reason=reason,
                now=moment.timestamp(),
            )
    lines = diff(base, after).lines()
    known = {(one.rule, one.owner, one.rtype) for one in check(base)} if edit.findings else set()
    fresh = [one for one in edit.findings if (one.rule, one.owner, one.rtype) not in known]
    data: dict[str, Any] = {
        "zone": display(apex),
        "changed": after.serial != base.serial,
        "serial": after.serial,
        "previous_serial": base.serial,
        "changes": lines,
        "findings": [as_data(finding) for finding in fresh],
        "notes": list(parsed.notes) if parsed else [],
    }

    def tell() -> None:
        if not data["changed"]:
            click.echo(f"zone {display(apex)}: it is so already; serial {base.serial} stays")
            return
        click.echo(f"zone {display(apex)}: serial {after.serial}")
        others = [line for line in lines if " IN SOA " not in line]
        print_changes(others or lines)  # of the SOA, the serial above tells enough

    emit(app, data, tell)
    for note in data["notes"]:
        click.echo(f"note: {note}", err=True)
    print_findings(fresh)


def editable(zone: Zone, served: ZoneVersion | None) -> ZoneVersion:
    """Return the content to edit; raises ``NotEditable`` with what to do instead."""
    name = display(zone.apex)
    if zone.mode.is_secondary:
        raise NotEditable(
            f"zone {name} is {zone.mode.value}: its records are edited at the customer's primary"
        )
    if served is None:
        raise NotEditable(f"zone {name} is {zone.mode.value} and has no content to edit")
    return served
