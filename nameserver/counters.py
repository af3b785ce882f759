"""Counts of what the server did, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping


class Counters:
    """Named counts since the start of the server, as ``udp.queries`` or ``tcp.refused``.

    ``sources`` are others that count: what they tell is added up with what is counted here.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.sources: list[Callable[[], Mapping[str, int]]] = []

    def count(self, name: str, by: int = 1) -> None:
        """Add to one count."""
        self._counts[name] += by

    def snapshot(self) -> dict[str, int]:
        """Return all counts, by name."""
        total = Counter(self._counts)
        for source in self.sources:
            total.update(source())
        return dict(sorted(total.items()))
