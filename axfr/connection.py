"""One TCP connection to a primary, with several exchanges under way on it (RFC 7766 6.2.1.1).

Answers find their exchange by their message id, in whatever order they come. Once something went
wrong on it a connection is closed; exchanges that had no fault in it are told so by ``Lost``, and
may begin anew on another one.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, TypeVar, cast

from axfr import own_certificate
from axfr.errors import TransferError
from axfr.framing import Frames, frame
from axfr.ids import new_id

# Work on more than this leaves the event loop's thread, so that others are not kept waiting.
INLINE_OCTETS: Final = 1 << 16
BULK_OCTETS: Final = 1 << 18  # an answer of more than this keeps a connection to itself
KEEP_SECONDS: Final = 5.0  # that a connection is kept with nothing to do (RFC 7766 6.2.3)

# Errors after which the connection may be used on: the answer was complete.
WHOLE_ANSWERS: Final = frozenset({"refused-by-primary", "primary-not-authoritative"})


class Exchange(Protocol):
    """A request and the messages that answer it, without I/O; raises ``TransferError``."""

    def request(self, now: float) -> bytes: ...  # noqa: D102
    def receive(self, message: bytes, now: float) -> bool: ...  # noqa: D102
    def closed(self) -> None: ...  # noqa: D102
    def late(self) -> None: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102 (that the whole of it may take)


E = TypeVar("E", bound=Exchange)
Make: TypeAlias = Callable[[int], E]  # makes an exchange for a message id
_Outcome: TypeAlias = bool | Exception  # whether an exchange is complete, or what it raised


class Lost(Exception):
    """The connection ended, or was too busy, without fault of this exchange.

    ``rule`` and ``reason`` are what to tell where it is not tried again.
    """

    def __init__(self, reason: str, rule: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule


@dataclass(slots=True)
class _Pending:
    query_id: int
    exchange: Exchange
    done: asyncio.Future[None]
    heard: float  # when something last came for it
    until: float  # when it has to be complete
    heavy: bool  # each message is worth a thread
    octets: int = 0


@dataclass(slots=True)
class _Batch:
    """Messages for one exchange that arrived together."""

    pending: _Pending
    messages: list[bytes] = field(default_factory=list)
    octets: int = 0


class Connection(asyncio.Protocol):
    """One connection to one primary, with the exchanges under way on it."""

    def __init__(self, idle: float, clock: Callable[[], float]) -> None:
        self._idle = idle
        self._step = min(idle, KEEP_SECONDS) / 4  # between two looks at what is late
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._pending: dict[int, _Pending] = {}
        self._outbox: list[bytes] = []
        self._given_up: set[int] = set()  # ids of requests whose answer nobody waits for
        self._transport: asyncio.Transport | None = None
        self._work: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._since = 0.0  # when the last exchange ended
        self._heard = False  # whether anything came at all
        self.usable = True
        self.closed_by_peer = False
        self.bulk = False

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_closed(self) -> bool:
        """Tell whether it is given back."""
        return self._transport is not None and self._transport.is_closing()

    @property
    def certificate(self) -> bytes:
        """Return the certificate of the other end, in DER form; empty without TLS."""
        secured = self._secured
        return (secured.getpeercert(binary_form=True) or b"") if secured else b""

    @property
    def _was_shut_at_once(self) -> bool:
        return self._secured is not None and not self._heard and bool(self._pending)

    @property
    def _secured(self) -> ssl.SSLObject | None:
        return self._transport.get_extra_info("ssl_object") if self._transport else None

    @property
    def is_open(self) -> bool:
        """Tell whether requests can be sent at once."""
        return self._transport is not None and self.usable

    async def run(self, make: Make[E], *, heavy: bool) -> E:
        """Send a request and return when it is answered.

        Raises ``TransferError``, or ``Lost`` where the exchange is not to blame.
        """
        query_id = self._new_id()
        exchange = make(query_id)
        request = exchange.request(self._clock())
        begun = self._loop.time()
        until = begun + exchange.seconds
        pending = _Pending(query_id, exchange, self._loop.create_future(), begun, until, heavy)
        self._pending[query_id] = pending
        self._send(frame(request))
        if self._watch is None or begun + self._step > pending.until:
            self._look_later(exchange.seconds / 4)
        try:
            await pending.done
        finally:
            if query_id in self._pending:
                self._give_up(query_id)
            self._since = self._loop.time()
            if not self.usable and not self._pending:
                self.close("nothing to do")
        return exchange

    def _send(self, octets: bytes) -> None:
        """Send, in one go with what else is to be sent in this round of the loop."""
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append(octets)

    def _flush(self) -> None:
        octets, self._outbox = b"".join(self._outbox), []
        if self._transport is not None:
            self._transport.write(octets)

    def _give_up(self, query_id: int) -> None:
        """Wait no longer for an answer; what comes for it must not meet another exchange."""
        pending = self._pending.pop(query_id)
        self.usable = False
        self._given_up.add(query_id)
        if pending.octets or not self._pending:
            self.close("given up")

    def close(self, reason: str, rule: str = "unreachable") -> None:
        """Close; exchanges under way are lost."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()
        for pending in self._pending.values():
            if not pending.done.done():
                pending.done.set_exception(Lost(reason, rule))
        self._pending.clear()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._since = self._loop.time()

    def data_received(self, data: bytes) -> None:
        """Hand messages to their exchanges: at once, or in a thread where that takes a while."""
        self._heard = True
        batches: list[_Batch] = []
        for message in self._frames.feed(data):
            query_id = int.from_bytes(message[:2], "big")
            if query_id in self._given_up:
                continue
            # What is nobody's goes to who has waited longest, and fails there.
            pending = self._pending.get(query_id) or next(iter(self._pending.values()), None)
            if pending is None:
                self.close("the primary sent what nobody asked for")
                return
            if not batches or batches[-1].pending is not pending:
                batches.append(_Batch(pending))
            batches[-1].messages.append(message)
            batches[-1].octets += len(message)
        if len(data) > INLINE_OCTETS or any(batch.pending.heavy for batch in batches):
            assert self._transport is not None
            self._transport.pause_reading()
            self._work = self._loop.create_task(self._feed_in_thread(batches))
            return
        for batch in batches:
            self._feed(batch)

    def eof_received(self) -> None:
        """Let asyncio close: an answer that is not complete will not be."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchanges under way."""
        self.usable = False
        if self._work is not None and not self._work.done():
            self._work.add_done_callback(lambda _: self._lost(exc))
        else:
            self._lost(exc)

    def _lost(self, exc: Exception | None) -> None:
        # What a primary says of our certificate comes after the handshake (RFC 8446 4.4.2.4).
        if told := own_certificate.said_by_closing(exc, at_once=self._was_shut_at_once):
            self.close(told, own_certificate.RULE)
            return
        if isinstance(exc, OSError):
            self.close(f"the connection broke: {plain(exc)}")
            return
        for pending in self._pending.values():
            if pending.octets and not pending.done.done():
                try:
                    pending.exchange.closed()
                except TransferError as error:
                    pending.done.set_exception(error)
        self.closed_by_peer = True
        self.close("it closed the connection without an answer", "cut-short")

    # -- messages

    async def _feed_in_thread(self, batches: list[_Batch]) -> None:
        for batch in batches:
            if batch.pending.done.done():
                continue
            if batch.octets > INLINE_OCTETS or batch.pending.heavy:
                self._settle(batch, await asyncio.to_thread(_receive, batch, self._clock()))
            else:
                self._feed(batch)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _feed(self, batch: _Batch) -> None:
        if not batch.pending.done.done():
            self._settle(batch, _receive(batch, self._clock()))

    def _settle(self, batch: _Batch, outcome: _Outcome) -> None:
        pending = batch.pending
        pending.heard = self._loop.time()
        pending.octets += batch.octets
        self.bulk = self.bulk or pending.octets > BULK_OCTETS
        if outcome is False or pending.done.done():
            return
        del self._pending[pending.query_id]
        if outcome is True:
            pending.done.set_result(None)
            return
        assert isinstance(outcome, Exception)
        pending.done.set_exception(outcome)
        if not isinstance(outcome, TransferError) or outcome.rule not in WHOLE_ANSWERS:
            self.close("an answer to another request on the connection broke the protocol")

    def _new_id(self) -> int:
        while (query_id := new_id()) in self._pending:
            continue
        return query_id

    # -- time

    def _look_later(self, seconds: float = KEEP_SECONDS) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._loop.call_later(min(self._step, seconds), self._look)

    def _look(self) -> None:
        """Close what is silent for too long, or has had nothing to do."""
        self._watch = None
        now = self._loop.time()
        if self._work is not None and not self._work.done():
            self._look_later()
            return
        self._end_late(now)
        silent = [key for key, one in self._pending.items() if now - one.heard > self._idle]
        reason = f"no complete answer came within {self._idle:.0f} second{'s' * (self._idle != 1)}"
        if silent and len(silent) == len(self._pending):
            self.close(reason, "timeout")
        for query_id in silent:  # while others on the connection are answered
            if (pending := self._pending.get(query_id)) is not None:
                pending.done.set_exception(Lost(reason, "timeout"))
                self._give_up(query_id)
        idle = not self._pending and (self.bulk or now - self._since > KEEP_SECONDS)
        if idle or (not self.usable and not self._pending):
            self.close("nothing to do")
        else:
            self._look_later()

    def _end_late(self, now: float) -> None:
        """Give up what takes longer than it may as a whole."""
        for query_id in [key for key, one in self._pending.items() if now > one.until]:
            if (pending := self._pending.get(query_id)) is None or pending.done.done():
                continue
            try:
                pending.exchange.late()
            except TransferError as error:
                pending.done.set_exception(error)
            self._give_up(query_id)


def _receive(batch: _Batch, now: float) -> _Outcome:
    """Feed an exchange; return whether it is complete, or what it raised."""
    try:
        return any(batch.pending.exchange.receive(message, now) for message in batch.messages)
    except Exception as error:  # noqa: BLE001 (raised where the exchange is waited for)
        return error


def plain(error: OSError) -> str:
    """Return the system's words for the error, without Python's."""
    if isinstance(error, ssl.SSLError):  # its number is not the system's
        return (error.reason or str(error)).replace("_", " ").lower()
    if error.errno:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
