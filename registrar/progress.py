"""What a registration has come to since it was last looked at: steps, effects, and what is next.

Facts may arrive late: a registry tells today what happened yesterday. So the course is walked
twice, as it was known and as it is known now, and what is new are the steps of the second walk
that the first one did not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from registrar.course import FAR, Course, Step
from registrar.deadlines import Deadline, deadlines_of, expiry_notices
from registrar.fact import Fact
from registrar.lifecycle import state_of
from registrar.model import Denial, Registration, State


@dataclass(frozen=True, slots=True)
class Progress:
    """What is new at a moment: ``steps`` happened, ``undone`` did not after all.

    ``passed`` are deadlines at which somebody is told something. ``next_due`` is the next moment
    at which anything happens or is to be told, ``FAR`` where nothing will. ``course`` has come to
    that moment; one that went on from a kept course knows no facts, nor does ``registration``.
    """

    registration: Registration
    state: State
    steps: tuple[Step, ...]
    undone: tuple[Step, ...]
    denials: tuple[Denial, ...]
    passed: tuple[Deadline, ...]
    deadlines: tuple[Deadline, ...]
    next_due: datetime
    course: Course


def progress(
    registration: Registration,
    lived_until: datetime | None,
    now: datetime,
    facts: Iterable[Fact] = (),
) -> Progress:
    """Return what has come since ``lived_until``, with facts that nobody knew before.

    A moment that was lived through has had its effects; they are not told again.
    """
    new = tuple(facts)
    course, known = _walked(registration, lived_until, record=bool(new))
    if not new:
        return go_on(course, lived_until, now)
    passed = _passed(course, lived_until, now)
    course = Course(replace(registration, facts=registration.facts + new), record=True)
    course.to(now)
    steps, undone = _compared(known, course.steps or [])
    return _told(course, passed, steps, undone, _denials_of(course, new))


def go_on(course: Course, lived_until: datetime | None, now: datetime) -> Progress:
    """Return what time brings to a course that has come to ``lived_until``."""
    passed = _passed(course, lived_until, now)
    denied = len(course.denials)
    course.steps = []  # from here on
    course.to(now)
    return _told(course, passed, course.steps, [], tuple(course.denials[denied:]))


def _told(
    course: Course,
    passed: tuple[Deadline, ...],
    steps: list[Step],
    undone: list[Step],
    denials: tuple[Denial, ...],
) -> Progress:
    assert course.clock is not None
    deadlines = tuple(deadlines_of(course))
    return Progress(
        registration=course.registration,
        state=state_of(course),
        steps=tuple(steps),
        undone=tuple(undone),
        denials=denials,
        passed=passed,
        deadlines=deadlines,
        next_due=_next_due(course, deadlines, course.clock),
        course=course,
    )


def _walked(
    registration: Registration, until: datetime | None, *, record: bool
) -> tuple[Course, list[Step]]:
    course = Course(registration, record=record)
    if until is not None:
        course.to(until)
    return course, list(course.steps or ())


def _passed(course: Course, lived_until: datetime | None, now: datetime) -> tuple[Deadline, ...]:
    if lived_until is None or lived_until >= now:
        return ()
    return tuple(notice for notice in expiry_notices(course) if lived_until < notice.due <= now)


def _compared(before: list[Step], after: list[Step]) -> tuple[list[Step], list[Step]]:
    """Return the steps that came and those that went, in their order."""
    old = Counter(map(_key, before))
    new = Counter(map(_key, after))
    return _beyond(after, old), _beyond(before, new)


def _beyond(steps: list[Step], others: Counter[object]) -> list[Step]:
    left, found = Counter(others), []
    for step in steps:
        if left[_key(step)]:
            left[_key(step)] -= 1
        else:
            found.append(step)
    return found


def _key(step: Step) -> object:
    return step.at, id(step.row), step.fact


def _denials_of(course: Course, new: tuple[Fact, ...]) -> tuple[Denial, ...]:
    moments = {(fact.at, fact.event) for fact in new}
    return tuple(denial for denial in course.denials if (denial.at, denial.event) in moments)


def _next_due(course: Course, deadlines: tuple[Deadline, ...], now: datetime) -> datetime:
    moments = [course.next_due]
    for deadline in deadlines:
        if deadline.alarm > now:
            moments.append(deadline.alarm)
        if deadline.due > now:
            moments.append(deadline.due)
    return min(moments, default=FAR)
