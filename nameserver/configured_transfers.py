"""What transfers ask of the settings."""

from __future__ import annotations

from axfr.client import ClientSettings
from axfr.inbound import Limits
from axfr.own_certificate import OwnCertificate
from axfr.refresh import Bounds
from axfr.secondaries import SecondariesSettings
from axfr.turns import TurnLimits
from nameserver.settings import Settings
from nameserver.settings_transfers import TransferSettings


def transfer_limits(settings: Settings) -> Limits:
    """Return the limits of incoming transfers."""
    own = settings.transfers
    return Limits(
        octets=own.max_octets,
        records=own.max_records,
        seconds=own.max_seconds,
        per_minute=own.max_per_minute,
    )


def secondaries_settings(settings: Settings) -> SecondariesSettings:
    """Return what the transfers ask of the settings."""
    transfers, timers = settings.transfers, settings.timers
    return SecondariesSettings(
        turns=TurnLimits(transfers.concurrency, transfers.per_customer, transfers.per_primary),
        bounds=Bounds(
            refresh_min=timers.refresh_min,
            refresh_max=timers.refresh_max,
            retry_min=timers.retry_min,
            retry_max=timers.retry_max,
            expire_min=timers.expire_min,
            expire_max=timers.expire_max,
            bootstrap_min=timers.bootstrap_min,
            bootstrap_max=timers.bootstrap_max,
            refused_hold=timers.refused_hold,
        ),
        client=client_settings(transfers),
    )


def client_settings(transfers: TransferSettings) -> ClientSettings:
    """Return what asking primaries asks of the settings."""
    own = None
    if transfers.certificate is not None:
        own = OwnCertificate(transfers.certificate, transfers.key)
    return ClientSettings(
        idle_timeout=transfers.timeout,
        source=transfers.source_ipv4,
        source6=transfers.source_ipv6,
        own=own,
    )
