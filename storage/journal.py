"""The journal of commands to registries: written before the first octet is sent, settled after.

What a command tells in confidence (auth codes) is in a column of its own, and is emptied when the
command is settled: the text that stays has none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from storage.desk_models import JournalRow
from storage.errors import AlreadyExists


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A command; ``outcome`` is ``None`` while nobody knows what came of it."""

    trid: str
    account: str
    kind: str
    name: str  # of the object that it is about
    command: str
    at: float
    secret: str = field(default="", repr=False)
    outcome: str | None = None
    settled_at: float | None = None


def record(session: Session, line: JournalLine) -> None:
    """Write a command down; raises ``AlreadyExists`` for an id that is in use."""
    if find(session, line.trid) is not None:
        raise AlreadyExists(f"client transaction id {line.trid} is in use")
    session.execute(
        insert(JournalRow).values(
            trid=line.trid,
            account=line.account,
            kind=line.kind,
            object=line.name,
            command=line.command,
            secret=line.secret,
            at=line.at,
        )
    )


def settle(session: Session, trid: str, outcome: str, *, now: float) -> None:
    """Write down what came of a command, and forget what it told in confidence."""
    session.execute(
        update(JournalRow)
        .where(JournalRow.trid == trid)
        .values(outcome=outcome, settled_at=now, secret="")
    )


def find(session: Session, trid: str) -> JournalLine | None:
    """Return the line of a client transaction id."""
    row = session.scalar(
        select(JournalRow).where(JournalRow.trid == trid),
        execution_options={"populate_existing": True},
    )
    return None if row is None else _of(row)


def unsettled(session: Session, account: str) -> list[JournalLine]:
    """Return what is open at an account, oldest first."""
    query = select(JournalRow).where(JournalRow.account == account, JournalRow.settled_at.is_(None))
    return [_of(row) for row in session.scalars(query.order_by(JournalRow.at, JournalRow.trid))]


def entries(
    session: Session, *, name: str | None = None, account: str | None = None, limit: int = 100
) -> list[JournalLine]:
    """Return lines, the newest first: all, of an object, of an account."""
    query = select(JournalRow).order_by(JournalRow.at.desc(), JournalRow.trid).limit(limit)
    if name is not None:
        query = query.where(JournalRow.object == name)
    if account is not None:
        query = query.where(JournalRow.account == account)
    return [_of(row) for row in session.scalars(query)]


def forget(session: Session, names: Sequence[str]) -> None:
    """Delete what was settled about objects: the data of a contact that is erased, say."""
    session.execute(
        delete(JournalRow).where(JournalRow.object.in_(names), JournalRow.settled_at.is_not(None))
    )


def prune(session: Session, before: float) -> None:
    """Delete what was settled before a moment."""
    session.execute(delete(JournalRow).where(JournalRow.settled_at < before))


def _of(row: JournalRow) -> JournalLine:
    return JournalLine(
        row.trid,
        row.account,
        row.kind,
        row.object,
        row.command,
        row.at,
        row.secret,
        row.outcome,
        row.settled_at,
    )
