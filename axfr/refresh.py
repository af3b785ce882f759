"""When a secondary asks its primaries, what it does with the answer, and when it gives up.

RFC 1034 4.3.5 and 1035 3.3.13: REFRESH after a success, RETRY after a failure, and EXPIRE since
the last success. What counts as one here is contact with a primary that has the version in service
or a newer one that was taken over. A refused transfer is none: contract N 2.2.7 lets EXPIRE of the
last working version run out while the customer corrects nothing.

Jitter is a number in [0, 1) from the caller. Timers only ever move forward in time with it, so that
no primary is asked later than its SOA says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from axfr.errors import TransferError
from axfr.soa import Soa
from zones.secondary import Result, SecondaryState, SecondaryStatus
from zones.serial import is_newer

SPREAD: Final = 0.1  # of an interval, at most, is taken off by jitter
MAX_TIMER: Final = 2**31 - 1  # seconds; RFC 1035 3.3.13 with RFC 2181 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what the timers of a SOA are taken at their word, in seconds.

    ``bootstrap`` is the wait, doubled at each failure, of a zone that was never transferred.
    ``refused_hold`` is how long a refused serial is not fetched again unless somebody asks.
    """

    refresh_min: float = 30.0
    refresh_max: float = 2_419_200.0  # four weeks
    retry_min: float = 10.0
    retry_max: float = 1_209_600.0  # two weeks
    expire_min: float = 1.0
    expire_max: float = float(MAX_TIMER)
    bootstrap_min: float = 5.0
    bootstrap_max: float = 3600.0
    refused_hold: float = 3600.0


class Step(Enum):
    """What follows from the serial of a primary."""

    CURRENT = auto()  # nothing newer there
    TRANSFER = auto()
    STILL_REFUSED = auto()  # what is there was refused already
    WENT_BACK = auto()  # an older one is there
    STILL_HELD = auto()  # what is there waits for approval, or was discarded


def status(state: SecondaryState, now: float, *, suspended: bool = False) -> SecondaryStatus:
    """Return the standing of a zone, as the customer sees it."""
    if suspended:
        return SecondaryStatus.SUSPENDED
    if state.serial is None:
        return SecondaryStatus.PENDING
    if state.is_expired(now):
        return SecondaryStatus.EXPIRED
    return SecondaryStatus.FAILING if state.failures else SecondaryStatus.OK


def next_step(
    state: SecondaryState,
    serial: int,
    now: float,
    *,
    asked: bool = False,
    force: bool = False,
    pinned: bool = False,
    held: bool = False,
    accepted: int | None = None,
    bounds: Bounds,
) -> Step:
    """Decide by a primary's serial (RFC 1982).

    ``asked`` tells that a NOTIFY came: what was refused before may have been mended. ``force`` is
    the operator's wish to take over whatever is there. An expired zone takes over any serial too:
    nothing is in service that an older one could harm, and the zone heals by itself. A ``pinned``
    zone keeps its version even then; what else the primary has is fetched and held. ``held`` tells
    that this serial is held or was discarded; ``accepted`` is a lower serial to be taken over.
    """
    expired = state.is_expired(now) and not pinned
    if state.serial is not None and not expired and not force:
        if serial == state.serial:
            return Step.CURRENT
        if held:
            return Step.STILL_HELD
        if not (pinned or serial == accepted or is_newer(serial, state.serial)):
            return Step.WENT_BACK
    if not (asked or force) and _is_refused(state, serial, now, bounds):
        return Step.STILL_REFUSED
    return Step.TRANSFER


def _is_refused(state: SecondaryState, serial: int, now: float, bounds: Bounds) -> bool:
    """Tell whether the refusal of this serial, as the state tells it, still counts."""
    return (
        serial == state.refused_serial == state.primary_serial
        and state.last_result is Result.REFUSED
        and state.refused_at is not None
        and now < state.refused_at + bounds.refused_hold
    )


