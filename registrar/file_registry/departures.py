"""Domains that leave: deletion, redemption, restore, TRANSIT (RFC 5731 3.2.2, 3915)."""

from __future__ import annotations

from registrar.commands import DeleteDomain, RestoreDomain
from registrar.connector import Done, Outcome, Pending
from registrar.days import moment_after_months
from registrar.file_registry.call import Call, refuse_prohibited
from registrar.file_registry.profiles import profile_of
from registrar.file_registry.refusal import (
    ASSOCIATED,
    MISSING,
    POLICY,
    STATUS,
    UNIMPLEMENTED_OPTION,
    Refusal,
)
from registrar.file_registry.state import TRANSIT_SPONSOR, DomainRecord, Stage, State
from registrar.file_registry.view import statuses
from registrar.objects import Restored
from registrar.statuses import PENDINGS, RgpStatus, Verb, prohibiting

STATEMENTS = 2  # RFC 3915 4.2.5


def delete_domain(call: Call, command: DeleteDomain) -> Outcome[None]:
    """Delete a domain: at once within its add grace period, else after redemption."""
    domain = call.own_domain(command.name)
    refuse_prohibited(statuses(domain) & PENDINGS, domain.name)
    refuse_prohibited(prohibiting(statuses(domain), Verb.DELETE), domain.name)
    if command.transit:
        return _transit(call, domain)
    for host in call.state.hosts_below(domain.name):
        if [user for user in call.state.domains_served_by(host.name) if user is not domain]:
            raise Refusal(ASSOCIATED, "its hosts serve other domains", host.name)
    if domain.in_grace(RgpStatus.ADD_PERIOD):
        release(call.state, domain)
        return Done(None)
    if domain.in_grace(RgpStatus.AUTO_RENEW_PERIOD) and domain.expires_at is not None:
        domain.expires_at = moment_after_months(domain.expires_at, -12)  # RFC 3915 3.1
    domain.stage = Stage.REDEMPTION
    domain.stage_ends = call.now + profile_of(domain.tld).redemption
    domain.graces.clear()
    call.touch(domain.held)
    return Pending(None)


def _transit(call: Call, domain: DomainRecord) -> Outcome[None]:
    """Leave a domain to the registry, which asks its holder what is to become of it."""
    if not profile_of(domain.tld).transit:
        raise Refusal(UNIMPLEMENTED_OPTION, f".{domain.tld} has no TRANSIT", domain.name)
    if domain.failed_since is not None:
        raise Refusal(STATUS, "its delegation is failed", domain.name)
    domain.stage = Stage.TRANSIT
    domain.held.sponsor = TRANSIT_SPONSOR
    call.touch(domain.held)
    return Done(None)


def release(state: State, domain: DomainRecord) -> None:
    """Take a domain and its hosts out of the registry: anybody can register it."""
    for host in state.hosts_below(domain.name):
        del state.hosts[host.name]
    del state.domains[domain.name]


def restore_domain(call: Call, command: RestoreDomain) -> Outcome[Restored]:
    """Bring a domain back from redemption; with a report, where the registry wants one."""
    domain = call.own_domain(command.name)
    profile = profile_of(domain.tld)
    if command.report is not None:
        return _report(call, domain, command)
    if domain.stage is not Stage.REDEMPTION:
        raise Refusal(STATUS, "not in redemption", domain.name)
    if not profile.restore_report:
        _back(call, domain)
        return Done(Restored(domain.name))
    assert domain.stage_ends is not None
    domain.redemption_left = (domain.stage_ends - call.now).total_seconds()
    domain.stage = Stage.RESTORING
    domain.stage_ends = call.now + profile.pending_restore
    call.touch(domain.held)
    return Done(Restored(domain.name, RgpStatus.PENDING_RESTORE))


def _report(call: Call, domain: DomainRecord, command: RestoreDomain) -> Outcome[Restored]:
    assert command.report is not None
    if domain.stage is not Stage.RESTORING:
        raise Refusal(STATUS, "no restore waits for its report", domain.name)
    if len(command.report.statements) != STATEMENTS:
        raise Refusal(MISSING, "the two statements of RFC 3915 4.2.5", domain.name)
    if command.report.restored_at < command.report.deleted_at:
        raise Refusal(POLICY, "restored before it was deleted", domain.name)
    _back(call, domain)
    return Done(Restored(domain.name))


def _back(call: Call, domain: DomainRecord) -> None:
    """Register a domain again; a term that ran out meanwhile is renewed (ICANN's ERRP 3.1)."""
    domain.stage = Stage.REGISTERED
    domain.stage_ends = None
    while domain.expires_at is not None and domain.expires_at <= call.now:
        domain.expires_at = moment_after_months(domain.expires_at, 12)
    call.touch(domain.held)
