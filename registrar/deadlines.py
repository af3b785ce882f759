"""Deadlines: what is due next, from when on to worry, and where it stands.

Days end where the provider is; a deadline on a day is over when the day is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from registrar.course import Course
from registrar.days import add_months, add_working_days, end_of, local_day, midnight
from registrar.events import Event
from registrar.lifecycle import last_notice_day
from registrar.model import ContractState, Life, Region, Registration, Transfer
from registrar.policy import Renewal
from registrar.statuses import RgpStatus

ALARM: Final = timedelta(days=2)  # before a deadline, where no rule has a time of its own
RENEW_AHEAD: Final = timedelta(days=14)  # before expiry a registration is renewed by command
ENDED: Final = frozenset(
    (Life.RELEASED, Life.TRANSFERRED_AWAY, Life.TRANSIT, Life.REJECTED, Life.WITHDRAWN)
)
WITH_US: Final = frozenset((Life.REGISTERED, Life.CLOSING))


class Due(StrEnum):
    """What is due."""

    FORWARD_ORDER = "forward-order"
    FORWARD_CONTACT_CHANGE = "forward-contact-change"
    PROOF = "proof"
    NOTICE = "notice"
    DOCUMENTS = "documents"
    EXPIRY_NOTICE = "expiry-notice"
    RENEW = "renew"
    GIVE_BACK = "give-back"
    CONTRACT_END = "contract-end"
    INVOICE = "invoice"
    AUTH_CODE = "auth-code"
    AUTH_CODE_ENDS = "auth-code-ends"
    TRANSFER_ANSWER = "transfer-answer"
    LOCK_ENDS = "lock-ends"
    NAME_SERVERS = "name-servers"
    INTERRUPTION_ENDS = "interruption-ends"
    RESTORE_REPORT = "restore-report"
    REDEMPTION_ENDS = "redemption-ends"
    PENDING_DELETE_ENDS = "pending-delete-ends"
    GRACE_ENDS = "grace-ends"
    TERMINATION_POSSIBLE = "termination-possible"
    DISCLOSURE_POSSIBLE = "disclosure-possible"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that is due; ``alarm`` is from when on it is told of, never after ``due``."""

    due: datetime
    kind: Due
    alarm: datetime
    sentence: str
    source: str

    def is_alarming(self, now: datetime) -> bool:
        """Tell whether it is time to worry."""
        return now >= self.alarm


def next_deadlines(registration: Registration, now: datetime) -> list[Deadline]:
    """Return what is due, overdue or to come, the earliest first."""
    course = Course(registration)
    course.to(now)
    return deadlines_of(course)


def deadlines_of(course: Course) -> list[Deadline]:
    """Return what is due for a registration as its course has reached it."""
    found = [deadline for rule in RULES for deadline in rule(course)]
    return sorted(found, key=lambda deadline: (deadline.due, deadline.kind))


def expiry_notices(course: Course) -> list[Deadline]:
    """Return when the holder is to be told of the expiry, of ``deadlines_of``."""
    return [found for found in _expiry(course) if found.kind is Due.EXPIRY_NOTICE]


def _deadline(
    due: datetime, kind: Due, sentence: str, source: str, *, ahead: timedelta = ALARM
) -> Deadline:
    return Deadline(due, kind, due - ahead, sentence, source)


def _order(course: Course) -> Iterator[Deadline]:
    if course.life is not Life.ORDERED or course.submitted is None:
        return
    rule, state = course.contract.forwarding, course.contract.state.value
    day = local_day(course.submitted)
    due = add_working_days(day, rule.days, state, saturdays=rule.saturdays)
    alarm = add_working_days(day, rule.alarm_day, state, saturdays=rule.saturdays)
    sentence = f"The order goes to the registry by {due}, {rule.days} working days after it came."
    yield Deadline(end_of(due), Due.FORWARD_ORDER, midnight(alarm), sentence, rule.source)


