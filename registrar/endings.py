"""Changes to cancelled, terminated, deleted and restored registrations: dates and data of rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from registrar.changes import begin_contract, set_expiry, set_term
from registrar.days import local_day
from registrar.events import Event
from registrar.fact import Fact, Party
from registrar.facts import DeletionOrdered, Restored
from registrar.guards import goes_to_transit, is_confirmed, may_be_given_back, not_failed
from registrar.model import ContractState, Region
from registrar.policy import Effect, Renewal
from registrar.statuses import RgpStatus
from registrar.terms import after_notice, end_by_notice

if TYPE_CHECKING:
    from registrar.course import Course


def settle(course: Course, at: datetime) -> None:
    """Give a closing domain back, if nothing stands against it any more."""
    if Event.INTERRUPTION_OVER in course.timers:
        return
    guards = (may_be_given_back, is_confirmed, not_failed)
    if any(guard(course, None, at) for guard in guards):
        return
    event = Event.TRANSITED if goes_to_transit(course) else Event.DELETED
    if course.happen(event, at):
        course.assumed[event] = at


def cancel(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the ends of contract and domain by the notice period.

    A cancellation whose last document arrives now is declared now (contract H 19(3)).
    """
    cancellation, course.undeclared = course.undeclared, None
    assert cancellation is not None
    assert course.start is not None
    course.cancellation = cancellation
    received = local_day(at)
    course.last_day = end_by_notice(
        course.start, course.contract, course.first_months, course.renewals, received
    )
    end = course.contract_end
    chosen = course.contract.cancellation_effect.value is Effect.CHOSEN_MOMENT
    wanted = cancellation.moment if chosen else None
    course.domain_due = max(min(wanted or end, end), at)
    course.authorised = cancellation.by.value in course.tld.signers.value
    course.timers.pop(Event.TERM_OVER, None)
    course.timers[Event.DOMAIN_DUE] = course.domain_due
    course.timers[Event.CONTRACT_OVER] = end


def resume_contract(course: Course, fact: Fact | None, at: datetime) -> None:
    """Let the contract run on, in the term that it is in."""
    course.cancellation = course.domain_due = None
    course.authorised = course.confirmed = False
    course.documents = frozenset()
    end_contract(course, fact, at)
    course.renewals = 0
    set_term(course)
    while course.last_day is not None and course.contract_end <= at:
        course.timers.pop(Event.TERM_OVER, None)
        course.renew_term()


def end_contract(course: Course, fact: Fact | None, at: datetime) -> None:
    """Stop the contract's clock where it is."""
    for event in (Event.TERM_OVER, Event.CONTRACT_OVER, Event.DOMAIN_DUE):
        course.timers.pop(event, None)


def terminate(course: Course, fact: Fact | None, at: datetime) -> None:
    """End the contract today."""
    end_contract(course, fact, at)
    course.last_day = local_day(at)


def run_out(course: Course, fact: Fact | None, at: datetime) -> None:
    """Let the contract run to the end of its term and no further (contract N 2.2.4, 4.1)."""
    if course.last_day is None:
        course.last_day = after_notice(local_day(at), course.contract.notice)
    course.timers.pop(Event.TERM_OVER, None)
    course.timers[Event.CONTRACT_OVER] = course.contract_end


def close_after_termination(course: Course, fact: Fact | None, at: datetime) -> None:
    """Interrupt the name service for as long as the registry's rules ask before a deletion."""
    course.domain_due = at
    course.terminated = True
    course.authorised = False
    if days := course.tld.term.interruption_days.value:
        course.timers[Event.INTERRUPTION_OVER] = at + timedelta(days=days)


