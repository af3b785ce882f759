"""The portfolio at a moment: how each registration stands, from as little as tells it.

What is kept beside a registration says up to when nothing but renewals comes: until then its stage
is the one that is stored, and nothing has to be walked for it. Whoever asks for more of a
registration has its course walked on to the moment, from where it was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
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

BATCH: Final = 8000  # rows of some 700 octets; a query costs as much as a hundred of them
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


class Projected:
    """A registration as it will stand, or stood, at a moment; worked out when it is asked for.

    ``course`` leads there from the facts, where what is kept does not.
    """

    __slots__ = ("_at", "_course", "_row", "_rules", "_state")

    def __init__(self, row: Outlook, course: Course | None, rules: Rules, at: datetime) -> None:
        self._row = row
        self._course = course
        self._rules = rules
        self._at = at
        self._state: State | None = None

    @property
    def id(self) -> int:
        """Return its number."""
        return self._row.id

    @property
    def name(self) -> str:
        """Return the name of the domain."""
        return self._row.name

    @property
    def customer(self) -> str:
        """Return whose it is."""
        return self._row.customer

    @property
    def life(self) -> Life:
        """Return the stage of the life cycle."""
        row = self._row
        if self._course or row.steady_until is None or seconds(self._at) >= row.steady_until:
            return self.state.life
        return LIVES[row.life]

    @property
    def state(self) -> State:
        """Return all that is known of it at the moment."""
        if self._state is None:
            course = self._course or self._kept()
            course.to(self._at)
            self._state = state_of(course)
        return self._state

    def _kept(self) -> Course:
        row = self._row
        contract, tld, _mark = self._rules.of(row)
        assert row.course is not None
        return kept_course.read(row.name, contract, tld, row.course)


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


def replayed(session: Session, desk: Desk, rows: Sequence[Outlook]) -> dict[int, Course]:
    """Return the courses of registrations from all their facts, by number."""
    facts = stored.facts_of_many(session, [row.id for row in rows])
    return {row.id: Course(under_rules(desk, row, facts[row.id])) for row in rows}
