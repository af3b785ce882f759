"""Writing down what happened, together with everything that follows from it.

One transaction has the facts, the work at registries, the notices, the change of the zone, the
deadlines and the moment at which the registration has to be looked at again. Whatever breaks
afterwards, nothing of it is lost, and nothing happens twice: each effect has a key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from registrar import kept_course
from registrar.course import Step
from registrar.deadlines import ENDED, Deadline, Due
from registrar.desk import zone_service
from registrar.desk.desk import Desk, Occasion, seconds, seconds_or_none
from registrar.desk.registrations import Entry, registration
from registrar.events import Event
from registrar.fact import Fact
from registrar.fact_codec import encode
from registrar.model import Command, Life, State
from registrar.progress import Progress, progress
from registrar.reason import Reason
from storage import deadlines, events, jobs, notices
from storage import registrations as stored
from storage.deadlines import StoredDeadline
from storage.events import EventSeverity
from storage.jobs import NewJob
from storage.registrations import Lived
from storage.session import Session
from zones.name import from_text

WITH_US: Final = frozenset((Life.REGISTERED, Life.CLOSING))
NEEDS_OBJECT: Final = frozenset(
    (Command.UPDATE_NAME_SERVERS, Command.UPDATE_CONTACTS, Command.HOLD, Command.UNHOLD)
)
GONE: Final = frozenset((Event.TRANSFERRED_AWAY, Event.TRANSFER_ANSWER_DUE))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of writing facts down; with ``reasons`` nothing was written."""

    reasons: tuple[Reason, ...]
    progress: Progress
    effects: tuple[str, ...] = ()


def new_trid() -> str:
    """Return a client transaction id that nobody has used."""
    return f"nsctl-{secrets.token_hex(8)}"


def record(
    session: Session,
    desk: Desk,
    entry: Entry,
    facts: Sequence[Fact],
    *,
    now: datetime,
    actor: str,
    keep_denied: bool = False,
    secret: str = "",
) -> Recorded:
    """Write facts down with their effects; where one is denied, nothing, but for its reasons.

    ``keep_denied`` writes them down all the same: what a registry tells has happened, and a
    cancellation without its documents is kept. ``secret`` goes with the work that tells it.
    """
    known = registration(session, desk, entry)
    found = progress(known, entry.lived_until, now, facts)
    reasons = tuple(reason for denial in found.denials for reason in denial.reasons)
    if reasons and not keep_denied:
        return Recorded(reasons, found)
    bodies = [(entry.id, encode(fact)) for fact in facts]
    stored.add_facts(session, bodies, now=seconds(now), actor=actor)
    effects = write(session, desk, entry, found, now=now, actor=actor, secret=secret)
    words = [_words(step) for step in found.steps] or [str(fact.event) for fact in facts]
    _log(session, entry, "; ".join(words), now, actor)
    return Recorded(reasons, found, effects)


def write(
    session: Session,
    desk: Desk,
    entry: Entry,
    found: Progress,
    *,
    now: datetime,
    actor: str,
    secret: str = "",
) -> tuple[str, ...]:
    """Write the effects of a progress; return them in words."""
    return write_many(session, desk, [(entry, found)], now=now, actor=actor, secret=secret)


def write_many(
    session: Session,
    desk: Desk,
    found: Sequence[tuple[Entry, Progress]],
    *,
    now: datetime,
    actor: str,
    secret: str = "",
) -> tuple[str, ...]:
    """Write the effects of the progress of several registrations; return them in words."""
    stored.lived(session, [_lived(entry, progressed, now) for entry, progressed in found])
    deadlines.replace(
        session,
        {
            entry.id: [_kept(deadline) for deadline in progressed.deadlines]
            for entry, progressed in found
        },
    )
    occasion, effects = Occasion(now, actor), list[str]()
    for entry, progressed in found:
        effects += _withdraw(session, progressed.undone, entry, now)
        effects += _zone(session, desk, entry, progressed, occasion)
        effects += _work(session, entry, progressed, now, secret)
        effects += _notices(session, entry, progressed)
        if progressed.state.life in ENDED and entry.closed_at is None:
            _drop_orders(session, entry, progressed.state, now)
    return tuple(effects)


def _lived(entry: Entry, found: Progress, now: datetime) -> Lived:
    closed = entry.closed_at is not None or found.state.life in ENDED
    kept = kept_course.keep(found.course)
    return Lived(
        entry.id,
        found.state.life.value,
        seconds(now),
        seconds_or_none(found.next_due),
        seconds(entry.closed_at or now) if closed else None,
        kept,
        seconds(found.course.steady_until) if kept is not None else None,
    )


def add_job(
    session: Session,
    entry: Entry,
    kind: str,
    key: str,
    *,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
    secret: str = "",
) -> bool:
    """Add work at the registry of a domain; tell whether it is new."""
    job = NewJob(
        key=f"{entry.id}:{key}",
        registration=entry.id,
        account=entry.account,
        kind=kind,
        due=seconds(now),
        trid=new_trid(),
        detail=detail or {},
        secret=secret,
    )
    return jobs.add(session, job, now=seconds(now))


def _words(step: Step) -> str:
    row = step.row
    return f"{row.region}: {row.state} → {row.target}" if row.state != row.target else row.event


