"""The zone table: which zones this server answers for, and what stands of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from weakref import WeakValueDictionary

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

    def apexes(self) -> set[Name]:
        """Return the apexes of all zones."""
        return set(self._zones)

    def get(self, apex: Name) -> ServedZone | None:
        """Return the zone with exactly this apex."""
        return self._zones.get(apex)

    def find(self, name: Name) -> ServedZone | None:
        """Return the zone that is the nearest ancestor of ``name`` (RFC 1034 4.3.2, step 2)."""
        for candidate in ancestors(name):
            served = self.get(candidate)
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


class Loaded(Protocol):
    """Where zones are that were loaded in bulk: see ``nameserver._table.Zones``."""

    loaded_count: int

    def loaded(self, apex: Name) -> bytes | None:
        """Return the packed form of such a zone, ``None`` where there is none."""

    def loaded_apexes(self) -> list[Name]:
        """Return the apexes of such zones."""


class LoadedTable(ZoneTable):
    """A table of which most zones exist only for the compiled engine, until somebody asks.

    Who asks again while a version is in use gets the same one.
    """

    def __init__(self, source: Loaded) -> None:
        super().__init__()
        self._source = source
        self._made: WeakValueDictionary[Name, ZoneVersion] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._zones) + self._source.loaded_count

    def __iter__(self) -> Iterator[ServedZone]:
        """Yield the zones as they stand, in no order."""
        return (served for apex in self.apexes() if (served := self.get(apex)) is not None)

    def apexes(self) -> set[Name]:
        """Return the apexes of all zones."""
        return self._zones.keys() | set(self._source.loaded_apexes())

    def get(self, apex: Name) -> ServedZone | None:
        """Return the zone with exactly this apex."""
        served = self._zones.get(apex)
        if served is not None or not self._source.loaded_count:
            return served
        version = self._made.get(apex)
        if version is None:
            blob = self._source.loaded(apex)
            if blob is None:
                return None
            version = self._made[apex] = ZoneVersion(blob)
        return ServedZone(apex, ZoneState.SERVING, version)

    def replace(self, served: ServedZone) -> None:
        """Put a zone in, in place of what stood at its apex."""
        self._made.pop(served.apex, None)
        super().replace(served)

    def remove(self, apex: Name) -> None:
        """Take a zone out; one that is not there is no error."""
        self._made.pop(apex, None)
        super().remove(apex)
