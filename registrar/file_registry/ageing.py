"""What happens at a registry by time alone, event by event in the order of their dates."""

from __future__ import annotations

from datetime import datetime, timedelta

from registrar.days import moment_after_months
from registrar.file_registry.departures import release
from registrar.file_registry.profiles import profile_of
from registrar.file_registry.state import DomainRecord, Grace, Stage, State
from registrar.file_registry.transfers import end
from registrar.file_registry.view import transfer_pending
from registrar.objects import Renewed
from registrar.statuses import RgpStatus, TransferStatus


def age(state: State, now: datetime) -> None:
    """Live through the time until ``now``: the same in one step as in many."""
    while (due := _next(state, now)) is not None:
        at, domain = due
        _happen(state, domain, at)
    state.now = now


def _next(state: State, now: datetime) -> tuple[datetime, DomainRecord] | None:
    """Return the earliest event that is due, of domains with the same date the first by name."""
    due = [
        (at, domain.name)
        for domain in state.domains.values()
        if (at := next_event(domain)) is not None and at <= now
    ]
    if not due:
        return None
    at, name = min(due)
    return at, state.domains[name]


def next_event(domain: DomainRecord) -> datetime | None:
    """Return when something happens to a domain by itself."""
    moments = [grace.ends for grace in domain.graces]
    if domain.auth_ends is not None:
        moments.append(domain.auth_ends)
    if transfer_pending(domain) and domain.transfer is not None:
        moments.append(domain.transfer.acts_at)
    if (fails := _failed_until(domain)) is not None:
        moments.append(fails)
    if domain.stage_ends is not None:
        moments.append(domain.stage_ends)
    elif domain.expires_at is not None:
        moments.append(domain.expires_at)
    return min(moments, default=None)


def _failed_until(domain: DomainRecord) -> datetime | None:
    """Return when a domain is deleted because its name servers do not answer."""
    patience = profile_of(domain.tld).failed_delegation
    if patience is None or domain.failed_since is None or domain.stage is not Stage.REGISTERED:
        return None
    return domain.failed_since + patience


def _happen(state: State, domain: DomainRecord, at: datetime) -> None:
    """Let what is due at a moment happen to a domain."""
    domain.graces = [grace for grace in domain.graces if grace.ends > at]
    if domain.auth_ends is not None and domain.auth_ends <= at:
        domain.auth = domain.auth_ends = None
    if transfer_pending(domain) and domain.transfer and domain.transfer.acts_at <= at:
        _approve(state, domain, at)
    if (fails := _failed_until(domain)) is not None and fails <= at:
        release(state, domain)
        told = f"{domain.name} was deleted: its name servers failed for too long"
        state.tell(domain.held.sponsor, told, at)
    elif domain.stage_ends is not None:
        if domain.stage_ends <= at:
            _end_stage(state, domain, at)
    elif domain.expires_at is not None and domain.expires_at <= at:
        _auto_renew(state, domain, at)


def _approve(state: State, domain: DomainRecord, at: datetime) -> None:
    """Approve a transfer that nobody answered."""
    losing = domain.held.sponsor
    transfer = end(state, domain, TransferStatus.SERVER_APPROVED, at)
    for client in (losing, transfer.requested_by):
        state.tell(client, f"Transfer of {domain.name}: {transfer.status}", at, transfer)


def _auto_renew(state: State, domain: DomainRecord, at: datetime) -> None:
    assert domain.expires_at is not None
    domain.expires_at = moment_after_months(domain.expires_at, 12)
    if grace := profile_of(domain.tld).auto_renew_grace:
        domain.graces.append(Grace(RgpStatus.AUTO_RENEW_PERIOD, at + grace))
    renewed = Renewed(domain.name, domain.expires_at)
    state.tell(domain.held.sponsor, f"{domain.name} was renewed automatically", at, renewed)


def _end_stage(state: State, domain: DomainRecord, at: datetime) -> None:
    pending_delete = profile_of(domain.tld).pending_delete
    if domain.stage is Stage.RESTORING:
        # No report has come: redemption goes on where it stood (RFC 3915 2).
        domain.stage = Stage.REDEMPTION
        domain.stage_ends = at + timedelta(seconds=domain.redemption_left)
        state.tell(domain.held.sponsor, f"No restore report for {domain.name}", at)
    elif domain.stage is Stage.REDEMPTION and pending_delete:
        domain.stage = Stage.RELEASING
        domain.stage_ends = at + pending_delete
    else:
        release(state, domain)
        state.tell(domain.held.sponsor, f"{domain.name} was deleted", at)
