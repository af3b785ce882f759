"""Whose turn it is: a bounded number of refreshes at a time, shared fairly among primaries.

A primary with fifty thousand zones, or one that is dead and costs a timeout for each of its zones,
must not delay the zones of anybody else: each primary may have a few refreshes under way, and
primaries with zones waiting take turns.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from zones.name import Name


@dataclass(slots=True)
class _Group:
    """The zones of one primary that wait; ``urgent`` ones, which a NOTIFY asked for, go first."""

    urgent: deque[Name] = field(default_factory=deque)
    ordinary: deque[Name] = field(default_factory=deque)
    running: int = 0
    in_ring: bool = False

    def __bool__(self) -> bool:
        return bool(self.urgent or self.ordinary)


class Turns:
    """A queue of zones in groups; at most ``total`` are out at a time, ``each`` of one group."""

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._running = 0
        self._groups: dict[str, _Group] = {}
        self._ring: deque[str] = deque()  # groups that wait and may start one more

    def put(self, apex: Name, group: str, *, urgent: bool = False) -> None:
        """Let a zone wait for its turn."""
        waiting = self._groups.setdefault(group, _Group())
        (waiting.urgent if urgent else waiting.ordinary).append(apex)
        self._enter(group, waiting)

    def take(self) -> tuple[Name, str] | None:
        """Return the zone whose turn it is, and its group; ``done`` is due for each.

        ``None`` where nobody waits or all places are taken.
        """
        if self._running >= self._total or not self._ring:
            return None
        group = self._ring.popleft()
        waiting = self._groups[group]
        waiting.in_ring = False
        apex = (waiting.urgent or waiting.ordinary).popleft()
        waiting.running += 1
        self._running += 1
        self._enter(group, waiting)
        return apex, group

    def done(self, group: str) -> None:
        """Give back the place of a zone of this group."""
        waiting = self._groups[group]
        waiting.running -= 1
        self._running -= 1
        self._enter(group, waiting)
        if not waiting and not waiting.running:
            del self._groups[group]

    def _enter(self, group: str, waiting: _Group) -> None:
        if waiting and not waiting.in_ring and waiting.running < self._each:
            waiting.in_ring = True
            self._ring.append(group)
