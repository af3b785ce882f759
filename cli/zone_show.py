"""``nsctl zone list`` and ``show``."""

from __future__ import annotations

import fnmatch
import time
from typing import Any

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import ago, count, emit, iso, octets, print_facts, print_table, stamp
from cli.standing import standing
from cli.zone_product import as_data as product_data
from zones.name import display
from zones.zone import Mode


@click.command(
    "list",
    cls=Command,
    example="""nsctl zone list
    nsctl zone list '*.example' --mode hidden-primary
    nsctl zone list --state expired --json""",
)
@click.argument("pattern", default="*")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), help="Of this mode.")
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.option("--state", metavar="STATE", help="In this state: served, ok, failing, expired, ...")
@click.pass_obj
def list_(
    app: App, pattern: str, mode: str | None, customer: str | None, state: str | None
) -> None:
    """List the zones whose name matches PATTERN (with * and ?), all by default."""
    from storage import secondaries, zones

    now = time.time()
    with app.read() as session:
        wanted = Mode(mode) if mode else None
        summaries = zones.list_zones(session, mode=wanted, customer=customer)
        states = {found.apex: found for found in secondaries.list_states(session)}
    rows: list[dict[str, Any]] = []
    for summary in summaries:
        name = display(summary.zone.apex)
        stands = standing(summary.zone, summary.serial, states.get(summary.zone.apex), now)
        if fnmatch.fnmatchcase(name, pattern.lower()) and state in (None, stands):
            rows.append(
                {
                    "zone": name,
                    "mode": summary.zone.mode.value,
                    "state": stands,
                    "serial": summary.serial,
                    "records": summary.records,
                    "changed": iso(summary.updated_at),
                    "customer": summary.zone.customer,
                    "pinned": summary.zone.pinned,
                }
            )
    emit(app, rows, lambda: _print_list(rows, pattern, len(summaries)))


def _print_list(rows: list[dict[str, Any]], pattern: str, of: int) -> None:
    if not rows:
        nothing = "no zones yet; make one with: nsctl zone add example.org"
        click.echo(f"none of {count(of, 'zone')} matches {pattern}" if of else nothing)
        return
    columns = ["Zone", "Mode", "State", "Serial", "Records", "Changed"]
    customers = any(row["customer"] for row in rows)
    cells = [
        [
            row["zone"],
            row["mode"],
            row["state"] + (", pinned" if row["pinned"] else ""),
            row["serial"],
            row["records"],
            (row["changed"] or "").replace("T", " ").removesuffix("Z"),
            *([row["customer"]] if customers else []),
        ]
        for row in rows
    ]
    print_table(columns + (["Customer"] if customers else []), cells, right=("Serial", "Records"))


@click.command(cls=Command, example="nsctl zone show example.org")
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.pass_obj
def show(app: App, apex: bytes) -> None:
    """Show the settings of ZONE, its served version in brief, and its primaries.

    The records are shown by: nsctl record list ZONE.
    """
    from storage import kept_versions, secondaries, versions, zones

    now = time.time()
    with app.read() as session:
        zone = zones.get_zone(session, apex)
        version = versions.served(session, apex)
        history = kept_versions.history(session, apex)
        primaries = secondaries.primaries(session, apex) if zone.mode.is_secondary else []
        state = secondaries.get_state(session, apex) if zone.mode.is_secondary else None
        booked = product_data(app, session, zone)
    served = next((info for info in history if info.served), None)
    facts: dict[str, Any] = {
        "zone": display(apex),
        "mode": zone.mode.value,
        "state": standing(zone, version.serial if version else None, state, now),
        "customer": zone.customer,
        "serial": version.serial if version else None,
        "serial_policy": zone.serial_policy.value,
        "records": version.record_count if version else 0,
        "octets": version.octets if version else 0,
        "signed": version.is_signed if version else False,
        "hash": version.content_hash if version else None,
        "served_since": iso(served.created_at) if served else None,
        "served_by": served.actor if served else None,
        "pinned": zone.pinned,
        "suspended": zone.suspended,
        "versions": len(history),
        "keep_versions": zone.keep_versions,
        "primaries": [str(primary) for primary in primaries],
        **booked,
    }
    emit(app, facts, lambda: _print_zone(facts, served.created_at if served else None, now))


def _print_zone(facts: dict[str, Any], since: float | None, now: float) -> None:
    signed = ", signed" if facts["signed"] else ""
    print_facts(
        facts["zone"],
        {
            "Mode": facts["mode"],
            "Customer": facts["customer"],
            "Serial": facts["serial"],
            "Content": f"{count(facts['records'], 'record')}, {octets(facts['octets'])}{signed}"
            if facts["records"]
            else "none",
            "Served since": f"{stamp(since)} ({ago(since, now)}), by {facts['served_by']}"
            if since
            else "",
            "Versions": f"{facts['versions']} kept, at most {facts['keep_versions']}",
            "Serial policy": facts["serial_policy"],
            "Pinned": "yes: transfers do not replace it" if facts["pinned"] else "",
            "Suspended": facts["suspended"],
            "Primaries": ", ".join(facts["primaries"]),
            **_product_lines(facts),
        },
        state=facts["state"],
    )


def _product_lines(facts: dict[str, Any]) -> dict[str, str]:
    """Return what is told of the product: its name, what it presets, what it leaves to do."""
    if not facts["product"]:
        return {}
    rights = [
        "own records" if facts["own_records"] else "no records of its own",
        "own name servers" if facts["own_name_server"] else "no name servers of its own",
    ]
    booked = f" with {', '.join(facts['options'])}" if facts["options"] else ""
    return {
        "Product": f"{facts['product_title']}{booked}: {', '.join(rights)}",
        "Preset": "\n".join(facts["preset"]),
        "To be entered at the customer's": "\n".join(facts["to_enter"]),
    }
