"""What a server tells of itself in class CHAOS (RFC 4892 and the names BIND made common)."""

from __future__ import annotations

from typing import Final

from zones.name import Name
from zones.rrset import ANY, TXT, RRset

CLASS_CH: Final = 3
_VERSION: Final = frozenset({b"\x07version\x04bind\x00", b"\x07version\x06server\x00"})
_IDENTITY: Final = frozenset({b"\x02id\x06server\x00", b"\x08hostname\x04bind\x00"})
_LONGEST: Final = 255  # octets of a character-string (RFC 1035 3.3)


def text_of(name: Name, *, identity: str, version: str) -> str:
    """Return what is told at a folded name; nothing at names that are not answered."""
    if name in _VERSION:
        return version
    return identity if name in _IDENTITY else ""


def rrset(name: Name, rtype: int, text: str) -> RRset | None:
    """Return the TXT RRset, ``None`` where the type asked for is another.

    TTL 0: the next query may reach another server of the same address (RFC 4892 2).
    """
    if rtype not in (TXT, ANY):
        return None
    data = text.encode()[:_LONGEST]
    return RRset(name, TXT, 0, (bytes((len(data),)) + data,))
