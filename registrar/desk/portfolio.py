"""The portfolio at a moment: how each registration stands, from as little as tells it.

What is kept beside a registration says up to when nothing but renewals comes: until then its stage
is the one that is stored, and nothing has to be walked for it. Whoever asks for more of a
registration has its course walked on to the moment, from where it was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from registrar import kept_course
from registrar.course import Course
from registrar.desk.desk import Desk, seconds
from registrar.desk.registrations import rules_of, under_rules
from registrar.lifecycle import state_of
from registrar.model import Life, State
from registrar.policy import Contract, Tld
from storage import registrations as stored
from storage.registrations import Outlook
from storage.session import Session

BATCH: Final = 2000
LIVES: Final = {life.value: life for life in Life}


class Rules:
    """The rules of registrations, each looked up once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[tuple[str, str], tuple[Contract, Tld, str]] = {}

    def of(self, row: Outlook) -> tuple[Contract, Tld, str]:
        """Return contract, TLD and the mark of courses under them; raises ``PolicyError``."""
        found = self._known.get((row.contract, row.profile))
        if found is None:
            contract, tld = rules_of(self._desk, row)
            found = contract, tld, kept_course.mark(contract, tld)
            self._known[row.contract, row.profile] = found
        return found

    def go_on(self, row: Outlook) -> Course | None:
        """Return the course that is kept; ``None`` where there is none, or of other rules."""
        contract, tld, _mark = self.of(row)
        return kept_course.go_on(row.name, contract, tld, row.course)


class Projected:
    """A registration as it will stand, or stood, at a moment; worked out when it is asked for."""

    def __init__(self, row: Outlook, course: Course | None, rules: Rules, at: datetime) -> None:
        self.id = row.id
        self.name = row.name
        self.customer = row.customer
        self._row = row
        self._course = course  # from the facts, where what is kept does not tell
        self._rules = rules
        self._at = at

    @property
    def life(self) -> Life:
        """Return the stage of the life cycle."""
        if self._course is None and is_steady(self._row, seconds(self._at)):
            return LIVES[self._row.life]
        return self.state.life

    @cached_property
    def state(self) -> State:
        """Return all that is known of it at the moment."""
        course = self._course or self._rules.go_on(self._row)
        assert course is not None
        course.to(self._at)
        return state_of(course)


def portfolio(
    session: Session, desk: Desk, at: datetime, *, customer: str | None = None
) -> Iterator[Projected]:
    """Yield the registrations, oldest first, as they will stand, or stood, at a moment."""
    rules, until, after = Rules(desk), seconds(at), 0
    while rows := stored.outlooks(session, customer=customer, after=after, limit=BATCH):
        after = rows[-1].id
        void = [row for row in rows if not is_usable(row, rules, until)]
        from_facts = replayed(session, desk, void)
        for row in rows:
            yield Projected(row, from_facts.get(row.id), rules, at)


def is_usable(row: Outlook, rules: Rules, until: float) -> bool:
    """Tell whether what is kept leads to a moment: it is there, of these rules, and not past it."""
    kept = row.course
    mark = rules.of(row)[2]
    if kept is None or row.lived_until is None:
        return False
    return row.lived_until <= until and kept.startswith(mark)


def is_steady(row: Outlook, until: float) -> bool:
    """Tell whether nothing but renewals comes between what is kept and a moment."""
    return row.steady_until is not None and until < row.steady_until


def replayed(session: Session, desk: Desk, rows: Sequence[Outlook]) -> dict[int, Course]:
    """Return the courses of registrations from all their facts, by number."""
    facts = stored.facts_of_many(session, [row.id for row in rows])
    return {row.id: Course(under_rules(desk, row, facts[row.id])) for row in rows}
