"""What holds for every message that answers a request for a transfer (RFC 5936 2.2, 1995 4).

The records are for others: ``inbound`` packs whole zones, ``ixfr`` follows differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from axfr import edns
from axfr import message as dns_message
from axfr.errors import TransferError
from axfr.message import CLASS_IN, HEADER, NOERROR, OPCODE_QUERY, QR, TC, Header
from axfr.refusal import rcode_failure
from axfr.tsig import ResponseVerifier, TsigError, sign_request
from zones.errors import WireError
from zones.name import Name
from zones.packing import SOAChanged
from zones.quarantine import ZoneLimits
from zones.secondary import TsigKey

# All but AA, RD, RA, Z, AD and CD: a response to a query, whole, without error, has QR of them.
NOT_USUAL: Final = QR | 0x7800 | TC | 0x000F


@dataclass(frozen=True, slots=True)
class Limits:
    """What one transfer may take, and how many of a zone there may be in a minute."""

    octets: int = 2 * 1024**3
    records: int = 20_000_000
    messages: int = 20_000_000
    seconds: float = 3600.0
    per_minute: int = 600

    def for_zone(self, own: ZoneLimits) -> Limits:
        """Return the limits of a zone that has some of its own."""
        return replace(
            self,
            octets=own.octets or self.octets,
            records=own.records or self.records,
            seconds=own.seconds or self.seconds,
            per_minute=own.per_minute or self.per_minute,
        )


class AnswerStream:
    """The messages that answer one request, their signatures, and how many there may be.

    ``rcode`` is that of the answer, 0 until an error answer came; ``expire`` are the seconds until
    the zone expires at the primary, where it tells (RFC 7314).
    """

    def __init__(
        self,
        apex: Name,
        qtype: int,
        *,
        query_id: int,
        peer: str = "",
        key: TsigKey | None = None,
        limits: Limits | None = None,
        with_edns: bool = True,
    ) -> None:
        self.expire: int | None = None
        self._edns = with_edns
        self.apex = apex
        self.peer = peer
        self.limits = limits or Limits()
        self.octets = self.records = self.messages = self.rcode = 0
        self._qtype = qtype
        self._question = dns_message.question_octets(apex, qtype)
        self._query_id = query_id
        self._key = key
        self._verifier: ResponseVerifier | None = None
        self._deadline = float("inf")

    def request(self, now: float, authority: bytes = b"") -> bytes:
        """Return the query, with one ready record in its authority section if given.

        The time that the limits allow starts to run.
        """
        self._deadline = now + self.limits.seconds
        counts = (1, 0, int(bool(authority)), 0)
        query = HEADER.pack(self._query_id, 0, *counts) + self._question + authority
        if self._edns:
            query = edns.asking(query)
        if self._key is None:
            return query
        with self.told():
            query, self._verifier = sign_request(query, self._key, now)
        return query

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what goes wrong with a message into ``TransferError``."""
        try:
            yield
        except TsigError as error:
            raise self.error(error.rule, str(error)) from error
        except SOAChanged as error:
            raise self.error("soa-changed-midway", str(error)) from error
        except WireError as error:
            raise self.error("malformed", str(error)) from error

    def accept(self, message: bytes, now: float, held: int) -> None:
        """Check the next message but for its records; within ``told``.

        ``held`` is what has come of the messages before in memory, in octets: what arrives
        compressed may be many times larger.
        """
        if len(message) < HEADER.size:
            raise WireError(f"a message of {len(message)} octets has no header")
        query_id, flags, questions, answers, *_ = HEADER.unpack_from(message)
        usual = questions == 1 and answers and message.startswith(self._question, HEADER.size)
        if query_id != self._query_id or flags & NOT_USUAL != QR or not usual:
            self._check_header(dns_message.read_header(message), message)
        self.octets += len(message)
        self.records += answers
        self.messages += 1
        self._check_limits(now, held)
        if self._verifier is not None:
            self._verifier.verify(message, now)
        if self.messages == 1:
            self.expire = edns.expire_of(message)

    def end(self) -> None:
        """Check that the stream may end here; within ``told``."""
        if self._verifier is not None:
            self._verifier.finish()

    def closed(self) -> NoReturn:
        """Tell that the primary closed the connection before the answer was complete."""
        if self.records == 1:
            reason = "it sent only the SOA record and closed the connection"
        elif self.records:
            reason = (
                f"it closed the connection after {self.records} records, before the closing SOA"
            )
        else:
            reason = "it closed the connection without an answer"
        raise self.error("cut-short", reason)

    def late(self) -> NoReturn:
        """Tell that the answer took longer than it may."""
        reason = f"it took longer than the {self.limits.seconds:.0f} seconds allowed"
        raise self.error("too-slow", reason)

    def error(self, rule: str, reason: str) -> TransferError:
        """Return the error to raise."""
        return TransferError(self.apex, self.peer, rule, reason)

    def _check_header(self, header: Header, message: bytes) -> None:
        """Check what RFC 5936 2.2.1 and 2.2.2 say of each message.

        AA is not asked for: primaries that leave it out do not answer less (BIND and Knot agree).
        """
        if header.message_id != self._query_id or not header.is_response:
            raise WireError("a message that does not answer our query")
        if header.opcode != OPCODE_QUERY:
            raise WireError(f"an answer with opcode {header.opcode}")
        if header.rcode != NOERROR:
            self._raise_rcode(header, message)
        if header.flags & TC:
            raise WireError("a truncated message over TCP")
        # RFC 5936 2.2.2 wants the question in the first message; where it is left out, BIND and
        # we go on.
        if header.questions > 1:
            raise WireError(f"an answer with {header.questions} questions")
        if header.questions:
            question = dns_message.read_question(message)
            wanted = (self.apex, self._qtype, CLASS_IN)
            if (question.name, question.qtype, question.qclass) != wanted:
                raise WireError("the question of an answer is not the one that we asked")
        if not header.answers and not self.messages:
            raise self.error("empty-answer", "it answered without a single record")

    def _raise_rcode(self, header: Header, message: bytes) -> NoReturn:
        """Raise for an error answer; a TSIG error in it tells more where there is one."""
        self.rcode = header.rcode
        if self._verifier is not None:
            self._verifier.raise_peer_error(message)
        error = self.error(*rcode_failure(header.rcode))
        error.rcode = header.rcode
        raise error

    def _check_limits(self, now: float, held: int) -> None:
        limits = self.limits
        if now > self._deadline:
            self.late()
        if max(self.octets, held) > limits.octets:
            raise self.error("too-large", f"more than {limits.octets} octets")
        if self.records > limits.records:
            raise self.error("too-many-records", f"more than {limits.records} records")
        if self.messages > limits.messages:
            raise self.error("too-large", f"more than {limits.messages} messages")
