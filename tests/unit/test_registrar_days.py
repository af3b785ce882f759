"""Months, notice, working days and midnights."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrar import days, terms
from tests.registrations import policies


def test_months_are_counted_from_the_first_day() -> None:
    """A period from the 31st ends on the last day of a short month, and is not shortened for ever."""
    begin = date(2024, 1, 31)
    assert days.add_months(begin, 1) == date(2024, 2, 29)
    assert days.add_months(begin, 2) == date(2024, 3, 31)
    assert days.add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)


MOMENTS = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, MOMENTS)
def test_whole_months_never_lead_too_far(begin: datetime, end: datetime) -> None:
    """As many months after the beginning the end is not passed, and two more pass it."""
    begin, end = sorted((begin, end))
    months = max(0, days.whole_months(begin, end))
    assert days.moment_after_months(begin, months) <= end
    assert days.moment_after_months(begin, months + 2) > end


def test_days_end_at_local_midnight() -> None:
    """A day ends at 22:00 UTC in summer and 23:00 UTC in winter, and a moment is in its day."""
    assert days.end_of(date(2024, 7, 1)) == datetime(2024, 7, 1, 22, tzinfo=UTC)
    assert days.end_of(date(2024, 12, 1)) == datetime(2024, 12, 1, 23, tzinfo=UTC)
    assert days.local_day(datetime(2024, 7, 1, 22, tzinfo=UTC)) == date(2024, 7, 2)


def test_holidays_are_those_of_the_state() -> None:
    """Corpus Christi is a holiday in Cologne and a working day in Berlin."""
    corpus_christi = date(2025, 6, 19)
    assert not days.is_working_day(corpus_christi, "NW", saturdays=True)
    assert days.is_working_day(corpus_christi, "BE", saturdays=True)


@pytest.mark.requirement("REG-2")
def test_working_days_skip_a_holiday_weekend() -> None:
    """From Maundy Thursday on, Good Friday, Easter Sunday and Monday do not count."""
    thursday = date(2025, 4, 17)
    assert days.add_working_days(thursday, 7, "NW", saturdays=True) == date(2025, 4, 28)
    assert days.add_working_days(thursday, 7, "NW", saturdays=False) == date(2025, 4, 30)


@pytest.mark.requirement("REG-10")
def test_notice_is_counted_back_from_the_last_day() -> None:
    """35 days (N) and 6 weeks (H) before the last day, and a month for consumers."""
    last = date(2025, 3, 15)
    known = policies().contracts
    assert terms.notice_until(last, known["n"].notice) == date(2025, 2, 8)
    assert terms.notice_until(last, known["h"].notice) == date(2025, 2, 1)
    assert terms.notice_until(last, known["consumer"].notice) == date(2025, 2, 15)
