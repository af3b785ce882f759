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
from nameserver.settings_hosting import DeskSettings, HostedSettings
from nameserver.settings_sources import SettingsError, read_sources, with_sources
from nameserver.settings_table import Count, Seconds, Table, listed
from nameserver.settings_transfers import NotifySettings, TimerSettings, TransferSettings

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


def _secret(value: object) -> bytes:
    # What is wrong is told without the value.
    if not isinstance(value, str) or not re.fullmatch("[0-9A-Fa-f]{32}", value):
        raise ValueError("a secret has 32 hexadecimal digits: openssl rand -hex 16")
    return bytes.fromhex(value)


AddressText = Annotated[Address, BeforeValidator(_address)]
TlsAddressText = Annotated[Address, BeforeValidator(_tls_address)]
SecretHex = Annotated[bytes, BeforeValidator(_secret)]


class TcpSettings(Table):
    """``[tcp]``: limits of connections (RFC 7766 6.2)."""

    max_connections: Count = 1000
    """Connections at one time, in all; those of DNS over TLS are counted apart."""
    per_client: Count = 50
    """Connections of one IPv4 address, or one IPv6 /64."""
    idle_timeout: Seconds = 10.0
    """How long a connection stays open without a whole query."""


class TlsSettings(Table):
    """``[tls]``: the certificate for ``listen_tls``, in PEM form; a new one is found by itself.

    The limits are those of ``[tcp]``, for connections that are counted apart.
    """

    certificate: Path | None = None
    """The server's certificate, with the chain up to the issuer that clients know."""
    key: Path | None = None
    """Its private key, where it does not stand in the same file."""
    client_ca: Path | None = None
    """Who issues the certificates by which peers are known."""


class CookieSettings(Table):
    """``[cookies]``: DNS cookies (RFC 7873, RFC 9018); ``NSCTL_COOKIES=off`` gives none."""

    enabled: bool = True
    """Whether clients that send a cookie get one."""
    secrets: Annotated[
        tuple[SecretHex, ...],
        BeforeValidator(listed),
        Field(max_length=cookies.MOST_SECRETS, repr=False),
    ] = ()
    """For servers that share an address (RFC 9018 5): the first one makes cookies, all of them are
    accepted. Without any the server makes one of its own each day.
    """


class RrlSettings(Table):
    """``[rrl]``: response rate limiting; ``NSCTL_RRL=off`` switches it off.

    All workers share one table of accounts, so that a rate holds whatever their number.
    """

    enabled: bool = True
    """Whether responses over UDP are limited."""
    rate: Annotated[int, Field(gt=0, le=rrl.MOST_RATE)] = 200
    """Answers in a second to one account."""
    window: Annotated[int, Field(gt=0, le=rrl.MOST_WINDOW)] = 5
    """Seconds that debt goes back: so long a flood is limited after its end."""
    slip: Annotated[int, Field(ge=0, le=10)] = 2
    """Of so many limited answers one is sent, without records and with TC; 0: none."""
    badcookie: bool = False
    """Whether clients that send cookies get BADCOOKIE in place of TC."""
    ipv4_prefix: Annotated[int, Field(gt=0, le=32)] = 24
    """Bits of an IPv4 address that make a net."""
    ipv6_prefix: Annotated[int, Field(gt=0, le=64)] = 56
    """Bits of an IPv6 address that make a net."""
    exempt: Annotated[
        tuple[IPvAnyNetwork, ...], BeforeValidator(listed), Field(max_length=rrl.MOST_EXEMPT)
    ] = ()
    """Nets without limits."""
    accounts: Annotated[int, Field(ge=64, le=2**24)] = 65_536
    """The size of the table, 16 octets each."""


class LogSettings(Table):
    """``[log]``: what the server writes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines for people, or an object of JSON each."""


class EventSettings(Table):
    """``[events]``: how long events and transfer attempts are kept."""

    retention_days: Count = 30
    """Days that events, transfer attempts and the content of messages are kept."""


class Settings(Table):
    """Every setting; the defaults make a server for one's own machine."""

    listen: Annotated[tuple[AddressText, ...], BeforeValidator(listed), Field(min_length=1)] = (
        Address("127.0.0.1", 5300),
    )
    """Where queries are answered over UDP and TCP; port 53 where none is given."""
    listen_tls: Annotated[tuple[TlsAddressText, ...], BeforeValidator(listed)] = ()
    """Where they are answered over TLS; port 853 where none is given."""
    database: str = Field(default_factory=default_database, min_length=1)
    """The store: `sqlite:////path/to/file` or `postgresql://user:password@host/name`. By default a
    file in the platform's data directory, `~/.local/share/nsctl/nsctl.db`.
    """
    workers: Count = 1
    """Threads that answer, over UDP and over TCP: as many as processors."""
    engine: Literal["python", "compiled", "auto"] = "auto"
    """Which version of the answering code runs; `auto`: compiled where it was built."""
    identity: str = Field(default_factory=socket.gethostname)
    """What NSID and `id.server` tell, by default the host name; `""`: nothing."""
    version: str = Field(default_factory=_product)
    """What `version.bind` and `version.server` tell, by default this program's; `""`: nothing."""
    minimal_responses: bool = False
    """Whether the authority and additional sections hold only what is needed."""
    udp_limit: Annotated[int, Field(ge=512, le=65_535)] = 1232
    """Octets of an answer over UDP, however much a client takes."""
    customer: str = ""
    """Whose a new zone is where `--customer` is not given."""
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
