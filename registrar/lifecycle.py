"""The state of a registration at a moment: a pure function of its facts and the tables.

``project`` looks at one moment, past or to come. For a moment to come it takes for granted that
the commands due until then are carried out and succeed; ``State.assumed`` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from operator import itemgetter
from typing import Final

from registrar.course import Course
from registrar.guards import is_held_by_us, missing_documents
from registrar.model import (
    ContractState,
    Delegation,
    Dns,
    Life,
    Region,
    Registration,
    State,
    Transfer,
)
from registrar.standing import Standing
from registrar.statuses import RgpStatus, Status, normalise
from registrar.terms import notice_until

# What becomes of the zone in each stage, once the parent's delegation is gone where there was one.
ZONE: Final = {
    Life.DRAFT: Dns.NOTHING,
    Life.ORDERED: Dns.PREPARE,
    Life.WITHDRAWN: Dns.PURGE,
    Life.PENDING_CREATE: Dns.SERVE,
    Life.PENDING_TRANSFER_IN: Dns.SERVE,
    Life.REJECTED: Dns.PURGE,
    Life.REGISTERED: Dns.SERVE,
    Life.CLOSING: Dns.SERVE,
    Life.REDEMPTION: Dns.ARCHIVE,
    Life.PENDING_RESTORE: Dns.ARCHIVE,
    Life.PENDING_DELETE: Dns.ARCHIVE,
    Life.RELEASED: Dns.PURGE,
    Life.TRANSIT: Dns.ARCHIVE,
    Life.TRANSFERRED_AWAY: Dns.PURGE,
}
# The stages in which the registry has an object that is ours, and what is pending in them.
AT_REGISTRY: Final = {
    Life.PENDING_CREATE: frozenset({Status.PENDING_CREATE}),
    Life.REGISTERED: frozenset[Status](),
    Life.CLOSING: frozenset[Status](),
    Life.REDEMPTION: frozenset({Status.PENDING_DELETE}),
    Life.PENDING_RESTORE: frozenset({Status.PENDING_DELETE}),
    Life.PENDING_DELETE: frozenset({Status.PENDING_DELETE}),
}
RGP_OF: Final = {
    Life.REDEMPTION: frozenset({RgpStatus.REDEMPTION_PERIOD}),
    Life.PENDING_RESTORE: frozenset({RgpStatus.PENDING_RESTORE}),
    Life.PENDING_DELETE: frozenset({RgpStatus.PENDING_DELETE}),
}
# Bound here for their speed, as in ``registrar.course``.
TRANSFER: Final = Region.TRANSFER
SERVE: Final = Dns.SERVE
CONTRACT: Final = Region.CONTRACT
PENDING: Final = Transfer.PENDING
LEAVING: Final = Delegation.LEAVING
RUNNING: Final = ContractState.RUNNING

HOLD: Final = frozenset({Status.CLIENT_HOLD})
NO_STATUS: Final[frozenset[Status]] = frozenset()
NO_RGP: Final[frozenset[RgpStatus]] = frozenset()


def project(registration: Registration, now: datetime) -> State:
    """Return the state of a registration at a moment."""
    course = Course(registration)
    course.to(now)
    return state_of(course)


def project_all(registrations: Iterable[Registration], now: datetime) -> list[State]:
    """Return the states of many registrations at a moment."""
    return [project(registration, now) for registration in registrations]


def state_of(course: Course) -> State:
    """Return the state that a course has reached."""
    assert course.clock is not None
    now = course.clock
    standing = course.standing
    contract, delegation, transfer, verification, payment, disclosure = standing.others
    life = standing.life
    grace = tuple([(period, end) for period, end in course.grace.items() if end > now])
    lock = course.lock_until
    return State(
        at=now,
        life=life,
        life_since=course.since,
        contract=contract,
        delegation=delegation,
        transfer=transfer,
        verification=verification,
        payment=payment,
        disclosure=disclosure,
        dns=SERVE if delegation is LEAVING else ZONE[life],
        statuses=statuses_of(course),
        rgp=RGP_OF.get(life) or (frozenset([period for period, _ in grace]) if grace else NO_RGP),
        contract_last_day=course.last_day,
        paid_through=course.paid_through,
        registry_expires=course.expires,
        domain_due=course.domain_due,
        notice_until=last_notice_day(course),
        grace_ends=grace,
        timers=tuple(sorted(course.timers.items(), key=itemgetter(1, 0))),
        lock_until=lock if lock is not None and lock > now else None,
        code_asked=course.code_asked,
        name_servers=course.name_servers,
        manual=course.manual,
        missing_documents=missing_documents(course) if course.undeclared else (),
        confirmed=course.confirmed,
        dispute=course.dispute,
        refusal=course.refusal,
        arrears_cents=course.arrears.cents if course.arrears else 0,
        left_despite_lien=course.left_despite_lien,
        open_contact_changes=tuple(course.contact_changes.items()),
        assumed=tuple(course.assumed.items()),
        denials=tuple(course.denials),
    )


def statuses_of(course: Course) -> frozenset[Status]:
    """Return the EPP statuses of the domain, none where the registry has no object of ours."""
    found = course.set_statuses | HOLD if is_held_by_us(course) else course.set_statuses
    return _statuses(course.standing, found, delegated=bool(course.name_servers))


@cache
def _statuses(
    standing: Standing, found: frozenset[Status], *, delegated: bool
) -> frozenset[Status]:
    pending = AT_REGISTRY.get(standing.life)
    if pending is None:
        return NO_STATUS
    found |= pending
    if standing.states[TRANSFER] is PENDING:
        found |= {Status.PENDING_TRANSFER}
    return normalise(found, delegated=delegated)


def last_notice_day(course: Course) -> date | None:
    """Return the last day on which notice to the end of the term that runs may arrive."""
    running = course.standing.states[CONTRACT] is RUNNING
    if not running or course.last_day is None:
        return None
    return notice_until(course.last_day, course.contract.notice)
