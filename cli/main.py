"""The entry point: ``nsctl``, its groups, and what becomes of errors.

Exit codes: 0 done; 1 refused or failed, with every reason on stderr; 2 usage or wrong settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from cli.app import App
from cli.command import Group, common_options
from zones.errors import DNSError

LAZY = {
    "serve": ("cli.serve:serve", "Answer DNS queries and follow the primaries."),
    "demo": ("cli.demo:demo", "Watch the main job run, on this machine alone."),
    "status": ("cli.status:status", "Tell how the zones, and the server, are doing."),
    "settings": ("cli.settings:settings", "Show what is set, and where it comes from."),
    "zone": ("cli.zone:zone", "Zones: add, import, export, check, history, rollback, ..."),
    "record": ("cli.record:record", "Records of hosted zones: list, set, add, delete."),
    "secondary": ("cli.secondary:secondary", "Zones that come from a customer's primary."),
    "catalog": ("cli.catalog:catalog", "Lists of zones that follow by themselves."),
    "key": ("cli.key:key", "TSIG keys."),
    "peer": ("cli.peer:peer", "Who may transfer zones from us, and is notified."),
    "customer": ("cli.customer:customer", "Whose the zones are."),
    "contact": ("cli.contact:contact", "Holders of domains, and those who act for them."),
    "domain": ("cli.domain:domain", "Domains: their registrations, from order to end."),
    "registry": ("cli.registry:registry", "Registries: accounts, work that is due, messages."),
    "product": ("cli.product:product", "Products: their rights and their preset records."),
    "policy": ("cli.policy:policy", "The rules of contracts and registries."),
    "events": ("cli.events:events", "What happened, newest last."),
    "delivery": ("cli.delivery:delivery", "Messages: what was sent, what waits, a test."),
    "backup": ("cli.backup:backup", "Copy the whole store to a file."),
    "restore": ("cli.backup:restore", "Bring back the store from such a copy."),
    "completion": ("cli.complete:completion", "Shell completion: bash, zsh, fish."),
}


class Root(Group):
    """The outermost group: turns every error into lines on stderr and an exit code."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **kwargs: Any) -> Any:
        """Run one call; leaves with ``SystemExit`` unless told otherwise."""
        if not kwargs.pop("standalone_mode", True):
            return super().main(args, standalone_mode=False, **kwargs)
        kwargs.setdefault("prog_name", "nsctl")
        app = App()
        try:
            code = super().main(args, standalone_mode=False, obj=app, **kwargs)
        except BaseException as error:  # noqa: BLE001  # whatever it is, a person is told
            leave(error, debug=app.debug)
        sys.exit(code if isinstance(code, int) else 0)


def leave(error: BaseException, *, debug: bool) -> NoReturn:
    """Tell the reasons of ``error`` on stderr and exit with its code."""
    match error:
        case SystemExit():
            raise error
        case click.UsageError():
            show_usage_error(error)
            sys.exit(2)
        case click.ClickException():
            say(error.format_message())
            sys.exit(error.exit_code)
        case click.Abort() | KeyboardInterrupt():
            say("stopped")
            sys.exit(130)
        case BrokenPipeError():
            # Whoever read our output has seen enough; nothing more may be written at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
    known = reasons(error)
    if debug:
        show_traceback(error)
    elif known is None:
        line = (str(error).splitlines() or [""])[0]
        say(f"unexpected {type(error).__name__}: {line}" if line else type(error).__name__)
        say("this should not happen; the same command with --debug shows where it came from")
    for reason in known or ():
        say(reason)
    sys.exit(2 if is_usage(error) else 1)


def reasons(error: BaseException) -> list[str] | None:
    """Return what is told of an error that a command may end with, ``None`` of any other."""
    match error:
        case DNSError():
            return str(error).splitlines()
        case UnicodeEncodeError(reason="surrogates not allowed"):
            return ["an argument is not UTF-8 text"]
        case OSError() if error.filename:
            return [f"{error.filename}: {error.strerror}"]
    return None


def say(text: str) -> None:
    """Write one line to stderr."""
    click.echo(f"nsctl: {text}", err=True)


def show_usage_error(error: click.UsageError) -> None:
    """Tell what is wrong with the command line, and where the help is."""
    if isinstance(error, NoArgsIsHelpError):
        error.show()
        return
    message = error.format_message()
    say(message[:1].lower() + message[1:].rstrip("."))
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help' for help.", err=True)


def show_traceback(error: BaseException) -> None:
    """Write what a developer wants to see."""
    import traceback

    traceback.print_exception(error)


def is_usage(error: BaseException) -> bool:
    """Tell whether the command line or the settings are wrong.

    Where the module of the settings was not loaded, they are not.
    """
    module = sys.modules.get("nameserver.settings_sources")
    wrong_settings = module is not None and isinstance(error, module.SettingsError)
    return wrong_settings or isinstance(error, UnicodeEncodeError)


def print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Write the version and leave."""
    if value and not ctx.resilient_parsing:
        from importlib import metadata

        click.echo(f"nsctl {metadata.version('nsctl')}")
        ctx.exit()


@click.group(
    "nsctl",
    cls=Root,
    lazy=LAZY,
    params=[
        *common_options(hidden=False),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=print_version,
            help="Show the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def cli() -> None:
    """Serve DNS zones, hosted ones and those of hidden primaries.

    Each command explains itself: nsctl zone --help, nsctl zone add --help.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run ``nsctl``; the entry point of the distribution."""
    cli.main(list(args) if args is not None else None)
