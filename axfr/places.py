"""How many requests may be under way to a primary at one time, where a limit is set for it.

Zones may say different things of the same primary: each waits until fewer are under way than its
own limit allows. Those without a limit are neither counted nor kept waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from zones.secondary import Primary


@dataclass(slots=True)
class _Place:
    """What goes on with one primary; ``known`` also counts those that wait."""

    freed: asyncio.Condition = field(default_factory=asyncio.Condition)
    running: int = 0
    known: int = 0


class Places:
    """The requests under way to primaries with a limit."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, int], _Place] = {}

    @asynccontextmanager
    async def one_of(self, primary: Primary) -> AsyncIterator[None]:
        """Wait for a place at this primary, and keep it."""
        limit = primary.transfers
        if limit is None:
            yield
            return
        where = primary.address, primary.port
        place = self._places.setdefault(where, _Place())
        place.known += 1
        try:
            async with place.freed:
                await place.freed.wait_for(lambda: place.running < limit)
                place.running += 1
            try:
                yield
            finally:
                place.running -= 1
                async with place.freed:
                    place.freed.notify_all()
        finally:
            place.known -= 1
            if not place.known:
                self._places.pop(where, None)