def _log(session: Session, entry: Entry, text: str, now: datetime, actor: str) -> None:
    events.record(
        session,
        "registration",
        EventSeverity.INFO,
        from_text(entry.name),
        f"registration {entry.name}: {text}",
        actor=actor,
        at=seconds(now),
    )


def _zone(
    session: Session, desk: Desk, entry: Entry, found: Progress, occasion: Occasion
) -> Iterable[str]:
    """Bring the zone to where the state wants it, if a step speaks of zones at all."""
    if any(step.row.dns is not None for step in found.steps):
        row = stored.by_id(session, entry.id)
        made = bool(row and row.booking.get("made_zone"))
        current = replace(entry, life=found.state.life.value, made_zone=made)
        done = zone_service.apply(session, desk, current, found.state.dns, occasion)
        if done:
            yield done


def _work(
    session: Session, entry: Entry, found: Progress, now: datetime, secret: str
) -> Iterable[str]:
    for step, command in work_of(entry, found):
        carried = secret if command in (Command.SET_AUTH, Command.TRANSFER_IN) else ""
        detail = {"at": step.at.isoformat(), "event": step.row.event.value}
        key = _key(step, command)
        if add_job(session, entry, command, key, now=now, detail=detail, secret=carried):
            yield f"at the registry: {command}"
    for deadline in found.deadlines:
        if deadline.kind is Due.RENEW and deadline.is_alarming(now) and _renews(found.state):
            detail = {"at": deadline.due.isoformat(), "event": Due.RENEW.value}
            key = _renewal_key(deadline.due)
            if add_job(session, entry, Command.RENEW, key, now=now, detail=detail):
                yield f"at the registry: {Command.RENEW}"


def work_of(entry: Entry, found: Progress) -> list[tuple[Step, Command]]:
    """Return what there is to do at the registry because of new steps, each once."""
    todo: dict[str, tuple[Step, Command]] = {}
    for step in found.steps:
        for command in step.row.commands:
            if _is_needed(entry, found, step, command):
                todo.setdefault(_key(step, command), (step, command))
    return list(todo.values())


def _is_needed(entry: Entry, found: Progress, step: Step, command: Command) -> bool:
    tld = found.registration.tld
    if command in NEEDS_OBJECT:
        return found.state.life in WITH_US
    if command is Command.CHECK:
        return entry.order == "create"
    if command is Command.RESTORE_REPORT:
        return bool(tld.grace.restore_report.value)
    if command is Command.REMOVE_DS:
        return step.row.event not in GONE  # it is another's to change
    return True


def _renews(state: State) -> bool:
    return state.life is Life.REGISTERED


def _key(step: Step, command: Command) -> str:
    if command is Command.RENEW:
        return _renewal_key(step.at)
    return f"{command}:{step.at.isoformat()}"


def _renewal_key(expires: datetime) -> str:
    return f"{Command.RENEW}:{expires.date()}"


def _withdraw(
    session: Session, undone: Sequence[Step], entry: Entry, now: datetime
) -> Iterable[str]:
    """Give work up whose cause has turned out not to have happened."""
    keys = {f"{entry.id}:{_key(step, command)}" for step in undone for command in step.row.commands}
    if not keys:
        return
    for job in jobs.listed(session, registration=entry.id, state=jobs.JobState.DUE):
        if job.key in keys and job.leased_until <= seconds(now) and not job.attempts:
            jobs.cancel(session, job.id, "what called for it did not happen", now=seconds(now))
            yield f"no longer at the registry: {job.kind}"


def _drop_orders(session: Session, entry: Entry, state: State, now: datetime) -> None:
    """Leave nothing to be done for an order that came to nothing."""
    if state.life in (Life.REJECTED, Life.WITHDRAWN):
        jobs.cancel_all(session, entry.id, f"the order is {state.life}", now=seconds(now))


def _notices(session: Session, entry: Entry, found: Progress) -> Iterable[str]:
    for step in found.steps:
        if step.row.notice:
            data = _told(found) | {"event": step.row.event.value}
            if _notice(session, entry, step.row.notice, step.at, data):
                yield f"notice: {step.row.notice}"
    for deadline in found.passed:
        data = _told(found) | {"due": deadline.due.isoformat(), "sentence": deadline.sentence}
        if _notice(session, entry, deadline.kind, deadline.due, data):
            yield f"notice: {deadline.kind}"


def _notice(
    session: Session, entry: Entry, kind: str, at: datetime, data: Mapping[str, Any]
) -> bool:
    key = f"{entry.id}:{kind}:{at.isoformat()}"
    return notices.add(session, key, entry.id, kind, data, at=seconds(at))


def _told(found: Progress) -> dict[str, Any]:
    """Return what a notice is likely to speak of; all else can be looked up."""
    state = found.state
    return {
        "life": state.life.value,
        "expires": state.registry_expires.isoformat() if state.registry_expires else None,
        "last_day": state.contract_last_day.isoformat() if state.contract_last_day else None,
        "domain_due": state.domain_due.isoformat() if state.domain_due else None,
        "refusal": state.refusal,
        "arrears_cents": state.arrears_cents,
        "missing_documents": list(state.missing_documents),
    }


def _kept(deadline: Deadline) -> StoredDeadline:
    return StoredDeadline(
        deadline.kind.value,
        seconds(deadline.due),
        seconds(deadline.alarm),
        deadline.sentence,
        deadline.source,
    )
