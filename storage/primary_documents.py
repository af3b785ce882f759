"""Primaries as part of a document of settings, as those of a catalog's members are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from zones.name import display, from_text
from zones.secondary import Primary, PrimaryTls


def document_of(primary: Primary) -> dict[str, Any]:
    """Return a primary for storage; its position is that in the list."""
    found = asdict(primary) | {"key": display(primary.key) if primary.key else None}
    return {name: value for name, value in found.items() if name != "position"}


def primaries_of(documents: Sequence[Mapping[str, Any]]) -> tuple[Primary, ...]:
    """Return what ``document_of`` was made of; what was not stored once is as by default."""
    return tuple(
        Primary(
            one["address"],
            one["port"],
            from_text(one["key"]) if one["key"] else None,
            position,
            tls_of(one.get("tls")),
            one.get("source"),
            one.get("transfers"),
        )
        for position, one in enumerate(documents)
    )


def tls_of(stored: Mapping[str, Any] | None) -> PrimaryTls | None:
    """Return what is stored of a primary's TLS, ``None`` where nothing is."""
    return PrimaryTls(**stored) if stored else None
