"""When a zone will end, and when that is to be told: no I/O, time is an argument.

A zone ends at the EXPIRE of its last working version while no primary gives a newer one (RFC 1034
4.3.5), and for validating resolvers when its first signatures lapse. Each is told at configured
distances before it, once each, and so is the end of the danger.

The distances are shortened where the time is short in any case: to half of EXPIRE at most. As to
signatures, primaries make new ones in good time, some only days before: while the primary answers
nobody is alarmed before an eighth of their validity is left; where nobody signs anew, because the
primary is gone or the zone is hosted with signatures from elsewhere, half of it counts.

Only zones in some danger are on the heap: healthy unsigned ones cost nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Final

from zones.name import Name
from zones.secondary import SecondaryState
from zones.signature_times import Lapse

ATTENDED: Final = 1 / 8  # of the signatures' validity
UNATTENDED: Final = 1 / 2  # of that, and of EXPIRE


class Cause(StrEnum):
    """What ends a zone."""

    EXPIRE = "expire"
    SIGNATURES = "signatures"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to tell: ``distance`` seconds before ``deadline``; 0: it has passed.

    ``over``: the danger is over, and ``distance`` is what was told of it. ``last`` tells that the
    next alert is the end itself.
    """

    apex: Name
    cause: Cause
    deadline: float
    distance: float
    over: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class _Deadline:
    cause: Cause
    at: float
    distances: tuple[float, ...]  # from far to near; the last is 0

    def stage(self, now: float) -> float | None:
        """Return the nearest distance that has come."""
        reached = [distance for distance in self.distances if self.at - distance <= now]
        return reached[-1] if reached else None

    def next_at(self, told: float | None) -> float | None:
        """Return when the next thing is to be told after the distance that was told."""
        left = [one for one in self.distances if told is None or one < told]
        return self.at - left[0] if left else None


@dataclass(slots=True)
class _Zone:
    """What counts for the end of a zone; ``attended``: a primary is there that signs anew."""

    expires_at: float | None = None
    expire: float = 0.0
    failing: bool = False
    attended: bool = False
    lapse: Lapse | None = None
    is_lapse_known: bool = False
    told: dict[Cause, float] = field(default_factory=dict)
    heap_at: float | None = None  # the entry of the heap that counts


MOST: Final = 500  # alerts at once: they are put into words and stored together


def scaled(distances: Sequence[float], longest: float) -> tuple[float, ...]:
    """Return the distances, all shortened so that the first is not above ``longest``, and 0."""
    factor = min(1.0, longest / distances[0]) if distances else 1.0
    return (*(distance * factor for distance in distances), 0.0)


