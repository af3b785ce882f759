"""Guards: what stands against a wish. Each returns reasons with their source, and none is good."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from registrar.days import add_months, local_day, midnight
from registrar.events import Event
from registrar.fact import Cause, Fact
from registrar.facts import ArrearsReported, CancellationReceived, Submitted, Terminated
from registrar.model import Delegation, Payment, Region, Verification
from registrar.policy import LienRule, Surrender
from registrar.reason import Reason
from registrar.statuses import Status, Verb, prohibiting

if TYPE_CHECKING:
    from registrar.course import Course

ZERO_HOURS: Final = timedelta(0)
# Bound here for their speed, as in ``registrar.course``.
PAYMENT: Final = Region.PAYMENT
VERIFICATION: Final = Region.VERIFICATION
SUSPENDED: Final = Payment.SUSPENDED
QUARANTINE: Final = Verification.QUARANTINE
INTERRUPTION_OVER: Final = Event.INTERRUPTION_OVER


def unfitting(course: Course, event: Event) -> Reason:
    """Return the reason that an event does not fit the state."""
    states = ", ".join(f"{region}: {state}" for region, state in course.states.items())
    sentence = f"'{event}' does not fit the state of the domain ({states})."
    return Reason("not-in-this-state", sentence, "docs/registrations.md")


def order_is_complete(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """An order has complete contacts, a person as administrator, and the terms accepted."""
    reasons: list[Reason] = []
    if not isinstance(fact, Submitted):
        return reasons
    if not fact.admin_is_person:
        sentence = "The administrator (Admin-C) has to be a natural person, by name."
        reasons.append(Reason("admin-not-a-person", sentence, "N 2.2.3"))
    if not fact.terms_accepted:
        sentence = f"The terms of {course.tld.title} ({course.tld.source}) are not accepted."
        reasons.append(Reason("terms-not-accepted", sentence, "N 2.2.1; H 17(6)"))
    if not fact.complete:
        sentence = "Name, contacts or name servers are missing or wrong; the order says which."
        reasons.append(Reason("order-incomplete", sentence, "N 2.2.3"))
    return reasons


def order_is_manual(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """Only an order that staff enter may be declined."""
    if course.manual and course.contract.manual_orders_may_be_declined.value:
        return []
    sentence = "Only an order that staff are to carry out by hand may be declined."
    source = course.contract.manual_orders_may_be_declined.source
    return [Reason("order-not-manual", sentence, source)]


def cancellation_is_valid(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """A cancellation has the form of the contract and the registry's documents."""
    cancellation = fact if isinstance(fact, CancellationReceived) else course.undeclared
    if cancellation is None:
        return []
    reasons = []
    forms = course.contract.cancellation_forms
    if cancellation.form not in forms.value:
        wanted = ", ".join(forms.value)
        sentence = f"A cancellation by {cancellation.form} does not count: it comes by {wanted}."
        reasons.append(Reason("form", sentence, forms.source))
    for document in missing_documents(course, cancellation.documents):
        sentence = f"The document '{document}' is missing; until then it counts as not declared."
        source = (
            f"{course.contract.documents_with_cancellation.source}; {course.tld.documents.source}"
        )
        reasons.append(Reason("document-missing", sentence, source))
    return reasons


