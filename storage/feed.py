"""The change feed: what changed, in the order of the commits, for those who follow the store.

Numbers are dense (1, 2, 3, ...): writers are serialised by ``Database.write``, so a number is
never committed after a larger one and a follower that asks for what comes after the last number it
saw misses nothing. Old rows are pruned; who is further behind than that gets ``FeedGap`` and reads
everything anew.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from storage import bulk
from storage.errors import FeedGap
from storage.models import FeedRow
from zones.name import Name

KEEP: Final = 100_000  # changes, at most
KEEP_SECONDS: Final = 7 * 86_400.0  # older ones go, too ...
KEEP_AT_LEAST: Final = 1_000  # ... but never these
PRUNE_EVERY: Final = 1_000

LATEST: Final = select(func.max(FeedRow.seq))


class ChangeKind(StrEnum):
    """What a change is about."""

    CONTENT = "content"  # the served version changed
    ZONE = "zone"  # added, or settings, mode or suspension changed
    GONE = "gone"  # the zone was deleted
    PRIMARIES = "primaries"  # of a secondary zone
    KEYS = "keys"  # TSIG keys; for all zones
    PEERS = "peers"  # of a zone, or of all
    SUSPENSIONS = "suspensions"  # of primaries; for all zones
    CATALOG = "catalog"  # a zone became a catalog, is none any more, or has other settings
    REFRESH = "refresh"  # the operator asks for a refresh; payload {"force": bool}


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change; ``apex`` is ``None`` where it is not about one zone."""

    seq: int
    kind: ChangeKind
    apex: Name | None
    at: float
    payload: dict[str, Any] = field(default_factory=dict)


def append(
    session: Session,
    kind: ChangeKind,
    apex: Name | None,
    payload: Mapping[str, Any] | None = None,
    *,
    at: float | None = None,
) -> int:
    """Append one change and return its number."""
    return append_many(session, [(kind, apex, payload or {})], at=at)


def append_many(
    session: Session,
    changes: Sequence[tuple[ChangeKind, Name | None, Mapping[str, Any]]],
    *,
    at: float | None = None,
    first: int | None = None,
) -> int:
    """Append changes and return the number of the first; the others follow without gaps.

    ``first`` is that number, where the caller has looked it up in the same transaction.
    """
    at = time.time() if at is None else at
    first = latest(session) + 1 if first is None else first
    if changes:
        rows = [
            {"seq": seq, "kind": kind.value, "apex": apex, "at": at, "payload": dict(payload)}
            for seq, (kind, apex, payload) in enumerate(changes, first)
        ]
        bulk.insert(session, FeedRow, rows)
        session.info["changed"] = True  # Database.write tells the followers
        last = first + len(changes) - 1
        if last // PRUNE_EVERY != (first - 1) // PRUNE_EVERY:
            prune(session, last, at)
    return first


def restart(session: Session, kind: ChangeKind, seq: int, *, at: float) -> None:
    """Leave one change of number ``seq`` in the feed, so that every follower reads all anew."""
    session.execute(delete(FeedRow))
    row = {"seq": seq, "kind": kind.value, "apex": None, "at": at, "payload": {"restored": True}}
    bulk.insert(session, FeedRow, [row])
    session.info["changed"] = True


def prune(session: Session, last: int, now: float) -> None:
    """Delete what no follower is expected to ask for any more; ``last`` is the newest number."""
    old = (FeedRow.seq <= last - KEEP_AT_LEAST) & (FeedRow.at < now - KEEP_SECONDS)
    # By number, not by each row's time: the numbers that stay have to be without gaps.
    newest_old = session.scalar(select(func.max(FeedRow.seq)).where(old)) or 0
    session.execute(delete(FeedRow).where(FeedRow.seq <= max(newest_old, last - KEEP)))


def since(session: Session, seq: int, limit: int = 1000) -> list[Change]:
    """Return the changes after ``seq`` in order, at most ``limit``.

    Raises ``FeedGap`` where some of them were pruned, or where the feed is behind ``seq`` (the
    store was restored from a backup).
    """
    first, last = session.execute(select(func.min(FeedRow.seq), func.max(FeedRow.seq))).one()
    if seq > (last or 0) or (first or 1) > seq + 1:
        raise FeedGap(f"changes after {seq} are not in the feed, which has {first} to {last}")
    rows = session.execute(
        select(FeedRow.seq, FeedRow.kind, FeedRow.apex, FeedRow.at, FeedRow.payload)
        .where(FeedRow.seq > seq)
        .order_by(FeedRow.seq)
        .limit(limit)
    )
    return [
        Change(number, ChangeKind(kind), apex, at, payload)
        for number, kind, apex, at, payload in rows
    ]


def changed_since(session: Session, at: float) -> list[Name]:
    """Return the zones whose served version changed at ``at`` or later, what changed last first."""
    query = (
        select(FeedRow.apex)
        .where(FeedRow.kind == ChangeKind.CONTENT.value, FeedRow.at >= at)
        .group_by(FeedRow.apex)
        .order_by(func.max(FeedRow.seq).desc())
    )
    return [apex for apex in session.scalars(query) if apex is not None]


def latest(session: Session) -> int:
    """Return the number of the newest change, 0 before the first."""
    return session.connection().scalar(LATEST) or 0
