"""How a registration stands in all regions together, and what an event does to it from there.

The tables of ``registrar.transitions`` have a row per region. Here they are put together, once for
each combination of states that comes up: which rows an event takes, what is to be asked and done,
and where that leads. Rows that depend on more than the states are chosen each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from registrar.events import Event
from registrar.model import Life, Region
from registrar.recorded import RECORDED
from registrar.transition import Change, Guard, Transition
from registrar.transitions import BY_EVENT, INITIAL

if TYPE_CHECKING:
    from registrar.course import Course

# What the registry, or another outside, tells to have happened: it is not judged any more.
OUTCOMES: Final = frozenset(
    {
        Event.SENT,
        Event.REGISTERED,
        Event.REFUSED,
        Event.TRANSFERRED_IN,
        Event.RENEWED,
        Event.DELETED,
        Event.TRANSITED,
        Event.RESTORED,
        Event.CODE_ISSUED,
        Event.TRANSFER_REQUESTED,
        Event.TRANSFER_REJECTED,
        Event.TRANSFER_CANCELLED,
        Event.TRANSFERRED_AWAY,
    }
)


OTHER_REGIONS: Final = tuple(region for region in Region if region is not Region.LIFE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an event does from one standing: rows taken together lead to ``after``.

    ``guards`` judge a fact; they are empty for outcomes. ``moves`` tells of a step in the life
    cycle. ``fits`` is false where no table knows the event here.
    """

    rows: tuple[Transition, ...]
    guards: tuple[Guard, ...]
    changes: tuple[Change, ...]
    after: Standing
    moves: bool
    fits: bool


@dataclass(eq=False, slots=True)
class Standing:
    """A combination of states; there is one object for each, so that ``is`` tells them apart."""

    states: dict[Region, Any]  # each region has an enumeration of its own; never changed
    life: Life
    plans: dict[Event, Plan | None] = field(default_factory=dict)
    others: tuple[Any, ...] = field(init=False)  # the states less that of the life cycle

    def __post_init__(self) -> None:
        self.others = tuple(self.states[region] for region in OTHER_REGIONS)

    def plan(self, event: Event, course: Course, at: datetime) -> Plan:
        """Return what an event does from here; guards aside, by the conditions of its rows."""
        try:
            plan = self.plans[event]
        except KeyError:
            plan = self.plans[event] = self._lasting_plan(event)
        return plan or self._plan(event, self.rows_for(event, course, at))

    def rows_for(self, event: Event, course: Course, at: datetime) -> tuple[Transition, ...]:
        """Return the row of each region that an event leads to from here, guards aside."""
        found = []
        for rows in self._candidates(event):
            for row in rows:
                if row.when is None or row.when(course, at):
                    found.append(row)
                    break
        return tuple(found)

    def _candidates(self, event: Event) -> list[list[Transition]]:
        """Return the rows of each region that may be taken here."""
        return [
            [
                row
                for row in by_state.get(self.states[region], ())
                if not row.during or self.life in row.during
            ]
            for region, by_state in BY_EVENT.get(event, ())
        ]

    def _lasting_plan(self, event: Event) -> Plan | None:
        """Return the plan for an event, ``None`` where it depends on more than the states."""
        candidates = [rows for rows in self._candidates(event) if rows]
        if any(row.when is not None for rows in candidates for row in rows):
            return None
        return self._plan(event, tuple(rows[0] for rows in candidates))

    def _plan(self, event: Event, rows: tuple[Transition, ...]) -> Plan:
        judged = event not in OUTCOMES
        states = self.states | {row.region: row.target for row in rows}
        return Plan(
            rows=rows,
            guards=tuple(guard for row in rows for guard in row.guards) if judged else (),
            changes=tuple(row.change for row in rows if row.change is not None),
            after=standing(states),
            moves=states[Region.LIFE] is not self.life,
            fits=bool(rows) or event in RECORDED,
        )


_KNOWN: Final[dict[tuple[StrEnum, ...], Standing]] = {}


def standing(states: dict[Region, Any]) -> Standing:
    """Return the standing with these states."""
    key = tuple(states[region] for region in Region)
    found = _KNOWN.get(key)
    if found is None:
        found = _KNOWN.setdefault(key, Standing(states, states[Region.LIFE]))
    return found


FIRST: Final = standing(dict(INITIAL))
