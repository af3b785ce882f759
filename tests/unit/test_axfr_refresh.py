"""Timers, serials and standing of secondary zones: pure functions of state and time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from axfr.errors import TransferError
from axfr.refresh import (
    Bounds,
    Step,
    after_failure,
    after_success,
    next_step,
    on_notify,
    spread,
    status,
)
from axfr.soa import Soa
from zones.name import from_text
from zones.secondary import Result, SecondaryState, SecondaryStatus

APEX = from_text("example.org")
NOW = 1_700_000_000.0
SOA = Soa(serial=10, refresh=3600, retry=600, expire=86400, minimum=300)
BOUNDS = Bounds()
NEW = SecondaryState(APEX)
SERVED = after_success(NEW, SOA, NOW, 0.0, BOUNDS, result=Result.ACCEPTED)
REFUSAL = TransferError(APEX, "192.0.2.1@53", "ns-missing", "no NS", "example.org NS")


def refused(state: SecondaryState, serial: int, now: float) -> SecondaryState:
    """Return the state after this serial was transferred and refused."""
    return after_failure(
        state, REFUSAL, now, 0.0, BOUNDS, result=Result.REFUSED, primary_serial=serial, refused=True
    )


def test_success_sets_the_timers_of_the_soa() -> None:
    """REFRESH and EXPIRE of the accepted SOA count from the moment of the contact."""
    assert SERVED.next_refresh == NOW + 3600
    assert SERVED.expires_at == NOW + 86400
    assert (SERVED.serial, SERVED.primary_serial, SERVED.failures) == (10, 10, 0)
    assert status(SERVED, NOW) is SecondaryStatus.OK


def test_equal_serial_is_contact() -> None:
    """A SOA query that finds the serial in service starts EXPIRE anew (RFC 1034 4.3.5)."""
    later = after_success(SERVED, SOA, NOW + 3600, 0.0, BOUNDS, result=Result.CURRENT)
    assert later.expires_at == NOW + 3600 + 86400


def test_timers_are_those_of_the_version_in_service() -> None:
    """A primary that tells other timers under the same serial does not change ours."""
    other = replace(SOA, expire=1, refresh=1)
    later = after_success(SERVED, other, NOW, 0.0, BOUNDS, result=Result.CURRENT)
    assert (later.expire, later.refresh) == (86400, 3600)


def test_refusal_does_not_extend_expire() -> None:
    """A refused transfer is no contact: EXPIRE of the last working version runs on."""
    state = refused(SERVED, 11, NOW + 3600)
    assert state.expires_at == SERVED.expires_at
    assert state.next_refresh == NOW + 3600 + 600
    assert status(state, NOW + 3600) is SecondaryStatus.FAILING
    assert (state.last_rule, state.last_record) == ("ns-missing", "example.org NS")
    assert status(state, NOW + 86400) is SecondaryStatus.EXPIRED
    assert status(state, NOW, suspended=True) is SecondaryStatus.SUSPENDED


def test_timers_are_clamped() -> None:
    """A SOA cannot make us ask without pause or never."""
    bounds = Bounds(refresh_min=60, refresh_max=7200, retry_min=30, expire_max=50_000)
    soa = Soa(1, 1, 1, 2**31 - 1, 0)
    state = after_success(NEW, soa, NOW, 0.0, bounds, result=Result.ACCEPTED)
    assert state.next_refresh == NOW + 60
    assert state.expires_at == NOW + 50_000
    failed = after_failure(state, REFUSAL, NOW, 0.0, bounds, result=Result.UNREACHABLE)
    assert failed.next_refresh == NOW + 30
    far = after_success(NEW, replace(soa, refresh=10**9), NOW, 0.0, bounds, result=Result.ACCEPTED)
    assert far.next_refresh == NOW + 7200


def test_refresh_comes_before_expire() -> None:
    """With EXPIRE below REFRESH a zone is asked for before it expires."""
    soa = Soa(1, 3600, 600, 100, 0)
    state = after_success(NEW, soa, NOW, 0.0, BOUNDS, result=Result.ACCEPTED)
    assert state.expires_at is not None
    assert NOW < state.next_refresh < state.expires_at


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_jitter_only_makes_earlier(jitter: float) -> None:
    """Jitter takes off a tenth at most, and never delays."""
    state = after_success(NEW, SOA, NOW, jitter, BOUNDS, result=Result.ACCEPTED)
    assert NOW + 3600 * 0.9 <= state.next_refresh <= NOW + 3600


def test_backoff_without_a_soa() -> None:
    """A zone that never arrived is asked for ever less often, up to a bound."""
    bounds = Bounds(bootstrap_min=5, bootstrap_max=100)
    state, waits = NEW, []
    for _ in range(7):
        state = after_failure(state, REFUSAL, NOW, 0.0, bounds, result=Result.UNREACHABLE)
        waits.append(state.next_refresh - NOW)
    assert waits == [5, 10, 20, 40, 80, 100, 100]
    assert status(state, NOW) is SecondaryStatus.PENDING


def test_notify_makes_due_at_once() -> None:
    """A NOTIFY changes when we ask, and nothing else."""
    assert on_notify(SERVED, NOW + 1) == replace(SERVED, next_refresh=NOW + 1)


@pytest.mark.parametrize(
    ("serial", "how", "step"),
    [
        (10, {}, Step.CURRENT),
        (11, {}, Step.TRANSFER),
        (9, {}, Step.WENT_BACK),
        (10 + 2**31 - 1, {}, Step.TRANSFER),
        (10 + 2**31 + 1, {}, Step.WENT_BACK),
        (9, {"asked": True}, Step.WENT_BACK),
        (9, {"force": True}, Step.TRANSFER),
        (10, {"force": True}, Step.TRANSFER),
        (9, {"accepted": 9}, Step.TRANSFER),
        (8, {"accepted": 9}, Step.WENT_BACK),
        (11, {"held": True}, Step.STILL_HELD),
        (9, {"held": True}, Step.STILL_HELD),
        (11, {"held": True, "force": True}, Step.TRANSFER),
        (11, {"pinned": True}, Step.TRANSFER),
        (9, {"pinned": True}, Step.TRANSFER),
        (11, {"pinned": True, "held": True}, Step.STILL_HELD),
        (10, {"pinned": True}, Step.CURRENT),
    ],
)
def test_steps_by_serial(serial: int, how: dict[str, Any], step: Step) -> None:
    """Serial arithmetic (RFC 1982) decides; the operator's wish overrules it."""
    assert next_step(SERVED, serial, NOW, bounds=BOUNDS, **how) is step


