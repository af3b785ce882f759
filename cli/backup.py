"""``nsctl backup`` and ``restore``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from cli.app import App
from cli.arguments import now
from cli.command import Command
from cli.output import emit, octets

NAME = re.compile(r"nsctl-\d{8}T\d{6}Z\.db")


@click.command(
    cls=Command,
    example="""nsctl backup /var/backups/nsctl.db
    nsctl backup /var/backups/nsctl/ --keep 14""",
)
@click.argument("place", metavar="PATH", type=click.Path())
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="N",
    help="In a directory: delete the oldest backups beyond so many.",
)
@click.pass_obj
def backup(app: App, *, place: str, keep: int | None) -> None:
    """Copy the whole store to the file PATH, or into the directory PATH with the time in the name.

    A PATH that ends in / is a directory, and is made where it is missing. Servers and commands may
    work on meanwhile. TSIG secrets are in it: keep it safe.
    """
    from storage import backup as backups

    path = Path(place)
    if place.endswith("/") and not path.exists():
        path.mkdir(mode=0o700, parents=True)
    if (keep or place.endswith("/")) and not path.is_dir():
        raise click.UsageError(f"{path} is no directory; for one that is made write {path}/")
    target = path / f"nsctl-{now():%Y%m%dT%H%M%SZ}.db" if path.is_dir() else path
    with app.opened() as database:
        size = backups.backup(database, target)
    gone = rotate(path, keep) if keep else []
    data = {"file": str(target), "octets": size, "deleted": [str(one) for one in gone]}

    def tell() -> None:
        click.echo(f"backup written to {target} ({octets(size)})")
        for one in gone:
            click.echo(f"deleted {one}")

    emit(app, data, tell)


def rotate(directory: Path, keep: int) -> list[Path]:
    """Delete the oldest backups in a directory beyond ``keep``; return them."""
    found = sorted(path for path in directory.iterdir() if NAME.fullmatch(path.name))
    gone = found[:-keep]
    for path in gone:
        path.unlink()
    return gone


@click.command(cls=Command, example="nsctl restore /var/backups/nsctl.db")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(app: App, *, path: Path, yes: bool) -> None:
    """Replace everything in the store by the backup PATH: a file, or the newest of a directory.

    A running server notices and serves what was brought back.
    """
    from storage import backup as backups

    if path.is_dir():
        found = sorted(one for one in path.iterdir() if NAME.fullmatch(one.name))
        if not found:
            raise click.UsageError(f"there is no backup in {path}")
        path = found[-1]
    with app.opened() as database:
        place = database.place
        if not yes and sys.stdin.isatty():
            click.confirm(f"replace everything in {place} by {path}?", abort=True)
        backups.restore(database, path, now=now().timestamp(), actor=app.actor)
    data = {"file": str(path), "database": place}
    emit(app, data, lambda: click.echo(f"{place} has the content of {path} again"))
