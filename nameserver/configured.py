"""What answering asks of the settings."""

from __future__ import annotations

import secrets
from typing import Final

from nameserver.respond import AnswerSettings
from nameserver.rrl import RateLimits
from nameserver.settings import RrlSettings, Settings

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
