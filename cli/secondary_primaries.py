"""``nsctl secondary set-primary`` and ``remove-primary``: whom a zone is transferred from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import emit
from cli.primary_options import Means, primary_data, told_of, with_means
from cli.secondary_suspend import Server
from zones.errors import ZoneError
from zones.name import Name, display
from zones.secondary import Primary

Change = Callable[[Name, list[Primary]], list[Primary]]

ZONES = click.argument("apexes", metavar="ZONE...", nargs=-1, required=True, type=ZONE)


@click.command(
    "set-primary",
    cls=Command,
    example="""nsctl secondary set-primary example.org --primary 192.0.2.2
    nsctl secondary set-primary example.org --primary 192.0.2.1 --source 192.0.2.53 --transfers 2
    nsctl secondary set-primary example.org --primary 192.0.2.9 --tls --tls-name a.example --only""",
)
@ZONES
@click.option(
    "--primary",
    "texts",
    multiple=True,
    required=True,
    metavar="ADDR[@PORT]",
    help="A new primary, or how one that is there is asked from now on; repeat for several.",
)
@with_means
@click.option("--first", is_flag=True, help="Ask them before the others; new ones are last else.")
@click.option("--only", is_flag=True, help="Ask nobody else any more.")
@click.pass_obj
def set_primary(
    app: App,
    *,
    apexes: tuple[Name, ...],
    texts: tuple[str, ...],
    means: Means,
    first: bool,
    only: bool,
) -> None:
    """Give each ZONE another primary, or say how one of its primaries is asked.

    All that the options say of a primary counts anew: what is left out is as by default. The zone
    is asked for at once.
    """
    new = means.primaries(texts)
    means.check_sources(new)

    def changed(_apex: Name, before: list[Primary]) -> list[Primary]:
        if only:
            return list(new)
        here = {where(primary) for primary in before}
        by_place = {where(primary): primary for primary in new}
        if first:
            return [*new, *(one for one in before if where(one) not in by_place)]
        kept = [by_place.get(where(one), one) for one in before]
        return kept + [one for one in new if where(one) not in here]

    change(app, apexes, changed)


@click.command(
    "remove-primary",
    cls=Command,
    example="nsctl secondary remove-primary example.org --primary 192.0.2.2",
)
@ZONES
@click.option(
    "--primary",
    "servers",
    multiple=True,
    required=True,
    type=Server(),
    metavar="ADDR[@PORT]",
    help="Whom not to ask any more, at this port or at any; repeat for several.",
)
@click.pass_obj
def remove_primary(
    app: App, *, apexes: tuple[Name, ...], servers: tuple[tuple[str, int], ...]
) -> None:
    """Ask a primary for each ZONE no more. The last one of a zone cannot be removed."""

    def changed(apex: Name, before: list[Primary]) -> list[Primary]:
        reasons = [
            f"zone {display(apex)} has no primary {Primary(host, port) if port else host}"
            for host, port in servers
            if not any(is_at(one, host, port) for one in before)
        ]
        left = [one for one in before if not any(is_at(one, *server) for server in servers)]
        if not reasons and not left:
            reasons.append(
                f"zone {display(apex)} would have no primary left: name another one first with"
                f" nsctl secondary set-primary {display(apex)} --primary ADDR"
            )
        if reasons:
            raise ZoneError(reasons)
        return left

    change(app, apexes, changed)


def where(primary: Primary) -> tuple[str, int]:
    """Return what one primary of a zone is told from another by."""
    return primary.address, primary.port


def is_at(primary: Primary, host: str, port: int) -> bool:
    """Tell whether a primary has this address, and this port unless it is 0."""
    return primary.address == host and port in (0, primary.port)


def change(app: App, apexes: Sequence[Name], changed: Change) -> None:
    """Change the primaries of zones, of all or on a refusal of none, and tell what they are now."""
    from cli.secondary_status import load
    from storage import secondaries

    found: dict[Name, list[Primary]] = {}
    reasons: list[str] = []
    with app.write() as session:
        for apex in dict.fromkeys(apexes):
            _zone, _state, before = load(session, apex)
            try:
                after = changed(apex, list(before))
            except ZoneError as error:
                reasons += error.reasons
                continue
            found[apex] = [replace(one, position=place) for place, one in enumerate(after)]
        if reasons:
            raise ZoneError(reasons)
        now = time.time()
        for apex, primaries in found.items():
            secondaries.set_primaries(session, apex, primaries, now=now, actor=app.actor)
    data = [
        {"zone": display(apex), "primaries": [primary_data(one) for one in primaries]}
        for apex, primaries in found.items()
    ]

    def tell() -> None:
        for apex, primaries in found.items():
            click.echo(f"zone {display(apex)}: asked is {', '.join(map(told_of, primaries))}")

    emit(app, data, tell)
