"""Sending what waits in ``storage.deliveries``: by mail and to webhooks, from one node at a time.

Each round claims what is due, so that no other node sends it meanwhile, and notes what became of
each message at once. Webhooks of different URLs are called side by side, messages to one URL one
after the other; where one fails, the others of that way wait with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog

from nameserver.delivering_errors import Failure
from nameserver.delivering_mail import send_mails
from nameserver.delivering_webhook import post
from nameserver.settings import Settings
from storage import deliveries, recipients
from storage.database import Database
from storage.deliveries import Channel, Delivery, DeliveryState
from storage.errors import StorageError

log = structlog.get_logger()

ROUND: Final = 5.0  # seconds between two looks at what is due
BATCH: Final = 50
LEASE: Final = 900.0  # seconds: longer than a batch can take
WEBHOOKS_AT_ONCE: Final = 8
FAREWELL: Final = 5.0  # seconds that a stop waits for what is being sent


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one attempt, to be noted; ``until``: it was not tried, and waits."""

    delivery: Delivery
    failure: Failure | None
    at: float
    until: float | None = None


def batches(claimed: Iterable[Delivery]) -> list[list[Delivery]]:
    """Return what shares a way: all mails, and the messages of each webhook."""
    ways: dict[str, list[Delivery]] = {}
    for one in claimed:
        way = "" if one.channel is Channel.MAIL else one.recipient
        ways.setdefault(way, []).append(one)
    return list(ways.values())


class Deliverer:
    """Sends what is due; ``start`` and ``stop`` belong to the event loop, the work to threads."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        *,
        interval: float = ROUND,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._interval = interval
        self._node = f"{settings.identity or socket.gethostname()}/{os.getpid()}"
        self._unnoted: list[_Done] = []  # the store was away
        self._threads = ThreadPoolExecutor(WEBHOOKS_AT_ONCE, thread_name_prefix="deliver")
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="deliverer")

    async def stop(self) -> None:
        """Stop after what is being sent, or a few seconds later without it."""
        self._stopped.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=FAREWELL)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        failing = False
        while not self._stopped.is_set():
            try:
                while await self.round() == BATCH and not self._stopped.is_set():
                    continue
                failing = False
            except StorageError as error:
                if not failing:
                    log.error("deliveries wait: the store is away", reason=str(error))
                failing = True
            try:
                async with asyncio.timeout(self._interval):
                    await self._stopped.wait()
            except TimeoutError:
                continue

    async def round(self) -> int:
        """Send what is due, at most ``BATCH`` messages, and return how many that were."""
        loop = asyncio.get_running_loop()
        claimed, secrets = await loop.run_in_executor(self._threads, self._claim)
        work = [
            loop.run_in_executor(self._threads, self._send, batch, secrets)
            for batch in batches(claimed)
        ]
        await asyncio.gather(*work)
        return len(claimed)

    def _claim(self) -> tuple[list[Delivery], dict[int, str]]:
        """Claim what is due, with the secrets of the webhooks among it."""
        now = self._clock()
        self._note_rest()
        with self._database.read() as session:  # most rounds find nothing: no writer's lock then
            if not deliveries.due(session, now, 1):
                return [], {}
        with self._database.write() as session:
            claimed = deliveries.claim(session, now, node=self._node, seconds=LEASE, limit=BATCH)
            secrets = {
                one.id: self._operators_secret(one)
                or recipients.secret_of(session, one.customer, one.recipient)
                for one in claimed
                if one.channel is Channel.WEBHOOK
            }
        return claimed, secrets

    def _operators_secret(self, delivery: Delivery) -> str:
        alerts = self._settings.alerts
        is_ours = not delivery.customer and delivery.recipient == alerts.webhook
        return alerts.webhook_secret if is_ours else ""

    def _send(self, batch: Sequence[Delivery], secrets: dict[int, str]) -> None:
        """Send the messages of one way, in this thread."""
        tried = set()
        for one, failure in self._attempts(batch, secrets):
            tried.add(one.id)
            now = self._clock()
            self._note(_Done(one, failure, now))
            if failure is not None and failure.everybody:
                wait = now + deliveries.wait_after(one.attempts + 1)
                for other in batch:
                    if other.id not in tried:
                        self._note(_Done(other, failure, now, until=wait))
                return
        for other in batch:
            if other.id not in tried:  # the batch took too long
                self._note(_Done(other, None, self._clock(), until=self._clock()))

    def _attempts(
        self, batch: Sequence[Delivery], secrets: dict[int, str]
    ) -> Iterator[tuple[Delivery, Failure | None]]:
        if batch[0].channel is Channel.MAIL:
            yield from send_mails(batch, self._settings.mail)
            return
        for one in batch:
            yield one, post(one, secrets[one.id], self._settings.webhooks, self._clock())

    def _note(self, done: _Done) -> None:
        """Store what became of a message; where the store is away, later."""
        try:
            self._store(done)
        except StorageError as error:
            log.error("a delivery was not noted", delivery=done.delivery.id, reason=str(error))
            self._unnoted.append(done)

    def _note_rest(self) -> None:
        """Store what could not be before; raises ``StorageError``."""
        while self._unnoted:
            self._store(self._unnoted[0])
            del self._unnoted[0]

    def _store(self, done: _Done) -> None:
        one, failure = done.delivery, done.failure
        state = DeliveryState.SENT
        with self._database.write() as session:
            if done.until is not None:
                deliveries.postpone(session, [one.id], done.until)
                return
            if failure is None:
                deliveries.mark_sent(session, [one.id], done.at)
            else:
                state = deliveries.mark_failed(
                    session, one.id, failure.reason, done.at, lasting=failure.lasting
                )
        self._tell(one, failure, state)

    def _tell(self, one: Delivery, failure: Failure | None, state: DeliveryState) -> None:
        about = {"delivery": one.id, "channel": one.channel.value, "subject": one.subject}
        if failure is None:
            log.info("delivered", **about)
        else:
            log.warning("not delivered", reason=failure.reason, state=state.value, **about)
