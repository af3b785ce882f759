"""One refresh of one zone: its primaries in order, up to the gate of the zone checks.

SOA query, serial arithmetic, IXFR or AXFR, checks. Where a NOTIFY says that there is something new,
an IXFR is asked for at once: its answer tells no less than that of a SOA query. What comes out is an
``Outcome``, to be persisted and served by the caller.
"""

from __future__ import annotations

import time
from dataclasses import replace

from axfr.client import INLINE_RECORDS, Fetched, IxfrFailed, off_the_loop
from axfr.errors import TransferError
from axfr.judging import Arrival, Bench, judge, pinned_finding, set_aside
from axfr.notify import same_address
from axfr.outcome import (
    Base,
    Failure,
    Outcome,
    Refused,
    SecondaryZone,
    Surroundings,
    why_suspended,
)
from axfr.refresh import Step, after_failure, after_success, next_step
from axfr.refusal import fix_of, reason_of, record_of
from axfr.soa import Soa
from axfr.timetable import Wish
from zones.finding import Finding, errors, holds
from zones.quarantine import Quarantined, Standing, Validation
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt, TsigKey
from zones.version import ZoneVersion

__all__ = ["Base", "Outcome", "Refresh", "SecondaryZone", "Surroundings", "Wish"]

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


class Refresh:
    """One refresh; ``run`` it once. Without a ``base`` only whole zones are asked for."""

    def __init__(
        self,
        zone: SecondaryZone,
        state: SecondaryState,
        wish: Wish,
        around: Surroundings,
        base: Base | None = None,
    ) -> None:
        self._zone = zone
        self._state = state
        self._wish = wish
        self._around = around
        self._served = base.version if base and state.serial is not None else None
        self._base = base if base and base.version.serial == state.serial else None
        self._attempts: list[TransferAttempt] = []
        self._failures: list[Failure] = []
        self._serial: int | None = None  # of the primary being asked
        self._expire: int | None = None  # in so many seconds the zone expires there (RFC 7314)
        self._soa = Soa(0, 0, 0, 0, 0)  # likewise, once it is known
        self._told = b""  # likewise, as rdata, where it was asked for its SOA
        self._kind = "SOA"
        self._started = 0.0

    async def run(self) -> Outcome:
        """Ask the primaries in turn until one has the zone; never raises ``TransferError``."""
        for primary in self._primaries():
            self._kind, self._serial, self._started = "SOA", None, time.perf_counter()
            self._expire = None
            try:
                self._check_suspension(primary)
                return await self._ask(primary)
            except Refused as refused:
                self._fail(primary, refused.failure, refused.fetched)
            except TransferError as error:
                self._fail(primary, self._failure(error))
        return self._failed()

    def _note(self, primary: Primary, *, answered: bool) -> None:
        self._around.dead.note(primary, self._around.clock(), answered=answered)

    def _primaries(self) -> list[Primary]:
        """Return whom to ask, in order: who sent the NOTIFY first, who is silent last."""
        now = self._around.clock()
        primaries = self._around.dead.in_order(self._zone.primaries, now)
        first = same_address(self._wish.address, primaries) if self._wish.address else None
        if first is not None:
            primaries.remove(first)
            primaries.insert(0, first)
        return primaries

    def _check_suspension(self, primary: Primary) -> None:
        why = why_suspended(primary, self._around.suspended)
        if why is not None:
            reason = f"the operator has suspended this primary: {why}"
            raise self._error(primary, "primary-suspended", reason)

    async def _ask(self, primary: Primary) -> Outcome:
        key = self._key(primary)
        state, around, wish = self._state, self._around, self._wish
        expired = state.is_expired(around.clock())
        known = state.serial is not None and (self._zone.pinned or not expired)
        base = self._base if not (expired or wish.force) else None
        if base is not None and not around.ixfr.is_usable(primary, self._zone.apex, around.clock()):
            base = None
        at_once = base is not None and wish.asked and not (self._zone.pinned or self._zone.held)
        if not (wish.force or at_once) and (known or state.refused_serial is not None):
            answer = await around.client.query_soa(primary, self._zone.apex, key)
            self._serial, self._told, self._expire = answer.serial, answer.rdata, answer.expire
            settled = self._settle(primary, answer.soa)
            if settled is not None:
                return settled
        if base is not None:
            outcome = await self._transfer_changes(primary, key, base)
            if outcome is not None:
                return outcome
        self._kind, self._started = "AXFR", time.perf_counter()
        try:
            fetched = await around.client.fetch(primary, self._zone.apex, key, self._zone.limits)
        except TransferError:
            if self._zone.pinned and known and self._serial is not None:
                return self._held(primary, ())  # it is there; nothing of it was to be served
            raise
        assert fetched.packed is not None
        return await self._judge(primary, fetched, ZoneVersion(fetched.packed.blob))

    async def _transfer_changes(
        self, primary: Primary, key: TsigKey | None, base: Base
    ) -> Outcome | None:
        """Ask for what changed; ``None`` where the whole zone has to be asked for."""
        self._kind, self._started = "IXFR", time.perf_counter()
        limits = self._zone.limits
        try:
            fetched = await self._around.client.fetch_changes(primary, base.version, key, limits)
        except IxfrFailed as failed:
            self._around.ixfr.note(primary, self._zone.apex, failed.rcode, self._around.clock())
            self._log(primary, Result.REFUSED, failed.rule, failed.reason)
            return None
        if fetched.packed is not None:
            self._kind = "AXFR"  # its style, at least (RFC 1995 4)
            return await self._judge(primary, fetched, ZoneVersion(fetched.packed.blob))
        soa, self._expire = Soa.of(fetched.soa), fetched.expire
        if fetched.changes is None:
            self._serial = soa.serial
            return self._settle(primary, soa)
        many = base.version.record_count > INLINE_RECORDS
        version = await off_the_loop(fetched.changes.finish, many=many)
        if version.octets > limits.octets or version.record_count > limits.records:
            self._log(primary, Result.REFUSED, "ixfr-failed", "the zone exceeds its limits")
            return None  # to be told about the zone, not about the way
        return await self._judge(primary, fetched, version)

    def _key(self, primary: Primary) -> TsigKey | None:
        if primary.key is None:
            return None
        key = self._around.keys.get(primary.key)
        if key is None:
            raise self._error(primary, "key-unusable", "the key for it is not known here")
        return key

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

    def _settle(self, primary: Primary, soa: Soa) -> Outcome | None:
        """Return the outcome where the serial alone settles it; ``None`` to go on."""
        self._soa = soa
        match self._step(soa.serial):
            case Step.CURRENT:
                return self._succeeded(primary, soa, Result.CURRENT)
            case Step.STILL_HELD:
                return self._still_held(primary)
            case Step.WENT_BACK:
                raise self._error(
                    primary,
                    "serial-went-back",
                    f"the primary has serial {soa.serial}, which is lower than {self._state.serial}"
                    " in service",
                )
            case Step.STILL_REFUSED:
                raise Refused(self._still_refused(primary, soa.serial))
            case Step.TRANSFER:
                for failure in self._failures:  # of another primary, with the same content
                    if failure.refused and failure.serial == soa.serial:
                        raise Refused(failure)
        return None

    async def _judge(self, primary: Primary, fetched: Fetched, version: ZoneVersion) -> Outcome:
        """Check what was transferred, and accept or refuse it."""
        soa = Soa.of(fetched.soa or version.soa.rdatas[0])
        self._expire = fetched.expire
        if soa.serial != self._serial:  # no SOA query, or another version since
            self._serial = soa.serial
            settled = self._settle(primary, soa)
            if settled is not None:
                return settled
        state, zone, now = self._state, self._zone, self._around.clock()
        in_service = not state.is_expired(now) or zone.pinned
        bench = Bench(
            zone.settings,
            self._served if in_service else None,
            state.serial if in_service else None,
            zone.pinned,
            now,
        )
        sound = self._base is not None and self._base.sound
        arrival = Arrival(version, fetched.packed, fetched.changes, sound)
        many = (
            version.record_count > INLINE_RECORDS or zone.settings.validation is not Validation.OFF
        )
        findings = await off_the_loop(lambda: judge(arrival, bench), many=many)
        if bench.is_pinned or (holds(findings) and not errors(findings)):
            kept = set_aside(arrival, bench, Standing.HELD, primary, findings)
            return self._held(primary, findings, kept, fetched)
        refusing = errors(findings)
        if not refusing:
            return self._succeeded(
                primary, soa, Result.ACCEPTED, version=version, findings=findings, fetched=fetched
            )
        first = refusing[0]
        failure = Failure(
            self._error(primary, first.rule, reason_of(findings), record_of(first)),
            Result.REFUSED,
            soa.serial,
            refused=True,
            fix=first.fix,
            findings=findings,
            quarantined=set_aside(arrival, bench, Standing.REFUSED, primary, findings),
        )
        raise Refused(failure, fetched)

    def _succeeded(
        self,
        primary: Primary,
        soa: Soa,
        result: Result,
        *,
        version: ZoneVersion | None = None,
        findings: tuple[Finding, ...] = (),
        fetched: Fetched | None = None,
    ) -> Outcome:
        around = self._around
        self._note(primary, answered=True)
        state = after_success(
            self._state,
            soa,
            around.clock(),
            around.jitter(),
            around.bounds,
            result=result,
            peer=str(primary),
            expire_there=self._expire,
        )
        self._log(primary, result, fetched=fetched)
        accepted_once = version is not None and soa.serial == self._zone.settings.accepted_serial
        return Outcome(
            state,
            tuple(self._attempts),
            version,
            findings,
            fetched.changes if fetched else None,
            before=self._state,
            accepted_once=accepted_once,
            soa=self._told if result is Result.CURRENT else b"",
        )

    def _held(
        self,
        primary: Primary,
        findings: tuple[Finding, ...],
        kept: Quarantined | None = None,
        fetched: Fetched | None = None,
    ) -> Outcome:
        """Return the outcome where a version is not to be served unseen: contact, all the same."""
        holding = list(findings)
        if not holding:
            assert self._state.serial is not None
            holding = [pinned_finding(self._zone.apex, self._state.serial, self._soa.serial)]
        holding = holds(holding) or holding
        reason = "; ".join(finding.sentence for finding in holding)
        first = holding[0]
        state = self._after_hold(primary, Result.HELD)
        state = replace(
            state,
            last_rule=first.rule,
            last_reason=reason,
            last_record=record_of(first) if first.rtype else "",
            last_fix=first.fix,
        )
        self._log(primary, Result.HELD, first.rule, reason, fetched)
        accepted_once = kept is not None and self._soa.serial == self._zone.settings.accepted_serial
        return Outcome(
            state,
            tuple(self._attempts),
            findings=findings,
            quarantined=kept,
            before=self._state,
            accepted_once=accepted_once,
        )

    def _still_held(self, primary: Primary) -> Outcome:
        """Return the outcome where the primary still has what is held or was discarded."""
        held, serial = self._zone.held, self._soa.serial
        assert held is not None
        result = Result.CURRENT if held.discarded else Result.HELD
        rule = "discarded" if held.discarded else held.rule
        sentences = (
            f"Serial {serial}, which was held, was discarded." if held.discarded else held.sentences
        )
        fix = fix_of("discarded") if held.discarded else held.fix
        state = self._after_hold(primary, result)
        state = replace(state, last_rule=rule, last_reason=sentences, last_fix=fix)
        self._log(primary, result, rule, sentences)
        return Outcome(state, tuple(self._attempts), before=self._state)

    def _after_hold(self, primary: Primary, result: Result) -> SecondaryState:
        """Return the state after contact that brought nothing to be served: EXPIRE starts anew."""
        around, state = self._around, self._state
        assert state.serial is not None
        return after_success(
            state,
            replace(self._soa, serial=state.serial),  # its timers, where ours are not known
            around.clock(),
            around.jitter(),
            around.bounds,
            result=result,
            peer=str(primary),
            primary_serial=self._soa.serial,
            expire_there=self._expire,
        )

    def _still_refused(self, primary: Primary, serial: int) -> Failure:
        state = self._state
        error = self._error(primary, state.last_rule, state.last_reason, state.last_record)
        return Failure(error, Result.REFUSED, serial, fix=state.last_fix)

    def _failure(self, error: TransferError) -> Failure:
        result = Result.UNREACHABLE if error.rule in NO_ANSWER else Result.REFUSED
        refused = error.rule in LASTING and self._serial is not None
        return Failure(error, result, self._serial, refused, fix_of(error.rule))

    def _fail(self, primary: Primary, failure: Failure, fetched: Fetched | None = None) -> None:
        self._failures.append(failure)
        error = failure.error
        self._note(primary, answered=error.rule not in SILENT)
        self._log(primary, failure.result, error.rule, error.reason, fetched)

    def _failed(self) -> Outcome:
        around = self._around
        if not self._failures:
            error = TransferError(self._zone.apex, "", "no-primary", "no primary is entered")
            self._failures.append(self._failure(error))
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

    def _log(
        self,
        primary: Primary,
        result: Result,
        rule: str = "",
        reason: str = "",
        fetched: Fetched | None = None,
    ) -> None:
        self._attempts.append(
            TransferAttempt(
                self._zone.apex,
                self._around.clock(),
                str(primary),
                self._kind,
                result,
                rule,
                reason,
                self._state.serial,
                self._serial,
                fetched.octets if fetched else 0,
                fetched.records if fetched else 0,
                time.perf_counter() - self._started,
            )
        )

    def _error(self, primary: Primary, rule: str, reason: str, record: str = "") -> TransferError:
        return TransferError(self._zone.apex, str(primary), rule, reason, record)
