"""The course of a registration: a walk through its facts and the times that come between them.

The walk reads the tables of ``registrar.transitions``; it knows nothing of contracts or
registries itself. Timers that are due at a moment come before the facts of that moment. Where a
term or a registration is renewed year after year and nothing else happens, the walk takes all the
years in one step, unless the steps are recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from registrar.changes import open_grace
from registrar.days import end_of, moment_after_months, whole_months
from registrar.endings import settle
from registrar.events import Event
from registrar.fact import Fact
from registrar.facts import ArrearsReported, CancellationReceived
from registrar.guards import unfitting
from registrar.model import Denial, Life, Region, Registration
from registrar.policy import Renewal
from registrar.reason import Reason
from registrar.recorded import RECORDED
from registrar.standing import FIRST, Plan
from registrar.statuses import RgpStatus, Status
from registrar.terms import last_day
from registrar.transition import Transition

FAR: Final = datetime.max.replace(tzinfo=UTC)
ORDER: Final = {event: number for number, event in enumerate(Event)}
INSTANT: Final = datetime.resolution
RECURRING: Final = frozenset((Event.TERM_OVER, Event.REGISTRY_EXPIRY))

# Bound here: in Python 3.11 each ``Life.CLOSING`` costs as much as a dozen plain names.
CLOSING: Final = Life.CLOSING
REGISTERED: Final = Life.REGISTERED
TERM_OVER: Final = Event.TERM_OVER
REGISTRY_EXPIRY: Final = Event.REGISTRY_EXPIRY
RENEWED: Final = Event.RENEWED


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a table that was taken; ``fact`` is ``None`` where a time came."""

    at: datetime
    row: Transition
    fact: Fact | None


