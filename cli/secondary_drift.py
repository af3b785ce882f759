"""``nsctl secondary drift``: has a primary other content under the serial that is served?"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import ago, emit, iso, print_changes, print_table, wrapped
from zones.name import Name, display

if TYPE_CHECKING:
    from axfr.drift import Compared, Comparison
    from storage.drifts import Drift

SHOWN = 50  # lines of a difference


@click.command(
    cls=Command,
    example="""nsctl secondary drift
    nsctl secondary drift example.org""",
)
@click.argument("apex", metavar="[ZONE]", type=ZONE, required=False)
@click.pass_obj
def drift(app: App, *, apex: Name | None) -> None:
    """Compare ZONE with each of its primaries now; without ZONE, list what the server found.

    The zone is transferred from this machine, and nothing is published. Content that differs under
    the same serial was changed without raising it: no secondary will ever fetch it. Exit code 1
    tells that something differs.
    """
    if apex is None:
        list_found(app)
        return
    from nameserver.drifting import drift_from
    from storage import drifts

    comparison = run(app, apex)
    with app.write() as session:
        drifts.note(
            session,
            drift_from(comparison, time.time()),
            compared=comparison.is_compared,
            served_serial=comparison.serial,
            apart=app.settings().drift.apart,
            actor=app.actor,
        )
    emit(app, as_data(comparison), lambda: print_comparison(comparison))
    if comparison.drift is not None or not comparison.is_compared:
        raise click.exceptions.Exit(1)


def run(app: App, apex: Name) -> Comparison:
    """Compare a zone with all its primaries; raises ``StorageError`` where there is nothing to."""
    from axfr.client import Client
    from axfr.drift import Comparing
    from axfr.inbound import Limits
    from nameserver.configured_transfers import secondaries_settings
    from storage import keys, secondaries, versions
    from storage.errors import StorageError

    settings = app.settings()
    with app.read() as session:
        version = versions.served(session, apex)
        primaries = secondaries.primaries(session, apex)
        known = {key.name: key for key in keys.list_keys(session)}
    if version is None or not primaries:
        why = "nothing of it is served yet" if primaries else "it has no primary"
        raise StorageError(f"zone {display(apex)}: {why}")
    transfers = settings.transfers
    limits = Limits(
        octets=transfers.max_octets, records=transfers.max_records, seconds=transfers.max_seconds
    )
    served = version

    async def compare() -> Comparison:
        client = Client(secondaries_settings(settings).client)
        try:
            comparing = Comparing(client, known, limits, whole=len(primaries))
            return await comparing.run(served, primaries)
        finally:
            await client.close()

    return asyncio.run(compare())


def result_of(one: Compared, serial: int) -> str:
    """Return in few words how a primary compares."""
    if one.reason:
        return one.reason
    if one.is_drift:
        return "other content, same serial"
    if one.difference is not None:
        return "the same content"
    return "another serial" if one.serial != serial else "not compared"


def as_data(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison for JSON."""
    return {
        "zone": display(comparison.apex),
        "serial": comparison.serial,
        "drift": comparison.drift is not None,
        "primaries": [
            {
                "primary": one.primary,
                "serial": one.serial,
                "result": result_of(one, comparison.serial),
                "hash": one.hash or None,
                "changes": one.difference.lines() if one.difference is not None else None,
            }
            for one in comparison.primaries
        ],
    }


def print_comparison(comparison: Comparison) -> None:
    """Write how the primaries compare, the difference, and what to do."""
    from nameserver.drifting import sentence

    click.echo(f"zone {display(comparison.apex)}: serial {comparison.serial} is served")
    rows = [
        (
            one.primary,
            one.serial if one.serial is not None else "",
            result_of(one, comparison.serial),
        )
        for one in comparison.primaries
    ]
    print_table(("Primary", "Serial", "Compared"), rows, right=("Serial",))
    found = comparison.drift
    if found is None or found.difference is None:
        return
    lines = found.difference.lines()
    click.echo()
    click.echo(wrapped(sentence(comparison.apex, comparison.serial, found.primary, lines)))
    click.echo()
    print_changes(lines[:SHOWN])
    if len(lines) > SHOWN:
        click.echo(f"and {len(lines) - SHOWN:,} more lines, with --json")


def list_found(app: App) -> None:
    """List what the server's own comparisons found."""
    from storage import drifts

    with app.read() as session:
        found = drifts.list_drifts(session)
    now = time.time()

    def what(one: Drift) -> str:
        parts = [f"{one.change_count} lines differ at {one.primary}"] if one.finding else []
        parts += ["primaries have different serials"] if one.apart_since else []
        return ", ".join(parts)

    data = [
        {
            "zone": display(one.apex),
            "finding": one.finding or None,
            "found": iso(one.found_at),
            "serial": one.serial,
            "primary": one.primary or None,
            "changes": list(one.changes),
            "change_count": one.change_count,
            "apart_since": iso(one.apart_since),
            "serials": dict(one.serials or {}),
            "text": one.text or None,
        }
        for one in found
    ]
    rows = [
        (display(one.apex), what(one), ago(one.found_at or one.apart_since, now)) for one in found
    ]
    emit(
        app,
        data,
        lambda: (
            print_table(("Zone", "Found", "Since"), rows)
            if rows
            else click.echo("no drift is known")
        ),
    )
