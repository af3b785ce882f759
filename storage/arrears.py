"""What billing says customers owe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage import bulk
from storage.desk_models import ArrearsRow


@dataclass(frozen=True, slots=True)
class StoredArrears:
    """Cents, gross, overdue since a day (``YYYY-MM-DD``)."""

    customer: str
    cents: int
    since: str
    past_period: bool = True


def replace(session: Session, arrears: Iterable[StoredArrears], *, now: float) -> None:
    """Keep exactly these: whoever is not among them owes nothing."""
    session.execute(delete(ArrearsRow))
    rows = [
        {
            "customer": entry.customer,
            "cents": entry.cents,
            "since": entry.since,
            "past_period": entry.past_period,
            "reported_at": now,
        }
        for entry in arrears
    ]
    bulk.insert(session, ArrearsRow, rows)
    session.expire_all()


def listed(session: Session) -> dict[str, StoredArrears]:
    """Return what is owed, by customer."""
    return {
        row.customer: StoredArrears(row.customer, row.cents, row.since, row.past_period)
        for row in session.scalars(select(ArrearsRow).order_by(ArrearsRow.customer))
    }
