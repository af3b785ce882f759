"""AXFR from the client's side (RFC 5936 2.2), fed with messages and the time.

The records go to ``zones.packing`` message by message and are never looked at one by one here.
An incremental transfer (RFC 1995) answers in another shape and is read by a module of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from axfr import message as dns_message
from axfr.errors import TransferError
from axfr.message import AXFR, CLASS_IN, NOERROR, OPCODE_QUERY, TC, Header
from axfr.refusal import rcode_failure
from axfr.tsig import ResponseVerifier, TsigError, sign_request
from zones.errors import WireError
from zones.name import Name, display
from zones.packing import Packed, SOAChanged, new_packer
from zones.secondary import TsigKey


@dataclass(frozen=True, slots=True)
class Limits:
    """What one transfer may take."""

    octets: int = 2 * 1024**3
    records: int = 20_000_000
    messages: int = 20_000_000
    seconds: float = 3600.0


class InboundTransfer:
    """One AXFR of one zone from one primary.

    ``request`` is sent first; ``receive`` takes each message of the answer, without the length in
    front, until it returns ``True``; ``finish`` then returns the content. All of them raise
    ``TransferError``, after which the transfer is over.
    """

    def __init__(
        self,
        apex: Name,
        *,
        query_id: int,
        peer: str = "",
        key: TsigKey | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.apex = apex
        self.octets = self.records = self.messages = 0
        self._query_id = query_id
        self._peer = peer
        self._key = key
        self._limits = limits or Limits()
        self._verifier: ResponseVerifier | None = None
        self._packer = new_packer(apex)
        self._deadline = float("inf")

    def request(self, now: float) -> bytes:
        """Return the query to send; the time that the limits allow starts to run."""
        self._deadline = now + self._limits.seconds
        question = dns_message.question_octets(self.apex, AXFR)
        query = dns_message.build(self._query_id, 0, question)
        if self._key is None:
            return query
        try:
            signed, self._verifier = sign_request(query, self._key, now)
        except TsigError as error:
            raise self._error(error.rule, str(error)) from error
        return signed

    def receive(self, message: bytes, now: float) -> bool:
        """Take one message of the answer; ``True`` means that the zone is complete."""
        try:
            header = dns_message.read_header(message)
            self._check_header(header, message)
            self._count(header, len(message), now)
            if self._verifier is not None:
                self._verifier.verify(message, now)
            complete = self._packer.add_transfer_message(message)
            if complete and self._verifier is not None:
                self._verifier.finish()
        except TsigError as error:
            raise self._error(error.rule, str(error)) from error
        except SOAChanged as error:
            raise self._error("soa-changed-midway", str(error)) from error
        except WireError as error:
            raise self._error("malformed", str(error)) from error
        return complete

    def finish(self) -> Packed:
        """Return the content; takes a while for a large zone."""
        return self._packer.finish()

    def closed(self) -> NoReturn:
        """Tell that the primary closed the connection before the zone was complete."""
        if self.records == 1:
            reason = "it sent only the SOA record and closed the connection"
        elif self.records:
            reason = (
                f"it closed the connection after {self.records} records, before the closing SOA"
            )
        else:
            reason = "it closed the connection without an answer"
        raise self._error("cut-short", reason)

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
            if (question.name, question.qtype, question.qclass) != (self.apex, AXFR, CLASS_IN):
                raise WireError("the question of an answer is not the one that we asked")
        if not header.answers and not self.messages:
            raise self._error("empty-answer", "it answered without a single record")

    def _raise_rcode(self, header: Header, message: bytes) -> NoReturn:
        """Raise for an error answer; a TSIG error in it tells more where there is one."""
        if self._verifier is not None:
            self._verifier.raise_peer_error(message)
        rule, reason = rcode_failure(header.rcode)
        raise self._error(rule, reason)

    def _count(self, header: Header, octets: int, now: float) -> None:
        self.octets += octets
        self.records += header.answers
        self.messages += 1
        limits = self._limits
        if now > self._deadline:
            reason = f"it took longer than the {limits.seconds:.0f} seconds allowed"
            raise self._error("too-slow", reason)
        # What arrives compressed may be many times larger in memory.
        if max(self.octets, self._packer.size) > limits.octets:
            raise self._error("too-large", f"more than {limits.octets} octets")
        if self.records > limits.records:
            raise self._error("too-many-records", f"more than {limits.records} records")
        if self.messages > limits.messages:
            raise self._error("too-large", f"more than {limits.messages} messages")

    def _error(self, rule: str, reason: str) -> TransferError:
        return TransferError(self.apex, self._peer, rule, reason)

    def __repr__(self) -> str:
        return f"<InboundTransfer {display(self.apex)} from {self._peer or 'a primary'}>"
