"""NOTIFY in and out (RFC 1996), fed with messages and the time.

A NOTIFY is a hint that a SOA query is worth while: the SOA record in it is not looked at. Only SOA
is notified about; other types (RFC 1996 3.12) are answered NOTIMP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heappop, heappush
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias

from axfr import message as dns_message
from axfr.message import (
    AA,
    CLASS_IN,
    FORMERR,
    NOERROR,
    NOTAUTH,
    NOTIMP,
    OPCODE_NOTIFY,
    QR,
    RECORD_HEAD,
    REFUSED,
    rcode_text,
)
from axfr.tsig import ResponseVerifier, TsigError, sign_request, verify
from zones.errors import WireError
from zones.name import Name
from zones.rrset import SOA, RRset
from zones.secondary import Primary, TsigKey

OPCODE_BITS: Final = OPCODE_NOTIFY << 11
TRIES: Final = 5  # RFC 1996 3.6
TOLD: Final = {
    NOERROR: "refresh due",
    NOTAUTH: "ignored: not a secondary zone here",
    REFUSED: "refused: not from a primary of the zone",
}
FIRST_WAIT: Final = 2.0  # seconds, doubled at each try: about a minute in all


@dataclass(frozen=True, slots=True)
class Notify:
    """A NOTIFY request: which zone, and what an answer to it repeats."""

    query_id: int
    apex: Name
    question: bytes

    def answer(self, rcode: int) -> bytes:
        """Return the answer; it has no records (RFC 1996 3.11)."""
        flags = QR | OPCODE_BITS | (AA if rcode == NOERROR else 0) | rcode
        return dns_message.build(self.query_id, flags, self.question)


def parse_notify(message: bytes) -> Notify:
    """Read a NOTIFY request; raises ``WireError`` with the rcode to answer."""
    header = dns_message.read_header(message)
    if header.is_response or header.opcode != OPCODE_NOTIFY:
        raise WireError("not a NOTIFY request")
    if header.questions != 1:
        raise WireError(f"a NOTIFY with {header.questions} questions", FORMERR)
    question = dns_message.read_question(message)
    if question.qtype != SOA or question.qclass != CLASS_IN:
        raise WireError("a NOTIFY about something else than a SOA", NOTIMP)
    octets = message[dns_message.HEADER.size : question.end]
    return Notify(header.message_id, question.name, octets)


def decide(
    primaries: tuple[Primary, ...] | None, address: str, key: Name | None
) -> tuple[int, bool]:
    """Return the RCODE to answer with, and whether a refresh is due.

    ``primaries`` are those of the zone, ``None`` where it is not a secondary here; ``key`` is the
    name of the TSIG key that verified. As in BIND, a zone that we do not have is NOTAUTH and a
    stranger REFUSED (RFC 1996 3.10 wants him ignored; an answer saves his retries).
    """
    if primaries is None:
        return NOTAUTH, False
    if key is not None and any(primary.key == key for primary in primaries):
        return NOERROR, True
    if same_address(address, primaries) is not None:
        return NOERROR, True
    return REFUSED, False


@dataclass(frozen=True, slots=True)
class NotifyAnswer:
    """What follows from a NOTIFY: the answer (``None``: silence), a refresh, a line for the log.

    ``apex`` is ``None`` where no zone could be made out; ``key`` is the TSIG key that verified.
    """

    octets: bytes | None
    due: bool = False
    apex: Name | None = None
    key: Name | None = None
    told: str = ""


def answer_notify(
    message: bytes,
    address: str,
    primaries_of: Callable[[Name], tuple[Primary, ...] | None],
    keys: Mapping[Name, TsigKey],
    now: float,
) -> NotifyAnswer:
    """Take a NOTIFY request as it came from ``address``; never raises for what is in it."""
    try:
        verified = verify(message, keys, now)
        request = parse_notify(verified.message if verified else message)
    except WireError as error:
        return NotifyAnswer(_error_answer(message, error.rcode))
    if verified and not verified.ok:
        told = f"refused: its TSIG does not verify ({rcode_text(verified.error)})"
        return NotifyAnswer(verified.error_answer(), apex=request.apex, told=told)
    key = verified.owner if verified else None
    rcode, due = decide(primaries_of(request.apex), address, key)
    octets = request.answer(rcode)
    if verified:
        octets = verified.signer().sign(octets, now)
    return NotifyAnswer(octets, due, request.apex, key, TOLD[rcode])


def _error_answer(message: bytes, rcode: int) -> bytes | None:
    """Return the bare header with an error, ``None`` for what is not a request."""
    if len(message) < dns_message.HEADER.size or message[2] & QR >> 8:
        return None
    query_id = int.from_bytes(message[:2], "big")
    return dns_message.HEADER.pack(query_id, QR | OPCODE_BITS | rcode, 0, 0, 0, 0)


def same_address(address: str, primaries: Iterable[Primary]) -> Primary | None:
    """Return the first primary with this address, in whatever spelling; its port does not count."""
    wanted = _comparable(address)
    for primary in primaries:
        if _comparable(primary.address) == wanted:
            return primary
    return None


@lru_cache(maxsize=4096)
def _comparable(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


@dataclass(frozen=True, slots=True)
class NotifyTarget:
    """Who is told about new versions."""

    address: str
    port: int = 53
    key: TsigKey | None = None

    def __str__(self) -> str:
        return str(Primary(self.address, self.port))


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram to send."""

    address: str
    port: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """How a NOTIFY ended: answered with an RCODE, or given up (``None``) with the reason."""

    apex: Name
    target: NotifyTarget
    rcode: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Pending:
    apex: Name
    soa: RRset | None
    target: NotifyTarget
    due: float
    query_id: int = 0
    tries: int = 0
    verifier: ResponseVerifier | None = None