@pytest.mark.parametrize("serial", [9, 10, 11])
def test_expired_zone_takes_any_serial(serial: int) -> None:
    """After expiry any serial is taken over: the zone heals by itself."""
    assert next_step(SERVED, serial, NOW + 86400, bounds=BOUNDS) is Step.TRANSFER
    assert next_step(NEW, serial, NOW, bounds=BOUNDS) is Step.TRANSFER


def test_pin_outlasts_expiry() -> None:
    """A primary that comes back after expiry revives a pinned version."""
    assert next_step(SERVED, 10, NOW + 86400, pinned=True, bounds=BOUNDS) is Step.CURRENT
    held = next_step(SERVED, 11, NOW + 86400, pinned=True, held=True, bounds=BOUNDS)
    assert held is Step.STILL_HELD


def test_expired_zone_does_not_wait_for_approval() -> None:
    """After expiry what was held is fetched anew, to be served: nothing could be lost by it."""
    assert next_step(SERVED, 11, NOW + 86400, held=True, bounds=BOUNDS) is Step.TRANSFER


def test_refused_serial_is_not_fetched_again_and_again() -> None:
    """A refused serial waits for another serial, a NOTIFY, the operator, or an hour."""
    state = refused(SERVED, 11, NOW)
    assert next_step(state, 11, NOW + 600, bounds=BOUNDS) is Step.STILL_REFUSED
    assert next_step(state, 12, NOW + 600, bounds=BOUNDS) is Step.TRANSFER
    assert next_step(state, 11, NOW + 600, asked=True, bounds=BOUNDS) is Step.TRANSFER
    assert next_step(state, 11, NOW + 600, force=True, bounds=BOUNDS) is Step.TRANSFER
    assert next_step(state, 11, NOW + 3600, bounds=BOUNDS) is Step.TRANSFER
    unreachable = after_failure(state, REFUSAL, NOW, 0.0, BOUNDS, result=Result.UNREACHABLE)
    assert next_step(unreachable, 11, NOW + 600, bounds=BOUNDS) is Step.TRANSFER


def test_refusal_is_forgotten_after_success() -> None:
    """A primary that goes back to what is served is well again."""
    state = after_success(refused(SERVED, 11, NOW), SOA, NOW, 0.0, BOUNDS, result=Result.CURRENT)
    assert (state.refused_serial, state.last_rule, state.failures) == (None, "", 0)


def test_spread_at_the_start() -> None:
    """Overdue zones are spread; due ones, new ones and expired ones are left as they are."""
    overdue = replace(SERVED, next_refresh=NOW - 5)
    assert spread(overdue, NOW, 0.5, 30).next_refresh == NOW + 15
    assert spread(SERVED, NOW, 0.5, 30) is SERVED
    assert spread(NEW, NOW, 0.5, 30) is NEW
    assert spread(overdue, NOW + 10**6, 0.5, 30) is overdue
