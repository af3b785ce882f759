"""How zones stand before something is published: what is served, and how much is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from storage.errors import StorageError
from storage.models import ServedRow, VersionRow, ZoneRow
from storage.zones import chunks, unknown
from zones.name import Name, display


@dataclass(frozen=True, slots=True)
class Standing:
    """What publishing has to know of a zone."""

    apex: Name
    pinned: bool
    keep: int
    kept: int  # versions there are
    served: int | None
    hash: str | None


KEPT: Final = (
    select(func.count()).where(VersionRow.apex == ZoneRow.apex).correlate(ZoneRow).scalar_subquery()
)
SERVED_VERSION: Final = aliased(VersionRow)
STANDINGS: Final = (
    select(
        ZoneRow.apex,
        ZoneRow.pinned,
        ZoneRow.keep_versions,
        KEPT,
        ServedRow.version,
        SERVED_VERSION.hash,
    )
    .outerjoin(ServedRow, ServedRow.apex == ZoneRow.apex)
    .outerjoin(SERVED_VERSION, SERVED_VERSION.id == ServedRow.version)
    .where(ZoneRow.apex.in_(bindparam("apexes", expanding=True)))
)


def standings(session: Session, apexes: Sequence[Name]) -> dict[Name, Standing]:
    """Return how the zones stand; raises ``UnknownZone``, ``StorageError`` for one named twice."""
    found: dict[Name, Standing] = {}
    for chunk in chunks(apexes):
        for row in session.connection().execute(STANDINGS, {"apexes": chunk}):
            found[row[0]] = Standing(*row)
    if len(found) != len(apexes):
        seen: set[Name] = set()
        for apex in apexes:
            if apex not in found:
                raise unknown(session, apex)
            if apex in seen:
                raise StorageError(f"zone {display(apex)} is published twice at once")
            seen.add(apex)
    return found
