"""TSIG keys (RFC 8945).

Their secrets are stored as they are, since an HMAC cannot be made of a hash; what protects them is
the mode of the database file, or the rights in PostgreSQL.
"""

from __future__ import annotations

import time

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from storage import events, feed
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.models import KeyRow, PeerRow, PrimaryRow
from zones.name import Name, canonical_key, did_you_mean, display
from zones.secondary import TsigKey


def add_key(session: Session, key: TsigKey, *, now: float | None = None, actor: str = "") -> None:
    """Add a key; raises ``AlreadyExists``."""
    now = time.time() if now is None else now
    if session.get(KeyRow, key.name) is not None:
        raise AlreadyExists(f"key {display(key.name)} exists already")
    session.execute(
        insert(KeyRow).values(
            name=key.name, algorithm=key.algorithm, secret=key.secret, created_at=now
        )
    )
    tell(session, key.name, "added", now, actor)


def get_key(session: Session, name: Name) -> TsigKey:
    """Return a key; raises ``StorageError``, with a guess at what was meant."""
    row = session.get(KeyRow, name)
    if row is None:
        known = session.scalars(select(KeyRow.name))
        raise StorageError(f"no such key {display(name)}{did_you_mean(name, known)}")
    return TsigKey(row.name, row.algorithm, row.secret)


def list_keys(session: Session) -> list[TsigKey]:
    """Return all keys in canonical order of their names."""
    keys = [TsigKey(row.name, row.algorithm, row.secret) for row in session.scalars(select(KeyRow))]
    return sorted(keys, key=lambda key: canonical_key(key.name))


def delete_key(session: Session, name: Name, *, now: float | None = None, actor: str = "") -> None:
    """Delete a key; raises ``StorageError`` that says where it is used, if it is."""
    now = time.time() if now is None else now
    get_key(session, name)
    if used := uses(session, name):
        raise StorageError(f"key {display(name)} is used: {'; '.join(used)}")
    session.execute(delete(KeyRow).where(KeyRow.name == name))
    tell(session, name, "deleted", now, actor)


def uses(session: Session, name: Name, limit: int = 5) -> list[str]:
    """Return where a key is used, in words, ending with a count where there are more."""
    primaries = session.scalars(
        select(PrimaryRow.apex).where(PrimaryRow.key == name).distinct().order_by(PrimaryRow.apex)
    )
    peers = session.execute(
        select(PeerRow.apex, PeerRow.address).where(PeerRow.key == name).order_by(PeerRow.id)
    )
    used = [f"primary of {display(apex)}" for apex in primaries]
    used += [
        f"peer {address} of {display(apex) if apex else 'all zones'}" for apex, address in peers
    ]
    more = len(used) - limit
    return [*used[:limit], f"and {more} more"] if more > 0 else used


def tell(session: Session, name: Name, done: str, now: float, actor: str) -> None:
    """Tell the feed and the log what was done with a key."""
    feed.append(session, ChangeKind.KEYS, None, at=now)
    text = f"key {display(name)} {done}"
    events.record(session, f"key-{done}", EventSeverity.INFO, None, text, actor=actor, at=now)
