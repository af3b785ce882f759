"""Whose turn it is: a bounded number of refreshes at a time, shared fairly.

A customer with fifty thousand zones must not delay the zones of anybody else, however many primaries
he has; nor must a primary that is dead and costs a timeout for each of its zones. So customers with
zones waiting take turns, and within a customer his primaries do. Each customer and each primary may
have a few refreshes under way; a primary has one bound for all the customers who share it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from zones.name import Name


class Share(NamedTuple):
    """Whose places the refreshes of a zone take."""

    customer: str
    primary: str


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How many refreshes may be under way: in all, of one customer, and of one primary."""

    total: int = 64
    customer: int = 48
    primary: int = 16


@dataclass(slots=True, eq=False)
class _Primary:
    """How much is under way of a primary, and who waits until it is less."""

    running: int = 0
    queues: int = 0
    blocked: deque[_Queue] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class _Customer:
    """How much is under way of a customer, and those of his queues whose primary may be asked."""

    running: int = 0
    queues: int = 0
    ready: deque[_Queue] = field(default_factory=deque)
    in_ring: bool = False


@dataclass(slots=True, eq=False)
class _Queue:
    """The zones of one share that wait; ``urgent`` ones, which a NOTIFY asked for, go first.

    While there are any it stands in one place: with its customer, or blocked at its primary.
    """

    share: Share
    customer: _Customer
    primary: _Primary
    urgent: deque[Name] = field(default_factory=deque)
    ordinary: deque[Name] = field(default_factory=deque)


class Turns:
    """Who waits, by share; no more than there are places for are out at a time."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self._running = 0
        self._queues: dict[Share, _Queue] = {}  # that are not empty
        self._customers: dict[str, _Customer] = {}
        self._primaries: dict[str, _Primary] = {}
        self._ring: deque[_Customer] = deque()  # who wait and may start one more

    def put(self, apex: Name, share: Share, *, urgent: bool = False) -> None:
        """Let a zone wait for its turn."""
        queue = self._queues.get(share)
        if queue is None:
            customer = self._customers.setdefault(share.customer, _Customer())
            primary = self._primaries.setdefault(share.primary, _Primary())
            queue = self._queues[share] = _Queue(share, customer, primary)
            customer.queues += 1
            primary.queues += 1
            self._make_ready(queue)
        (queue.urgent if urgent else queue.ordinary).append(apex)

    def take(self) -> tuple[Name, Share] | None:
        """Return the zone whose turn it is, and its share; ``done`` is due for each.

        ``None`` where nobody waits or all places are taken.
        """
        while self._ring and self._running < self._limits.total:
            customer = self._ring.popleft()
            customer.in_ring = False
            queue = self._unblocked(customer)
            if queue is None:
                continue
            apex = (queue.urgent or queue.ordinary).popleft()
            queue.primary.running += 1
            customer.running += 1
            self._running += 1
            if queue.urgent or queue.ordinary:
                customer.ready.append(queue)
            else:
                del self._queues[queue.share]
                customer.queues -= 1
                queue.primary.queues -= 1
            self._enter(customer)
            return apex, queue.share
        return None

    def done(self, share: Share) -> None:
        """Give back the place of a zone of this share."""
        customer, primary = self._customers[share.customer], self._primaries[share.primary]
        customer.running -= 1
        primary.running -= 1
        self._running -= 1
        self._enter(customer)
        started = False
        while primary.blocked and not started:  # whoever has all of his places taken starts nobody
            started = self._make_ready(primary.blocked.popleft())
        if not customer.running and not customer.queues:
            del self._customers[share.customer]
        if not primary.running and not primary.queues:
            del self._primaries[share.primary]

    def _unblocked(self, customer: _Customer) -> _Queue | None:
        """Return the first of the customer's queues whose primary may be asked."""
        while customer.ready:
            queue = customer.ready.popleft()
            if queue.primary.running < self._limits.primary:
                return queue
            queue.primary.blocked.append(queue)
        return None

    def _make_ready(self, queue: _Queue) -> bool:
        """Let a queue wait with its customer; return whether he may start one more."""
        queue.customer.ready.append(queue)
        self._enter(queue.customer)
        return queue.customer.in_ring

    def _enter(self, customer: _Customer) -> None:
        if customer.ready and not customer.in_ring and customer.running < self._limits.customer:
            customer.in_ring = True
            self._ring.append(customer)
