"""What the parts of a server ask of its settings."""

from __future__ import annotations

import secrets
from typing import Final

from axfr.client import ClientSettings
from axfr.own_certificate import OwnCertificate
from axfr.refresh import Bounds
from axfr.secondaries import SecondariesSettings
from axfr.turns import TurnLimits
from nameserver.respond import AnswerSettings
from nameserver.rrl import RateLimits
from nameserver.settings import RrlSettings, Settings
from nameserver.settings_transfers import TransferSettings

MOST_KEEPALIVE: Final = 65_534  # RFC 7828 3.1: tenths of a second, 16 bits


def answer_settings(settings: Settings, cookie_secrets: tuple[bytes, ...]) -> AnswerSettings:
    """Return what answering asks of the settings."""
    return AnswerSettings(
        identity=settings.identity,
        version=settings.version,
        minimal_responses=settings.minimal_responses,
        udp_limit=settings.udp_limit,
        cookie_secrets=cookie_secrets,
        keepalive=min(int(settings.tcp.idle_timeout * 10), MOST_KEEPALIVE),
    )


def rate_limits(settings: RrlSettings) -> RateLimits | None:
    """Return the limits of responses with a key of their own, ``None`` where there are none."""
    if not settings.enabled:
        return None
    return RateLimits(secrets.token_bytes(16), **settings.model_dump(exclude={"enabled"}))


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
