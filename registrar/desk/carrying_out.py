"""Carrying out one piece of work: its commands through a connector, each of them once.

Every command of a job has a client transaction id that follows from the job's and from what it is
about. Whoever goes on with a job that was broken off finds what was sent in the journal: what is
settled is not sent again, what is open is looked into by the connector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from registrar.commands import Command, transforms
from registrar.connector import Outcome, Refused, RegistryConnector
from registrar.desk import contacts
from registrar.desk.desk import Desk
from registrar.desk.ordering import random_auth
from registrar.desk.registrations import get_by_id, registration
from registrar.desk.store_journal import StoreJournal
from registrar.epp.client import EppClient
from registrar.errors import RegistrarError
from registrar.events import Event
from registrar.lifecycle import project
from registrar.work.plans import WORK
from registrar.work.task import Failed, Result, Task
from storage import journal
from storage.database import Database
from storage.jobs import Job
from storage.session import Session

# What a registry says of its own faults (RFC 5730 3): it is asked again later.
OUT_OF_ORDER: Final = frozenset((2400, 2500, 2501, 2502))


class OutOfOrder(RegistrarError):
    """The registry could not do it for a fault of its own; it was not done."""


class Carrier:
    """Carries work out at one account."""

    def __init__(
        self,
        connector: RegistryConnector,
        log: StoreJournal,
        client: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.connector = connector
        self._log = log
        self.client = client
        self._clock = clock

    async def carry_out(self, job: Job, task: Task) -> Result:
        """Do a piece of work.

        Raises ``OutOfOrder``, and ``RegistrarError`` where the registry gives no answer.
        """
        plan = WORK.get(job.kind)
        if plan is None:
            return Failed(f"nobody knows how to {job.kind}")
        steps = plan(task)
        try:
            command = next(steps)
            while True:
                outcome = await self._perform(command, _trid(job.trid, command))
                if isinstance(outcome, Refused) and outcome.code in OUT_OF_ORDER:
                    raise OutOfOrder(str(outcome))
                command = steps.send(outcome)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    async def settle(self, database: Database, account: str, begin: str) -> None:
        """Find out what became of commands that were broken off, whose ids begin like this."""
        with database.read() as session:
            lines = journal.unsettled(session, account)
        for line in lines:
            if line.trid.startswith(begin) and (entry := self._log.find(line.trid)):
                await self._perform(entry.command, entry.trid)

    async def _perform(self, command: Command[Any], trid: str) -> Outcome[Any]:
        if not transforms(command):
            return await self.connector.perform(command, trid)
        entry = self._log.find(trid)
        if entry is not None and entry.outcome is not None:
            return entry.outcome
        if entry is not None:
            command = entry.command  # as it was sent, with the secrets that it had
        if isinstance(self.connector, EppClient):
            return await self.connector.perform(command, trid)  # which keeps the journal itself
        if entry is None:
            self._log.record(trid, command, self._clock())
        outcome = await self.connector.perform(command, trid)
        self._log.settle(trid, outcome)
        return outcome


def task_of(session: Session, desk: Desk, carrier: Carrier, job: Job, now: datetime) -> Task:
    """Return all that is known of a domain when work on it is done."""
    assert job.registration is not None
    entry = get_by_id(session, job.registration)
    known = registration(session, desk, entry)
    state = project(known, now)
    numbers = [number for number in (entry.holder, entry.admin, entry.tech) if number]
    deleted = [fact.at for fact in known.facts if fact.event is Event.DELETED]
    detail = dict(job.detail)
    if deleted:
        detail["deleted_at"] = deleted[-1].isoformat()
    return Task(
        name=entry.name,
        state=state,
        tld=known.tld,
        capabilities=carrier.connector.capabilities(known.suffix),
        now=now,
        holder=entry.holder,
        admin=entry.admin,
        tech=entry.tech,
        contacts={number: contacts.get(session, number).contact for number in numbers},
        name_servers=entry.name_servers,
        sec_dns=entry.sec_dns,
        ordered_at=entry.created_at,
        client=carrier.client,
        forward=entry.forward,
        auth=random_auth(known.tld),
        secret=job.secret,
        detail=detail,
    )


def _trid(job: str, command: Command[Any]) -> str:
    about = getattr(command, "name", "") or getattr(command, "id", "")
    told = f"{type(command).__name__} {about}".encode()
    return f"{job}-{hashlib.sha256(told).hexdigest()[:8]}"
