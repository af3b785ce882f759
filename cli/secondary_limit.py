"""``nsctl secondary limit``: what a transfer of one zone may take."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import emit, octets, print_facts
from cli.secondary_status import load
from zones.name import Name, display
from zones.quarantine import ZoneLimits

POSITIVE = click.IntRange(1)


@click.command(
    cls=Command,
    example="""nsctl secondary limit example.org
    nsctl secondary limit example.org --records 5000000 --seconds 1800
    nsctl secondary limit example.org --per-minute 6
    nsctl secondary limit example.org --default""",
)
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.option("--octets", "size", type=POSITIVE, help="Most octets of a transfer.")
@click.option("--records", type=POSITIVE, help="Most records of the zone.")
@click.option("--seconds", type=POSITIVE, help="Longest time from the request to the end.")
@click.option("--per-minute", type=POSITIVE, help="Most transfers of the zone in a minute.")
@click.option("--default", "standard", is_flag=True, help="The limits of the server's settings.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def limit(
    app: App,
    /,
    *,
    apex: Name,
    size: int | None,
    records: int | None,
    seconds: int | None,
    per_minute: int | None,
    standard: bool,
    reason: str,
) -> None:
    """Show or change how large ZONE may be, how long its transfer may take, and how often it is.

    A transfer beyond a limit is broken off and refused; the served version stays. A zone that
    changes more often than it may be transferred waits, and is fetched as it is then.
    """
    from storage import transfer_settings

    given = {"octets": size, "records": records, "seconds": seconds, "per_minute": per_minute}
    changes = {name: value for name, value in given.items() if value is not None}
    if standard and changes:
        raise click.UsageError("--default takes away what the other options set; give one of both")
    with app.write() if standard or changes else app.read() as session:
        load(session, apex)
        settings = transfer_settings.get(session, apex)
        limits = ZoneLimits() if standard else replace(settings.limits, **changes)
        if limits != settings.limits:
            said = ", ".join(f"{name} {value:,}" for name, value in changes.items()) or "default"
            transfer_settings.put(
                session,
                apex,
                replace(settings, limits=limits),
                told=f"limits changed: {said}" + (f" ({reason})" if reason else ""),
                actor=app.actor,
                now=time.time(),
            )
    server = app.settings(quiet=True).transfers

    def tell() -> None:
        facts = {
            "Octets": octets(limits.octets or server.max_octets),
            "Records": f"{limits.records or server.max_records:,}",
            "Seconds": f"{limits.seconds or server.max_seconds:,.0f}",
            "Per minute": f"{limits.per_minute or server.max_per_minute:,}",
        }
        own = asdict(limits)
        print_facts(
            f"{display(apex)}: a transfer may take",
            {
                name: value
                + ("" if own[name.lower().replace(" ", "_")] else "  (as the server is set)")
                for name, value in facts.items()
            },
        )

    emit(app, {"zone": display(apex), **asdict(limits)}, tell)
