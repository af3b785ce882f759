"""``nsctl secondary add``: following a customer's primary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import count, emit, progress
from cli.primary_options import Means, as_data, told_of, with_means
from zones.errors import ZoneError
from zones.name import BadName, Name, display, from_text
from zones.secondary import Primary
from zones.zone import Mode, Zone

IN_ONE_COMMIT = 500


@click.command(
    cls=Command,
    example="""nsctl secondary add example.org --primary 192.0.2.1
    nsctl secondary add example.org --primary 192.0.2.1@5301 --primary '[2001:db8::1]@53' --key k
    nsctl secondary add --file names.txt --primary 192.0.2.1 --customer 4711
    nsctl secondary add example.org --primary 192.0.2.1 --tls --tls-name ns.example.net
    nsctl secondary add example.org --primary 192.0.2.1 --source 192.0.2.53 --transfers 2""",
)
@click.argument("apexes", metavar="ZONE...", nargs=-1, type=ZONE)
@click.option(
    "--file",
    "names_file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="NAMES",
    help="A file with one zone name per line; - for stdin.",
)
@click.option(
    "--primary",
    "primaries",
    multiple=True,
    required=True,
    type=str,
    metavar="ADDR[@PORT]",
    help="The customer's server; repeat for several, in the order they are asked.",
)
@with_means
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode if mode.is_secondary]),
    default=Mode.HIDDEN_PRIMARY.value,
    show_default=True,
    help="Whether the primary is hidden, or in the NS records.",
)
@click.option("--customer", metavar="ID", help="Whose the zones are.")
@click.pass_obj
def add(
    app: App,
    *,
    apexes: tuple[Name, ...],
    names_file: Path | None,
    primaries: tuple[str, ...],
    means: Means,
    mode: str,
    customer: str | None,
) -> None:
    """Follow the primaries of each ZONE: it is transferred, checked, and served from then on."""
    names = list(apexes)
    if names_file is not None:
        names += read_names(names_file)
    if not names:
        raise click.UsageError("name a zone, or a --file of names")
    owner = customer if customer is not None else app.settings().customer
    made = [Zone(apex, mode=Mode(mode), customer=owner) for apex in dict.fromkeys(names)]
    asked = means.primaries(primaries)
    means.check_sources(asked)
    add_secondaries(app, made, asked)


def read_names(path: Path) -> list[Name]:
    """Return the names in a file: one per line, # begins a comment. Raises ``ZoneError``."""
    names: list[Name] = []
    reasons: list[str] = []
    with click.open_file(str(path), encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            try:
                names.append(from_text(text))
            except BadName as error:
                reasons.append(f"{path}:{number}: {error}")
    if reasons:
        raise ZoneError(reasons)
    return names


def add_secondaries(app: App, made: Sequence[Zone], primaries: Sequence[Primary]) -> None:
    """Store zones with their primaries: all of them, or on a refusal none."""
    from storage import keys, secondaries, zones

    moment = time.time()
    with app.opened() as database:
        with database.read() as session:
            for key in {primary.key for primary in primaries if primary.key}:
                keys.get_key(session, key)
            if there := zones.existing(session, [zone.apex for zone in made]):
                listed = sorted(display(apex) for apex in there)
                raise ZoneError([f"zone {name} exists already" for name in listed])
        with progress(len(made), "adding", shown=not app.json) as step:
            for start in range(0, len(made), IN_ONE_COMMIT):
                batch = made[start : start + IN_ONE_COMMIT]
                with database.write() as session:
                    zones.add_zones(session, batch, now=moment, actor=app.actor)
                    apexes = [zone.apex for zone in batch]
                    secondaries.set_primaries_of(
                        session, apexes, primaries, now=moment, actor=app.actor
                    )
                step(len(batch))
    data = [
        {
            "zone": display(zone.apex),
            "mode": zone.mode.value,
            "primaries": [str(primary) for primary in primaries],
            "key": display(primaries[0].key) if primaries[0].key else None,
            "tls": as_data(primaries[0].tls),
        }
        for zone in made
    ]
    whom = ", ".join(told_of(primary) for primary in primaries)
    what = f"zone {display(made[0].apex)}" if len(made) == 1 else count(len(made), "zone")

    def tell() -> None:
        click.echo(f"{what}: added, {made[0].mode.value}, from {whom}")
        if len(made) == 1:
            click.echo(f"see how it goes: nsctl secondary status {display(made[0].apex)}")

    emit(app, data, tell)
