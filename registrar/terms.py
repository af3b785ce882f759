"""Terms of contracts and notice: from which day to which, and by when to say so."""

from __future__ import annotations

from datetime import date, timedelta

from registrar.days import add_months
from registrar.policy import Contract, Notice


def last_day(start: date, first_months: int, renewal_months: int, renewals: int) -> date:
    """Return the last day of a contract that began on ``start``, after so many renewals.

    The day of the registration does not count: the term begins with an event (BGB 187(1)).
    """
    return add_months(start, first_months + renewals * renewal_months)


def notice_until(last: date, notice: Notice) -> date:
    """Return the last day on which notice to the last day of a term may arrive."""
    if notice.months:
        return add_months(last, -notice.months)
    return last - timedelta(days=notice.days, weeks=notice.weeks)


def after_notice(received: date, notice: Notice) -> date:
    """Return the last day of a contract without an end of its own, given notice on a day."""
    if notice.months:
        return add_months(received, notice.months)
    return received + timedelta(days=notice.days, weeks=notice.weeks)


def end_by_notice(
    start: date, contract: Contract, first_months: int, renewals: int, received: date
) -> date:
    """Return the last day of a contract for which notice arrives on ``received``."""
    renewal = contract.renewal_months.value
    end = last_day(start, first_months, renewal, renewals)
    if not renewal:
        return max(end, after_notice(received, contract.notice))
    while notice_until(end, contract.notice) < received:
        renewals += 1
        end = last_day(start, first_months, renewal, renewals)
    return end