def missing_documents(course: Course, further: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the documents that the registry asks for and that have not arrived."""
    if not course.contract.documents_with_cancellation.value:
        return ()
    there = course.documents | further
    return tuple(name for name in course.tld.documents.value if name not in there)


def may_be_given_back(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """Nobody disputes the domain, no status forbids its deletion."""
    reasons = undisputed(course, fact, at)
    for status in prohibiting(course.set_statuses, Verb.DELETE):
        reasons.append(_prohibited(status, "deletion"))
    return reasons


def is_confirmed(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """A second person agrees that a domain is given back."""
    if course.confirmed or not course.contract.four_eyes.value:
        return []
    sentence = "A second person has to confirm that the domain is given back."
    return [Reason("not-confirmed", sentence, course.contract.four_eyes.source)]


def not_failed(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """A registry takes no domain in transit whose name servers fail its check."""
    if not goes_to_transit(course) or course.states[Region.DELEGATION] is not Delegation.FAILED:
        return []
    sentence = "The name servers fail the registry's check, and such a domain is not taken over."
    return [Reason("delegation-failed", sentence, course.tld.surrender.source)]


def goes_to_transit(course: Course) -> bool:
    """Tell whether the registry takes the domain over: nobody entitled wants it deleted."""
    return course.tld.surrender.value is Surrender.TRANSIT and not course.authorised


def undisputed(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """Nobody claims the domain."""
    if not course.dispute:
        return []
    sentence = f"The domain is disputed ({course.dispute}) and stays as it is until that is over."
    return [Reason("dispute", sentence, "ICANN UDRP 7, 8; DENIC DISPUTE")]


def may_leave(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """No lock, no dispute, no status and no lien keep the domain from being transferred."""
    reasons = undisputed(course, fact, at)
    if course.lock_until is not None and at < course.lock_until:
        transfer = course.tld.transfer
        sentence = "The domain was registered, transferred or given to another holder recently."
        source = f"{transfer.lock_hours.source}; {transfer.holder_change_lock_hours.source}"
        reasons.append(Reason("transfer-lock", sentence, source, course.lock_until))
    for status in prohibiting(course.set_statuses, Verb.TRANSFER):
        reasons.append(_prohibited(status, "transfer"))
    return reasons + lien(course, at)


def lien(course: Course, at: datetime) -> list[Reason]:
    """Return the reason that the provider keeps a domain for its claims, where it may."""
    arrears, rule = course.arrears, course.tld.transfer.lien
    if arrears is None or not course.contract.lien.value or rule.value is LienRule.FORBIDDEN:
        return []
    if rule.value is LienRule.HOLD_AND_PAST_DEBT and not (arrears.past_period and on_hold(course)):
        return []
    sentence = (
        f"{_euros(arrears.cents)} are overdue since {arrears.since}: the provider refuses its"
        " consent to a transfer until they are paid."
    )
    return [Reason("lien", sentence, f"{course.contract.lien.source}; {rule.source}")]


def may_be_rejected(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """A transfer away is only refused for a reason that the registry's rules know."""
    if may_leave(course, fact, at):
        return []
    sentence = "There is no claim, dispute or lock for which this transfer could be refused."
    return [Reason("no-ground", sentence, course.tld.transfer.lien.source)]


def important_reason(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """Arrears are high or old enough, or the domain was abused."""
    if isinstance(fact, Terminated) and fact.cause is Cause.ABUSE:
        return []
    rule, arrears = course.contract.termination, course.arrears
    if arrears is None:
        return [Reason("no-arrears", "Nothing is overdue.", rule.source)]
    old_on = add_months(arrears.since, rule.arrears_months)
    if arrears.cents >= rule.arrears_cents or local_day(at) >= old_on:
        return []
    sentence = (
        f"{_euros(arrears.cents)} are overdue since {arrears.since}; it takes"
        f" {_euros(rule.arrears_cents)} gross, or {rule.arrears_months} months."
    )
    # This reason against the step falls away when the arrears have become old enough.
    return [Reason("arrears-too-small", sentence, rule.source, midnight(old_on))]


def arrears_count(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """Something is overdue in what billing reports."""
    if isinstance(fact, ArrearsReported) and fact.cents <= 0:
        return [Reason("no-arrears", "Nothing is overdue.", "N 3.1; H 5a")]
    return []


def holder_was_told(course: Course, fact: Fact | None, at: datetime) -> list[Reason]:
    """The customer had time to answer the claimant before contact data are given to him."""
    rule = course.contract.disclosure_days
    if course.holder_told is None:
        sentence = "The customer has to be told of the claim first."
        return [Reason("holder-not-told", sentence, rule.source)]
    lifts = course.holder_told + timedelta(days=rule.value)
    if at >= lifts:
        return []
    sentence = "The customer was told of the claim and may answer it first."
    return [Reason("holder-may-answer", sentence, rule.source, lifts)]


def on_hold(course: Course) -> bool:
    """Tell whether the delegation is switched off at the registry."""
    held = course.set_statuses & {Status.CLIENT_HOLD, Status.SERVER_HOLD}
    return bool(held) or is_held_by_us(course)


def is_held_by_us(course: Course) -> bool:
    """Tell whether a state of ours goes with clientHold: suspension, quarantine, interruption."""
    states = course.standing.states
    return (
        (states[PAYMENT] is SUSPENDED and course.contract.suspension_holds.value)
        or states[VERIFICATION] is QUARANTINE
        or INTERRUPTION_OVER in course.timers
    )


def command_allowed(statuses: Iterable[Status], verb: Verb) -> list[Reason]:
    """Return a reason for each status because of which the registry refuses a command."""
    return [_prohibited(status, verb) for status in prohibiting(statuses, verb)]


def _prohibited(status: Status, what: str) -> Reason:
    whose = "our own, and can be lifted first" if status.startswith("client") else "the registry's"
    sentence = f"The status {status} forbids it ({what}); it is {whose}."
    return Reason("status", sentence, "RFC 5731 2.3")


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02} EUR"
