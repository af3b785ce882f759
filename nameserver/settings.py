"""The settings of a server: from ``nsctl.toml``, ``NSCTL_…`` variables and the command line.

A setting of a table is written ``idle_timeout`` below ``[tcp]`` in the file and
``NSCTL_TCP_IDLE_TIMEOUT`` as a variable; lists are separated by commas or spaces there. The command
line wins over variables, variables win over the file. Durations are seconds.

Models and validation are pydantic's. Its settings add-on is not used: it would refuse unknown
variables that look like a known table, and doubles the start-up time of every command.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    model_validator,
)

from nameserver import cookies, rrl
from nameserver.address import Address
from nameserver.settings_alerts import (
    AlertSettings,
    DriftSettings,
    MailSettings,
    WebhookSettings,
)
from nameserver.settings_sources import SettingsError, read_sources, with_sources
from nameserver.settings_table import Count, Seconds, Table, listed
from zones.name import BadName, from_text

TLS_PORT = 853  # RFC 7858 3.1

__all__ = ["Address", "Settings", "SettingsError", "default_database", "load"]


def default_database() -> str:
    """Return the URL of the embedded database in the platform's data directory."""
    return f"sqlite:///{platformdirs.user_data_dir('nsctl', appauthor=False)}/nsctl.db"


def _product() -> str:
    try:
        return f"nsctl {metadata.version('nsctl')}"
    except metadata.PackageNotFoundError:
        return "nsctl"


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def _tls_address(value: object) -> object:
    return Address.parse(value, TLS_PORT) if isinstance(value, str) else value


