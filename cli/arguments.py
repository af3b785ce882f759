"""What commands are given: zone names, addresses, times, each read once and told well if wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from nameserver.address import Address, BadAddress

Command = TypeVar("Command", bound=Callable[..., Any])


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


class NameType(click.ParamType[bytes]):
    """A domain name, as ``zones.name.Name``; always absolute."""

    name = "name"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the folded wire form."""
        from zones.name import BadName, from_text

        if isinstance(value, bytes):
            return value
        try:
            return from_text(value)
        except BadName as error:
            self.fail(str(error), param, ctx)


class ZoneType(NameType):
    """The name of a zone; completed from those in the store."""

    name = "zone"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the zones that start with what was typed."""
        from cli.complete import zone_names

        return [CompletionItem(name) for name in zone_names(ctx, incomplete)]


class KeyType(NameType):
    """The name of a TSIG key; completed from those in the store."""

    name = "key"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the keys that start with what was typed."""
        from cli.complete import key_names

        return [CompletionItem(name) for name in key_names(ctx, incomplete)]


class AddressType(click.ParamType[Address]):
    """``192.0.2.1@5300``, ``[2001:db8::1]@53``; without a port, 53."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Return the address."""
        if isinstance(value, Address):
            return value
        try:
            return Address.parse(value)
        except BadAddress as error:
            self.fail(str(error), param, ctx)


class MailboxType(click.ParamType[str]):
    """``hostmaster@example.org``, as the name that a SOA carries."""

    name = "mail"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as text."""
        from nameserver.settings_hosting import mailbox_name

        try:
            return str(mailbox_name(value))
        except ValueError as error:
            self.fail(f"{value!r} is no mail address: {error}", param, ctx)


def limited(standard: int | None) -> Callable[[Command], Command]:
    """Return the option ``--limit``; ``standard`` is its default, ``None`` shows everything."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 2**31 - 1),
        default=standard,
        show_default=standard is not None,
        metavar="N",
        help="This many at most.",
    )


NAME = NameType()
ZONE = ZoneType()
KEY = KeyType()
ADDRESS = AddressType()
MAILBOX = MailboxType()
server_timeout = click.option(
    "--timeout",
    type=click.FloatRange(0.1, 60),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a server may take.",
)
ROW = click.IntRange(1, 2**63 - 1)  # the number of a row of the store
