"""The store's ids of the versions in service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from zones.name import Name


class VersionIds(Mapping[Name, int]):
    """What has changed since the start, and ``loaded`` for what was taken over then (0: none)."""

    def __init__(self, loaded: Callable[[Name], int]) -> None:
        self._loaded = loaded
        self._ids: dict[Name, int] = {}

    def __getitem__(self, apex: Name) -> int:
        found = self._ids.get(apex) or self._loaded(apex)
        if not found and apex not in self._ids:
            raise KeyError(apex)
        return found

    def __setitem__(self, apex: Name, version_id: int) -> None:
        self._ids[apex] = version_id

    def __iter__(self) -> Iterator[Name]:
        """Yield the zones that were not loaded in bulk, or have changed since."""
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def forget(self, apex: Name) -> None:
        """Forget a zone that was removed from the table."""
        self._ids.pop(apex, None)
