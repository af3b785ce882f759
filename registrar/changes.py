"""Changes to the order, the registration, its delegation and transfer: dates and data of rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from registrar.days import end_of, local_day
from registrar.events import Event
from registrar.fact import Fact
from registrar.facts import (
    Declined,
    DelegationGone,
    NameServersSet,
    Refused,
    Registered,
    Renewed,
    RiskFlagged,
    Submitted,
    TransferredIn,
)
from registrar.model import Life
from registrar.policy import Renewal
from registrar.statuses import RgpStatus
from registrar.terms import last_day

if TYPE_CHECKING:
    from registrar.course import Course


# Bound here for their speed, as in ``registrar.course``.
REGISTRY_EXPIRY: Final = Event.REGISTRY_EXPIRY
TERM_OVER: Final = Event.TERM_OVER
ADD_PERIOD: Final = RgpStatus.ADD_PERIOD
NO_RENEWAL: Final = Renewal.NONE


def open_grace(course: Course, period: RgpStatus, at: datetime) -> None:
    """Open a grace period, if the registry has it (RFC 3915 3.1)."""
    length = course.tld.grace.lengths.get(period)
    if length is not None:
        course.grace[period] = at + length


def take_order(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note when an order came in, and how."""
    course.submitted = at
    course.manual = isinstance(fact, Submitted) and fact.manual


def keep_refusal(course: Course, fact: Fact | None, at: datetime) -> None:
    """Keep the reason of a refusal."""
    if isinstance(fact, Declined | Refused):
        course.refusal = fact.reason


def begin_registration(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the registry's clock, the add period and the lock after a registration."""
    expires = fact.expires if isinstance(fact, Registered) else None
    set_expiry(course, expires)
    open_grace(course, ADD_PERIOD, at)
    lock(course, at, course.tld.transfer.lock)


def begin_after_transfer(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the registry's clock, the transfer period and the lock after a transfer to us."""
    expires = fact.expires if isinstance(fact, TransferredIn) else None
    set_expiry(course, expires)
    open_grace(course, RgpStatus.TRANSFER_PERIOD, at)
    lock(course, at, course.tld.transfer.lock)


def begin_contract(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the term with the registration at the registry (contract H 19(1))."""
    course.start = local_day(at)
    course.first_months = course.contract.first_term(course.registration.suffix)
    course.renewals = 0
    set_term(course)


def renew_term(course: Course, fact: Fact | None, at: datetime) -> None:
    """Lengthen the contract by a term."""
    course.renew_term()


def renew_at_registry(course: Course, fact: Fact | None, at: datetime) -> None:
    """Lengthen the registration at its expiry."""
    course.renew_at_registry()


def note_renewal(course: Course, fact: Fact | None, at: datetime) -> None:
    """Set the registry's clock by what the registry says."""
    course.assumed.pop(Event.RENEWED, None)
    if isinstance(fact, Renewed) and course.life in AT_REGISTRY:
        set_expiry(course, fact.expires)
        kind = RgpStatus.AUTO_RENEW_PERIOD if fact.automatic else RgpStatus.RENEW_PERIOD
        open_grace(course, kind, at)


AT_REGISTRY: Final = frozenset((Life.REGISTERED, Life.CLOSING))


def set_expiry(course: Course, expires: datetime | None) -> None:
    """Set the registry's clock; where nothing expires, it has none."""
    course.timers.pop(REGISTRY_EXPIRY, None)
    course.expiry_from = course.expires = expires
    course.expiry_renewals = 0
    if expires is not None and course.tld.term.renewal.value is not NO_RENEWAL:
        course.timers[REGISTRY_EXPIRY] = expires


def set_term(course: Course) -> None:
    """Set the end of the term that the contract is in."""
    assert course.start is not None
    course.last_day = last_day(
        course.start, course.first_months, course.contract.renewal_months.value, course.renewals
    )
    course.timers[TERM_OVER] = course.contract_end


def lock(course: Course, at: datetime, length: timedelta) -> None:
    """Lock the domain against transfers, if not for longer already."""
    until = at + length
    if length and (course.lock_until is None or until > course.lock_until):
        course.lock_until = until


def set_name_servers(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note the name servers."""
    if isinstance(fact, NameServersSet):
        course.name_servers = fact.hosts


def remove_name_servers(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note that there are none."""
    course.name_servers = ()
    course.timers.pop(Event.CHECK_DEADLINE, None)


def fail_check(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the time in which the name servers can be repaired."""
    if days := course.tld.delegation.failed_days.value:
        course.timers.setdefault(Event.CHECK_DEADLINE, at + timedelta(days=days))


def pass_check(course: Course, fact: Fact | None, at: datetime) -> None:
    """End the time in which the name servers can be repaired."""
    course.timers.pop(Event.CHECK_DEADLINE, None)
    course.timers.pop(Event.CACHES_EMPTY, None)


def wait_for_caches(course: Course, fact: Fact | None, at: datetime) -> None:
    """Serve on for as long as caches may lead to us."""
    ttl = fact.ttl if isinstance(fact, DelegationGone) else 0
    course.timers[Event.CACHES_EMPTY] = at + timedelta(seconds=ttl)


def ask_code(course: Course, fact: Fact | None, at: datetime) -> None:
    """Note since when a code is due."""
    course.code_asked = at


def issue_code(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the life of a code."""
    course.code_asked = None
    course.timers.pop(Event.CODE_OVER, None)
    if hours := course.tld.transfer.code_life_hours.value:
        course.timers[Event.CODE_OVER] = at + timedelta(hours=hours)


def await_answer(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the time in which a transfer is answered, or else approved by itself."""
    course.code_asked = None
    course.timers.pop(Event.CODE_OVER, None)
    days = course.tld.transfer.answer_days.value
    course.timers[Event.TRANSFER_ANSWER_DUE] = at + timedelta(days=days)


def end_transfer(course: Course, fact: Fact | None, at: datetime) -> None:
    """Forget a transfer that came to nothing, or to its end."""
    course.code_asked = None
    for event in (Event.TRANSFER_ANSWER_DUE, Event.CODE_OVER):
        course.timers.pop(event, None)


def await_proof(course: Course, fact: Fact | None, at: datetime) -> None:
    """Begin the time in which proof is due (contract N 2.2.5)."""
    by_registry = isinstance(fact, RiskFlagged) and fact.registry
    days = course.tld.verification_days if by_registry else course.contract.proof_days
    course.timers[Event.PROOF_DUE] = end_of(local_day(at) + timedelta(days=days.value))


def accept_proof(course: Course, fact: Fact | None, at: datetime) -> None:
    """End the time in which proof is due."""
    course.timers.pop(Event.PROOF_DUE, None)
