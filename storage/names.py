"""Domain names as they are stored: see ``storage.models``, which needs SQLAlchemy; this does not."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from zones import name as names
from zones.name import Name

# What needs no escape in a zone file, and is taken by the quick way.
ORDINARY: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-_*/."
LENGTHS: Final = tuple(bytes((length,)) for length in range(names.MAX_LABEL + 1))


# A bulk change converts the names of its zones once per table.
@lru_cache(maxsize=16_384)
def text_of(name: Name) -> str:
    """Return a name as it is stored."""
    labels = names.labels(name)
    dotted = b".".join(labels)
    # A dot within a label would look ordinary, but then there is one too many.
    if labels and dotted.count(b".") == len(labels) - 1 and not dotted.translate(None, ORDINARY):
        return dotted.decode()
    return names.to_text(name)[:-1] or "."


@lru_cache(maxsize=16_384)
def name_of(text: str) -> Name:
    """Return the name of a stored text."""
    octets = text.encode()
    if octets.translate(None, ORDINARY) or text == ".":
        return names.from_text(text)
    return b"".join([LENGTHS[len(label)] + label for label in octets.split(b".")]) + names.ROOT