class DeadlineWatch:
    """Knows the deadlines of zones, and says what is to be told when.

    ``distances`` are in seconds, from far to near. ``told`` are alerts of an earlier run.
    """

    def __init__(self, distances: Sequence[float]) -> None:
        self._distances = tuple(distances)
        self._zones: dict[Name, _Zone] = {}
        self._heap: list[tuple[float, int, Name]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._zones)

    def remember(self, told: Iterable[tuple[Name, Cause, float]]) -> None:
        """Take over what was told before: zone, cause and distance."""
        for apex, cause, distance in told:
            self._zones.setdefault(apex, _Zone()).told[cause] = distance

    def contact(self, apex: Name, state: SecondaryState | None, now: float) -> None:
        """Take what a refresh came to; ``None`` for a zone that has no primary."""
        expired = state is not None and state.is_expired(now)
        failing = state is not None and (state.failures > 0 or expired)
        zone = self._zones.get(apex)
        if zone is None:
            if not failing:
                return
            zone = self._zones[apex] = _Zone()
        zone.failing = failing
        zone.attended = state is not None and not failing
        if state is not None:
            zone.expires_at, zone.expire = state.expires_at, float(state.expire)
        self._schedule(apex, zone, now)

    def signatures(
        self, apex: Name, lapse: Lapse | None, state: SecondaryState | None, now: float
    ) -> None:
        """Take when the signatures of the version in service lapse."""
        if lapse is None and apex not in self._zones:
            return
        zone = self._zones.setdefault(apex, _Zone())
        zone.lapse, zone.is_lapse_known = lapse, True
        self.contact(apex, state, now)

    def remove(self, apex: Name) -> None:
        """Forget a zone that is gone or suspended."""
        self._zones.pop(apex, None)

    def next_at(self) -> float | None:
        """Return when ``due`` has something to say next."""
        while self._heap:
            at, _, apex = self._heap[0]
            zone = self._zones.get(apex)
            if zone is not None and zone.heap_at == at:
                return at
            heapq.heappop(self._heap)
        return None

    def due(self, now: float, most: int = MOST) -> list[Alert]:
        """Return what is to be told now, about ``most`` at once; it counts as told from then on.

        Where a primary with fifty thousand zones dies, each slice costs some tens of milliseconds.
        """
        alerts: list[Alert] = []
        while len(alerts) < most and (at := self.next_at()) is not None and at <= now:
            _, _, apex = heapq.heappop(self._heap)
            zone = self._zones[apex]
            zone.heap_at = None
            alerts += self._tell(apex, zone, now)
            self._schedule(apex, zone, now)
            if not (zone.failing or zone.lapse or zone.told):
                del self._zones[apex]
        return alerts

    def _tell(self, apex: Name, zone: _Zone, now: float) -> list[Alert]:
        alerts = []
        for one in self._deadlines(zone):
            stage = one.stage(now)
            before = zone.told.get(one.cause)
            if stage is not None and (before is None or stage < before):
                zone.told[one.cause] = stage
                last = stage == one.distances[-2] if len(one.distances) > 1 else False
                alerts.append(Alert(apex, one.cause, one.at, stage, last=last))
        for cause in [*zone.told]:
            if self._is_over(zone, cause, now):
                distance = zone.told.pop(cause)
                alerts.append(Alert(apex, cause, self._at(zone, cause), distance, over=True))
        return alerts

    def _deadlines(self, zone: _Zone) -> list[_Deadline]:
        """Return the deadlines that count: of two the earlier one."""
        found = []
        if zone.failing and zone.expires_at is not None:
            distances = scaled(self._distances, zone.expire * UNATTENDED)
            found.append(_Deadline(Cause.EXPIRE, zone.expires_at, distances))
        if zone.lapse is not None and not (found and found[0].at <= zone.lapse.at):
            found.append(_Deadline(Cause.SIGNATURES, zone.lapse.at, self._for_signatures(zone)))
        return found

    def _for_signatures(self, zone: _Zone) -> tuple[float, ...]:
        assert zone.lapse is not None
        share = ATTENDED if zone.attended else UNATTENDED
        return scaled(self._distances, zone.lapse.validity * share)

    def _is_over(self, zone: _Zone, cause: Cause, now: float) -> bool:
        if cause is Cause.EXPIRE:
            return not zone.failing and zone.expires_at is not None
        if zone.lapse is None:
            return zone.is_lapse_known
        return zone.lapse.at - self._for_signatures(zone)[0] > now

    def _at(self, zone: _Zone, cause: Cause) -> float:
        if cause is Cause.EXPIRE:
            return zone.expires_at or 0.0
        return zone.lapse.at if zone.lapse is not None else 0.0

    def _schedule(self, apex: Name, zone: _Zone, now: float) -> None:
        """Put the next moment of a zone on the heap; an entry of before counts no more."""
        moments = [one.next_at(zone.told.get(one.cause)) for one in self._deadlines(zone)]
        if any(self._is_over(zone, cause, now) for cause in zone.told):
            moments.append(now)
        wanted = min((one for one in moments if one is not None), default=None)
        if wanted != zone.heap_at:
            zone.heap_at = wanted
            if wanted is not None:
                heapq.heappush(self._heap, (wanted, next(self._order), apex))
