"""The SOA query that precedes a transfer (RFC 1034 4.3.5), built and read."""

from __future__ import annotations

from dataclasses import dataclass

from axfr import edns
from axfr import message as dns_message
from axfr.errors import TransferError
from axfr.message import (
    AA,
    CLASS_IN,
    NOERROR,
    OPCODE_QUERY,
    TC,
    Header,
    iter_records,
    read_header,
    read_question,
    read_soa,
)
from axfr.refusal import rcode_failure
from axfr.soa import Soa
from axfr.tsig import ResponseVerifier, TsigError, sign_request
from zones.errors import WireError
from zones.name import Name
from zones.rrset import SOA
from zones.secondary import TsigKey


class Unrelated(WireError):
    """A datagram that does not answer our query: to be dropped, and the wait to go on."""


class Truncated(WireError):
    """The answer did not fit (TC): to be asked for again over TCP."""


@dataclass(frozen=True, slots=True)
class SoaAnswer:
    """What a primary says of its version of the zone; ``rdata`` is uncompressed and folded.

    ``expire`` are the seconds until the zone expires there, where it tells (RFC 7314).
    """

    rdata: bytes
    expire: int | None = None

    @property
    def soa(self) -> Soa:
        """Return serial and timers."""
        return Soa.of(self.rdata)

    @property
    def serial(self) -> int:
        """Return the serial."""
        return self.soa.serial


class SoaQuery:
    """One SOA query to one primary, over UDP or TCP.

    ``request`` is sent; ``receive`` takes one message.
    """

    def __init__(
        self,
        apex: Name,
        *,
        query_id: int,
        peer: str = "",
        key: TsigKey | None = None,
        with_edns: bool = True,
    ) -> None:
        self.apex = apex
        self._query_id = query_id
        self._peer = peer
        self._key = key
        self._verifier: ResponseVerifier | None = None
        self._edns = with_edns

    def request(self, now: float) -> bytes:
        """Return the query to send; raises ``TransferError`` where it cannot be signed."""
        question = dns_message.question_octets(self.apex, SOA)
        query = dns_message.build(self._query_id, 0, question)
        if self._edns:
            query = edns.asking(query)
        if self._key is None:
            return query
        try:
            signed, self._verifier = sign_request(query, self._key, now)
        except TsigError as error:
            raise self.error(error.rule, str(error)) from error
        return signed

    def receive(self, message: bytes, now: float) -> SoaAnswer:
        """Return what the answer says.

        Raises ``Unrelated`` for what anybody could have sent, ``Truncated`` for an answer to be
        fetched over TCP, ``TransferError`` for one that tells of a failure.
        """
        header = self._related(message)
        try:
            return self._read(header, message, now)
        except Truncated:
            raise
        except TsigError as error:
            raise self.error(error.rule, str(error)) from error
        except WireError as error:
            raise self.error("malformed", str(error)) from error

    def _related(self, message: bytes) -> Header:
        """Check what tells an answer to our query from other datagrams (RFC 5452 9.1)."""
        try:
            header = read_header(message)
            if header.message_id != self._query_id or not header.is_response:
                raise Unrelated("not an answer to our query")
            if header.opcode != OPCODE_QUERY or header.questions > 1:
                raise Unrelated("not an answer to a query")
            if header.questions:
                question = read_question(message)
                if (question.name, question.qtype, question.qclass) != (self.apex, SOA, CLASS_IN):
                    raise Unrelated("not an answer to our question")
            elif header.rcode == NOERROR:
                raise Unrelated("an answer without the question")
        except Unrelated:
            raise
        except WireError as error:
            raise Unrelated(str(error)) from error
        return header

    def _read(self, header: Header, message: bytes, now: float) -> SoaAnswer:
        if header.rcode != NOERROR:
            if self._verifier is not None:
                self._verifier.raise_peer_error(message)
            error = self.error(*rcode_failure(header.rcode))
            error.rcode = header.rcode
            raise error
        if header.flags & TC:
            raise Truncated("the answer is truncated")
        if self._verifier is not None:
            self._verifier.verify(message, now)
        if not header.flags & AA:
            # A lame primary, or a resolver at its address: its serial means nothing.
            raise self.error(
                "primary-not-authoritative",
                "the primary answered without authority for the zone (no AA)",
            )
        for number, record in enumerate(iter_records(message)):
            if number >= header.answers:
                break
            if (record.owner, record.rtype, record.rclass) == (self.apex, SOA, CLASS_IN):
                answer = SoaAnswer(read_soa(message, record), edns.expire_of(message))
                _ = answer.soa  # its numbers are all there
                return answer
        raise self.error("empty-answer", "the primary answered without a SOA record")

    def error(self, rule: str, reason: str) -> TransferError:
        """Return the error to raise."""
        return TransferError(self.apex, self._peer, rule, reason)
