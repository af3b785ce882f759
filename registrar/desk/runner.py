"""The outbox at work: what is due is carried out, what registries tell is taken in.

The accounts are worked on side by side, the work of an account one piece after the other. What
could not be done for want of an answer is done again later, under the same transaction ids; what a
registry refuses waits for somebody to look at it, and so does all that comes behind it for the
same domain.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from registrar.connector import Refused, RegistryConnector
from registrar.desk import accounts, departures, polling, recording, registrations
from registrar.desk.accounts import Account
from registrar.desk.carrying_out import Carrier, OutOfOrder, task_of
from registrar.desk.daily import daily_slices
from registrar.desk.departures import AskParent
from registrar.desk.desk import Desk, seconds
from registrar.desk.ordering import account_for
from registrar.desk.polling import Polled
from registrar.desk.retention import erase_due
from registrar.desk.store_journal import StoreJournal
from registrar.epp.client import EppClient, random_trid
from registrar.epp.errors import NotExpressible
from registrar.errors import RegistrarError
from registrar.model import Command
from registrar.work.task import Failed, Finished, Result, Waiting
from storage import events, jobs, registry_accounts
from storage import registrations as stored
from storage.database import Database
from storage.errors import StorageError
from storage.events import EventSeverity
from storage.jobs import Job, JobState
from zones.name import from_text

LEASE: Final = 600.0  # seconds; longer than one piece of work takes with all its tries
FIRST_WAIT: Final = 30.0  # seconds after an attempt without an answer; doubled each time
LONGEST_WAIT: Final = 3600.0
LOOK_AGAIN: Final = 3600.0  # at what it is not time for yet
NO_ACCOUNT: Final = 900.0
# What changes nothing at a registry, or waits for it to act by itself: nothing waits for these.
UNORDERED: Final = (Command.INFO.value, Command.RENEW.value)
ACKNOWLEDGES: Final = "ack-"  # begins the ids with which messages are acknowledged
ROUNDS: Final = 1000  # pieces of work of an account in one go

Notify = Callable[[Database, Desk, datetime], int]


@dataclass(slots=True)
class Ran:
    """What one go at the work came to: how many pieces, and why some were not done."""

    done: int = 0
    waiting: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)


class Runner:
    """Carries out the work of the desk. ``clock`` returns the time in UTC.

    ``connect`` returns the way to a registry; by default that which the account describes.
    ``notify`` hands notices on, ``ask_parent`` asks the parent's servers for a delegation.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        connect: Callable[[Account], RegistryConnector] | None = None,
        notify: Notify | None = None,
        ask_parent: AskParent | None = None,
    ) -> None:
        self._database = database
        self._desk = desk
        self._clock = clock
        self._connect = connect or self._described
        self._notify = notify
        self._ask_parent = ask_parent
        self._carriers: dict[str, tuple[Account, Carrier]] = {}
        self._complained: dict[str, float] = {}
        self._who = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"

    async def run_due(self) -> Ran:
        """Carry out what is due now, until nothing is left that can be done."""
        ran = Ran()
        self._assign(ran)
        every = self._enabled()
        await asyncio.gather(*(self._run_account(account, ran) for account in every))
        return ran

    async def poll(self, account: str | None = None) -> list[Polled]:
        """Take in what registries tell; a message is acknowledged once it is in the books."""
        taken: list[Polled] = []
        for known in self._enabled():
            if account in (None, known.id):
                taken += await self._poll(known)
        return taken

    async def serve(
        self, stop: asyncio.Event, *, pause: float = 5.0, poll_every: float = 300.0
    ) -> None:
        """Work until told to stop: what is due, messages now and then, a daily run each hour.

        Trouble is told as an event, and ends nothing.
        """
        next_run = next_poll = 0.0
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            if loop.time() >= next_run:
                next_run = loop.time() + LOOK_AGAIN
                await self._try(partial(self._keep_time, stop))
            await self._try(self.run_due)
            if loop.time() >= next_poll:
                next_poll = loop.time() + poll_every
                for account in self._enabled():
                    await self._try(partial(self.poll, account.id))
                await self._try(self.run_due)
            await self._try(self._hand_on)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        await self.close()

    async def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except (RegistrarError, StorageError) as error:
            self._complain("registry-trouble", str(error))

    async def _keep_time(self, stop: asyncio.Event) -> None:
        for _daily in daily_slices(self._database, self._desk, self._clock()):
            await asyncio.sleep(0)  # others' turn
            if stop.is_set():
                return  # the next run goes on from there
        erase_due(self._database, self._desk, self._clock())
        now = self._clock()
        await asyncio.to_thread(departures.watch, self._database, self._desk, now, self._ask_parent)

    async def _hand_on(self) -> None:
        if self._notify is not None:
            self._notify(self._database, self._desk, self._clock())

    async def close(self) -> None:
        """Leave all registries."""
        for _account, carrier in self._carriers.values():
            if isinstance(carrier.connector, EppClient):
                await carrier.connector.close()
        self._carriers.clear()

    def _described(self, account: Account) -> RegistryConnector:
        return accounts.connect(account, self._database, self._clock)

    def _enabled(self) -> list[Account]:
        with self._database.read() as session:
            return [account for account in accounts.list_accounts(session) if account.enabled]

    def _carrier(self, account: Account) -> Carrier:
        known = self._carriers.get(account.id)
        if known is None or known[0] != account:
            journal = StoreJournal(self._database, account.id, self._clock)
            carrier = Carrier(self._connect(account), journal, account.client, self._clock)
            known = self._carriers[account.id] = (account, carrier)
        return known[1]

    def _assign(self, ran: Ran) -> None:
        """Give work that has no account yet the one of its TLD."""
        now = seconds(self._clock())
        with self._database.read() as session:
            open_jobs = jobs.unassigned(session, now)
        if not open_jobs:
            return
        with self._database.write() as session:
            for job in open_jobs:
                account = account_for(session, job.name.rpartition(".")[2])
                if account and job.registration is not None:
                    jobs.assign(session, job.id, account)
                    stored.change(session, job.registration, account=account)
                    continue
                reason = f"there is no registry account for {job.name}"
                jobs.postpone(session, job.id, reason, due=now + NO_ACCOUNT)
                ran.waiting += 1
                ran.reasons.append(reason)

    async def _run_account(self, account: Account, ran: Ran) -> None:
        for _ in range(ROUNDS):
            with self._database.write() as session:
                job = jobs.take(
                    session,
                    now=seconds(self._clock()),
                    who=self._who,
                    lease=LEASE,
                    account=account.id,
                    unordered=UNORDERED,
                )
            if job is None:
                return
            try:
                result = await self._carry_out(account, job)
            except NotExpressible as error:
                result = Failed(str(error))  # nothing was sent, and nothing will be another time
            except RegistrarError as error:
                # What was certainly not done is sent under another id next time.
                again = recording.new_trid() if isinstance(error, OutOfOrder) else job.trid
                self._put_off(job, str(error), ran, again)
                return  # the others would fare no better
            self._conclude(account, job, result, ran)

    async def _carry_out(self, account: Account, job: Job) -> Result:
        carrier = self._carrier(account)
        if job.attempts > 1:
            await carrier.settle(self._database, job.account, job.trid)
        now = self._clock()
        with self._database.read() as session:
            task = task_of(session, self._desk, carrier, job, now)
        return await carrier.carry_out(job, task)

    def _put_off(self, job: Job, reason: str, ran: Ran, trid: str) -> None:
        now = seconds(self._clock())
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(job.attempts - 1, 10))
        with self._database.write() as session:
            jobs.postpone(session, job.id, reason, due=now + wait, trid=trid)
        ran.waiting += 1
        ran.reasons.append(f"{job.name}, {job.kind}: {reason}")

    def _conclude(self, account: Account, job: Job, result: Result, ran: Ran) -> None:
        """Write down what came of a piece of work, with the facts that it proves."""
        now = self._clock()
        with self._database.write() as session:
            if isinstance(result, Waiting):
                jobs.postpone(session, job.id, result.reason, due=seconds(now) + LOOK_AGAIN)
                ran.waiting += 1
                return
            if isinstance(result, Failed):
                jobs.finish(session, job.id, JobState.FAILED, result.reason, now=seconds(now))
                self._tell(session, job, result.reason, now)
                ran.failed += 1
                ran.reasons.append(f"{job.name}, {job.kind}: {result.reason}")
                return
            assert isinstance(result, Finished)
            if result.facts and job.registration is not None:
                entry = registrations.get_by_id(session, job.registration)
                recording.record(
                    session,
                    self._desk,
                    entry,
                    result.facts,
                    now=now,
                    actor=f"registry {account.id}",
                    keep_denied=job.kind != "check",
                )
            jobs.finish(session, job.id, JobState.DONE, result.words, now=seconds(now))
            ran.done += 1

    def _tell(self, session: Any, job: Job, reason: str, now: datetime) -> None:
        text = f"{job.name}: {job.kind} failed at the registry: {reason}"
        events.record(
            session,
            "registry-job-failed",
            EventSeverity.ERROR,
            from_text(job.name),
            text,
            {"job": job.id},
            at=seconds(now),
        )

    def _complain(self, kind: str, text: str) -> None:
        """Tell of trouble, the same only once in a while."""
        now = seconds(self._clock())
        if now - self._complained.get(text, -LOOK_AGAIN) < LOOK_AGAIN:
            return
        self._complained[text] = now
        with suppress(StorageError), self._database.write() as session:
            events.record(session, kind, EventSeverity.WARNING, None, text, at=now)

    async def _poll(self, account: Account) -> list[Polled]:
        carrier, taken = self._carrier(account), list[Polled]()
        await carrier.settle(self._database, account.id, ACKNOWLEDGES)
        while True:
            outcome = await carrier.connector.poll(trid=random_trid())
            if isinstance(outcome, Refused) or outcome.value is None:
                break
            message = outcome.value
            with self._database.write() as session:
                taken += polling.take_in(session, self._desk, account, message, self._clock())
            trid = ACKNOWLEDGES + random_trid()
            acknowledged = await carrier.connector.ack(message.id, trid=trid)
            if isinstance(acknowledged, Refused):
                break
        with self._database.write() as session:
            registry_accounts.polled(session, account.id, now=seconds(self._clock()))
        return taken


def counts(ran: Ran) -> Mapping[str, int]:
    """Return what came of a go at the work in numbers."""
    return {"done": ran.done, "waiting": ran.waiting, "failed": ran.failed}
