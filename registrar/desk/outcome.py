"""What came of something that was asked of the desk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from registrar.desk import recording, registrations
from registrar.desk.desk import Desk, Occasion
from registrar.desk.recording import Recorded
from registrar.desk.registrations import Entry
from registrar.fact import Fact
from registrar.facts import CancellationReceived
from registrar.model import Registration, State
from registrar.progress import progress
from registrar.reason import Reason
from storage.session import Session


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, or every reason why it did not.

    ``steps`` are the moves of the regions, ``effects`` what follows, both in words; with
    ``dry_run`` they are what would. ``auth`` is an auth code, told once. ``kept`` tells that
    something was written down, or would be, in spite of ``reasons``: a cancellation without its
    documents.
    """

    name: str
    action: str
    reasons: tuple[Reason, ...]
    steps: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    state: State | None = None
    auth: str = field(default="", repr=False)
    dry_run: bool = False
    kept: bool = False

    @property
    def done(self) -> bool:
        """Tell whether it is done."""
        return not self.reasons and not self.dry_run


def of_recorded(
    name: str, action: str, recorded: Recorded, *, auth: str = "", kept: bool = False
) -> Outcome:
    """Return the outcome of what was written down."""
    return Outcome(
        name,
        action,
        recorded.reasons,
        steps_of(recorded),
        recorded.effects,
        recorded.progress.state,
        auth,
        kept=kept,
    )


def steps_of(recorded: Recorded) -> tuple[str, ...]:
    """Return the moves of the regions in words."""
    return tuple(
        f"{step.row.region}: {step.row.state} → {step.row.target}"
        for step in recorded.progress.steps
        if step.row.state != step.row.target
    )


def write_down(
    session: Session,
    desk: Desk,
    entry: Entry,
    fact: Fact,
    occasion: Occasion,
    *,
    action: str = "",
    secret: str = "",
    dry_run: bool = False,
) -> Outcome:
    """Write a fact down, or return the reasons against it; a dry run tells what would follow."""
    action, now = action or fact.event, occasion.now
    if dry_run:
        known = registrations.registration(session, desk, entry)
        return foreseen(entry, action, known, fact, now)
    kept = isinstance(fact, CancellationReceived)
    recorded = recording.record(
        session,
        desk,
        entry,
        [fact],
        now=now,
        actor=occasion.actor,
        keep_denied=kept,
        secret=secret,
    )
    return of_recorded(entry.name, action, recorded)


def foreseen(entry: Entry, action: str, known: Registration, fact: Fact, now: datetime) -> Outcome:
    """Tell what would follow from a fact, or what stands against it."""
    found = progress(known, entry.lived_until, now, [fact])
    reasons = [reason for denial in found.denials for reason in denial.reasons]
    recorded = Recorded(tuple(dict.fromkeys(reasons)), found)
    work = [f"at the registry: {command}" for _step, command in recording.work_of(entry, found)]
    notices = [f"notice: {step.row.notice}" for step in found.steps if step.row.notice]
    zone = [f"zone: {step.row.dns}" for step in found.steps if step.row.dns]
    effects = () if reasons else tuple(dict.fromkeys([*zone, *work, *notices]))
    return replace(of_recorded(entry.name, action, recorded), effects=effects, dry_run=True)
