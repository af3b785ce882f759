"""What a registry tells of a domain: the statuses it computes, and its grace periods."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from registrar.file_registry.call import Call, sponsorship
from registrar.file_registry.state import DomainRecord, Stage
from registrar.objects import DomainInfo
from registrar.statuses import RgpStatus, Status, TransferStatus, normalise

_STAGE_STATUSES: Final = {
    Stage.REVIEW: Status.PENDING_CREATE,
    Stage.REDEMPTION: Status.PENDING_DELETE,  # RFC 3915 3.1: together with redemptionPeriod
    Stage.RESTORING: Status.PENDING_DELETE,
    Stage.RELEASING: Status.PENDING_DELETE,
}
_STAGE_RGP: Final = {
    Stage.REDEMPTION: RgpStatus.REDEMPTION_PERIOD,
    Stage.RESTORING: RgpStatus.PENDING_RESTORE,
    Stage.RELEASING: RgpStatus.PENDING_DELETE,
}


def transfer_pending(domain: DomainRecord) -> bool:
    """Return whether a transfer waits for its answer."""
    return domain.transfer is not None and domain.transfer.status is TransferStatus.PENDING


def statuses(domain: DomainRecord) -> frozenset[Status]:
    """Return all statuses, with those that follow from the stage (RFC 5731 2.3)."""
    found = set(domain.held.statuses)
    if domain.stage in _STAGE_STATUSES:
        found.add(_STAGE_STATUSES[domain.stage])
    if transfer_pending(domain):
        found.add(Status.PENDING_TRANSFER)
    return normalise(frozenset(found), delegated=bool(domain.name_servers))


def rgp_statuses(domain: DomainRecord, now: datetime) -> frozenset[RgpStatus]:
    """Return the grace periods (RFC 3915 3.1)."""
    if domain.stage in _STAGE_RGP:
        return frozenset({_STAGE_RGP[domain.stage]})
    return frozenset(grace.status for grace in domain.graces if grace.ends > now)


def info(call: Call, domain: DomainRecord) -> DomainInfo:
    """Return all about a domain; its authorisation is kept as a hash and never told."""
    return DomainInfo(
        name=domain.name,
        sponsorship=sponsorship(domain.held),
        statuses=statuses(domain),
        rgp_statuses=rgp_statuses(domain, call.now),
        registrant=domain.registrant,
        contacts=domain.contacts,
        name_servers=domain.name_servers,
        subordinate_hosts=tuple(sorted(host.name for host in call.state.hosts_below(domain.name))),
        expires_at=domain.expires_at,
        sec_dns=domain.sec_dns,
        delegation_failed=domain.failed_since is not None,
    )
