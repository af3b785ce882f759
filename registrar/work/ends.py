"""The end of a domain at a registry, and its coming back: deletion, TRANSIT, restore."""

from __future__ import annotations

from typing import Final

from registrar import commands as ask
from registrar import facts
from registrar.connector import Pending, Refused
from registrar.objects import RestoreReport
from registrar.work.task import (
    ABSENT,
    Failed,
    Finished,
    Judged,
    Steps,
    Task,
    info_of,
    moment_of,
)

STATEMENTS: Final = (  # of ICANN's registry agreements about restores
    "This registrar has not restored the name in order to assume its rights for itself or others.",
    "The information in this report is true to the best of this registrar's knowledge.",
)


def delete(task: Task) -> Steps:
    """Give the domain back."""
    outcome = yield ask.DeleteDomain(task.name)
    if isinstance(outcome, Refused) and outcome.code != ABSENT:
        return Failed(str(outcome))
    return Finished((facts.Deleted(task.now),))


def transit(task: Task) -> Steps:
    """Leave the domain to the registry."""
    outcome = yield ask.DeleteDomain(task.name, transit=True)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    return Finished((facts.Transited(task.now),))


def restore(task: Task) -> Steps:
    """Ask for a domain back; where no report is wanted, it is there then."""
    outcome = yield ask.RestoreDomain(task.name)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    if task.capabilities.restore_report or isinstance(outcome, Pending):
        return Finished((), "the registry waits for the report")
    return (yield from _restored(task))


def restore_report(task: Task) -> Steps:
    """Tell the registry why a domain was restored (RFC 3915 4.2.5)."""
    before = f"{task.name}, holder {task.holder}"
    outcome = yield ask.RestoreDomain(
        task.name,
        RestoreReport(
            before=before,
            after=before,
            deleted_at=moment_of((task.detail or {}).get("deleted_at")) or task.ordered_at,
            restored_at=moment_of((task.detail or {}).get("at")) or task.now,
            reason="Restored at the wish of the registrant.",
            statements=STATEMENTS,
        ),
    )
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    return (yield from _restored(task))


def _restored(task: Task) -> Judged:
    info = yield from info_of(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    return Finished((facts.Restored(task.now, info.expires_at),))
