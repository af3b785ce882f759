"""``nsctl serve``: the server."""

from __future__ import annotations

from typing import Any

import click

from cli.app import App
from cli.command import Command


@click.command(
    cls=Command,
    example="""nsctl serve
    nsctl serve --listen 127.0.0.1@5300 --listen '[::1]@5300'
    nsctl --config /etc/nsctl/nsctl.toml serve""",
)
@click.option(
    "--listen", multiple=True, metavar="ADDR[@PORT]", help="Where to answer; repeat for several."
)
@click.option("--workers", metavar="N", help="Threads or processes that answer.")
@click.option("--engine", metavar="NAME", help="python, compiled or auto.")
@click.pass_obj
def serve(app: App, *, listen: tuple[str, ...], workers: str | None, engine: str | None) -> None:
    """Answer DNS queries and follow the primaries, until stopped by Ctrl-C or SIGTERM.

    Changes made by other commands meanwhile are picked up at once.
    """
    given: dict[str, Any] = {"listen": listen or None, "workers": workers, "engine": engine}
    settings = app.settings(quiet=True, **given)  # the server logs the warnings
    from nameserver.process import run

    run(settings)