def close_on_order(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that the customer wants the domain deleted now."""
    course.domain_due = at
    by = fact.by if isinstance(fact, DeletionOrdered) else Party.CUSTOMER
    course.authorised = by.value in course.tld.signers.value


def reopen(course: Course, fact: Fact | None, at: datetime) -> None:
    """Keep a domain that was about to be given back."""
    course.timers.pop(Event.INTERRUPTION_OVER, None)
    course.domain_due = None
    course.terminated = course.authorised = course.confirmed = False


def begin_redemption(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the time in which a deleted domain can be restored."""
    _leave_registry(course)
    course.redemption_ends = at + timedelta(days=course.tld.grace.redemption.value)
    course.timers[Event.REDEMPTION_OVER] = course.redemption_ends
    note_deletion(course, fact, at)


def note_deletion(course: Course, fact: Fact | None, at: datetime) -> None:
    """Take note that the registry has done what was assumed."""
    if fact is not None:
        for event in (Event.DELETED, Event.TRANSITED, Event.TRANSFERRED_AWAY):
            course.assumed.pop(event, None)


def end_registration(course: Course, fact: Fact | None, at: datetime) -> None:
    """Stop the registry's clock: the domain is nobody's, or another's."""
    _leave_registry(course)
    for event in (Event.REDEMPTION_OVER, Event.PENDING_DELETE_OVER, Event.RESTORE_REPORT_DUE):
        course.timers.pop(event, None)
    course.expires = course.expiry_from = None
    note_deletion(course, fact, at)


def _leave_registry(course: Course) -> None:
    for event in (Event.REGISTRY_EXPIRY, Event.INTERRUPTION_OVER, Event.DOMAIN_DUE):
        course.timers.pop(event, None)
    course.grace = {}
    course.assumed.pop(Event.RENEWED, None)


def leave(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note whether the domain went although claims were open (contract H 8(3))."""
    course.left_despite_lien = course.contract.lien.value and course.arrears is not None
    if fact is None:
        course.assumed[Event.TRANSFERRED_AWAY] = at
    end_registration(course, fact, at)


def begin_restore(course: Course, fact: Fact | None, at: datetime) -> None:
    """Wait for the registry, and for our report where it wants one (RFC 3915 3.1)."""
    course.timers.pop(Event.REDEMPTION_OVER, None)
    if days := course.tld.grace.restore_report.value:
        course.timers[Event.RESTORE_REPORT_DUE] = at + timedelta(days=days)


def back_to_redemption(course: Course, fact: Fact | None, at: datetime) -> None:
    """Let redemption go on where it was, for want of a report (RFC 3915 3.1)."""
    assert course.redemption_ends is not None
    course.timers[Event.REDEMPTION_OVER] = max(course.redemption_ends, at)


def restore(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the registry's clock again."""
    for event in (Event.REDEMPTION_OVER, Event.RESTORE_REPORT_DUE):
        course.timers.pop(event, None)
    course.redemption_ends = course.domain_due = None
    course.terminated = course.authorised = course.confirmed = False
    course.assumed.pop(Event.DELETED, None)
    known = fact.expires if isinstance(fact, Restored) else None
    set_expiry(course, known or course.expires)


def begin_pending_delete(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the last days before a domain is free (RFC 3915 3.1)."""
    days = course.tld.grace.pending_delete.value
    course.timers[Event.PENDING_DELETE_OVER] = at + timedelta(days=days)


def lapse(course: Course, fact: Fact | None, at: datetime) -> None:
    """Take a domain that is due back for deleted, where the registry lets it expire."""
    if course.happen(Event.DELETED, at):
        course.assumed[Event.DELETED] = at


def in_add_period(course: Course, at: datetime) -> bool:
    """Tell whether a deletion undoes the registration at once (RFC 3915 3.1)."""
    return at < course.grace.get(RgpStatus.ADD_PERIOD, at) or not course.tld.grace.redemption.value


def is_assumed_deleted(course: Course, at: datetime) -> bool:
    """Tell whether a deletion is assumed, and not confirmed by the registry."""
    return Event.DELETED in course.assumed


def is_answered(course: Course, at: datetime) -> bool:
    """Tell whether the registry lets us answer a transfer, and nothing forbids it."""
    return bool(course.tld.transfer.answer_days.value)


def has_pending_delete(course: Course, at: datetime) -> bool:
    """Tell whether the registry keeps a domain for some days after redemption."""
    return bool(course.tld.grace.pending_delete.value)


def is_assumed_transited(course: Course, at: datetime) -> bool:
    """Tell whether a transit is assumed, and not confirmed by the registry."""
    return Event.TRANSITED in course.assumed


def is_assumed_away(course: Course, at: datetime) -> bool:
    """Tell whether a transfer is assumed that nobody answered, and the registry has not told of."""
    return Event.TRANSFERRED_AWAY in course.assumed


def renews_by_itself(course: Course, at: datetime) -> bool:
    """Tell whether the registry renews without being asked."""
    return course.tld.term.renewal.value is Renewal.AUTO


def was_terminated(course: Course, at: datetime) -> bool:
    """Tell whether it was the provider who ended the contract."""
    return course.terminated


def contract_not_ended(course: Course, at: datetime) -> bool:
    """Tell whether the contract still runs, be it to its end."""
    return course.states[Region.CONTRACT] is not ContractState.ENDED


def awaits_documents(course: Course, at: datetime) -> bool:
    """Tell whether a cancellation waits for its documents."""
    return course.undeclared is not None


def renew_contract(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin a term anew with a domain that came back after the end of its contract."""
    course.cancellation = None
    course.documents = frozenset()
    begin_contract(course, fact, at)
