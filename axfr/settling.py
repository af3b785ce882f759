"""What follows from what a primary says or sends: the outcome of a refresh, without I/O.

The serial alone settles it, or the checks of what was transferred do. What fails with one primary
may go well with the next one: the weightiest failure is told when none had the zone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from axfr.errors import TransferError
from axfr.judging import Arrival, Bench, pinned_finding, set_aside
from axfr.outcome import Base, Failure, Outcome, Refused, SecondaryZone, Surroundings
from axfr.refresh import Step, after_failure, after_success, next_step
from axfr.refusal import fix_of, reason_of, record_of
from axfr.soa import Soa
from axfr.timetable import Wish
from zones.finding import Finding, errors, holds
from zones.quarantine import Quarantined, Standing
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from axfr.client import Fetched

SILENT = frozenset({"unreachable", "timeout"})
# Where no primary gave anything to judge; whatever else goes wrong is a refusal.
NO_ANSWER = frozenset(
    {
        "unreachable",
        "timeout",
        "no-primary",
        "primary-suspended",
        "source-address",
        "tls-failed",
        "tls-certificate",
        "tls-own-certificate",
    }
)
# What a second transfer of the same serial would end in again.
LASTING = frozenset({"too-large", "too-many-records"})
NO_SOA = Soa(0, 0, 0, 0, 0)


@dataclass(slots=True, eq=False)
class Contact:
    """A primary being asked, and what is known so far of the version there.

    ``told`` is the rdata of its SOA, where that was asked for; ``expire`` are the seconds until the
    zone expires there, where it tells (RFC 7314).
    """

    primary: Primary
    started: float  # by the timer: when the request now under way was sent
    kind: str = "SOA"
    serial: int | None = None
    soa: Soa = NO_SOA
    told: bytes = b""
    expire: int | None = None


class Settling:
    """Settles one refresh of one zone; failures add up until a primary has the zone."""

    def __init__(
        self,
        zone: SecondaryZone,
        state: SecondaryState,
        wish: Wish,
        around: Surroundings,
        base: Base | None,
    ) -> None:
        self._zone = zone
        self._state = state
        self._wish = wish
        self._around = around
        self._served = base.version if base and state.serial is not None else None
        self._attempts: list[TransferAttempt] = []
        self._failures: list[Failure] = []

    def settle(self, contact: Contact, soa: Soa) -> Outcome | None:
        """Return the outcome where the serial alone settles it; ``None`` to go on."""
        contact.soa = soa
        match self._step(soa.serial):
            case Step.CURRENT:
                return self._succeeded(contact, Result.CURRENT)
            case Step.STILL_HELD:
                return self._still_held(contact)
            case Step.WENT_BACK:
                raise self.error(
                    contact,
                    "serial-went-back",
                    f"the primary has serial {soa.serial}, which is lower than {self._state.serial}"
                    " in service",
                )
            case Step.STILL_REFUSED:
                raise Refused(self._still_refused(contact, soa.serial))
            case Step.TRANSFER:
                for failure in self._failures:  # of another primary, with the same content
                    if failure.refused and failure.serial == soa.serial:
                        raise Refused(failure)
        return None

    def arrive(self, contact: Contact, soa: Soa) -> Outcome | None:
        """Return the outcome where the serial of what was transferred settles it already."""
        if soa.serial == contact.serial:
            return None
        contact.serial = soa.serial  # no SOA query, or another version since
        return self.settle(contact, soa)

    def bench(self) -> Bench:
        """Return what a version is to be measured by."""
        state, zone, now = self._state, self._zone, self._around.clock()
        in_service = not state.is_expired(now) or zone.pinned
        return Bench(
            zone.settings,
            self._served if in_service else None,
            state.serial if in_service else None,
            zone.pinned,
            now,
        )

    def judged(
        self,
        contact: Contact,
        fetched: Fetched,
        arrival: Arrival,
        bench: Bench,
        findings: tuple[Finding, ...],
    ) -> Outcome:
        """Return the outcome of what the checks found; raises ``Refused`` where that is errors."""
        refusing, primary = errors(findings), contact.primary
        if bench.is_pinned or (holds(findings) and not refusing):
            kept = set_aside(arrival, bench, Standing.HELD, primary, findings)
            return self.held(contact, findings, kept, fetched)
        if not refusing:
            version = arrival.version
            return self._succeeded(
                contact, Result.ACCEPTED, version=version, findings=findings, fetched=fetched
            )
        first = refusing[0]
        failure = Failure(
            self.error(contact, first.rule, reason_of(findings), record_of(first)),
            Result.REFUSED,
            contact.serial,
            refused=True,
            fix=first.fix,
            findings=findings,
            quarantined=set_aside(arrival, bench, Standing.REFUSED, primary, findings),
        )
        raise Refused(failure, fetched)

    def _step(self, serial: int) -> Step:
        return next_step(
            self._state,
            serial,
            self._around.clock(),
            asked=self._wish.asked,
            force=self._wish.force,
            pinned=self._zone.pinned,
            held=self._is_held(serial),
            accepted=self._zone.settings.accepted_serial,
            bounds=self._around.bounds,
        )

    def _is_held(self, serial: int) -> bool:
        zone = self._zone
        return zone.held is not None and zone.held.still_counts(
            serial, zone.settings, pinned=zone.pinned
        )

    def _succeeded(
        self,
        contact: Contact,
        result: Result,
        *,
        version: ZoneVersion | None = None,
        findings: tuple[Finding, ...] = (),
        fetched: Fetched | None = None,
    ) -> Outcome:
        around, soa = self._around, contact.soa
        self._note(contact, answered=True)
        state = after_success(
            self._state,
            soa,
            around.clock(),
            around.jitter(),
            around.bounds,
            result=result,
            peer=str(contact.primary),
            expire_there=contact.expire,
        )
        self.log(contact, result, fetched=fetched)
        accepted_once = version is not None and soa.serial == self._zone.settings.accepted_serial
        return Outcome(
            state,
            tuple(self._attempts),
            version,
            findings,
            fetched.changes if fetched else None,
            before=self._state,
            accepted_once=accepted_once,
            soa=contact.told if result is Result.CURRENT else b"",
        )

    def held(
        self,
        contact: Contact,
        findings: tuple[Finding, ...],
        kept: Quarantined | None = None,
        fetched: Fetched | None = None,
    ) -> Outcome:
        """Return the outcome where a version is not to be served unseen: contact, all the same."""
        holding = list(findings)
        if not holding:
            assert self._state.serial is not None
            holding = [pinned_finding(self._zone.apex, self._state.serial, contact.soa.serial)]
        holding = holds(holding) or holding
        reason = "; ".join(finding.sentence for finding in holding)
        first = holding[0]
        state = self._after_hold(contact, Result.HELD)
        state = replace(
            state,
            last_rule=first.rule,
            last_reason=reason,
            last_record=record_of(first) if first.rtype else "",
            last_fix=first.fix,
        )
        self.log(contact, Result.HELD, first.rule, reason, fetched)
        accepted_once = (
            kept is not None and contact.soa.serial == self._zone.settings.accepted_serial
        )
        return Outcome(
            state,
            tuple(self._attempts),
            findings=findings,
            quarantined=kept,
            before=self._state,
            accepted_once=accepted_once,
        )

    def _still_held(self, contact: Contact) -> Outcome:
        """Return the outcome where the primary still has what is held or was discarded."""
        held, serial = self._zone.held, contact.soa.serial
        assert held is not None
        result = Result.CURRENT if held.discarded else Result.HELD
        rule = "discarded" if held.discarded else held.rule
        sentences = (
            f"Serial {serial}, which was held, was discarded." if held.discarded else held.sentences
        )
        fix = fix_of("discarded") if held.discarded else held.fix
        state = self._after_hold(contact, result)
        state = replace(state, last_rule=rule, last_reason=sentences, last_fix=fix)
        self.log(contact, result, rule, sentences)
        return Outcome(state, tuple(self._attempts), before=self._state)

    def _after_hold(self, contact: Contact, result: Result) -> SecondaryState:
        """Return the state after contact that brought nothing to be served: EXPIRE starts anew."""
        around, state = self._around, self._state
        assert state.serial is not None
        return after_success(
            state,
            replace(contact.soa, serial=state.serial),  # its timers, where ours are not known
            around.clock(),
            around.jitter(),
            around.bounds,
            result=result,
            peer=str(contact.primary),
            primary_serial=contact.soa.serial,
            expire_there=contact.expire,
        )

    def _still_refused(self, contact: Contact, serial: int) -> Failure:
        state = self._state
        error = self.error(contact, state.last_rule, state.last_reason, state.last_record)
        return Failure(error, Result.REFUSED, serial, fix=state.last_fix)

    def fail(self, contact: Contact, error: TransferError) -> None:
        """Take it that a primary could not be asked, or gave no version."""
        self.refuse(contact, _failure(error, contact.serial))

    def refuse(self, contact: Contact, failure: Failure, fetched: Fetched | None = None) -> None:
        """Take it that what a primary has is of no use."""
        self._failures.append(failure)
        error = failure.error
        self._note(contact, answered=error.rule not in SILENT)
        self.log(contact, failure.result, error.rule, error.reason, fetched)

    def failed(self) -> Outcome:
        """Return the outcome where no primary had the zone."""
        around = self._around
        if not self._failures:
            error = TransferError(self._zone.apex, "", "no-primary", "no primary is entered")
            self._failures.append(_failure(error, None))
        told = max(self._failures, key=lambda failure: failure.weight)
        state = after_failure(
            self._state,
            told.error,
            around.clock(),
            around.jitter(),
            around.bounds,
            result=told.result,
            primary_serial=told.serial,
            refused=told.refused,
            fix=told.fix,
        )
        return Outcome(
            state,
            tuple(self._attempts),
            None,
            told.findings,
            quarantined=told.quarantined,
            before=self._state,
        )

    def _note(self, contact: Contact, *, answered: bool) -> None:
        self._around.dead.note(contact.primary, self._around.clock(), answered=answered)

    def log(
        self,
        contact: Contact,
        result: Result,
        rule: str = "",
        reason: str = "",
        fetched: Fetched | None = None,
    ) -> None:
        """Add a line to the transfer log."""
        self._attempts.append(
            TransferAttempt(
                self._zone.apex,
                self._around.clock(),
                str(contact.primary),
                contact.kind,
                result,
                rule,
                reason,
                self._state.serial,
                contact.serial,
                fetched.octets if fetched else 0,
                fetched.records if fetched else 0,
                self._around.timer() - contact.started,
            )
        )

    def error(self, contact: Contact, rule: str, reason: str, record: str = "") -> TransferError:
        """Return the error to raise."""
        return TransferError(self._zone.apex, str(contact.primary), rule, reason, record)


def _failure(error: TransferError, serial: int | None) -> Failure:
    result = Result.UNREACHABLE if error.rule in NO_ANSWER else Result.REFUSED
    refused = error.rule in LASTING and serial is not None
    return Failure(error, result, serial, refused, fix_of(error.rule))
