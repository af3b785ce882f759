"""The outbox: work at registries, written with the facts that call for it, and done afterwards.

Each job has a key; work with a key that is known is not added again. The jobs of a registration
are done one after the other, in the order in which they were added. Whoever does one takes it on
lease first, so that several may be at it; what somebody took and never finished is due again when
the lease is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from storage.desk_models import JobRow, RegistrationRow
from storage.errors import StorageError


class JobState(StrEnum):
    """How a job stands."""

    DUE = "due"  # to be done, now or later
    DONE = "done"
    FAILED = "failed"  # somebody has to look at it; what comes behind it waits
    CANCELLED = "cancelled"


OPEN = (JobState.DUE.value, JobState.FAILED.value)


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be added; ``secret`` is dropped once the job is over."""

    key: str
    registration: int | None
    account: str
    kind: str
    due: float
    trid: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """Work at a registry; ``name`` is the domain it is about."""

    id: int
    key: str
    registration: int | None
    name: str
    account: str
    kind: str
    state: JobState
    due: float
    attempts: int
    trid: str
    reason: str
    detail: Mapping[str, Any]
    secret: str = field(repr=False)
    created_at: float
    finished_at: float | None
    leased_until: float


def add(session: Session, job: NewJob, *, now: float) -> bool:
    """Add a job; tell whether it is new."""
    if session.scalar(select(JobRow.id).where(JobRow.key == job.key)) is not None:
        return False
    session.execute(
        insert(JobRow).values(
            key=job.key,
            registration=job.registration,
            account=job.account,
            kind=job.kind,
            state=JobState.DUE.value,
            due=job.due,
            attempts=0,
            trid=job.trid,
            reason="",
            detail=dict(job.detail),
            secret=job.secret,
            created_at=now,
            leased_by="",
            leased_until=0.0,
        )
    )
    return True


def take(
    session: Session,
    *,
    now: float,
    who: str,
    lease: float,
    account: str | None = None,
    unordered: Sequence[str] = (),
) -> Job | None:
    """Take the first job that is due, whose predecessors are over, and that nobody has.

    Nothing waits for a predecessor of the kinds in ``unordered``.
    """
    earlier = aliased(JobRow)
    blocked = exists().where(
        earlier.registration == JobRow.registration,
        earlier.id < JobRow.id,
        earlier.state.in_(OPEN),
        earlier.kind.not_in(unordered),
    )
    query = (
        select(JobRow.id).where(_takeable(now), ~blocked).order_by(JobRow.due, JobRow.id).limit(1)
    )
    if account is not None:
        query = query.where(JobRow.account == account)
    number = session.scalar(query)
    if number is None:
        return None
    _set(session, number, leased_by=who, leased_until=now + lease, attempts=JobRow.attempts + 1)
    return get(session, number)


def _takeable(now: float) -> ColumnElement[bool]:
    return and_(JobRow.state == JobState.DUE.value, JobRow.due <= now, JobRow.leased_until <= now)


def unassigned(session: Session, now: float, limit: int = 500) -> list[Job]:
    """Return what is due and belongs to no account yet."""
    query = _selected().where(JobRow.account == "", _takeable(now)).order_by(JobRow.id)
    return [_of(row[0], row[1]) for row in session.execute(query.limit(limit))]


def assign(session: Session, number: int, account: str) -> None:
    """Give a job to an account."""
    _set(session, number, account=account)


def next_due(session: Session) -> float | None:
    """Return when the next job is due; it may wait for others still."""
    query = select(JobRow.due).where(JobRow.state == JobState.DUE.value)
    return session.scalar(query.order_by(JobRow.due).limit(1))


def finish(session: Session, number: int, state: JobState, reason: str, *, now: float) -> None:
    """Note how a job ended; its secret goes unless it may be tried again."""
    kept = {} if state is JobState.FAILED else {"secret": ""}
    _set(session, number, state=state.value, reason=reason, finished_at=now, leased_until=0.0,
         leased_by="", **kept)  # fmt: skip


def postpone(
    session: Session, number: int, reason: str, *, due: float, trid: str | None = None
) -> None:
    """Let a job be tried again at a moment, under its client transaction id or another one."""
    changed = {} if trid is None else {"trid": trid}
    _set(session, number, reason=reason, due=due, leased_until=0.0, leased_by="", **changed)


def retry(session: Session, number: int, trid: str, *, now: float) -> Job:
    """Have a failed job done anew, under another client transaction id. Raises ``StorageError``."""
    job = get(session, number)
    if job.state not in (JobState.FAILED, JobState.DUE):
        raise StorageError(f"job {number} is {job.state}: only a failed one is tried again")
    # What waits for an answer keeps its id: under another one it might be done twice.
    trid = trid if job.state is JobState.FAILED else job.trid
    _set(session, number, state=JobState.DUE.value, due=now, trid=trid, finished_at=None)
    return get(session, number)


def cancel(session: Session, number: int, reason: str, *, now: float) -> Job:
    """Give a job up. Raises ``StorageError`` for one that is over, or being done."""
    job = get(session, number)
    if job.state.value not in OPEN:
        raise StorageError(f"job {number} is {job.state} already")
    if job.leased_until > now:
        raise StorageError(f"job {number} is being done; wait a minute")
    finish(session, number, JobState.CANCELLED, reason, now=now)
    return get(session, number)


def cancel_all(session: Session, registration: int, reason: str, *, now: float) -> None:
    """Give up the open jobs of a registration that nobody is doing."""
    session.execute(
        update(JobRow)
        .where(JobRow.registration == registration, JobRow.state.in_(OPEN))
        .where(JobRow.leased_until <= now)
        .values(state=JobState.CANCELLED.value, reason=reason, finished_at=now, secret="")
    )
    session.expire_all()


def get(session: Session, number: int) -> Job:
    """Return a job; raises ``StorageError``."""
    query = _selected().where(JobRow.id == number)
    row = session.execute(query).one_or_none()
    if row is None:
        raise StorageError(f"there is no job {number}")
    return _of(row[0], row[1])


def listed(
    session: Session,
    *,
    name: str | None = None,
    registration: int | None = None,
    state: JobState | None = None,
    limit: int = 100,
) -> list[Job]:
    """Return jobs, the newest first: all, or those of a domain or in a state."""
    query = _selected().order_by(JobRow.id.desc()).limit(limit)
    if name is not None:
        query = query.where(RegistrationRow.name == name)
    if registration is not None:
        query = query.where(JobRow.registration == registration)
    if state is not None:
        query = query.where(JobRow.state == state.value)
    return [_of(row[0], row[1]) for row in session.execute(query)]


def _selected() -> Any:
    return select(JobRow, RegistrationRow.name).outerjoin(
        RegistrationRow, or_(RegistrationRow.id == JobRow.registration)
    )


def _set(session: Session, number: int, **values: Any) -> None:
    session.execute(update(JobRow).where(JobRow.id == number).values(**values))
    session.expire_all()


def _of(row: JobRow, name: str | None) -> Job:
    return Job(
        row.id, row.key, row.registration, name or "", row.account, row.kind, JobState(row.state),
        row.due, row.attempts, row.trid, row.reason, row.detail, row.secret, row.created_at,
        row.finished_at, row.leased_until,
    )  # fmt: skip
