"""What a server is asked to do, in terms that every server can be configured from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """A zone, by its absolute name; without a ``path`` its content has to be transferred."""

    apex: str
    path: Path | None = None
    signed: bool = False

    @property
    def bare(self) -> str:
        """The name without the dot at its end."""
        return self.apex.rstrip(".")


@dataclass(frozen=True, slots=True)
class Task:
    """The zones to serve, and where they come from or go to (ports of 127.0.0.1).

    With ``primary`` the server is a secondary of all of them; with ``secondary`` it lets that one
    transfer them and sends it NOTIFY. ``updates``: the zones change meanwhile, by DNS UPDATE
    (RFC 2136) where a server has no other way.
    """

    zones: tuple[ZoneFile, ...]
    primary: int | None = None
    secondary: int | None = None
    updates: bool = False
