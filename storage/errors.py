"""What the store refuses; what drivers say of it is put into words by ``storage.explained``."""

from __future__ import annotations

from collections.abc import Iterable

from zones.errors import DNSError
from zones.name import Name, did_you_mean, display


class StorageError(DNSError):
    """The store refuses or cannot do what was asked; nothing was changed."""


class UnknownZone(StorageError):
    """There is no zone of that name; ``similar`` are names that may have been meant."""

    def __init__(self, apex: Name, similar: Iterable[Name] = ()) -> None:
        super().__init__(f"no such zone {display(apex)}{did_you_mean(apex, similar)}")
        self.apex = apex


class AlreadyExists(StorageError):
    """Something of that name is there already."""


class FeedGap(StorageError):
    """The changes asked for are no longer all there; the follower has to read everything anew."""
