"""``nsctl zone export``: what is served, as zone files."""

from __future__ import annotations

from pathlib import Path

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import count, emit, progress
from zones.errors import DNSError
from zones.name import Name, display


class NothingToExport(DNSError):
    """A zone without content."""


@click.command(
    cls=Command,
    example="""nsctl zone export example.org > example.org.zone
    nsctl zone export --all --to /var/backups/zones""",
)
@click.argument("apexes", metavar="[ZONE...]", nargs=-1, type=ZONE)
@click.option("--all", "everything", is_flag=True, help="Every zone that has content.")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file, or a directory for files named NAME.zone.",
)
@click.option("--serial", type=int, help="An earlier version: its serial, or its id.")
@click.pass_obj
def export(
    app: App, *, apexes: tuple[Name, ...], everything: bool, to: Path | None, serial: int | None
) -> None:
    """Write the served content of each ZONE, to stdout or to files."""
    from storage import kept_versions, versions, zones
    from zones.zonetext import write_zone_file

    if bool(apexes) == everything:
        raise click.UsageError("name zones, or --all of them")
    many = everything or len(apexes) > 1
    if many and to is None:
        raise click.UsageError("several zones need --to DIRECTORY")
    written = []
    with app.read() as session:
        if everything:
            apexes = tuple(
                summary.zone.apex
                for summary in zones.list_zones(session)
                if summary.serial is not None
            )
        with progress(len(apexes), "exporting", shown=not app.json) as step:
            for apex in apexes:
                version = (
                    versions.served(session, apex)
                    if serial is None
                    else kept_versions.load(session, apex, serial)
                )
                if version is None:
                    raise NothingToExport(f"zone {display(apex)} has no content yet")
                text = write_zone_file(version)
                target = write(text, apex, to, directory=many)
                written.append(
                    {
                        "zone": display(apex),
                        "serial": version.serial,
                        "records": version.record_count,
                        "file": str(target) if target else None,
                        **({} if target else {"text": text}),
                    }
                )
                if not target and not app.json:
                    click.echo(text, nl=False)
                step(1)
    told = f"{count(len(written), 'zone')} written to {to}" if to else ""
    emit(app, written, lambda: click.echo(told) if told else None)


def write(text: str, apex: Name, to: Path | None, *, directory: bool) -> Path | None:
    """Write a zone file whole or not at all, and return its path; ``None`` for stdout."""
    if to is None or str(to) == "-":
        return None
    try:
        if directory:
            to.mkdir(parents=True, exist_ok=True)
        if to.is_dir():
            to /= f"{display(apex).replace('/', '@')}.zone"
        beside = to.with_name(to.name + ".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(to)
    except OSError as error:
        raise DNSError(f"{error.filename or to}: {error.strerror or error}") from error
    return to