def after_success(
    state: SecondaryState,
    soa: Soa,
    now: float,
    jitter: float,
    bounds: Bounds,
    *,
    result: Result,
    peer: str = "",
    primary_serial: int | None = None,
    expire_there: int | None = None,
) -> SecondaryState:
    """Return the state after contact that counts: EXPIRE starts anew.

    ``soa`` is that of the version in service from now on. ``expire_there`` are the seconds until
    the zone expires at the primary, where it tells (RFC 7314 4): with a version from there they
    count instead where they are fewer; with nothing newer they do not shorten what is left.
    """
    soa = _served(state, soa) if result is not Result.ACCEPTED else soa
    expire = _clamp(soa.expire, bounds.expire_min, bounds.expire_max)
    if expire_there is not None:
        left = float(expire_there)
        if result is not Result.ACCEPTED and state.expires_at is not None:
            left = max(left, state.expires_at - now)
        expire = min(expire, max(left, bounds.expire_min))
    refresh = _clamp(soa.refresh, bounds.refresh_min, bounds.refresh_max)
    # With EXPIRE not above REFRESH a zone would expire although its primary is well.
    refresh = min(refresh, max(expire / 2, 1.0))
    return SecondaryState(  # all of it is new
        state.apex,
        serial=soa.serial,
        refresh=soa.refresh,
        retry=soa.retry,
        expire=soa.expire,
        primary_serial=soa.serial if primary_serial is None else primary_serial,
        last_result=result,
        last_rule="",
        last_reason="",
        last_record="",
        last_fix="",
        last_primary=peer,
        last_attempt=now,
        last_success=now,
        next_refresh=now + _jittered(refresh, jitter),
        expires_at=now + expire,
        failures=0,
        refused_serial=None,  # the primary moved on from it, or back to what is served
        refused_at=None,
    )


def after_failure(
    state: SecondaryState,
    error: TransferError,
    now: float,
    jitter: float,
    bounds: Bounds,
    *,
    result: Result,
    primary_serial: int | None = None,
    refused: bool = False,
    fix: str = "",
) -> SecondaryState:
    """Return the state after an attempt that failed: EXPIRE runs on.

    ``refused`` tells that ``primary_serial`` was transferred and refused just now.
    """
    failures = state.failures + 1
    wait = retry_interval(state, failures, bounds)
    return replace(
        state,
        primary_serial=state.primary_serial if primary_serial is None else primary_serial,
        last_result=result,
        last_rule=error.rule,
        last_reason=error.reason,
        last_record=error.record,
        last_fix=fix,
        last_primary=error.peer,
        last_attempt=now,
        next_refresh=now + _jittered(wait, jitter),
        failures=failures,
        refused_serial=primary_serial if refused else state.refused_serial,
        refused_at=now if refused else state.refused_at,
    )


def retry_interval(state: SecondaryState, failures: int, bounds: Bounds) -> float:
    """Return the wait after so many failures in a row: RETRY, or ever longer without a SOA."""
    if state.retry:
        return _clamp(state.retry, bounds.retry_min, bounds.retry_max)
    doubled = bounds.bootstrap_min * 2.0 ** min(failures - 1, 30)
    return min(doubled, bounds.bootstrap_max)


def on_notify(state: SecondaryState, now: float) -> SecondaryState:
    """Return the state with a refresh due at once (RFC 1996 4.1)."""
    return replace(state, next_refresh=now)


def spread(state: SecondaryState, now: float, jitter: float, over: float) -> SecondaryState:
    """Return the state of an overdue zone with its turn somewhere in the next ``over`` seconds.

    Zones that were never transferred or have expired do not wait.
    """
    if state.next_refresh > now or state.serial is None or state.is_expired(now):
        return state
    return replace(state, next_refresh=now + jitter * over)


def _served(state: SecondaryState, soa: Soa) -> Soa:
    """Return the SOA in service; where its timers are not known, those that the primary tells."""
    if state.serial is None or not state.expire:
        return soa
    return Soa(state.serial, state.refresh, state.retry, state.expire, soa.minimum)


def _clamp(seconds: float, least: float, most: float) -> float:
    return max(least, min(float(seconds), most))


def _jittered(interval: float, jitter: float) -> float:
    return interval * (1.0 - SPREAD * jitter)
