"""What the desk goes by and keeps in no store: policies, and how zones of the provider's begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from registrar.course import FAR
from registrar.policy import Policies

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hosting:
    """What a new hosted zone starts with; names as text, times in seconds."""

    name_servers: tuple[str, ...] = ()
    mailbox: str = ""  # "": hostmaster at the zone
    ttl: int = 3600
    refresh: int = 14_400
    retry: int = 3600
    expire: int = 1_209_600
    minimum: int = 3600


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that is configuration."""

    policies: Policies
    hosting: Hosting = field(default_factory=Hosting)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When something is done, and by whom."""

    now: datetime
    actor: str

    @property
    def seconds(self) -> float:
        """Return the moment as the store has it."""
        return self.now.timestamp()


def seconds(moment: datetime) -> float:
    """Return a moment as the store has it: seconds since the epoch."""
    return moment.timestamp()


def seconds_or_none(moment: datetime) -> float | None:
    """Return a moment as the store has it, ``None`` for one that never comes."""
    return None if moment >= FAR else moment.timestamp()


def moment(value: float) -> datetime:
    """Return a moment of the store."""
    return datetime.fromtimestamp(value, UTC)


def moment_or_none(value: float | None) -> datetime | None:
    """Return a moment of the store, or none."""
    return None if value is None else moment(value)
