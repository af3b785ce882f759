"""A domain at a registry while it is ours: checked, created, looked at, renewed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from registrar import commands as ask
from registrar import facts
from registrar.connector import Pending, Refused
from registrar.objects import Availability
from registrar.statuses import CLIENT, SERVER
from registrar.work.objects import distinct, have_contact, have_hosts, roles_of
from registrar.work.task import (
    ABSENT,
    EXISTS,
    WITH_US,
    Failed,
    Finished,
    Judged,
    Steps,
    Task,
    Waiting,
    info_of,
    moment_of,
    period_of,
)

# What ends an order: the name cannot be had. All else is for somebody to look at.
NOT_TO_BE_HAD: Final = frozenset((EXISTS, 2306, 2308))


def check(task: Task) -> Steps:
    """Ask whether the name is free; an order that is to be forwarded goes on from there."""
    outcome = yield ask.CheckDomains((task.name,))
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    found: Availability = outcome.value[0]
    if not found.available:
        reason = f"The registry says that the name is not to be had: {found.reason or 'in use'}."
        return Finished((facts.Refused(task.now, reason),), "not available")
    if task.forward and not task.state.manual:
        return Finished((facts.Sent(task.now),), "available, forwarded")
    return Finished((), "available")


def create(task: Task) -> Steps:
    """Register the domain, with the contacts and hosts that it needs."""
    for number in distinct(task.holder, task.admin, task.tech):
        if failed := (yield from have_contact(task, number)):
            return failed
    if failed := (yield from have_hosts(task, task.name_servers)):
        return failed
    months = task.tld.term.first_months.value
    outcome = yield ask.CreateDomain(
        task.name,
        task.holder,
        roles_of(task),
        task.name_servers,
        period_of(months),
        task.auth,
        task.sec_dns,
    )
    if isinstance(outcome, Refused):
        if outcome.code in NOT_TO_BE_HAD:
            return Finished((facts.Refused(task.now, str(outcome)),), str(outcome))
        return Failed(str(outcome))
    if isinstance(outcome, Pending):
        return Finished((), "the registry takes its time")
    made = outcome.value
    return Finished((facts.Registered(made.created_at, made.expires_at),))


def look(task: Task) -> Steps:
    """See what the registry has that we do not know of: holds, prohibitions, another sponsor."""
    info = yield from info_of(task)
    if isinstance(info, Refused):
        if info.code == ABSENT and task.state.life not in WITH_US:
            return Finished((), "it is gone there, too")
        return Failed(str(info))
    sponsor = info.sponsorship.sponsor
    if sponsor != task.client and task.state.life in WITH_US:
        return Finished((facts.TransferredAway(task.now, sponsor),), f"it is with {sponsor}")
    theirs = info.statuses & (CLIENT | SERVER)
    ours = task.state.statuses & (CLIENT | SERVER)
    if theirs == ours:
        return Finished()
    return Finished((facts.StatusesChanged(task.now, theirs - ours, ours - theirs),))


def renew(task: Task) -> Steps:
    """Have the registration run on: by command, or by what the registry does by itself."""
    detail = task.detail or {}
    info = yield from info_of(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    if info.expires_at is None:
        return Failed("the registration has no expiry at the registry")
    if not detail.get("wished"):
        due = moment_of(detail.get("at")) or task.state.registry_expires
        auto = task.capabilities.auto_renew
        if due and info.expires_at > due:  # by itself, or by somebody else
            return Finished((facts.Renewed(task.now, info.expires_at, auto),), "renewed already")
        if auto:
            return Waiting(f"the registry has not renewed it yet: {info.expires_at}")
    return (yield from _renew_by_command(task, info.expires_at))


def _renew_by_command(task: Task, expires: datetime) -> Judged:
    period = period_of(task.tld.term.renewal_months.value)
    outcome = yield ask.RenewDomain(task.name, expires.date(), period)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    if outcome.value.expires_at is None:
        return Failed("the registry did not say until when it renewed the domain")
    return Finished((facts.Renewed(task.now, outcome.value.expires_at),))
