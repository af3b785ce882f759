"""What every command has: the common options wherever they stand, an example, good suggestions.

Commands are imported when they are called, or when their own help is asked for: the short texts of
a group stand in its table, so that ``nsctl --help`` loads nothing.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import click
from click.exceptions import NoSuchCommand

from cli.app import App

META = "nsctl."


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Store a common option, wherever it was given."""
    if not value or not param.name:
        return
    if ctx.resilient_parsing:
        ctx.meta[META + param.name] = value  # for the completion, which runs no command
    else:
        setattr(ctx.ensure_object(App), param.name, value)


def common_options(*, hidden: bool) -> list[click.Option]:
    """Return the options that stand before or after any command."""
    shared: dict[str, Any] = {"expose_value": False, "callback": _keep}
    return [
        click.Option(
            ["--config"],
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Settings file (nsctl.toml).  [env: NSCTL_CONFIG]",
            hidden=hidden,
            **shared,
        ),
        click.Option(
            ["--database"],
            metavar="URL",
            help="Where the zones are stored.  [env: NSCTL_DATABASE]",
            hidden=hidden,
            **shared,
        ),
        click.Option(
            ["--actor"],
            metavar="NAME",
            help="Who makes the change; default: you.  [env: NSCTL_ACTOR]",
            hidden=hidden,
            **shared,
        ),
        click.Option(["--json"], is_flag=True, help="Write JSON, for programs.", **shared),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Show the details of an unexpected error.",
            hidden=hidden,
            **shared,
        ),
    ]


class Command(click.Command):
    """A command with examples in its help, and the common options."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        taken = {name for param in self.params for name in param.opts}
        self.params += [
            option for option in common_options(hidden=True) if taken.isdisjoint(option.opts)
        ]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the options, line by line."""
        super().format_epilog(ctx, formatter)
        if self.example:
            with formatter.section("Example" if self.example.count("\n") == 0 else "Examples"):
                for line in self.example.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")


class Group(click.Group):
    """A group that imports a command when it is called.

    ``lazy`` has ``name: ("module:attribute", short help)``.
    """

    command_class = Command
    group_class = type

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})
        if self.params and any("--database" in param.opts for param in self.params):
            return
        self.params += common_options(hidden=True)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are described."""
        return [*self.lazy, *(name for name in self.commands if name not in self.lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now if it was not."""
        if cmd_name in self.lazy and cmd_name not in self.commands:
            module, _colon, attribute = self.lazy[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and short texts, without importing anything for it."""
        rows = []
        for name in self.list_commands(ctx):
            if name in self.lazy:
                rows.append((name, self.lazy[name][1]))
            elif (command := self.get_command(ctx, name)) and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=70)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            hint = did_you_mean(error.command_name, self.list_commands(ctx))
            raise click.UsageError(
                f"no such command {error.command_name!r}{hint}", ctx=ctx
            ) from None


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'list'?`` for the likeliest of ``known``, or nothing."""
    close = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.5)
    return f"; did you mean {str(close[0])!r}?" if close else ""
