"""The connections to primaries, kept and shared (RFC 7766 6.2): the asyncio shell below ``client``.

A primary of ten thousand zones is not connected to ten thousand times: a few connections carry the
requests for all of its zones. One that carries a large answer takes no further requests meanwhile.
A request that was lost with its connection is sent once more on a connection of its own. A primary
that closes connections with requests waiting on them gets one for each request for a while.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from axfr.connection import Connection, E, Lost, Make, plain
from axfr.errors import TransferError
from axfr.own_certificate import OwnCertificate, UnusableCertificate
from axfr.source import SOURCE, Address, is_not_ours, not_ours
from axfr.tls import Contexts, PinMismatch, check_pin, reason_of, server_name
from zones.name import Name
from zones.secondary import Primary, PrimaryTls

MOST: Final = 4  # connections to one primary, but for those with large answers
ALONE_SECONDS: Final = 600.0  # that each request gets a connection after sharing went wrong

# What connections are kept for: who is asked, how, and from which address of ours.
Peer: TypeAlias = tuple[str, int, PrimaryTls | None, str | None]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: to connect, and between two pieces of an answer."""

    connect: float
    idle: float


@dataclass(eq=False, slots=True)
class _Slot:
    """A connection, being opened or open, and how many requests were given to it."""

    opening: asyncio.Task[Connection]
    given: int = 0  # under way
    total: int = 0
    connection: Connection | None = None  # once there is one

    def opened(self, task: asyncio.Task[Connection]) -> None:
        """Take the connection, where there is one."""
        if not task.cancelled() and task.exception() is None:
            self.connection = task.result()

    @property
    def is_over(self) -> bool:
        """Tell whether there is nothing more to close."""
        if not self.opening.done():
            return False
        return self.connection is None or self.connection.is_closed

    @property
    def is_usable(self) -> bool:
        """Tell whether it may take a further request."""
        connection = self.connection
        if connection is None:
            return not self.opening.done()
        return connection.is_open and not connection.bulk


@dataclass(slots=True)
class _Pool:
    """The connections to one primary, which are not shared until ``alone_until``."""

    slots: list[_Slot] = field(default_factory=list)
    alone_until: float = 0.0

    @property
    def shares(self) -> bool:
        """Tell whether requests may share a connection."""
        return asyncio.get_running_loop().time() >= self.alone_until


def _peer(primary: Primary) -> Peer:
    return primary.address, primary.port, primary.tls, primary.source


