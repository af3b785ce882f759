"""Which primaries did not answer lately: they are asked after the others, so that failover is free.

Once in a while one zone tries a dead primary first again; when it answers, all zones do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from cachetools import LRUCache

from zones.secondary import Primary

FIRST_HOLD: Final = 30.0  # seconds, doubled each time
LONGEST_HOLD: Final = 600.0
TRIAL: Final = 15.0  # seconds for which one zone tries and the others do not
MOST: Final = 100_000

_Where: TypeAlias = tuple[str, int]


@dataclass(slots=True)
class _Dead:
    until: float
    failures: int


class DeadPrimaries:
    """Remembers who did not answer; the time is an argument."""

    def __init__(self) -> None:
        self._dead: LRUCache[_Where, _Dead] = LRUCache(MOST)

    def note(self, primary: Primary, now: float, *, answered: bool) -> None:
        """Take whether a primary answered at all."""
        where = primary.address, primary.port
        if answered:
            self._dead.pop(where, None)
            return
        dead = self._dead.get(where)
        if dead is None:
            self._dead[where] = _Dead(now + FIRST_HOLD, 1)
        elif now >= dead.until - TRIAL:  # not one of many that were under way together
            hold = min(FIRST_HOLD * 2.0 ** min(dead.failures, 10), LONGEST_HOLD)
            dead.until, dead.failures = now + hold, dead.failures + 1

    def in_order(self, primaries: Iterable[Primary], now: float) -> list[Primary]:
        """Return the primaries in their order, those that are dead behind the others."""
        ordered = list(primaries)
        if len(ordered) < 2:
            return ordered
        ordered.sort(key=lambda primary: primary.position)
        if not self._dead:
            return ordered
        alive = [primary for primary in ordered if not self._is_dead(primary, now)]
        return alive + [primary for primary in ordered if primary not in alive]

    def _is_dead(self, primary: Primary, now: float) -> bool:
        dead = self._dead.get((primary.address, primary.port))
        if dead is None:
            return False
        if now < dead.until:
            return True
        dead.until = now + TRIAL  # this zone tries
        return False
