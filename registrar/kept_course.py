"""The course of a registration as text: where it stood, to go on from without its facts.

What is kept is a cache and never the truth. It begins with a mark of the code and of the rules
under which it was walked; under another mark it is not read, and the facts are walked again. Of
the attributes of a course those are written that differ from a new one's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json, to_json

from registrar.course import Course
from registrar.events import Event
from registrar.fact_codec import decode, encode
from registrar.model import Denial, Region, Registration
from registrar.policy import Contract, Tld
from registrar.reason import Reason
from registrar.standing import Standing, standing
from registrar.statuses import RgpStatus, Status
from registrar.transitions import INITIAL

MARK: Final = 16  # characters
NOT_KEPT: Final = frozenset(
    ("_facts", "_position", "contract", "registration", "standing", "steps", "tld", "clock")
)

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def keep(course: Course) -> str | None:
    """Return a course as text; ``None`` where facts are still to come, which are not kept."""
    if course.clock is None or course.position < len(course.registration.facts):
        return None
    told: dict[str, Any] = {}
    for name, write, fresh in _fresh(course):
        value = getattr(course, name)
        if value is not fresh and value != fresh:
            told[name] = None if value is None else write(value)
    states = [state.value for state in course.standing.states.values()]
    known = [_moment(course.clock), "|".join(states), told]
    return mark(course.contract, course.tld) + to_json(known).decode()


def go_on(name: str, contract: Contract, tld: Tld, kept: str | None) -> Course | None:
    """Return the course that ``keep`` wrote, as far as it had come; it has no facts any more.

    ``None`` where there is none, or one of other code or rules.
    """
    if kept is None or not kept.startswith(mark(contract, tld)):
        return None
    return read(name, contract, tld, kept)


def read(name: str, contract: Contract, tld: Tld, kept: str) -> Course:
    """Return the course that ``keep`` wrote under this very mark."""
    clock, states, told = from_json(kept[MARK:])
    course = Course(Registration(name, contract, tld))
    course.clock = datetime.fromisoformat(clock)
    course.standing = _standing(states)
    for key, value in told.items():
        setattr(course, key, None if value is None else READ[key](value))
    return course


def mark(contract: Contract, tld: Tld) -> str:
    """Return what tells code and rules apart, in ``MARK`` characters."""
    known = _MARKS.get((id(contract), id(tld)))
    if known is None or known[0] is not contract or known[1] is not tld:
        rules = contract.model_dump_json() + tld.model_dump_json()
        text = hashlib.sha256((code() + rules).encode()).hexdigest()[:MARK]
        known = _MARKS[id(contract), id(tld)] = (contract, tld, text)
    return known[2]


# By identity, which rules keep for as long as they are here: to compare them would take longer.
_MARKS: Final[dict[tuple[int, int], tuple[Contract, Tld, str]]] = {}


@cache
def code() -> str:
    """Return a digest of the code that walks courses: nobody has to think of a version."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def _fresh(course: Course) -> list[tuple[str, Callable[[Any], Any], Any]]:
    """Return each attribute with what writes it, and its value in a new course."""
    if not _FRESH:
        fresh = Course(course.registration)
        _FRESH.extend((name, write, getattr(fresh, name)) for name, (write, _) in CODECS.items())
    return _FRESH


_FRESH: Final[list[tuple[str, Callable[[Any], Any], Any]]] = []


@cache
def _standing(states: str) -> Standing:
    pairs = zip(Region, states.split("|"), strict=True)
    return standing({region: type(INITIAL[region])(state) for region, state in pairs})


def _moment(moment: datetime) -> str:
    return (moment.astimezone(UTC) if moment.utcoffset() else moment).isoformat()


def _pairs(found: dict[Any, datetime]) -> list[list[str]]:
    return [[key, _moment(at)] for key, at in found.items()]


def _timers(found: dict[Event, datetime]) -> list[list[str]]:
    """Return timers in the order of their events: in which they were set is of no matter."""
    return sorted(_pairs(found))


def _by(kind: type[StrEnum]) -> Callable[[list[list[str]]], dict[StrEnum, datetime]]:
    members = {member.value: member for member in kind}
    read = datetime.fromisoformat
    return lambda pairs: {members[key]: read(at) for key, at in pairs}


def _by_text(pairs: list[list[str]]) -> dict[str, datetime]:
    return {key: datetime.fromisoformat(at) for key, at in pairs}


def _denials(denials: list[Denial]) -> list[Any]:
    return [
        [_moment(denial.at), denial.event.value, [_reason(reason) for reason in denial.reasons]]
        for denial in denials
    ]


def _reason(reason: Reason) -> list[str | None]:
    lifts = None if reason.lifts is None else _moment(reason.lifts)
    return [reason.rule, reason.sentence, reason.source, lifts]


def _read_denials(rows: list[Any]) -> list[Denial]:
    return [
        Denial(datetime.fromisoformat(at), Event(event), tuple(map(_read_reason, reasons)))
        for at, event, reasons in rows
    ]


def _read_reason(row: list[Any]) -> Reason:
    rule, sentence, source, lifts = row
    return Reason(rule, sentence, source, lifts and datetime.fromisoformat(lifts))


def _same(value: Any) -> Any:
    return value


def _statuses(words: list[str]) -> frozenset[Status]:
    return frozenset(map(Status, words))


MOMENT: Final[Codec] = (_moment, datetime.fromisoformat)
DAY: Final[Codec] = (date.isoformat, date.fromisoformat)
PLAIN: Final[Codec] = (_same, _same)
FACT: Final[Codec] = (encode, decode)
EVENTS: Final[Codec] = (_pairs, _by(Event))
TIMERS: Final[Codec] = (_timers, _by(Event))

CODECS: Final[dict[str, Codec]] = {
    "timers": TIMERS,
    "since": MOMENT,
    "submitted": MOMENT,
    "manual": PLAIN,
    "refusal": PLAIN,
    "start": DAY,
    "first_months": PLAIN,
    "renewals": PLAIN,
    "last_day": DAY,
    "domain_due": MOMENT,
    "cancellation": FACT,
    "undeclared": FACT,
    "documents": (sorted, frozenset),
    "paid_through": DAY,
    "arrears": FACT,
    "expiry_from": MOMENT,
    "expiry_renewals": PLAIN,
    "expires": MOMENT,
    "grace": (_pairs, _by(RgpStatus)),
    "set_statuses": (sorted, _statuses),
    "name_servers": (list, tuple),
    "lock_until": MOMENT,
    "dispute": PLAIN,
    "authorised": PLAIN,
    "confirmed": PLAIN,
    "terminated": PLAIN,
    "redemption_ends": MOMENT,
    "left_despite_lien": PLAIN,
    "code_asked": MOMENT,
    "holder_told": MOMENT,
    "contact_changes": (_pairs, _by_text),
    "assumed": EVENTS,
    "denials": (_denials, _read_denials),
}
READ: Final = {name: read for name, (_write, read) in CODECS.items()}
