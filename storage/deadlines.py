"""What is due for registrations, kept so that a worklist is one query over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage import bulk
from storage.desk_models import DeadlineRow, RegistrationRow

CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredDeadline:
    """Something that is due, told of from ``alarm`` on."""

    kind: str
    due: float
    alarm: float
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class DueItem:
    """A deadline with the registration that it belongs to."""

    id: int
    registration: int
    name: str
    customer: str
    contract: str
    deadline: StoredDeadline
    alarmed: bool


def replace(session: Session, wanted: Mapping[int, Sequence[StoredDeadline]]) -> None:
    """Keep exactly these deadlines for each registration; what stays keeps its mark."""
    have = _present(session, list(wanted))
    gone: list[int] = []
    new: list[dict[str, Any]] = []
    for registration, deadlines in wanted.items():
        there = have.get(registration, {})
        gone += [number for deadline, number in there.items() if deadline not in deadlines]
        new += [
            {
                "registration": registration,
                "kind": deadline.kind,
                "due": deadline.due,
                "alarm": deadline.alarm,
                "sentence": deadline.sentence,
                "source": deadline.source,
                "alarmed": False,
            }
            for deadline in dict.fromkeys(deadlines)
            if deadline not in there
        ]
    for chunk in _chunks(gone):
        session.execute(delete(DeadlineRow).where(DeadlineRow.id.in_(chunk)))
    bulk.insert(session, DeadlineRow, new)


def _present(session: Session, numbers: list[int]) -> dict[int, dict[StoredDeadline, int]]:
    row = DeadlineRow
    found: dict[int, dict[StoredDeadline, int]] = {}
    columns = (row.registration, row.id, row.kind, row.due, row.alarm, row.sentence, row.source)
    for chunk in _chunks(numbers):
        query = select(*columns).where(row.registration.in_(chunk))
        for (
            registration,
            number,
            kind,
            due,
            alarm,
            sentence,
            source,
        ) in session.connection().execute(query):
            deadline = StoredDeadline(kind, due, alarm, sentence, source)
            found.setdefault(registration, {})[deadline] = number
    return found


def listed(
    session: Session,
    *,
    start: float | None = None,
    until: float | None = None,
    alarming: float | None = None,
    customer: str | None = None,
    kinds: Iterable[str] | None = None,
    name: str | None = None,
    unalarmed: bool = False,
    limit: int | None = None,
) -> list[DueItem]:
    """Return what is due by time: from ``start`` to ``until``, or with its alarm by a moment."""
    row, registration = DeadlineRow, RegistrationRow
    query = (
        select(row, registration.name, registration.customer, registration.contract)
        .join(registration, registration.id == row.registration)
        .order_by(row.due, registration.name, row.id)
        .limit(limit)
    )
    if start is not None:
        query = query.where(row.due >= start)
    if until is not None:
        query = query.where(row.due <= until)
    if alarming is not None:
        query = query.where(row.alarm <= alarming)
    if unalarmed:
        query = query.where(row.alarmed.is_(False))
    if customer is not None:
        query = query.where(registration.customer == customer)
    if name is not None:
        query = query.where(registration.name == name)
    if kinds is not None:
        query = query.where(row.kind.in_(list(kinds)))
    return [
        DueItem(
            found.id, found.registration, name, customer, contract,
            StoredDeadline(found.kind, found.due, found.alarm, found.sentence, found.source),
            found.alarmed,
        )
        for found, name, customer, contract in session.execute(query)
    ]  # fmt: skip


def mark_alarmed(session: Session, numbers: Sequence[int]) -> None:
    """Note that deadlines were told of."""
    for chunk in _chunks(list(numbers)):
        session.execute(update(DeadlineRow).where(DeadlineRow.id.in_(chunk)).values(alarmed=True))


def _chunks(numbers: list[int]) -> Iterable[list[int]]:
    return (numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK))
