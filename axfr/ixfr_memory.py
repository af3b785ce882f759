"""Which primaries do not do IXFR: they are asked for whole zones for a while."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

from axfr.message import FORMERR, NOERROR, NOTIMP
from zones.name import Name
from zones.secondary import Primary

HOLD: Final = 3600.0  # seconds
MOST: Final = 100_000  # primaries, and zones of them, that are remembered

_Key = tuple[str, int, Name | None]


class IxfrMemory:
    """Remembers RCODEs that answered IXFR queries; the time is an argument."""

    def __init__(self) -> None:
        self._until: LRUCache[_Key, float] = LRUCache(MOST)

    def note(self, primary: Primary, apex: Name, rcode: int, now: float) -> None:
        """Take the RCODE that an IXFR query was answered with.

        Who does not know the query does not know it for any zone; a refusal may be meant for one.
        """
        if rcode != NOERROR:
            zone = None if rcode in (FORMERR, NOTIMP) else apex
            self._until[primary.address, primary.port, zone] = now + HOLD

    def is_usable(self, primary: Primary, apex: Name, now: float) -> bool:
        """Tell whether to ask this primary for changes of this zone."""
        host, port = primary.address, primary.port
        times = (self._until.get((host, port, zone), 0.0) for zone in (None, apex))
        return all(now >= until for until in times)
