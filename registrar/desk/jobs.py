"""Work at registries, for those who look after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registrar.desk import recording
from registrar.desk.desk import moment, moment_or_none, seconds
from storage import events, jobs
from storage.events import EventSeverity
from storage.jobs import JobState
from storage.session import Session


@dataclass(frozen=True, slots=True)
class Job:
    """Work at a registry; ``reason`` is what came of it, or why it is not done yet."""

    id: int
    registration: int | None
    name: str
    account: str
    kind: str
    state: JobState
    due: datetime
    attempts: int
    trid: str
    reason: str
    created_at: datetime
    finished_at: datetime | None
    detail: dict[str, Any]


def list_jobs(
    session: Session,
    *,
    name: str | None = None,
    state: JobState | str | None = None,
    limit: int = 100,
) -> list[Job]:
    """Return work, the newest first: all, that on a domain, that in a state."""
    wanted = None if state is None else JobState(state)
    return [job_of(job) for job in jobs.listed(session, name=name, state=wanted, limit=limit)]


def retry(session: Session, number: int, *, now: datetime, actor: str) -> Job:
    """Have work done now; what failed is begun anew. Raises ``StorageError``."""
    job = jobs.retry(session, number, recording.new_trid(), now=seconds(now))
    _tell(session, job, "is to be tried again", now, actor)
    return job_of(job)


def cancel(session: Session, number: int, *, now: datetime, actor: str) -> Job:
    """Give work up. Raises ``StorageError``."""
    job = jobs.cancel(session, number, f"given up by {actor}", now=seconds(now))
    _tell(session, job, "was given up", now, actor)
    return job_of(job)


def job_of(job: jobs.Job) -> Job:
    """Return the work of a row, without its secret."""
    return Job(
        job.id,
        job.registration,
        job.name,
        job.account,
        job.kind,
        job.state,
        moment(job.due),
        job.attempts,
        job.trid,
        job.reason,
        moment(job.created_at),
        moment_or_none(job.finished_at),
        dict(job.detail),
    )


def _tell(session: Session, job: jobs.Job, what: str, now: datetime, actor: str) -> None:
    text = f"registry work {job.id} ({job.kind} of {job.name}) {what}"
    kind = "registry-job"
    events.record(session, kind, EventSeverity.INFO, None, text, actor=actor, at=seconds(now))
