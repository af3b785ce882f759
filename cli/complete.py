"""``nsctl completion``, and the names that are completed."""

from __future__ import annotations

import click

from cli.app import App
from cli.command import META, Command

MOST = 200  # names offered


@click.command(
    cls=Command,
    example="""nsctl completion bash > ~/.local/share/bash-completion/completions/nsctl
    nsctl completion zsh > ~/.zfunc/_nsctl
    nsctl completion fish > ~/.config/fish/completions/nsctl.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Write what makes SHELL complete commands, options, zones and keys."""
    from click.shell_completion import get_completion_class

    from cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "nsctl", "_NSCTL_COMPLETE").source())


def app_of(ctx: click.Context) -> App:
    """Return the common options as far as they were typed."""
    return App(
        config=ctx.meta.get(META + "config", ""), database=ctx.meta.get(META + "database", "")
    )


def zone_names(ctx: click.Context, start: str) -> list[str]:
    """Return the zones whose name begins so; nothing where the store cannot be read."""
    try:
        from storage import zones
        from zones.name import display

        with app_of(ctx).read() as session:
            names = (display(summary.zone.apex) for summary in zones.list_zones(session))
            return [name for name in names if name.startswith(start.lower())][:MOST]
    except Exception:  # noqa: BLE001  # a shell that completes is no place for errors
        return []


def key_names(ctx: click.Context, start: str) -> list[str]:
    """Return the keys whose name begins so; nothing where the store cannot be read."""
    try:
        from storage import keys
        from zones.name import display

        with app_of(ctx).read() as session:
            names = [display(key.name) for key in keys.list_keys(session)]
            return [name for name in names if name.startswith(start.lower())][:MOST]
    except Exception:  # noqa: BLE001  # see above
        return []


def domain_names(ctx: click.Context, start: str) -> list[str]:
    """Return the domains whose name begins so; nothing where the store cannot be read."""
    try:
        from registrar.desk import registrations

        with app_of(ctx).read() as session:
            names = (entry.name for entry in registrations.list_entries(session))
            return [name for name in names if name.startswith(start.lower())][:MOST]
    except Exception:  # noqa: BLE001  see above
        return []
