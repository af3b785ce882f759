"""Transfers of sponsorship (RFC 5731 3.2.4): answered or approved by time, or at once (CHPROV)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from registrar.commands import TransferDomain, TransferOperation
from registrar.connector import Done, Outcome, Pending
from registrar.days import moment_after_months
from registrar.file_registry.call import Call, fits, refuse_prohibited
from registrar.file_registry.profiles import Profile, profile_of
from registrar.file_registry.refusal import (
    NO_TRANSFER_PENDING,
    NOT_AUTHORISED,
    NOT_TRANSFERABLE,
    OUT_OF_RANGE,
    STATUS,
    TRANSFER_PENDING,
    WRONG_AUTH,
    Refusal,
)
from registrar.file_registry.state import DomainRecord, Grace, Stage, State
from registrar.file_registry.view import statuses, transfer_pending
from registrar.objects import Period, TransferState
from registrar.statuses import RgpStatus, TransferStatus, Verb, prohibiting

_ANSWERS: Final = {
    TransferOperation.APPROVE: TransferStatus.CLIENT_APPROVED,
    TransferOperation.REJECT: TransferStatus.CLIENT_REJECTED,
    TransferOperation.CANCEL: TransferStatus.CLIENT_CANCELLED,
}


def transfer_domain(call: Call, command: TransferDomain) -> Outcome[TransferState]:
    """Carry out any of the operations on a transfer."""
    domain = call.domain(command.name)
    if command.operation is TransferOperation.REQUEST:
        return _request(call, domain, command)
    if command.operation is TransferOperation.QUERY:
        return _query(call, domain, command)
    return _answer(call, domain, command.operation)


def _request(call: Call, domain: DomainRecord, command: TransferDomain) -> Outcome[TransferState]:
    profile = profile_of(domain.tld)
    if transfer_pending(domain):
        raise Refusal(TRANSFER_PENDING, value=domain.name)
    if domain.held.sponsor == call.client:
        raise Refusal(NOT_TRANSFERABLE, "it is the sponsor's already", domain.name)
    if not fits(command.auth, domain.auth, domain.name):
        raise Refusal(WRONG_AUTH, value=domain.name)
    if domain.stage not in (Stage.REGISTERED, Stage.TRANSIT):
        raise Refusal(STATUS, ", ".join(sorted(statuses(domain))), domain.name)
    refuse_prohibited(prohibiting(statuses(domain), Verb.TRANSFER), domain.name)
    _refuse_locked(call, domain, profile)
    _check_period(command.period)
    at_once = profile.transfer_answer is None or domain.stage is Stage.TRANSIT
    domain.transfer_period = command.period
    domain.transfer = TransferState(
        name=domain.name,
        status=TransferStatus.SERVER_APPROVED if at_once else TransferStatus.PENDING,
        requested_by=call.client,
        requested_at=call.now,
        acts_by=domain.held.sponsor,
        acts_at=call.now if profile.transfer_answer is None else call.now + profile.transfer_answer,
        expires_at=_expiry_after(domain, profile, call.now),
    )
    losing = domain.held.sponsor
    if at_once:
        move(call.state, domain, call.now)
        domain.transfer = replace(domain.transfer, acts_at=call.now)
        call.state.tell(losing, f"{domain.name} was transferred", call.now, domain.transfer)
        return Done(domain.transfer)
    call.state.tell(losing, f"Transfer of {domain.name} requested", call.now, domain.transfer)
    return Pending(domain.transfer)


def _refuse_locked(call: Call, domain: DomainRecord, profile: Profile) -> None:
    since = domain.held.transferred_at or domain.held.created_at
    if call.now < since + profile.transfer_lock:
        lifts = (since + profile.transfer_lock).date().isoformat()
        raise Refusal(STATUS, f"locked until {lifts} after creation or transfer", domain.name)


def _check_period(period: Period | None) -> None:
    """Refuse any but the one year that a transfer adds (ICANN's transfer policy)."""
    if period is not None and period.months != 12:
        raise Refusal(OUT_OF_RANGE, "a transfer adds one year", str(period))


def _query(call: Call, domain: DomainRecord, command: TransferDomain) -> Outcome[TransferState]:
    transfer = domain.transfer
    if transfer is None:
        raise Refusal(NO_TRANSFER_PENDING, value=domain.name)
    parties = {transfer.requested_by, transfer.acts_by, domain.held.sponsor}
    if call.client not in parties and not fits(command.auth, domain.auth, domain.name):
        raise Refusal(NOT_AUTHORISED, value=domain.name)
    return Done(transfer)


def _answer(
    call: Call, domain: DomainRecord, operation: TransferOperation
) -> Outcome[TransferState]:
    transfer = domain.transfer
    if transfer is None or not transfer_pending(domain):
        raise Refusal(NO_TRANSFER_PENDING, value=domain.name)
    cancelling = operation is TransferOperation.CANCEL
    if call.client != (transfer.requested_by if cancelling else transfer.acts_by):
        raise Refusal(NOT_AUTHORISED, "not this registrar's to do", domain.name)
    other = transfer.acts_by if cancelling else transfer.requested_by
    state = end(call.state, domain, _ANSWERS[operation], call.now)
    call.state.tell(other, f"Transfer of {domain.name}: {state.status}", call.now, state)
    return Done(state)


def end(state: State, domain: DomainRecord, status: TransferStatus, now: datetime) -> TransferState:
    """End a pending transfer; one that was approved moves the domain."""
    assert domain.transfer is not None
    if status in (TransferStatus.CLIENT_APPROVED, TransferStatus.SERVER_APPROVED):
        move(state, domain, now)
    domain.transfer = replace(
        domain.transfer, status=status, acts_at=now, expires_at=domain.expires_at
    )
    return domain.transfer


def move(state: State, domain: DomainRecord, now: datetime) -> None:
    """Give a domain, and the hosts below it, to who asked for the transfer."""
    assert domain.transfer is not None
    profile = profile_of(domain.tld)
    domain.expires_at = _expiry_after(domain, profile, now)
    domain.stage = Stage.REGISTERED
    domain.held.transferred_at = now
    domain.auth = domain.auth_ends = None  # it was used
    for held in (domain.held, *(host.held for host in state.hosts_below(domain.name))):
        held.sponsor = domain.transfer.requested_by
    domain.graces = [Grace(RgpStatus.TRANSFER_PERIOD, now + profile.transfer_grace)]
    if not profile.transfer_grace:
        domain.graces.clear()


def _expiry_after(domain: DomainRecord, profile: Profile, now: datetime) -> datetime | None:
    """Return the expiry with the year of a transfer, which never exceeds the longest term.

    A transfer amid the auto-renew grace period takes the place of that renewal (RFC 3915 3.1).
    """
    if domain.expires_at is None:
        return None
    if domain.in_grace(RgpStatus.AUTO_RENEW_PERIOD):
        return domain.expires_at
    longest = moment_after_months(now, 12 * profile.max_years)
    return min(moment_after_months(domain.expires_at, 12), longest)
