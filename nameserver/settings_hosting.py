"""The settings of hosted zones and of registrations: ``[hosted]``, ``[desk]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from nameserver.settings_table import Count, Seconds, Table, listed
from zones.name import BadName, from_text


def _domain_name(value: object) -> object:
    if isinstance(value, str):
        try:
            from_text(value)
        except BadName as error:
            raise ValueError(str(error)) from error
    return value


def mailbox_name(value: object) -> object:
    """Turn ``hostmaster@example.org`` into the name that a SOA carries (RFC 1035 8).

    Raises ``ValueError`` for a text that makes no name.
    """
    if isinstance(value, str) and "@" in value:
        local, _at, domain = value.partition("@")
        value = local.replace(".", "\\.") + "." + domain
    return _domain_name(value)


def _directory(value: object) -> object:
    if not value:
        return None
    if isinstance(value, str) and not Path(value).is_dir():
        raise ValueError(f"there is no directory {value}")
    return value


NameText = Annotated[str, BeforeValidator(_domain_name)]
MailboxText = Annotated[str, BeforeValidator(mailbox_name)]


class HostedSettings(Table):
    """``[hosted]``: what a new hosted zone starts with."""

    nameservers: Annotated[tuple[NameText, ...], BeforeValidator(listed)] = ()
    """The name servers of a new zone; without any, `nsctl zone add` has to name them."""
    mailbox: MailboxText = ""
    """As in `hostmaster@example.org`; `""`: hostmaster at the zone."""
    ttl: Annotated[int, Field(ge=0, lt=2**31)] = 3600
    """Seconds: the TTL of its first records."""
    refresh: Count = 14_400
    """Seconds: REFRESH of its SOA record."""
    retry: Count = 3_600
    """Seconds: RETRY of its SOA record."""
    expire: Count = 1_209_600
    """Seconds: EXPIRE of its SOA record."""
    minimum: Annotated[int, Field(ge=0, lt=2**31)] = 3600
    """Seconds: MINIMUM of its SOA record, which is the TTL of negative answers (RFC 2308)."""


class DeskSettings(Table):
    """``[desk]``: registrations; which rules they are under, and in which words customers hear."""

    policies: Annotated[Path | None, BeforeValidator(_directory)] = None
    """A directory of rules that are laid over the shipped ones."""
    notices: Annotated[Path | None, BeforeValidator(_directory)] = None
    """A directory of letters that are laid over the shipped ones."""
    contract: str = "n"
    """The contract of an order that names none."""
    catalogue: str = "n"
    """The catalogue that products are looked up in."""
    provider: str = "Example Hosting"
    """As notices are signed."""
    mailbox: str = "hostmaster@example.net"
    """Where customers answer to."""
    portal: str = ""
    """Where customers administer their domains, as notices name it."""
    work: bool = False
    """Whether a serving process does what is due: registries, time, notices."""
    work_every: Seconds = 5.0
    """Between two looks at the outbox."""
    poll_every: Seconds = 300.0
    """Between two looks at a registry's messages."""
