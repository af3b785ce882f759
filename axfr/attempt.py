"""One refresh of one zone: its primaries in order, up to the gate of the zone checks.

SOA query, serial arithmetic, IXFR or AXFR, checks. Where a NOTIFY says that there is something new,
an IXFR is asked for at once: its answer tells no less than that of a SOA query. What comes out is an ``Outcome``, to be persisted
and served by the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from axfr.answer_stream import Limits
from axfr.client import INLINE_RECORDS, Client, Fetched, IxfrFailed, off_the_loop
from axfr.errors import TransferError
from axfr.ixfr_memory import IxfrMemory
from axfr.notify import same_address
from axfr.refresh import Bounds, Step, after_failure, after_success, next_step
from axfr.refusal import fix_of, reason_of, record_of
from axfr.soa import Soa
from zones.changes import Changes
from zones.check import check
from zones.check_changes import is_surely_sound
from zones.finding import Finding, errors
from zones.name import Name
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt, TsigKey
from zones.version import ZoneVersion

# Where no primary gave anything to judge; whatever else goes wrong is a refusal.
NO_ANSWER = frozenset({"unreachable", "timeout", "no-primary"})
# What a second transfer of the same serial would end in again.
LASTING = frozenset({"too-large", "too-many-records"})


@dataclass(frozen=True, slots=True)
class SecondaryZone:
    """A zone whose content arrives by transfer; ``pinned`` keeps what is served."""

    apex: Name
    primaries: tuple[Primary, ...]
    pinned: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a refresh came to.

    ``version`` is there exactly when it is to be stored and served; ``findings`` are those of the
    checks, warnings included.
    """

    state: SecondaryState
    attempts: tuple[TransferAttempt, ...]
    version: ZoneVersion | None = None
    findings: tuple[Finding, ...] = ()
    changes: Changes | None = None  # that made the version, where it came as changes