class Course:
    """A registration on its way; ``to`` moves on in time, never back.

    The attributes are what the changes of the tables read and set. With ``record`` every row taken
    is kept in ``steps``.
    """

    __slots__ = (
        "_facts",
        "_position",
        "arrears",
        "assumed",
        "authorised",
        "cancellation",
        "clock",
        "code_asked",
        "confirmed",
        "contact_changes",
        "contract",
        "denials",
        "dispute",
        "documents",
        "domain_due",
        "expires",
        "expiry_from",
        "expiry_renewals",
        "first_months",
        "grace",
        "holder_told",
        "last_day",
        "left_despite_lien",
        "lock_until",
        "manual",
        "name_servers",
        "paid_through",
        "redemption_ends",
        "refusal",
        "registration",
        "renewals",
        "set_statuses",
        "since",
        "standing",
        "start",
        "steps",
        "submitted",
        "terminated",
        "timers",
        "tld",
        "undeclared",
    )

    def __init__(self, registration: Registration, *, record: bool = False) -> None:
        self.registration = registration
        self.contract = registration.contract
        self.tld = registration.tld
        self.steps: list[Step] | None = [] if record else None
        self._facts = registration.facts
        self._position = 0
        self.clock: datetime | None = None
        self.standing = FIRST
        self.timers: dict[Event, datetime] = {}
        self.since: datetime | None = None
        # Order
        self.submitted: datetime | None = None
        self.manual = False
        self.refusal = ""
        # Contract
        self.start: date | None = None
        self.first_months = 0
        self.renewals = 0
        self.last_day: date | None = None
        self.domain_due: datetime | None = None
        self.cancellation: CancellationReceived | None = None
        self.undeclared: CancellationReceived | None = None
        self.documents: frozenset[str] = frozenset()
        self.paid_through: date | None = None
        self.arrears: ArrearsReported | None = None
        # Registry
        self.expiry_from: datetime | None = None
        self.expiry_renewals = 0
        self.expires: datetime | None = None
        self.grace: dict[RgpStatus, datetime] = {}
        self.set_statuses: frozenset[Status] = frozenset()
        self.name_servers: tuple[str, ...] = ()
        self.lock_until: datetime | None = None
        self.dispute = ""
        # End
        self.authorised = False  # holder or Admin-C want the domain given back
        self.confirmed = False
        self.terminated = False
        self.redemption_ends: datetime | None = None
        self.left_despite_lien = False
        # Elsewhere
        self.code_asked: datetime | None = None
        self.holder_told: datetime | None = None
        self.contact_changes: dict[str, datetime] = {}
        self.assumed: dict[Event, datetime] = {}
        self.denials: list[Denial] = []

    @property
    def position(self) -> int:
        """Return how many of the facts are behind it."""
        return self._position

    @property
    def life(self) -> Life:
        """Return the stage of the life cycle."""
        return self.standing.life

    @property
    def states(self) -> Mapping[Region, Any]:
        """Return the state of each region."""
        return self.standing.states

    def to(self, until: datetime) -> None:
        """Live through everything up to and with the moment ``until``."""
        facts, count = self._facts, len(self._facts)
        if self._position == count and self.steps is None and until < self.steady_until:
            self._renew_all(until)
            self.clock = until
            return
        while True:
            event, due = self._next_timer()
            fact_at = facts[self._position].at if self._position < count else FAR
            if due <= until and due <= fact_at:
                self._time_comes(event, due, min(until, fact_at))
            elif fact_at <= until:
                fact = facts[self._position]
                self._position += 1
                self.clock = fact_at
                self.happen(fact.event, fact_at, fact)
            else:
                break
        self.clock = until

    @property
    def steady_until(self) -> datetime:
        """Return up to when time brings renewals and nothing else; ``FAR`` where it is for ever.

        Until then the state of each region stays what it is, if no fact comes.
        """
        steady, renewed = FAR, self._is_renewed
        for event, due in self.timers.items():
            if due < steady and not (event in RECURRING and renewed(event, due)):
                steady = due
        return steady

    def _is_renewed(self, event: Event, due: datetime) -> bool:
        """Tell whether all that comes of a term that is over is another one."""
        if self.standing.life is not REGISTERED:
            return False
        plan = self.standing.plan(event, self, due)
        return bool(plan.rows) and plan.after is self.standing

    def happen(self, event: Event, at: datetime, fact: Fact | None = None) -> bool:
        """Take the rows for an event, in all regions or in none; tell whether any was taken."""
        recording = RECORDED.get(event)
        if recording is not None:
            recording.change(self, fact, at)
        plan = self.standing.plan(event, self, at)
        if fact is not None and (plan.guards or not plan.fits):
            reasons = self._reasons(plan, event, fact, at)
            if reasons:
                self.denials.append(Denial(at, event, reasons))
                return False
        self.standing = plan.after
        if plan.moves:
            self.since = at
        for change in plan.changes:
            change(self, fact, at)
        if self.steps is not None:
            self.steps += [Step(at, row, fact) for row in plan.rows]
        if self.standing.life is CLOSING:
            settle(self, at)
        return bool(plan.rows)

    def rows_for(self, event: Event, at: datetime) -> tuple[Transition, ...]:
        """Return the row of each region that an event leads to from here, guards aside."""
        return self.standing.rows_for(event, self, at)

    def _reasons(self, plan: Plan, event: Event, fact: Fact, at: datetime) -> tuple[Reason, ...]:
        """Return what stands against a fact."""
        if not plan.fits:
            return (unfitting(self, event),)
        found = [reason for guard in plan.guards for reason in guard(self, fact, at)]
        return tuple(dict.fromkeys(found))

    @property
    def next_due(self) -> datetime:
        """Return when the next thing happens, a fact or a time; ``FAR`` where nothing does."""
        pending = self._facts[self._position :]
        return min(self._next_timer()[1], pending[0].at if pending else FAR)

    def _next_timer(self) -> tuple[Event, datetime]:
        """Return the timer that is due first; of several the one that ``Event`` names first."""
        first, due = TERM_OVER, FAR
        for event, moment in self.timers.items():
            if moment < due or (moment == due and ORDER[event] < ORDER[first]):
                first, due = event, moment
        return first, due

    def _time_comes(self, event: Event, due: datetime, horizon: datetime) -> None:
        if self.clock is not None and due < self.clock:
            due = self.clock  # it was over when it was set
        self.clock = due
        if event in RECURRING and self.steps is None and self._is_renewed(event, due):
            for timer, other in self.timers.items():
                if timer not in RECURRING and other <= horizon:
                    horizon = other - INSTANT  # which of one moment comes first is for ``to``
            self._renew(event, due, horizon)
        else:
            del self.timers[event]
            self.happen(event, due)

    def _renew_all(self, until: datetime) -> None:
        for event in RECURRING:
            due = self.timers.get(event)
            if due is not None and due <= until:
                self._renew(event, due, until)

    def _renew(self, event: Event, due: datetime, until: datetime) -> None:
        """Take all renewals of a kind that come by ``until``, at least one, in one step."""
        del self.timers[event]
        term = event is TERM_OVER
        months = (self.contract if term else self.tld.term).renewal_months.value
        renew = self.renew_term if term else self.renew_at_registry
        renew(1 + max(0, whole_months(due, until)) // months if months else 1)
        while (due := self.timers.get(event, FAR)) <= until:
            renew(1)

    def renew_term(self, times: int = 1) -> None:
        """Lengthen the contract by a term; one whose renewals have no length has no end then."""
        months = self.contract.renewal_months.value
        assert self.start is not None
        if months:
            self.renewals += times
            self.last_day = last_day(self.start, self.first_months, months, self.renewals)
            self.timers[TERM_OVER] = self.contract_end
        else:
            self.last_day = None

    def renew_at_registry(self, times: int = 1) -> None:
        """Lengthen the registration, as the registry or our command does at expiry."""
        assert self.expiry_from is not None
        assert self.expires is not None
        months = self.tld.term.renewal_months.value
        at = self.expires
        if times > 1:
            at = moment_after_months(self.expiry_from, months * (self.expiry_renewals + times - 1))
        self.expiry_renewals += times
        self.expires = moment_after_months(self.expiry_from, months * self.expiry_renewals)
        self.timers[REGISTRY_EXPIRY] = self.expires
        self.assumed[RENEWED] = at
        auto = self.tld.term.renewal.value is Renewal.AUTO
        open_grace(self, RgpStatus.AUTO_RENEW_PERIOD if auto else RgpStatus.RENEW_PERIOD, at)

    @property
    def contract_end(self) -> datetime:
        """Return the moment at which the last day of the contract is over."""
        assert self.last_day is not None
        return end_of(self.last_day)
