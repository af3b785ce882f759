"""How often a zone may be transferred: so many times at once, and evenly after that.

One number tells how much of it is used up: the moment at which all of it is there again, 0 for a
zone that was left alone (the generic cell rate algorithm, as used for networks of cells).
"""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60.0


def spent(until: float, now: float, count: int, per_minute: int) -> float:
    """Return that moment after ``count`` more transfers."""
    return max(until, now) + count * MINUTE / per_minute


def free_at(until: float, per_minute: int) -> float:
    """Return when a zone may be transferred once more."""
    return until - MINUTE + MINUTE / per_minute


def reason(per_minute: int) -> str:
    """Return why a zone waits, as a phrase."""
    times = f"{per_minute} times" if per_minute != 1 else "once"
    return (
        f"it was transferred as often as it may be, which is {times} a minute; the next change is"
        " fetched when it may be transferred again"
    )