@dataclass(frozen=True, slots=True)
class Wish:
    """Why a refresh runs: a NOTIFY (``asked``, and ``address`` of who sent it), or ``force``."""

    asked: bool = False
    force: bool = False
    address: str = ""

    def __or__(self, other: Wish) -> Wish:
        """Return what satisfies both."""
        return Wish(
            self.asked or other.asked, self.force or other.force, other.address or self.address
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every refresh needs: the keys, the settings, the clock and the jitter."""

    keys: Mapping[Name, TsigKey]
    client: Client
    ixfr: IxfrMemory
    bounds: Bounds
    clock: Callable[[], float]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Failure:
    """What one primary failed with; ``refused`` when ``serial`` was transferred and refused."""

    error: TransferError
    result: Result
    serial: int | None = None
    refused: bool = False
    fix: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def weight(self) -> int:
        """Return how much it tells: refused content, another refusal, no answer."""
        if self.findings:
            return 2
        return int(self.result is Result.REFUSED)


class _Refused(Exception):
    """What a primary has is refused; ``fetched`` where it was transferred just now."""

    def __init__(self, failure: _Failure, fetched: Fetched | None = None) -> None:
        super().__init__(failure.error.reason)
        self.failure = failure
        self.fetched = fetched


@dataclass(frozen=True, slots=True)
class Base:
    """The version in service, for IXFR; ``sound`` where no rule of the full check refuses it."""

    version: ZoneVersion
    sound: bool = False


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
        self._base = base if base and base.version.serial == state.serial else None
        self._attempts: list[TransferAttempt] = []
        self._failures: list[_Failure] = []
        self._serial: int | None = None  # of the primary being asked
        self._kind = "SOA"
        self._started = 0.0

    async def run(self) -> Outcome:
        """Ask the primaries in turn until one has the zone; never raises ``TransferError``."""
        for primary in self._primaries():
            self._kind, self._serial, self._started = "SOA", None, time.perf_counter()
            try:
                return await self._ask(primary)
            except _Refused as refused:
                self._fail(primary, refused.failure, refused.fetched)
            except TransferError as error:
                self._fail(primary, self._failure(error))
        return self._failed()

    def _primaries(self) -> list[Primary]:
        """Return whom to ask, in order; who sent the NOTIFY is asked first."""
        primaries = sorted(self._zone.primaries, key=lambda primary: primary.position)
        first = same_address(self._wish.address, primaries) if self._wish.address else None
        if first is not None:
            primaries.remove(first)
            primaries.insert(0, first)
        return primaries

    async def _ask(self, primary: Primary) -> Outcome:
        key = self._key(primary)
        state, around, wish = self._state, self._around, self._wish
        expired = state.is_expired(around.clock())
        known = state.serial is not None and (self._zone.pinned or not expired)
        base = self._base if not (expired or wish.force) else None
        if base is not None and not around.ixfr.is_usable(primary, self._zone.apex, around.clock()):
            base = None
        at_once = base is not None and wish.asked and not self._zone.pinned
        if not (wish.force or at_once) and (known or state.refused_serial is not None):
            answer = await around.client.query_soa(primary, self._zone.apex, key)
            self._serial = answer.serial
            settled = self._settle(primary, answer.soa)
            if settled is not None:
                return settled
        if base is not None:
            outcome = await self._transfer_changes(primary, key, base)
            if outcome is not None:
                return outcome
        self._kind, self._started = "AXFR", time.perf_counter()
        fetched = await around.client.fetch(primary, self._zone.apex, key, self._zone.limits)
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
        soa = Soa.of(fetched.soa)
        if fetched.changes is None:
            self._serial = soa.serial
            return self._settle(primary, soa)
        many = base.version.record_count > INLINE_RECORDS
        version = await off_the_loop(fetched.changes.finish, many=many)
        if len(version.blob) > limits.octets or version.record_count > limits.records:
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
            bounds=self._around.bounds,
        )

    def _settle(self, primary: Primary, soa: Soa) -> Outcome | None:
        """Return the outcome where the serial alone settles it; ``None`` to go on."""
        match self._step(soa.serial):
            case Step.CURRENT:
                return self._succeeded(primary, soa, Result.CURRENT)
            case Step.PINNED:
                return self._pinned(primary, soa)
            case Step.WENT_BACK:
                raise self._error(
                    primary,
                    "serial-went-back",
                    f"the primary has serial {soa.serial}, which is lower than {self._state.serial}"
                    " in service",
                )
            case Step.STILL_REFUSED:
                raise _Refused(self._still_refused(primary, soa.serial))
            case Step.TRANSFER:
                for failure in self._failures:  # of another primary, with the same content
                    if failure.refused and failure.serial == soa.serial:
                        raise _Refused(failure)
        return None

    async def _judge(self, primary: Primary, fetched: Fetched, version: ZoneVersion) -> Outcome:
        """Check what was transferred, and accept or refuse it."""
        soa = Soa.of(version.soa.rdatas[0])
        if soa.serial != self._serial:  # no SOA query, or another version since
            self._serial = soa.serial
            settled = self._settle(primary, soa)
            if settled is not None:
                return settled
        findings: tuple[Finding, ...] = ()
        if not self._is_surely_sound(fetched):
            content = fetched.packed or version
            many = version.record_count > INLINE_RECORDS
            findings = tuple(await off_the_loop(lambda: check(content), many=many))
        refusing = errors(findings)
        if not refusing:
            return self._succeeded(
                primary, soa, Result.ACCEPTED, version=version, findings=findings, fetched=fetched
            )
        first = refusing[0]
        error = self._error(primary, first.rule, reason_of(findings), record_of(first))
        failure = _Failure(
            error, Result.REFUSED, soa.serial, refused=True, fix=first.fix, findings=findings
        )
        raise _Refused(failure, fetched)

    def _is_surely_sound(self, fetched: Fetched) -> bool:
        """Tell whether only changes came, and a look at these alone settles it."""
        if fetched.changes is None or self._base is None or not self._base.sound:
            return False
        return is_surely_sound(fetched.changes)

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
        state = after_success(
            self._state,
            soa,
            around.clock(),
            around.jitter(),
            around.bounds,
            result=result,
            peer=str(primary),
        )
        self._log(primary, result, fetched=fetched)
        changes = fetched.changes if fetched else None
        return Outcome(state, tuple(self._attempts), version, findings, changes)

    def _pinned(self, primary: Primary, soa: Soa) -> Outcome:
        around = self._around
        reason = f"the primary has serial {soa.serial}; {self._state.serial} is pinned"
        state = after_success(
            self._state,
            soa,
            around.clock(),
            around.jitter(),
            around.bounds,
            result=Result.HELD,
            peer=str(primary),
            primary_serial=soa.serial,
        )
        self._log(primary, Result.HELD, rule="pinned", reason=reason)
        state = replace(state, last_rule="pinned", last_reason=reason, last_fix=fix_of("pinned"))
        return Outcome(state, tuple(self._attempts))

    def _still_refused(self, primary: Primary, serial: int) -> _Failure:
        state = self._state
        error = self._error(primary, state.last_rule, state.last_reason, state.last_record)
        return _Failure(error, Result.REFUSED, serial, fix=state.last_fix)

    def _failure(self, error: TransferError) -> _Failure:
        result = Result.UNREACHABLE if error.rule in NO_ANSWER else Result.REFUSED
        refused = error.rule in LASTING and self._serial is not None
        return _Failure(error, result, self._serial, refused, fix_of(error.rule))

    def _fail(self, primary: Primary, failure: _Failure, fetched: Fetched | None = None) -> None:
        self._failures.append(failure)
        error = failure.error
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
        return Outcome(state, tuple(self._attempts), None, told.findings)

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