class _NotConnected(Exception):
    """No connection came about."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


class Connections:
    """Connections to any number of primaries; ``close`` when done."""

    def __init__(
        self, times: Times, clock: Callable[[], float], own: OwnCertificate | None = None
    ) -> None:
        self._times = times
        self._contexts = Contexts(own)
        self._clock = clock
        self._pools: dict[Peer, _Pool] = {}

    def has(self, primary: Primary) -> bool:
        """Tell whether a connection to this primary is there to be used."""
        pool = self._pools.get(_peer(primary))
        return pool is not None and pool.shares and any(one.is_usable for one in pool.slots)

    async def run(
        self,
        primary: Primary,
        apex: Name,
        make: Make[E],
        *,
        source: Address | None = None,
        heavy: bool = False,
    ) -> E:
        """Send a request to a primary and return the exchange when it is answered.

        ``heavy`` exchanges are fed in a thread. Raises ``TransferError``.
        """
        pool = self._pools.setdefault(_peer(primary), _Pool())
        try:
            if pool.shares:
                try:
                    return await self._shared(pool, primary, make, source, heavy=heavy)
                except Lost:
                    pass
            return await self._alone(primary, make, source, heavy=heavy)
        except (Lost, _NotConnected) as error:
            raise TransferError(apex, str(primary), error.rule, error.reason) from None

    async def certificate(
        self, primary: Primary, apex: Name, *, source: Address | None = None
    ) -> bytes:
        """Return the certificate that a primary shows, in DER form; raises ``TransferError``."""
        try:
            connection = await self._open(primary, source)
        except _NotConnected as error:
            raise TransferError(apex, str(primary), error.rule, error.reason) from None
        shown = connection.certificate
        connection.close("done")
        return shown

    def close(self) -> None:
        """Close all connections."""
        pools, self._pools = self._pools, {}
        for slot in (slot for pool in pools.values() for slot in pool.slots):
            slot.opening.cancel()
            if (connection := slot.connection) is not None:
                connection.close("the server stops")

    async def _shared(
        self, pool: _Pool, primary: Primary, make: Make[E], source: Address | None, *, heavy: bool
    ) -> E:
        slot = self._slot(pool, primary, source)
        slot.given, slot.total = slot.given + 1, slot.total + 1
        try:
            connection = slot.connection
            if connection is None:
                connection = await asyncio.shield(slot.opening)
            if not connection.is_open:
                raise Lost("the connection broke", "unreachable")
            try:
                return await connection.run(make, heavy=heavy)
            except Lost as lost:
                if slot.total == 1:  # it was alone already
                    raise _NotConnected(lost.rule, lost.reason) from None
                if connection.closed_by_peer and slot.given > 1:
                    pool.alone_until = asyncio.get_running_loop().time() + ALONE_SECONDS
                raise
        finally:
            slot.given -= 1

    async def _alone(
        self, primary: Primary, make: Make[E], source: Address | None, *, heavy: bool
    ) -> E:
        connection = await self._open(primary, source)
        try:
            return await connection.run(make, heavy=heavy)
        finally:
            connection.close("done")

    def _slot(self, pool: _Pool, primary: Primary, source: Address | None) -> _Slot:
        """Return the connection to use: one without work, a new one, or the least busy one."""
        usable, best = 0, None
        for slot in pool.slots:
            if slot.is_usable:
                usable += 1
                if best is None or slot.given < best.given:
                    best = slot
        if best is not None and (best.given == 0 or usable >= MOST):
            return best
        pool.slots = [slot for slot in pool.slots if not slot.is_over]
        slot = _Slot(asyncio.get_running_loop().create_task(self._open(primary, source)))
        slot.opening.add_done_callback(slot.opened)
        pool.slots.append(slot)
        return slot

    async def _open(self, primary: Primary, source: Address | None) -> Connection:
        """Connect; raises ``_NotConnected``."""
        times = self._times
        try:
            async with asyncio.timeout(times.connect * (3 if primary.tls else 1)):
                if primary.tls is not None:
                    return await self._open_secured(primary, primary.tls, source)
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(times.idle, self._clock),
                    primary.address,
                    primary.port,
                    local_addr=source,
                )
        except TimeoutError:
            reason = f"no connection within {times.connect:.0f} seconds"
            raise _NotConnected("timeout", reason) from None
        except OSError as error:
            if is_not_ours(error, source):
                raise _NotConnected(SOURCE, not_ours(source)) from error
            raise _NotConnected("unreachable", f"no connection: {plain(error)}") from error
        return connection

    async def _open_secured(
        self, primary: Primary, tls: PrimaryTls, source: Address | None
    ) -> Connection:
        """Connect and agree on TLS (RFC 9103 7); raises ``OSError`` and ``_NotConnected``."""
        loop = asyncio.get_running_loop()
        try:
            context = self._contexts.of(tls)
        except (UnusableCertificate, OSError, ValueError) as error:
            raise _NotConnected(*reason_of(error, primary)) from error
        family = socket.AF_INET6 if ":" in primary.address else socket.AF_INET
        plain_socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain_socket.setblocking(False)
            if source is not None:
                plain_socket.bind(source)
            async with asyncio.timeout(self._times.connect):
                await loop.sock_connect(plain_socket, (primary.address, primary.port))
        except BaseException:
            plain_socket.close()
            raise
        try:
            transport, connection = await loop.create_connection(
                lambda: Connection(self._times.idle, self._clock),
                sock=plain_socket,
                ssl=context,
                server_hostname=server_name(primary),
                ssl_handshake_timeout=self._times.connect,
            )
        except (OSError, ValueError) as error:
            plain_socket.close()
            raise _NotConnected(*reason_of(error, primary)) from error
        try:
            check_pin(tls, transport.get_extra_info("ssl_object"))
        except PinMismatch as error:
            connection.close("it is not who it should be")
            raise _NotConnected(*reason_of(error, primary)) from error
        return connection