def _contacts(course: Course) -> Iterator[Deadline]:
    rule = course.contract.contact_change_days
    for contact, received in course.contact_changes.items():
        due = local_day(received) + timedelta(days=rule.value)
        sentence = f"The changed data of contact {contact} go to the registry by {due}."
        yield _deadline(end_of(due), Due.FORWARD_CONTACT_CHANGE, sentence, rule.source)


def _cancellation(course: Course) -> Iterator[Deadline]:
    contract = course.contract
    last = last_notice_day(course)
    if last is not None and course.life in WITH_US:
        if course.undeclared is not None:
            sentence = f"The cancellation lacks documents; complete by {last}, it ends this term."
            source = contract.documents_with_cancellation.source
            yield _deadline(end_of(last), Due.DOCUMENTS, sentence, source)
        sentence = f"Notice to {course.last_day} arrives by {last} ({contract.notice} before)."
        yield _deadline(end_of(last), Due.NOTICE, sentence, contract.notice.source)
    ending = course.states[Region.CONTRACT] in (ContractState.CANCELLED, ContractState.RUNNING_OUT)
    if ending and course.last_day is not None:
        sentence = f"The contract ends with {course.last_day}."
        yield _deadline(course.contract_end, Due.CONTRACT_END, sentence, contract.notice.source)
    if course.domain_due is not None and course.life in WITH_US:
        sentence = "The domain is given back; a second person confirms it."
        source = contract.cancellation_effect.source
        yield _deadline(course.domain_due, Due.GIVE_BACK, sentence, source)


def _expiry(course: Course) -> Iterator[Deadline]:
    term, expires = course.tld.term, course.expires
    if expires is None or course.life not in WITH_US:
        return
    assert course.clock is not None
    for days in term.notices_before_days.value:
        due = expires - timedelta(days=days)
        if due > course.clock:
            sentence = f"The holder is told, {days} days ahead, that the registration expires."
            source = term.notices_before_days.source
            yield _deadline(due, Due.EXPIRY_NOTICE, sentence, source, ahead=timedelta(0))
    closing = course.life is Life.CLOSING
    if (days := term.notice_after_days.value) and closing:
        sentence = f"The holder is told within {days} days that the registration has expired."
        due = expires + timedelta(days=days)
        yield _deadline(due, Due.EXPIRY_NOTICE, sentence, term.notice_after_days.source)
    if term.renewal.value is Renewal.EXPLICIT and not closing:
        sentence = f"The registration expires at {_moment(expires)} unless it is renewed."
        yield _deadline(expires, Due.RENEW, sentence, term.renewal.source, ahead=RENEW_AHEAD)


def _transfer(course: Course) -> Iterator[Deadline]:
    rules, state = course.tld.transfer, course.states[Region.TRANSFER]
    if course.code_asked is not None and state is Transfer.CODE_ASKED:
        due = course.code_asked + timedelta(days=rules.code_days.value)
        sentence = "The customer has the auth code that was asked for."
        yield _deadline(due, Due.AUTH_CODE, sentence, rules.code_days.source)
    assert course.clock is not None
    if course.lock_until is not None and course.clock < course.lock_until:
        sentence = "From then on the domain can be transferred."
        yield _deadline(course.lock_until, Due.LOCK_ENDS, sentence, rules.lock_hours.source)


def _timers(course: Course) -> Iterator[Deadline]:
    for event, due in course.timers.items():
        if event in TIMED:
            kind, sentence, source = TIMED[event]
            yield _deadline(due, kind, sentence, source(course))


def _grace(course: Course) -> Iterator[Deadline]:
    assert course.clock is not None
    for period, end in course.grace.items():
        if end > course.clock:
            sentence = f"{period} ends; until then {UNDOES[period]} can be undone without a fee."
            yield _deadline(end, Due.GRACE_ENDS, sentence, "RFC 3915 3.1")