def _host(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "@" in value:
        raise ValueError("an address without a port is meant here")
    return Address.parse(value).host


def _secret(value: object) -> bytes:
    # What is wrong is told without the value.
    if not isinstance(value, str) or not re.fullmatch("[0-9A-Fa-f]{32}", value):
        raise ValueError("a secret has 32 hexadecimal digits: openssl rand -hex 16")
    return bytes.fromhex(value)


def _domain_name(value: object) -> object:
    if isinstance(value, str):
        try:
            from_text(value)
        except BadName as error:
            raise ValueError(str(error)) from error
    return value


def _mailbox(value: object) -> object:
    """Turn ``hostmaster@example.org`` into the name that a SOA carries (RFC 1035 8)."""
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


AddressText = Annotated[Address, BeforeValidator(_address)]
TlsAddressText = Annotated[Address, BeforeValidator(_tls_address)]
HostText = Annotated[str, BeforeValidator(_host)]
NameText = Annotated[str, BeforeValidator(_domain_name)]
MailboxText = Annotated[str, BeforeValidator(_mailbox)]
SecretHex = Annotated[bytes, BeforeValidator(_secret)]


class TcpSettings(Table):
    """``[tcp]``: limits of connections (RFC 7766 6.2)."""

    max_connections: Count = 1000
    per_client: Count = 50  # connections of one address (an IPv6 /64 counts as one)
    idle_timeout: Seconds = 10.0


class TlsSettings(Table):
    """``[tls]``: the certificate for ``listen_tls``, in PEM form; a new one is found by itself.

    The limits are those of ``[tcp]``, for connections that are counted apart.
    """

    certificate: Path | None = None  # with the chain up to the issuer that clients know
    key: Path | None = None  # where it does not stand in the same file
    client_ca: Path | None = None  # who issues the certificates by which peers are known


class TransferSettings(Table):
    """``[transfers]``: limits of incoming zone transfers."""

    max_octets: Count = 2**30  # of one zone, as received
    max_records: Count = 20_000_000  # of one zone
    max_seconds: Seconds = 600.0  # from connecting to the last record
    timeout: Seconds = 10.0  # without any octet from the primary
    concurrency: Count = 64  # transfers at one time
    per_primary: Count = 10  # of those, from one primary
    source_ipv4: HostText | None = None  # which address of ours primaries see
    source_ipv6: HostText | None = None

    def source_for(self, host: str) -> str | None:
        """Return the address of ours to ask ``host`` from, ``None`` for the system's choice."""
        return self.source_ipv6 if ":" in host else self.source_ipv4


class TimerSettings(Table):
    """``[timers]``: bounds put on what a primary's SOA asks for (RFC 1035 3.3.13)."""

    refresh_min: Seconds = 2.0
    refresh_max: Seconds = 86_400.0
    retry_min: Seconds = 1.0
    retry_max: Seconds = 14_400.0
    expire_min: Seconds = 1.0  # the customer chose EXPIRE: not to be stretched (contract N 2.2.7)
    expire_max: Seconds = 4_838_400.0  # eight weeks
    bootstrap_min: Seconds = 5.0  # the wait, doubled each time, where nothing was transferred yet
    bootstrap_max: Seconds = 3_600.0
    refused_hold: Seconds = 3_600.0  # how long a refused serial is not fetched again unasked

    @model_validator(mode="after")
    def _ordered(self) -> TimerSettings:
        wrong = [
            f"{name}_min ({getattr(self, name + '_min'):g}) is more than "
            f"{name}_max ({getattr(self, name + '_max'):g})"
            for name in ("refresh", "retry", "expire", "bootstrap")
            if getattr(self, name + "_min") > getattr(self, name + "_max")
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class NotifySettings(Table):
    """``[notify]``: what our own secondaries are sent (RFC 1996 3.6)."""

    retries: Annotated[int, Field(ge=0)] = 5
    timeout: Seconds = 3.0  # until the first retry; doubled after each


class CookieSettings(Table):
    """``[cookies]``: DNS cookies (RFC 7873); ``NSCTL_COOKIES=off`` gives none.

    ``secrets`` are for servers that share an address (RFC 9018 5): the first one makes cookies, all
    of them are accepted. Without any the server makes one of its own each day.
    """

    enabled: bool = True
    secrets: Annotated[
        tuple[SecretHex, ...],
        BeforeValidator(listed),
        Field(max_length=cookies.MOST_SECRETS, repr=False),
    ] = ()


class RrlSettings(Table):
    """``[rrl]``: response rate limiting (``nameserver.rrl``); ``NSCTL_RRL=off`` switches it off.

    The limits are those of one worker.
    """

    enabled: bool = True
    rate: Annotated[int, Field(gt=0, le=rrl.MOST_RATE)] = 200  # answers in a second
    window: Annotated[int, Field(gt=0, le=rrl.MOST_WINDOW)] = 5  # seconds that debt goes back
    slip: Annotated[int, Field(ge=0, le=10)] = 2
    badcookie: bool = False
    ipv4_prefix: Annotated[int, Field(gt=0, le=32)] = 24
    ipv6_prefix: Annotated[int, Field(gt=0, le=64)] = 56
    exempt: Annotated[
        tuple[IPvAnyNetwork, ...], BeforeValidator(listed), Field(max_length=rrl.MOST_EXEMPT)
    ] = ()
    accounts: Annotated[int, Field(ge=64, le=2**24)] = 65_536


class LogSettings(Table):
    """``[log]``: what the server writes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class EventSettings(Table):
    """``[events]``: how long events and transfer attempts are kept."""

    retention_days: Count = 30


class HostedSettings(Table):
    """``[hosted]``: what a new hosted zone starts with."""

    nameservers: Annotated[tuple[NameText, ...], BeforeValidator(listed)] = ()
    mailbox: MailboxText = ""  # as in hostmaster@example.org; "": hostmaster at the zone
    ttl: Annotated[int, Field(ge=0, lt=2**31)] = 3600
    refresh: Count = 14_400
    retry: Count = 3_600
    expire: Count = 1_209_600
    minimum: Annotated[int, Field(ge=0, lt=2**31)] = 3600  # the TTL of negative answers


class DeskSettings(Table):
    """``[desk]``: registrations; which rules they are under, and in which words customers hear.

    ``policies`` and ``notices`` are directories with files that are laid over the shipped ones.
    """

    policies: Annotated[Path | None, BeforeValidator(_directory)] = None
    notices: Annotated[Path | None, BeforeValidator(_directory)] = None
    contract: str = "n"  # of an order that names none
    catalogue: str = "n"  # of the products
    provider: str = "Example Hosting"  # as notices are signed
    mailbox: str = "hostmaster@example.net"  # where customers answer to
    portal: str = ""  # where customers administer their domains, as notices name it
    work: bool = False  # whether a serving process does what is due: registries, time, notices
    work_every: Seconds = 5.0
    poll_every: Seconds = 300.0  # how often registries are asked for messages


class Settings(Table):
    """Every setting; the defaults make a server for one's own machine."""

    listen: Annotated[tuple[AddressText, ...], BeforeValidator(listed), Field(min_length=1)] = (
        Address("127.0.0.1", 5300),
    )
    listen_tls: Annotated[tuple[TlsAddressText, ...], BeforeValidator(listed)] = ()
    database: str = Field(default_factory=default_database, min_length=1)
    workers: Count = 1
    engine: Literal["python", "compiled", "auto"] = "auto"
    identity: str = Field(default_factory=socket.gethostname)  # NSID, id.server; "": not told
    version: str = Field(default_factory=_product)  # version.bind, version.server; "": not told
    minimal_responses: bool = False
    udp_limit: Annotated[int, Field(ge=512, le=65_535)] = 1232
    customer: str = ""  # whose a new zone is where --customer is not given
    cookies: CookieSettings = CookieSettings()
    rrl: RrlSettings = RrlSettings()
    tcp: TcpSettings = TcpSettings()
    tls: TlsSettings = TlsSettings()
    transfers: TransferSettings = TransferSettings()
    timers: TimerSettings = TimerSettings()
    notify: NotifySettings = NotifySettings()
    log: LogSettings = LogSettings()
    events: EventSettings = EventSettings()
    hosted: HostedSettings = HostedSettings()
    alerts: AlertSettings = AlertSettings()
    mail: MailSettings = MailSettings()
    webhooks: WebhookSettings = WebhookSettings()
    drift: DriftSettings = DriftSettings()
    desk: DeskSettings = DeskSettings()

    # What the sources hold that is no setting: told, but no reason not to start.
    warnings: Annotated[tuple[str, ...], Field(exclude=True)] = ()

    @model_validator(mode="after")
    def _has_certificate(self) -> Settings:
        if self.listen_tls and self.tls.certificate is None:
            raise ValueError("listen_tls needs a certificate: set certificate and key below [tls]")
        return self


def load(
    config: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """Return the settings of file, variables and ``overrides`` (``None`` there: not given).

    ``config`` defaults to ``NSCTL_CONFIG``, and to no file. Raises ``SettingsError`` with every
    reason, each with file and line or the name of the variable.
    """
    environ = os.environ if environ is None else environ
    if config is None and environ.get("NSCTL_CONFIG"):
        config = Path(environ["NSCTL_CONFIG"])
    sources = read_sources(Settings, config, environ, overrides)
    return with_sources(Settings, sources)