_Key: TypeAlias = tuple[Name, str, int]


class NotifySender:
    """Tells secondaries about new versions, and again until they answer (RFC 1996 3.6).

    ``new_id`` returns an unpredictable message id. For each zone and target at most one NOTIFY is
    under way: a newer version takes its place.
    """

    def __init__(self, new_id: Callable[[], int]) -> None:
        self._new_id = new_id
        self._pending: dict[_Key, _Pending] = {}
        self._timers: list[tuple[float, _Key]] = []  # a heap; what was replaced is passed over
        self._ended: list[Told] = []

    def notify(
        self, apex: Name, soa: RRset | None, targets: Iterable[NotifyTarget], now: float
    ) -> None:
        """Begin to tell the targets; ``soa`` goes along as the hint of RFC 1996 3.7."""
        for target in targets:
            key = (apex, target.address, target.port)
            self._wait(key, _Pending(apex, soa, target, now))

    def datagrams_to_send(self, now: float) -> list[Datagram]:
        """Return what is due, and count it as sent."""
        datagrams = []
        while (due := self.next_timer()) is not None and due <= now:
            _due, key = heappop(self._timers)
            pending = self._pending.pop(key)
            if pending.tries >= TRIES:
                self._end(pending, None, f"no answer after {TRIES} tries")
                continue
            try:
                datagrams.append(self._send(key, pending, now))
            except TsigError as error:
                self._end(pending, None, str(error))
        return datagrams

    def receive(self, message: bytes, address: str, port: int, now: float) -> None:
        """Take an answer; what answers nothing is dropped."""
        try:
            header = dns_message.read_header(message)
            if not header.is_response or header.opcode != OPCODE_NOTIFY or not header.questions:
                return
            apex = dns_message.read_question(message).name
            key = (apex, address, port)
            pending = self._pending.get(key)
            if pending is None or pending.query_id != header.message_id or not pending.tries:
                return
            if pending.verifier is not None and header.rcode == NOERROR:
                pending.verifier.verify(message, now)
        except WireError:
            return
        del self._pending[key]
        self._end(pending, header.rcode)

    def next_timer(self) -> float | None:
        """Return when ``datagrams_to_send`` has something to do, ``None`` for never."""
        while self._timers:
            due, key = self._timers[0]
            pending = self._pending.get(key)
            if pending is not None and pending.due == due:
                return due
            heappop(self._timers)
        return None

    def ended(self) -> list[Told]:
        """Return and forget what has ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _wait(self, key: _Key, pending: _Pending) -> None:
        self._pending[key] = pending
        heappush(self._timers, (pending.due, key))

    def _send(self, key: _Key, pending: _Pending, now: float) -> Datagram:
        query_id = self._new_id()
        message = _request(query_id, pending.apex, pending.soa)
        verifier = None
        if pending.target.key is not None:
            message, verifier = sign_request(message, pending.target.key, now)
        sent = replace(
            pending,
            due=now + FIRST_WAIT * 2.0**pending.tries,
            query_id=query_id,
            tries=pending.tries + 1,
            verifier=verifier,
        )
        self._wait(key, sent)
        return Datagram(pending.target.address, pending.target.port, message)

    def _end(self, pending: _Pending, rcode: int | None, reason: str = "") -> None:
        self._ended.append(Told(pending.apex, pending.target, rcode, reason))


def _request(query_id: int, apex: Name, soa: RRset | None) -> bytes:
    question = dns_message.question_octets(apex, SOA)
    answers = b""
    if soa is not None:
        rdata = soa.rdatas[0]
        answers = b"\xc0\x0c" + RECORD_HEAD.pack(SOA, CLASS_IN, soa.ttl, len(rdata)) + rdata
    return dns_message.build(query_id, OPCODE_BITS | AA, question, answers, int(soa is not None))
