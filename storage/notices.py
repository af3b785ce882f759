"""What customers are to be told, written down with the facts that call for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from storage.desk_models import NoticeRow, RegistrationRow


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told about a registration; ``kind`` names the text it is put in."""

    id: int
    key: str
    registration: int
    name: str
    customer: str
    kind: str
    at: float
    data: Mapping[str, Any]
    told_at: float | None = None


def add(
    session: Session,
    key: str,
    registration: int,
    kind: str,
    data: Mapping[str, Any],
    *,
    at: float,
) -> bool:
    """Add a notice; tell whether its key is new."""
    if session.scalar(select(NoticeRow.id).where(NoticeRow.key == key)) is not None:
        return False
    session.execute(
        insert(NoticeRow).values(
            key=key, registration=registration, kind=kind, at=at, data=dict(data)
        )
    )
    return True


def pending(session: Session, limit: int = 500) -> list[Notice]:
    """Return what nobody was told yet, oldest first."""
    query = _selected().where(NoticeRow.told_at.is_(None)).order_by(NoticeRow.id).limit(limit)
    return [_of(*row) for row in session.execute(query)]


def told(session: Session, numbers: Sequence[int], *, now: float) -> None:
    """Note that notices were handed on."""
    session.execute(update(NoticeRow).where(NoticeRow.id.in_(numbers)).values(told_at=now))
    session.expire_all()


def list_notices(session: Session, *, name: str | None = None, limit: int = 100) -> list[Notice]:
    """Return notices, the newest first: all, or those about a domain."""
    query = _selected().order_by(NoticeRow.id.desc()).limit(limit)
    if name is not None:
        query = query.where(RegistrationRow.name == name)
    return [_of(*row) for row in session.execute(query)]


def _selected() -> Any:
    return select(NoticeRow, RegistrationRow.name, RegistrationRow.customer).join(
        RegistrationRow, RegistrationRow.id == NoticeRow.registration
    )


def _of(row: NoticeRow, name: str, customer: str) -> Notice:
    return Notice(
        row.id, row.key, row.registration, name, customer, row.kind, row.at, row.data, row.told_at
    )
