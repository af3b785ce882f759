"""Accounts at registries, and the messages of theirs that were taken in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from storage import bulk, events
from storage.desk_models import AccountRow, MessageRow
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account; ``place`` says where the registry is, in the words of its kind."""

    id: str
    kind: str
    client: str
    tlds: tuple[str, ...]
    place: Mapping[str, Any]
    password: str = field(default="", repr=False)
    enabled: bool = True
    polled_at: float | None = None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of a registry; ``facts`` is what it was taken for."""

    account: str
    message: str
    at: float
    name: str
    text: str
    facts: tuple[str, ...]


def put(session: Session, account: StoredAccount, *, new: bool, now: float, actor: str) -> None:
    """Add an account, or replace one; raises ``AlreadyExists`` and ``StorageError``."""
    there = session.get(AccountRow, account.id) is not None
    if new and there:
        raise AlreadyExists(f"registry account {account.id} exists already")
    if not new and not there:
        raise StorageError(f"there is no registry account {account.id}")
    row = {
        "id": account.id,
        "kind": account.kind,
        "client": account.client,
        "tlds": list(account.tlds),
        "place": dict(account.place),
        "password": account.password,
        "enabled": account.enabled,
        "polled_at": account.polled_at,
    }
    bulk.upsert(session, AccountRow, [row])
    session.expire_all()
    text = f"registry account {account.id} {'added' if new else 'changed'}"
    _tell(session, text, now, actor)


def find(session: Session, number: str) -> StoredAccount | None:
    """Return an account, ``None`` where there is none of that id."""
    row = session.get(AccountRow, number)
    return None if row is None else _of(row)


def listed(session: Session) -> list[StoredAccount]:
    """Return all accounts by id."""
    return [_of(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.id))]


def delete(session: Session, number: str, *, now: float, actor: str) -> None:
    """Delete an account; its journal stays. Raises ``StorageError``."""
    if session.get(AccountRow, number) is None:
        raise StorageError(f"there is no registry account {number}")
    session.execute(sql_delete(AccountRow).where(AccountRow.id == number))
    session.expire_all()
    _tell(session, f"registry account {number} deleted", now, actor)


def polled(session: Session, number: str, *, now: float) -> None:
    """Note that the messages of an account were looked at."""
    session.execute(update(AccountRow).where(AccountRow.id == number).values(polled_at=now))
    session.expire_all()


def has_message(session: Session, account: str, message: str) -> bool:
    """Tell whether a message was taken in before."""
    return session.get(MessageRow, (account, message)) is not None


def add_message(session: Session, message: StoredMessage) -> None:
    """Note that a message was taken in."""
    session.execute(
        insert(MessageRow).values(
            account=message.account,
            message=message.message,
            at=message.at,
            object=message.name,
            text=message.text,
            facts=list(message.facts),
        )
    )


def messages(
    session: Session, *, account: str | None = None, name: str | None = None, limit: int = 100
) -> Sequence[StoredMessage]:
    """Return messages, the newest first."""
    query = select(MessageRow).order_by(MessageRow.at.desc(), MessageRow.message).limit(limit)
    if account is not None:
        query = query.where(MessageRow.account == account)
    if name is not None:
        query = query.where(MessageRow.object == name)
    return [
        StoredMessage(row.account, row.message, row.at, row.object, row.text, tuple(row.facts))
        for row in session.scalars(query)
    ]


def _tell(session: Session, text: str, now: float, actor: str) -> None:
    kind = "registry-account"
    events.record(session, kind, EventSeverity.INFO, None, text, actor=actor, at=now)


def _of(row: AccountRow) -> StoredAccount:
    return StoredAccount(
        row.id,
        row.kind,
        row.client,
        tuple(row.tlds),
        row.place,
        row.password,
        row.enabled,
        row.polled_at,
    )
