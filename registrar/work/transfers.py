"""Transfers between registrars: asked for, answered, and the codes that they need."""

from __future__ import annotations

from typing import Final

from registrar import commands as ask
from registrar import facts
from registrar.commands import TransferOperation
from registrar.connector import Pending, Refused
from registrar.objects import DomainInfo
from registrar.work.task import ABSENT, WITH_US, Failed, Finished, Steps, Task, info_of

# What ends an order: the name cannot be had. All else is for somebody to look at.
NO_TRANSFER: Final = frozenset((2106, 2202, 2300, ABSENT, 2304, 2306, 2308))


def transfer_in(task: Task) -> Steps:
    """Ask for a domain that is with another registrar."""
    request = ask.TransferDomain(TransferOperation.REQUEST, task.name, task.secret)
    outcome = yield request
    if isinstance(outcome, Refused):
        if outcome.code in NO_TRANSFER:
            return Finished((facts.Refused(task.now, str(outcome)),), str(outcome))
        return Failed(str(outcome))
    if isinstance(outcome, Pending):
        return Finished((), "the other registrar is asked")
    info = yield from info_of(task)
    expires = info.expires_at if isinstance(info, DomainInfo) else None
    return Finished((facts.TransferredIn(task.now, expires),))


def reject_transfer(task: Task) -> Steps:
    """Refuse a transfer away."""
    outcome = yield ask.TransferDomain(TransferOperation.REJECT, task.name)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def approve_transfer(task: Task) -> Steps:
    """Consent to a transfer away before its time; one that has happened by then is as good."""
    outcome = yield ask.TransferDomain(TransferOperation.APPROVE, task.name)
    info = yield from info_of(task)
    sponsor = task.client if isinstance(info, Refused) else info.sponsorship.sponsor
    if sponsor != task.client:
        gone = (facts.TransferredAway(task.now, sponsor),) if task.state.life in WITH_US else ()
        return Finished(gone, f"it is with {sponsor}")
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished((), "approved")


def set_auth(task: Task) -> Steps:
    """Set the code of a transfer, to end by itself where the registry lets it."""
    until = None
    if task.capabilities.auth_lifetime is not None:
        until = (task.now + task.capabilities.auth_lifetime).date()
    outcome = yield ask.SetAuth(task.name, task.secret, until)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def clear_auth(task: Task) -> Steps:
    """Take the code of a transfer away."""
    outcome = yield ask.SetAuth(task.name, None)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()
