"""Counting time as contracts and registries do: months, working days, local midnights.

Moments are aware datetimes in UTC; days are days where the provider is, in Germany.

* Months: a period that begins with an event ends with the day of the same number, or the last day
  of a shorter month (BGB 187(1), 188(2), 188(3)). Several periods are always counted from the
  first day, so that one begun on 31 January is not shortened by February for ever.
* Notice is counted back from the last day in the same way: with 35 days to 14 March it has to
  arrive on 7 February. It is not moved by weekends (BGB 193 is about acts that are due).
* Working days are those of the provider's state, without its public holidays. The contracts say
  "Werktag", which is Monday to Saturday in German law (BUrlG 3(2)); whether Saturday counts is
  policy data.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

ZONE: Final = ZoneInfo("Europe/Berlin")
STATES: Final = frozenset(
    place for place in holidays.list_supported_countries()["DE"] if len(place) == 2
)
SATURDAY: Final = 5
SUNDAY: Final = 6
EVERY_MONTH: Final = 28  # a day of this number is in every month
ONE_DAY: Final = timedelta(days=1)


@lru_cache(maxsize=65536)
def add_months(day: date, months: int) -> date:
    """Return the day so many months later, or the last of its month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    number = day.day
    if number > EVERY_MONTH:
        number = min(number, monthrange(year, month + 1)[1])
    return date(year, month + 1, number)


def moment_after_months(moment: datetime, months: int) -> datetime:
    """Return the moment of the same time of day so many months later, as registries count."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    number = moment.day
    if number > EVERY_MONTH:
        number = min(number, monthrange(year, month + 1)[1])
    return moment.replace(year, month + 1, number)


def whole_months(begin: datetime, end: datetime) -> int:
    """Return how many months lie between two moments, at most one too few."""
    return (end.year - begin.year) * 12 + end.month - begin.month - 1


@lru_cache(maxsize=65536)
def midnight(day: date) -> datetime:
    """Return the moment at which a local day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the moment at which a local day is over, in UTC."""
    return midnight(day + ONE_DAY)


def local_day(moment: datetime) -> date:
    """Return the day it is at the provider's at a moment."""
    return moment.astimezone(ZONE).date()


def is_working_day(day: date, state: str, *, saturdays: bool) -> bool:
    """Tell whether a day counts as a working day in a state of Germany (``NW``, ``BE``, ...)."""
    weekend = SUNDAY if saturdays else SATURDAY
    return day.weekday() < weekend and day not in _holidays(state, day.year)


def add_working_days(day: date, count: int, state: str, *, saturdays: bool) -> date:
    """Return the day on which the period of so many working days ends that begins with an event.

    The day of the event does not count (BGB 187(1)).
    """
    while count:
        day += ONE_DAY
        count -= is_working_day(day, state, saturdays=saturdays)
    return day


@cache
def _holidays(state: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("DE", subdiv=state, years=year))
