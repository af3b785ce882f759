"""What can be done with a registration, and why not: every reason, its source, and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from registrar import facts, guards
from registrar.course import FAR, Course
from registrar.days import moment_after_months
from registrar.events import Event
from registrar.fact import Cause, Fact
from registrar.lifecycle import statuses_of
from registrar.model import Life, Registration
from registrar.policy import Renewal
from registrar.reason import Reason
from registrar.statuses import Verb
from registrar.transition import Transition

LOOK_AHEAD: Final = timedelta(days=3 * 366)  # as far a reason's end is looked for
AT_REGISTRY: Final = frozenset((Life.REGISTERED, Life.CLOSING))


class Action(StrEnum):
    """Something that a customer or the desk wants to do."""

    ORDER = "order"
    WITHDRAW_ORDER = "withdraw-order"
    DECLINE = "decline"
    CREATE = "create"
    TRANSFER_IN = "transfer-in"
    RENEW = "renew"
    UPDATE = "update"
    SET_NAME_SERVERS = "set-name-servers"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    DELETE = "delete"
    GIVE_BACK = "give-back"
    RESTORE = "restore"
    TRANSFER_OUT = "transfer-out"
    APPROVE_TRANSFER = "approve-transfer"
    REJECT_TRANSFER = "reject-transfer"
    SUSPEND = "suspend"
    TERMINATE = "terminate"
    RESCIND = "rescind"
    DISCLOSE = "disclose"


@dataclass(frozen=True, slots=True)
class Deed:
    """How an action is judged: by the event it leads to, and by what the registry allows.

    ``wish`` makes the fact that is judged where the caller gives none; ``during`` are the stages
    of the life cycle that it is for, where the tables allow the event in others as well.
    """

    event: Event | None = None
    verb: Verb | None = None
    wish: Callable[[datetime], Fact] | None = None
    during: frozenset[Life] = frozenset()


DEEDS: Final[dict[Action, Deed]] = {
    Action.ORDER: Deed(Event.SUBMITTED, wish=facts.Submitted),
    Action.WITHDRAW_ORDER: Deed(Event.ORDER_WITHDRAWN),
    Action.DECLINE: Deed(Event.DECLINED),
    Action.CREATE: Deed(Event.SENT),
    Action.TRANSFER_IN: Deed(Event.TRANSFER_IN_SENT),
    Action.RENEW: Deed(verb=Verb.RENEW),
    Action.UPDATE: Deed(verb=Verb.UPDATE),
    Action.SET_NAME_SERVERS: Deed(Event.NAME_SERVERS_SET, Verb.UPDATE),
    Action.CANCEL: Deed(Event.CANCELLATION_RECEIVED, wish=facts.CancellationReceived),
    Action.WITHDRAW: Deed(Event.CANCELLATION_WITHDRAWN),
    Action.DELETE: Deed(Event.DELETION_ORDERED),
    Action.GIVE_BACK: Deed(Event.DELETED, during=frozenset((Life.CLOSING,))),
    Action.RESTORE: Deed(Event.RESTORE_ORDERED),
    Action.TRANSFER_OUT: Deed(Event.CODE_ISSUED),
    Action.APPROVE_TRANSFER: Deed(Event.TRANSFER_APPROVED, wish=facts.TransferApproved),
    Action.REJECT_TRANSFER: Deed(Event.TRANSFER_REJECTED),
    Action.SUSPEND: Deed(Event.SUSPENDED, Verb.UPDATE),
    Action.TERMINATE: Deed(Event.TERMINATED, wish=lambda at: facts.Terminated(at, Cause.ARREARS)),
    Action.RESCIND: Deed(Event.TERMINATION_RESCINDED),
    Action.DISCLOSE: Deed(Event.DISCLOSED),
}


def why_not(
    registration: Registration, action: Action, now: datetime, wish: Fact | None = None
) -> list[Reason]:
    """Return every reason why an action is not possible now; none means that it is.

    ``wish`` is the fact that it would make, where its particulars matter: the form and documents
    of a cancellation, the cause of a termination.
    """
    course = Course(registration)
    course.to(now)
    deed = DEEDS[action]
    if wish is None and deed.wish is not None:
        wish = deed.wish(now)
    reasons = guards.command_allowed(statuses_of(course), deed.verb) if deed.verb else []
    if deed.event is None:
        reasons += _at_registry(course, action)
    else:
        reasons += _by_table(course, deed, wish, now)
    if action is Action.RENEW:
        reasons += _renewable(course, now)
    return [_with_end(registration, action, reason, now) for reason in dict.fromkeys(reasons)]


def possible(registration: Registration, now: datetime) -> list[Action]:
    """Return the actions that nothing stands against now."""
    return [action for action in Action if not why_not(registration, action, now)]


def _rows(course: Course, deed: Deed, now: datetime) -> tuple[Transition, ...]:
    if deed.event is None or (deed.during and course.life not in deed.during):
        return ()
    return course.rows_for(deed.event, now)


def _by_table(course: Course, deed: Deed, wish: Fact | None, now: datetime) -> list[Reason]:
    assert deed.event is not None
    rows = _rows(course, deed, now)
    if not rows:
        return [guards.unfitting(course, deed.event)]
    return [reason for row in rows for guard in row.guards for reason in guard(course, wish, now)]


def _at_registry(course: Course, action: Action) -> list[Reason]:
    if course.life in AT_REGISTRY:
        return []
    sentence = f"The domain is {course.life}; '{action}' is for registered domains."
    return [Reason("not-in-this-state", sentence, "RFC 5731 3.2")]


def _renewable(course: Course, now: datetime) -> list[Reason]:
    term = course.tld.term
    if term.renewal.value is Renewal.NONE:
        sentence = f"Registrations below {course.tld.title} have no expiry: there is no renewal."
        return [Reason("no-expiry", sentence, term.renewal.source)]
    if course.expires is None or not term.max_months.value:
        return []
    reached = moment_after_months(course.expires, term.renewal_months.value)
    if reached <= moment_after_months(now, term.max_months.value):
        return []
    sentence = f"It would run longer than {term.max_months.value // 12} years ahead."
    lifts = moment_after_months(reached, -term.max_months.value)
    return [Reason("too-long-ahead", sentence, term.max_months.source, lifts)]


def _with_end(registration: Registration, action: Action, reason: Reason, now: datetime) -> Reason:
    """Return a reason of the state with the moment at which time alone ends that state."""
    deed = DEEDS[action]
    if reason.rule != "not-in-this-state" or deed.event is None:
        return reason
    known = tuple(fact for fact in registration.facts if fact.at <= now)
    course = Course(replace(registration, facts=known))
    course.to(now)
    while (due := course.next_due) < min(now + LOOK_AHEAD, FAR):
        course.to(due)
        if _rows(course, deed, due):
            return replace(reason, lifts=due)
    return reason
