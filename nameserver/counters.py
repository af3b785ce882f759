"""Counts of what the server did, by name."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Named counts since the start of the server, as ``udp.queries`` or ``tcp.refused``."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        """Add to one count."""
        self._counts[name] += by

    def snapshot(self) -> dict[str, int]:
        """Return all counts, by name."""
        return dict(sorted(self._counts.items()))
