"""A reason: why something is not done, told so that a customer can act on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stands against a wish.

    ``source`` is the section of the contract, RFC or registry rule that has it; ``lifts`` is when
    it falls away by itself, ``None`` where it waits for somebody to act.
    """

    rule: str
    sentence: str
    source: str
    lifts: datetime | None = None
