"""``nsctl events``: what happened, in words."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ZONE, limited
from cli.command import Command
from cli.output import STYLES, iso
from zones.name import Name, display

if TYPE_CHECKING:
    from storage.events import Event


@click.command(
    cls=Command,
    example="""nsctl events --limit 20
    nsctl events --zone example.org --follow
    nsctl events --customer 4711 --severity warning --kind zone-refused --kind zone-held""",
)
@click.option("--zone", "apex", type=ZONE, metavar="ZONE", help="Of this zone only.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of this kind only; several.")
@click.option("--customer", default="", metavar="ID", help="Of this customer's zones only.")
@click.option(
    "--severity",
    type=click.Choice(["info", "warning", "error"]),
    default="info",
    show_default=True,
    help="From this one on.",
)
@limited(50)
@click.option("--follow", is_flag=True, help="Wait for more, until Ctrl-C.")
@click.pass_obj
def events(
    app: App,
    *,
    apex: Name | None,
    kinds: tuple[str, ...],
    customer: str,
    severity: str,
    limit: int,
    follow: bool,
) -> None:
    """Tell what happened, newest last. With --json, one object per line."""
    from storage.events import EventSeverity, list_events

    after = 0
    with suppress(KeyboardInterrupt), app.opened() as database:
        while True:
            with database.read() as session:
                found = list_events(
                    session,
                    apex=apex,
                    after_id=after,
                    limit=limit,
                    kinds=kinds,
                    customer=customer,
                    severity=EventSeverity(severity),
                )
            for event in found:
                write(app, event)
                after = event.id
            if not follow:
                break
            limit = 10_000
            database.wait_for_change(1.0)
            time.sleep(0.05)  # a burst of commits is read at once
    if not after and not app.json:
        chosen = apex or kinds or customer or severity != "info"
        click.echo("no such event" if chosen else "nothing has happened yet")


def write(app: App, event: Event) -> None:
    """Write one event."""
    if app.json:
        import json

        click.echo(json.dumps(as_data(event), ensure_ascii=False, default=str))
        return
    at = (iso(event.at) or "").replace("T", " ").replace("Z", " UTC")
    severity = event.severity.value
    mark = "" if severity == "info" else click.style(severity, fg=STYLES[severity]) + ": "
    who = f"  ({event.actor})" if event.actor else ""
    click.echo(f"{at}  {mark}{event.text}{click.style(who, dim=True)}")


def as_data(event: Event) -> dict[str, Any]:
    """Return an event for JSON."""
    return {
        "id": event.id,
        "at": iso(event.at),
        "kind": event.kind,
        "severity": event.severity.value,
        "zone": display(event.apex) if event.apex else None,
        "text": event.text,
        "actor": event.actor,
        "data": event.data,
    }
