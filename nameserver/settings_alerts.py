"""The settings of alerts and messages: ``[alerts]``, ``[mail]``, ``[webhooks]``, ``[drift]``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nameserver.settings_table import Count, Seconds, Table, listed
from zones.errors import DNSError

DAY: Final = 86_400.0
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


# What checks addresses comes with the store, which takes long to load: only where there are some.


def _mail_address(value: object) -> object:
    if not value:
        return value
    from storage.recipients import checked_mail  # noqa: PLC0415

    return _checked(checked_mail, value)


def _url(value: object) -> object:
    if not value:
        return value
    from storage.recipients import checked_url  # noqa: PLC0415

    return _checked(checked_url, value)


def _signing_secret(value: object) -> object:
    if not value:
        return value
    from storage.recipients import checked_secret  # noqa: PLC0415

    return _checked(checked_secret, value)


def _checked(check: Callable[[str], str], value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return check(value)
    except DNSError as error:
        raise ValueError(str(error)) from error


MailAddress = Annotated[str, BeforeValidator(_mail_address)]


class MailSettings(Table):
    """``[mail]``: the relay that mail leaves by; without ``host`` and ``directory`` none leaves."""

    host: str = ""
    """The relay."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """0: the usual one, 587, 465 or 25 as goes with `security`."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected; `none` for a relay on this machine."""
    user: str = ""
    """Who logs in there."""
    password: Annotated[str, Field(repr=False)] = ""
    """Better in `password_file`."""
    password_file: str = ""
    """A file whose first line is the password."""
    sender: MailAddress = ""
    """Whom mail is from."""
    ca_file: str = ""
    """Authorities instead of the system's, PEM."""
    directory: str = ""
    """`.eml` files are written there, and nothing is sent."""
    timeout: Seconds = 30.0
    """How long the relay may say nothing."""

    @property
    def is_set_up(self) -> bool:
        """Tell whether mail can leave."""
        return bool(self.host or self.directory)

    @property
    def relay_port(self) -> int:
        """Return the port to connect to."""
        return self.port or PORTS[self.security]

    def secret(self) -> str:
        """Return the password; raises ``OSError`` where its file cannot be read."""
        if self.password_file:
            text = Path(self.password_file).read_text(encoding="utf-8")
            return (text.splitlines() or [""])[0]
        return self.password

    @model_validator(mode="after")
    def _consistent(self) -> MailSettings:
        wrong = []
        if self.is_set_up and not self.sender:
            wrong.append("sender is missing: whom mail is from, as in nsctl@example.org")
        if self.host and self.directory:
            wrong.append("host and directory exclude each other")
        if self.password and self.password_file:
            wrong.append("password and password_file exclude each other")
        if bool(self.user) != bool(self.password or self.password_file):
            wrong.append("user and password belong together")
        if self.user and self.security == "none":
            wrong.append("a password is not sent without TLS: security is starttls or tls")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class WebhookSettings(Table):
    """``[webhooks]``: how the programs of customers and operators are told."""

    timeout: Seconds = 10.0
    """From the first packet to the answer."""
    allow_http: bool = False
    """Whether receivers without TLS are called, too."""
    allowed_nets: Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(listed)] = ()
    """Nets that are called though they are not reached from everywhere."""
    ca_file: str = ""
    """Authorities besides the system's, PEM."""


class AlertSettings(Table):
    """``[alerts]``: what the operator is told, and how alerts are collected."""

    mail: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = ()
    """Where the operator gets mail."""
    webhook: Annotated[str, BeforeValidator(_url)] = ""
    """Where a program of the operator's is told."""
    webhook_secret: Annotated[str, BeforeValidator(_signing_secret), Field(repr=False)] = ""
    """What signs it: `whsec_` and base64 of 24 to 64 octets."""
    severity: Literal["info", "warning", "error"] = "warning"
    """The least that the operator is told."""
    kinds: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    """Which kinds of events; none: all."""
    window: Annotated[float, Field(ge=0)] = 60.0
    """In which what belongs together is collected."""
    pause: Annotated[float, Field(ge=0)] = 900.0
    """Until more of the same is told, doubled each time."""
    distances: Annotated[tuple[Seconds, ...], BeforeValidator(listed)] = (
        7 * DAY,
        3 * DAY,
        DAY,
        DAY / 4,
    )
    """How long before the end of a zone alerts are given."""

    @field_validator("distances")
    @classmethod
    def _ordered(cls, value: tuple[float, ...], _info: ValidationInfo) -> tuple[float, ...]:
        return tuple(sorted(set(value), reverse=True))

    @model_validator(mode="after")
    def _signed(self) -> AlertSettings:
        if bool(self.webhook) != bool(self.webhook_secret):
            raise ValueError(
                "webhook and webhook_secret belong together; a secret is made by: "
                'printf "whsec_%s" "$(openssl rand -base64 32)"'
            )
        return self


class DriftSettings(Table):
    """``[drift]``: looking for content that changed at a primary without a new serial."""

    enabled: bool = True
    """Whether content that changed without a new serial is looked for."""
    per_hour: Count = 12
    """Zones that are transferred whole for it in an hour."""
    every: Seconds = 7 * DAY
    """A zone is compared at most so often."""
    max_records: Count = 1_000_000
    """Larger zones are compared only when asked: `nsctl secondary drift ZONE`."""
    apart: Seconds = 6 * 3600.0
    """How long several primaries may have different serials."""
