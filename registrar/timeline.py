"""The timeline of a registration: what happened to it, and what will if nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from registrar.course import Course
from registrar.days import end_of
from registrar.lifecycle import last_notice_day
from registrar.model import Registration


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a timeline; ``expected`` tells that no fact confirms it."""

    at: datetime
    what: str
    source: str
    expected: bool


def timeline(registration: Registration, now: datetime, until: datetime) -> list[Entry]:
    """Return what happened up to ``now``, and what is to come up to ``until``, in order.

    What was wished for and denied is in it, with the reasons.
    """
    course = Course(registration, record=True)
    course.to(until)
    assert course.steps is not None
    entries = [
        Entry(
            step.at,
            f"{step.row.region}: {step.row.state} → {step.row.target} ({step.row.event})",
            step.row.source,
            step.fact is None or step.at > now,
        )
        for step in course.steps
    ]
    for denial in course.denials:
        for reason in denial.reasons:
            what = f"{denial.event}: denied: {reason.sentence}"
            entries.append(Entry(denial.at, what, reason.source, denial.at > now))
    for period, end in course.grace.items():
        if end <= until:
            entries.append(Entry(end, f"{period} ends", "RFC 3915 3.1", end > now))
    last = last_notice_day(course)
    if last is not None and now < end_of(last) <= until:
        what = f"last day of notice to {course.last_day}"
        entries.append(
            Entry(end_of(last), what, registration.contract.notice.source, expected=True)
        )
    return sorted(entries, key=lambda entry: entry.at)
