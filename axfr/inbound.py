"""AXFR from the client's side (RFC 5936 2.2), fed with messages and the time.

The records go to ``zones.packing`` message by message and are never looked at one by one here.
An incremental transfer (RFC 1995) answers in another shape and is read by ``axfr.ixfr``.
"""

from __future__ import annotations

from typing import NoReturn

from axfr.answer_stream import AnswerStream, Limits
from axfr.message import AXFR
from zones.name import Name, display
from zones.packing import Packed, new_packer
from zones.secondary import TsigKey

__all__ = ["InboundTransfer", "Limits"]


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
        with_edns: bool = True,
    ) -> None:
        self.apex = apex
        self.stream = AnswerStream(
            apex,
            AXFR,
            query_id=query_id,
            peer=peer,
            key=key,
            limits=limits,
            with_edns=with_edns,
        )
        self._packer = new_packer(apex)

    @property
    def soa(self) -> bytes:
        """The rdata of the SOA that opened the answer, empty before it came."""
        return self._packer.opening_soa

    @property
    def octets(self) -> int:
        """The octets received."""
        return self.stream.octets

    @property
    def records(self) -> int:
        """The records received, the closing SOA included."""
        return self.stream.records

    @property
    def messages(self) -> int:
        """The messages received."""
        return self.stream.messages

    def request(self, now: float) -> bytes:
        """Return the query to send; the time that the limits allow starts to run."""
        return self.stream.request(now)

    def receive(self, message: bytes, now: float) -> bool:
        """Take one message of the answer; ``True`` means that the zone is complete."""
        with self.stream.told():
            self.stream.accept(message, now, self._packer.size)
            complete = self._packer.add_transfer_message(message)
            if complete:
                self.stream.end()
        return complete

    def finish(self) -> Packed:
        """Return the content; takes a while for a large zone."""
        return self._packer.finish()

    def closed(self) -> NoReturn:
        """Tell that the primary closed the connection before the zone was complete."""
        self.stream.closed()

    @property
    def seconds(self) -> float:
        """How long the whole answer may take."""
        return self.stream.limits.seconds

    def late(self) -> NoReturn:
        """Tell that the answer took longer than it may."""
        self.stream.late()

    def __repr__(self) -> str:
        return f"<InboundTransfer {display(self.apex)} from {self.stream.peer or 'a primary'}>"
