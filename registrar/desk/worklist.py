"""What is due, over all registrations: one query, since deadlines are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from registrar.deadlines import Due
from registrar.desk.desk import moment, seconds
from storage import deadlines
from storage.deadlines import DueItem
from storage.session import Session


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that is due for a domain; ``alarming`` from its alarm on, ``overdue`` after it."""

    due: datetime
    kind: Due
    name: str
    customer: str
    contract: str
    sentence: str
    source: str
    alarm: datetime
    alarming: bool
    overdue: bool


def worklist(
    session: Session,
    now: datetime,
    *,
    until: datetime | None = None,
    customer: str | None = None,
    kinds: Iterable[str] | None = None,
    name: str | None = None,
    alarming: bool = False,
    limit: int | None = None,
) -> list[WorkItem]:
    """Return what is due, the most pressing first: all, up to a day, or what is alarming now."""
    found = deadlines.listed(
        session,
        until=seconds(until) if until else None,
        alarming=seconds(now) if alarming else None,
        customer=customer,
        kinds=kinds,
        name=name,
        limit=limit,
    )
    return [_item(item, now) for item in found]


def calendar(
    session: Session,
    *,
    start: datetime,
    end: datetime,
    customer: str | None = None,
    kinds: Iterable[str] | None = None,
) -> list[WorkItem]:
    """Return what falls due between two moments, over the whole portfolio or a customer's."""
    found = deadlines.listed(
        session, start=seconds(start), until=seconds(end), customer=customer, kinds=kinds
    )
    return [_item(item, start) for item in found]


def _item(item: DueItem, now: datetime) -> WorkItem:
    kept = item.deadline
    return WorkItem(
        moment(kept.due),
        Due(kept.kind),
        item.name,
        item.customer,
        item.contract,
        kept.sentence,
        kept.source,
        moment(kept.alarm),
        seconds(now) >= kept.alarm,
        seconds(now) > kept.due,
    )
