"""``nsctl settings``: what holds on this machine, and where each value comes from."""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command, did_you_mean
from cli.output import emit, print_facts, print_table, wrapped

if TYPE_CHECKING:
    from nameserver.settings_reference import Setting

HIDDEN = "(set)"  # in place of a secret


@click.command(
    cls=Command,
    example="""nsctl settings
    nsctl settings --changed
    nsctl settings tcp
    nsctl --config /etc/nsctl/nsctl.toml settings rrl.rate""",
)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--changed", is_flag=True, help="Only those that are not as shipped.")
@click.pass_obj
def settings(app: App, *, name: str | None, changed: bool) -> None:
    """Show the settings, all or those of a table, or tell all about one.

    A server that is started with the same file and variables has them. Wrong ones are told with
    file and line. Secrets are not shown. docs/settings.md explains every setting.
    """
    from nameserver.settings_reference import sections

    known = [one for section in sections() for one in section.settings]
    chosen = [
        one
        for one in known
        if not name or one.name == name or (len(one.path) > 1 and one.path[0] == name)
    ]
    if not chosen:
        names = [one.name for one in known] + [one.path[0] for one in known]
        raise click.ClickException(f"no such setting {name}{did_you_mean(name or '', names)}")
    rows = in_force(app, chosen)
    if changed:
        rows = [row for row in rows if row["from"] != "default"]
    whole = len(chosen) == 1 and chosen[0].name == name
    emit(app, rows, lambda: show_one(chosen[0], rows) if whole else show(rows))


def in_force(app: App, chosen: list[Setting]) -> list[dict[str, Any]]:
    """Return what holds for these settings, as JSON has it; raises ``SettingsError``."""
    from nameserver.settings import Settings
    from nameserver.settings_sources import read_sources

    values = app.settings()
    file = app.config or os.environ.get("NSCTL_CONFIG")
    sources = read_sources(
        Settings, Path(file) if file else None, os.environ, {"database": app.database or None}
    )
    return [
        {
            "setting": one.name,
            "value": open_part(one, reduce(getattr, one.path, values)),
            "from": sources.origins.get(one.path, "default"),
            "variable": one.variable,
            "text": one.text.replace("`", ""),
        }
        for one in chosen
    ]


def open_part(one: Setting, value: Any) -> Any:
    """Return a value without what is secret in it; raises ``StorageError`` for no database."""
    if one.name != "database":
        return HIDDEN if one.secret and value else value
    from storage.engines import parse, place

    return place(parse(value))


def show(rows: list[dict[str, Any]]) -> None:
    """Write a line for each setting."""
    if not rows:
        click.echo("all of them are as shipped")
        return
    print_table(
        ("Setting", "Value", "From"), [(row["setting"], shown(row), row["from"]) for row in rows]
    )


def show_one(one: Setting, rows: list[dict[str, Any]]) -> None:
    """Write all about a setting, and what holds if it was asked for."""
    for row in rows:
        facts = {"Value": shown(row), "From": row["from"]}
        facts |= {"Default": one.default, "May be": one.values.replace("`", "")}
        print_facts(one.name, facts | {"Variable": one.variable})
        click.echo()
        click.echo(wrapped(row["text"]))


def shown(row: dict[str, Any]) -> str:
    """Return a value as the file has it."""
    from nameserver.settings_reference import in_toml

    return HIDDEN if row["value"] == HIDDEN else in_toml(row["value"])