def _claims(course: Course) -> Iterator[Deadline]:
    assert course.clock is not None
    rule = course.contract.termination
    if course.arrears is not None and course.life in WITH_US:
        due = midnight(add_months(course.arrears.since, rule.arrears_months))
        if course.arrears.cents < rule.arrears_cents and due > course.clock:
            sentence = f"The arrears are {rule.arrears_months} months old: an important reason."
            yield _deadline(due, Due.TERMINATION_POSSIBLE, sentence, rule.source)
    if course.holder_told is not None:
        disclosure = course.contract.disclosure_days
        due = course.holder_told + timedelta(days=disclosure.value)
        sentence = "From then on the claimant may get the holder's contact data."
        yield _deadline(due, Due.DISCLOSURE_POSSIBLE, sentence, disclosure.source)
    if (day := _fee_due(course)) is not None:
        sentence = f"The fee of the contract year from {day} on is due, in advance."
        source = course.contract.invoice_months.source
        yield _deadline(midnight(day), Due.INVOICE, sentence, source)


def _fee_due(course: Course) -> date | None:
    """Return the first day that is not paid for, while the contract lasts (contract N 3.1)."""
    if course.start is None or course.states[Region.CONTRACT] is ContractState.ENDED:
        return None
    day = course.start
    if course.paid_through is not None:
        day = course.paid_through + timedelta(days=1)
    lasting = course.states[Region.CONTRACT] is ContractState.RUNNING
    over = not lasting and course.last_day is not None and day > course.last_day
    return None if over else day


def _erasure(course: Course) -> Iterator[Deadline]:
    ended = course.states[Region.CONTRACT] in (ContractState.ENDED, ContractState.NONE)
    if course.life not in ENDED or not ended or course.since is None:
        return
    rule = course.contract.erasure_days
    day = max(local_day(course.since), course.last_day or date.min)
    due = end_of(day + timedelta(days=rule.value))
    sentence = "Data are erased, but for what law and registries want kept."
    yield _deadline(due, Due.ERASURE, sentence, rule.source)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


UNDOES: Final = {
    RgpStatus.ADD_PERIOD: "the registration",
    RgpStatus.RENEW_PERIOD: "the renewal",
    RgpStatus.AUTO_RENEW_PERIOD: "the renewal",
    RgpStatus.TRANSFER_PERIOD: "the transfer",
}

# Timers of the tables that somebody has to know of.
TIMED: Final[dict[Event, tuple[Due, str, Callable[[Course], str]]]] = {
    Event.PROOF_DUE: (
        Due.PROOF,
        "Proof is there by then, or the domain goes on hold.",
        lambda course: course.contract.proof_days.source,
    ),
    Event.CODE_OVER: (
        Due.AUTH_CODE_ENDS,
        "The auth code is no longer valid.",
        lambda course: course.tld.transfer.code_life_hours.source,
    ),
    Event.TRANSFER_ANSWER_DUE: (
        Due.TRANSFER_ANSWER,
        "The transfer is answered, or it is approved by itself.",
        lambda course: course.tld.transfer.answer_days.source,
    ),
    Event.CHECK_DEADLINE: (
        Due.NAME_SERVERS,
        "The name servers pass the registry's check, or the domain is lost without redemption.",
        lambda course: course.tld.delegation.failed_days.source,
    ),
    Event.INTERRUPTION_OVER: (
        Due.INTERRUPTION_ENDS,
        "The domain can be kept until then; afterwards it is deleted.",
        lambda course: course.tld.term.interruption_days.source,
    ),
    Event.RESTORE_REPORT_DUE: (
        Due.RESTORE_REPORT,
        "The registry has the restore report, or the domain goes back to redemption.",
        lambda course: course.tld.grace.restore_report.source,
    ),
    Event.REDEMPTION_OVER: (
        Due.REDEMPTION_ENDS,
        "Until then the domain can be restored.",
        lambda course: course.tld.grace.redemption.source,
    ),
    Event.PENDING_DELETE_OVER: (
        Due.PENDING_DELETE_ENDS,
        "The domain is free for everybody.",
        lambda course: course.tld.grace.pending_delete.source,
    ),
}

RULES: Final = (
    _order,
    _contacts,
    _cancellation,
    _expiry,
    _transfer,
    _timers,
    _grace,
    _claims,
    _erasure,
)
