"""Asking a server until it answers as expected, quickly and without troubling it."""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Self

import dns.message
import dns.name
import dns.rdatatype

HEADER: Final = struct.Struct("!HHHHHH")
AA_AND_RCODE: Final = 0x040F
AUTHORITATIVE: Final = 0x0400
A: Final = 1
SOA: Final = 6
# Questions asked before their answers are awaited: no more than a receive buffer holds.
SMALLEST_WINDOW, LARGEST_WINDOW = 16, 150
LARGEST: Final = 65_535


class Late(RuntimeError):
    """A server did not do in time what was waited for."""


def question(name: str, rtype: int = SOA, query_id: int = 0) -> bytes:
    """Return a query without EDNS."""
    wire = dns.name.from_text(name).to_digestable()
    return HEADER.pack(query_id, 0, 1, 0, 0, 0) + wire + struct.pack("!HH", rtype, 1)


def is_answer(message: bytes) -> bool:
    """Tell whether this is an authoritative NOERROR with at least one answer."""
    _id, flags, _qd, answers, _ns, _ar = HEADER.unpack_from(message)
    return flags & AA_AND_RCODE == AUTHORITATIVE and bool(answers)


def soa_serial(message: bytes, question_length: int) -> int | None:
    """Return the serial of a SOA answer; ``question_length`` is that of the whole query."""
    if not is_answer(message):
        return None
    with suppress(IndexError, struct.error):
        # The answer's owner is nearly always a pointer; then type, class, TTL and rdlength.
        if message[question_length] & 0xC0 == 0xC0:
            start = question_length + 12
            (length,) = struct.unpack_from("!H", message, start - 2)
            return int(struct.unpack_from("!I", message, start + length - 20)[0])
    found = dns.message.from_wire(message).answer
    return next((rrset[0].serial for rrset in found if rrset.rdtype == dns.rdatatype.SOA), None)


class Client:
    """One UDP socket towards one server; ``assert_running`` raises where that has ended."""

    def __init__(self, port: int, assert_running: Callable[[], None]) -> None:
        self._assert_running = assert_running
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, query: bytes, timeout: float) -> bytes | None:
        """Return the answer to a query, ``None`` where none came in time."""
        deadline = time.monotonic() + timeout
        with suppress(OSError):  # nobody listens yet
            self._socket.send(query)
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                message = self._socket.recv(LARGEST)
                if message[:2] == query[:2] and len(message) >= HEADER.size:
                    return message
        return None

    def wait(
        self, query: bytes, accepted: Callable[[bytes], bool], seconds: float, interval: float
    ) -> float:
        """Ask until the answer is accepted and return the time of that; raises ``Late``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = self.ask(query, max(interval, 0.05))
            now = time.monotonic()
            if message is not None and accepted(message):
                return now
            self._assert_running()
            time.sleep(interval)
        raise Late(f"nothing acceptable within {seconds:g} s")

    def wait_all(self, names: Sequence[str], seconds: float) -> float:
        """Wait for an answer with each of these SOAs; return the time of the last."""
        now = time.monotonic()
        deadline = now + seconds
        for name in names:
            now = self.wait(question(name), is_answer, max(deadline - now, 0.0), 0.001)
        return now

    def wait_serials(
        self, names: Iterable[str], serial: int, seconds: float, interval: float = 0.02
    ) -> tuple[float, int]:
        """Wait until all zones have this serial; return the time of the last, and how many miss.

        The first of those that are behind are asked again every ``interval``, few enough not to
        be a load; where none of them is behind, more and more of the next.
        """
        pending = deque(question(name, SOA, number % 65_536) for number, name in enumerate(names))
        last = time.monotonic()
        deadline = last + seconds
        size = SMALLEST_WINDOW
        while pending and time.monotonic() < deadline:
            asked = [pending.popleft() for _ in range(min(size, len(pending)))]
            window = {query[:2]: query for query in asked}
            if self._take_current(window, serial):
                last = time.monotonic()
            pending.extendleft(window.values())
            if window:
                size = SMALLEST_WINDOW
                self._assert_running()
                time.sleep(interval)
            else:
                size = min(2 * size, LARGEST_WINDOW)
        return last, len(pending)

    def _take_current(self, window: dict[bytes, bytes], serial: int) -> int:
        """Ask a window of questions; remove those answered with the serial, and count them."""
        there = len(window)
        with suppress(OSError):
            for query in window.values():
                self._socket.send(query)
        unanswered = set(window)
        self._socket.settimeout(0.1)
        with suppress(OSError):
            while unanswered:
                message = self._socket.recv(LARGEST)
                if message[:2] not in unanswered:
                    continue
                unanswered.discard(message[:2])
                if soa_serial(message, len(window[message[:2]])) == serial:
                    del window[message[:2]]
        return there - len(window)
