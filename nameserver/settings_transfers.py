"""The settings of moving zones: ``[transfers]``, ``[timers]``, ``[notify]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from nameserver.address import Address
from nameserver.settings_table import Count, Seconds, Table


def _host(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "@" in value:
        raise ValueError("an address without a port is meant here")
    return Address.parse(value).host


HostText = Annotated[str, BeforeValidator(_host)]


class TransferSettings(Table):
    """``[transfers]``: limits of incoming zone transfers."""

    max_octets: Count = 2**30
    """Octets of one zone, as received."""
    max_records: Count = 20_000_000
    """Records of one zone."""
    max_seconds: Seconds = 600.0
    """From connecting to the last record."""
    max_per_minute: Count = 600
    """How often one zone is transferred: so many times at once, and evenly after that."""
    timeout: Seconds = 10.0
    """How long a primary may send nothing."""
    concurrency: Count = 64
    """Transfers at one time."""
    per_customer: Count = 48
    """Of those, of one customer's zones."""
    per_primary: Count = 10
    """Of those, from one primary."""
    source_ipv4: HostText | None = None
    """Which IPv4 address of ours primaries see; the system chooses where none is given."""
    source_ipv6: HostText | None = None
    """The same for IPv6."""
    certificate: Path | None = None
    """Ours, for primaries that want to know us by one over TLS."""
    key: Path | None = None
    """Where it does not stand in the same file."""

    @model_validator(mode="after")
    def _has_certificate(self) -> TransferSettings:
        if self.key is not None and self.certificate is None:
            raise ValueError("the key needs a certificate: set certificate below [transfers]")
        return self

    def source_for(self, host: str) -> str | None:
        """Return the address of ours to ask ``host`` from, ``None`` for the system's choice."""
        return self.source_ipv6 if ":" in host else self.source_ipv4


class TimerSettings(Table):
    """``[timers]``: bounds put on what a primary's SOA asks for (RFC 1035 3.3.13)."""

    refresh_min: Seconds = 2.0
    """The shortest time until the next SOA query after one that went well, whatever REFRESH says."""
    refresh_max: Seconds = 86_400.0
    """The longest."""
    retry_min: Seconds = 1.0
    """The shortest time until the next one after a failure, whatever RETRY says."""
    retry_max: Seconds = 14_400.0
    """The longest."""
    expire_min: Seconds = 1.0
    """The least EXPIRE; the customer chose it, so that it is not stretched by default."""
    expire_max: Seconds = 4_838_400.0
    """The most: eight weeks."""
    bootstrap_min: Seconds = 5.0
    """The first wait, doubled each time, while nothing was transferred yet."""
    bootstrap_max: Seconds = 3_600.0
    """The longest of these waits."""
    refused_hold: Seconds = 3_600.0
    """How long a serial that was refused is not fetched again unless somebody asks."""

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
    """How often a NOTIFY is sent again that nobody answers."""
    timeout: Seconds = 3.0
    """Until the first retry; doubled after each."""
