"""What billing tells and asks: arrears come in, fees that fall due go out (contract N 3.1, H 5a)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from registrar.days import end_of, local_day
from registrar.deadlines import Due
from registrar.desk import acting, recording, registrations
from registrar.desk.desk import Desk, moment, seconds
from registrar.desk.outcome import Outcome
from registrar.errors import RegistrarError
from registrar.fact import Fact
from registrar.facts import ArrearsReported, ArrearsSettled, Paid
from storage import arrears as stored
from storage import customers, deadlines
from storage.arrears import StoredArrears
from storage.session import Session


@dataclass(frozen=True, slots=True)
class Arrears:
    """What a customer owes: cents, gross, overdue since a day.

    ``past_period`` tells that it is for a period that is over, not for the next one.
    """

    customer: str
    cents: int
    since: date
    past_period: bool = True


@dataclass(frozen=True, slots=True)
class ArrearsImport:
    """What came of a list of arrears; ``unknown`` are customers that we do not have."""

    customers: int
    registrations: int
    settled: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueFee:
    """A fee that falls due, in advance, from a day on."""

    name: str
    customer: str
    contract: str
    product: str
    begins: date
    months: int
    source: str


def import_arrears(
    session: Session,
    desk: Desk,
    rows: Iterable[Arrears],
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> ArrearsImport:
    """Take a whole list of what is open: whoever is not in it owes nothing any more.

    The same list again changes nothing. Raises ``RegistrarError`` with every fault of the list.
    """
    reported = list(rows)
    if faults := _faults(reported, local_day(now)):
        raise RegistrarError(faults)
    known = {customer.id for customer in customers.list_customers(session)}
    owing = {row.customer: _stored(row) for row in reported if row.customer in known}
    before = stored.listed(session)
    changed = {number: row for number, row in owing.items() if before.get(number) != row}
    settled = [number for number in before if number not in owing]
    touched = 0
    for number in (*changed, *settled):
        fact = _fact(changed.get(number), now)
        for entry in registrations.list_entries(session, customer=number, closed=False):
            if entry.life in recording.WITH_US:
                touched += 1
                if not dry_run:
                    recording.record(session, desk, entry, [fact], now=now, actor=actor)
    if not dry_run:
        stored.replace(session, owing.values(), now=seconds(now))
    unknown = tuple(sorted({row.customer for row in reported} - known))
    return ArrearsImport(len(changed), touched, len(settled), unknown)


def paid(
    session: Session, desk: Desk, name: str, through: date, *, now: datetime, actor: str
) -> Outcome:
    """Note that the fees of a domain are paid up to and with a day."""
    return acting.record(session, desk, name, Paid(now, through), now=now, actor=actor)


def due_fees(session: Session, desk: Desk, *, until: date) -> list[DueFee]:
    """Return the fees that fall due up to and with a day, for billing to invoice."""
    found = deadlines.listed(session, until=seconds(end_of(until)), kinds=[Due.INVOICE])
    fees = []
    for item in found:
        entry = registrations.get_by_id(session, item.registration)
        contract = desk.policies.contracts.get(item.contract)
        months = contract.invoice_months.value if contract else 12
        begins = local_day(moment(item.deadline.due))
        source = item.deadline.source
        product = entry.booking.product
        fees.append(
            DueFee(item.name, item.customer, item.contract, product, begins, months, source)
        )
    return fees


def _faults(rows: Iterable[Arrears], today: date) -> list[str]:
    faults, seen = [], set[str]()
    for row in rows:
        if row.cents <= 0:
            faults.append(f"customer {row.customer}: {row.cents} cents are no arrears")
        if row.since > today:
            faults.append(f"customer {row.customer}: nothing is overdue since {row.since}")
        if row.customer in seen:
            faults.append(f"customer {row.customer} is listed twice")
        seen.add(row.customer)
    return faults


def _stored(row: Arrears) -> StoredArrears:
    return StoredArrears(row.customer, row.cents, row.since.isoformat(), row.past_period)


def _fact(row: StoredArrears | None, now: datetime) -> Fact:
    if row is None:
        return ArrearsSettled(now)
    return ArrearsReported(now, row.cents, date.fromisoformat(row.since), row.past_period)
