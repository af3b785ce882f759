"""The zone table: which zones this server answers for, and what stands of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from zones.name import Name, ancestors, parent
from zones.version import ZoneVersion


class ZoneState(Enum):
    """Whether a zone is answered, and if not, why."""

    SERVING = "serving"
    EXPIRED = "expired"  # SOA EXPIRE has run out since the last contact (RFC 1035 3.3.13)
    PENDING = "pending"  # configured, never loaded yet
    SUSPENDED = "suspended"  # by the operator (contract N 5.2)


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A zone of the table; ``version`` is ``None`` where there is nothing to serve yet."""

    apex: Name
    state: ZoneState
    version: ZoneVersion | None = None

    @property
    def content(self) -> ZoneVersion | None:
        """Return what is answered from, ``None`` unless the zone is in service."""
        return self.version if self.state is ZoneState.SERVING else None


class ZoneTable:
    """All zones by apex. Lookups take as many steps as the name has labels.

    A zone is replaced by one assignment, so a reader in any thread sees the old or the new one.
    """

    def __init__(self) -> None:
        self._zones: dict[Name, ServedZone] = {}

    def __len__(self) -> int:
        return len(self._zones)

    def __iter__(self) -> Iterator[ServedZone]:
        """Yield the zones as they stood when the iteration began, in no order."""
        return iter(tuple(self._zones.values()))

    def get(self, apex: Name) -> ServedZone | None:
        """Return the zone with exactly this apex."""
        return self._zones.get(apex)

    def find(self, name: Name) -> ServedZone | None:
        """Return the zone that is the nearest ancestor of ``name`` (RFC 1034 4.3.2, step 2)."""
        for candidate in ancestors(name):
            served = self._zones.get(candidate)
            if served is not None:
                return served
        return None

    def find_above(self, apex: Name) -> ServedZone | None:
        """Return the zone around a zone: where its DS stands, if this server has that at all."""
        return self.find(parent(apex)) if apex[0] else None

    def replace(self, served: ServedZone) -> None:
        """Put a zone in, in place of what stood at its apex."""
        self._zones[served.apex] = served

    def remove(self, apex: Name) -> None:
        """Take a zone out; one that is not there is no error."""
        self._zones.pop(apex, None)
