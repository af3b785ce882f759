"""IXFR from the client's side (RFC 1995), fed with messages and the time.

The answer is a stream of records that begins with the primary's SOA. What follows tells its kind::

    (nothing)                  the primary has nothing newer than we
    SOA  base..., ...  SOA     differences: one or several sequences of
                               old SOA, removed records, new SOA, added records
    any other record           the whole zone, as in an AXFR

Differences are applied as they come, to a base that stays as it is: the first sequence must start
at the base, each following one where the last one ended, and the last must end at the SOA that
opened the answer. What does not fit raises ``TransferError`` under the rule ``ixfr-failed``: the
caller then asks for the whole zone.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NoReturn

from axfr.answer_stream import AnswerStream, Limits
from axfr.message import CLASS_IN, IXFR, RECORD_HEAD
from axfr.soa import Soa
from zones.answers import Answer, read_answers
from zones.changes import Changes, Unfitting
from zones.errors import WireError
from zones.name import display
from zones.packing import Packed, Packer, new_packer
from zones.rrset import SOA
from zones.secondary import TsigKey
from zones.serial import is_newer
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from zones._packing import PackerCompiled

RULE: Final = "ixfr-failed"
APEX_POINTER: Final = b"\xc0\x0c"  # to the name in the question
RECORD_COST: Final = 200  # octets that a record takes in memory beside its content, about


class Part(Enum):
    """Where in the answer we are: what the next record is."""

    OPENING = auto()  # the primary's SOA
    KIND = auto()  # the record that tells the kind of answer
    REMOVED = auto()  # a removed record, or the SOA before the added ones
    ADDED = auto()  # an added record, or the SOA before the next sequence, or the closing one
    WHOLE = auto()  # the whole zone comes
    CURRENT = auto()  # complete: nothing newer
    COMPLETE = auto()


class IncrementalTransfer:
    """One IXFR of one zone from one primary, from ``base`` on.

    Used like ``InboundTransfer``. When ``receive`` has returned ``True``: ``is_current`` tells that
    there is nothing newer; else ``finish`` returns the content if the whole zone came, ``None`` if
    the differences are in ``changes``. ``soa`` has the primary's SOA rdata.
    """

    def __init__(
        self,
        base: ZoneVersion,
        *,
        query_id: int,
        peer: str = "",
        key: TsigKey | None = None,
        limits: Limits | None = None,
        with_edns: bool = True,
    ) -> None:
        self.base = base
        self.stream = AnswerStream(
            base.apex,
            IXFR,
            query_id=query_id,
            peer=peer,
            key=key,
            limits=limits,
            with_edns=with_edns,
        )
        self.soa = b""
        self._part = Part.OPENING
        self._serial = base.serial  # up to which the changes go
        self._changes: Changes | None = None
        self._packer: Packer | PackerCompiled | None = None
        self._held: list[bytes] = []  # messages that have not told the kind of answer
        self._size = 0

    def request(self, now: float) -> bytes:
        """Return the query to send, with the SOA of the base (RFC 1995 3)."""
        soa = self.base.soa
        head = RECORD_HEAD.pack(SOA, CLASS_IN, soa.ttl, len(soa.rdatas[0]))
        return self.stream.request(now, APEX_POINTER + head + soa.rdatas[0])

    def receive(self, message: bytes, now: float) -> bool:
        """Take one message of the answer; ``True`` means that it is complete."""
        with self.stream.told():
            held = self._packer.size if self._packer else self._size
            self.stream.accept(message, now, held)
            complete = self._take(message)
            if complete:
                self.stream.end()
        return complete

    @property
    def is_current(self) -> bool:
        """Tell whether the primary has nothing newer than the base."""
        return self._part is Part.CURRENT

    @property
    def is_whole(self) -> bool:
        """Tell whether the whole zone came instead of differences."""
        return self._part is Part.WHOLE

    @property
    def changes(self) -> Changes:
        """Return the differences from the base to the primary's version."""
        assert self._changes is not None
        return self._changes

    def finish(self) -> Packed | None:
        """Return the content where the whole zone came; takes a while for a large one."""
        return self._packer.finish() if self._packer else None

    def closed(self) -> NoReturn:
        """Tell that the primary closed the connection before the answer was complete."""
        self.stream.closed()

    @property
    def seconds(self) -> float:
        """How long the whole answer may take."""
        return self.stream.limits.seconds

    def late(self) -> NoReturn:
        """Tell that the answer took longer than it may."""
        self.stream.late()

    def _take(self, message: bytes) -> bool:
        if self._packer is not None:
            return self._packer.add_transfer_message(message)
        # Two records tell the kind; those of a whole zone are not read here.
        first = read_answers(message, 2) if self._changes is None else []
        self._step_all(first)
        if self._part is Part.WHOLE:
            return self._take_whole(message)
        if self._changes is not None:
            self._step_all(read_answers(message)[len(first) :])
        elif self._part is Part.KIND:
            self._held.append(message)
            if not is_newer(Soa.of(self.soa).serial, self.base.serial):
                self._part = Part.CURRENT
        return self._part in (Part.CURRENT, Part.COMPLETE)

    def _step_all(self, answers: list[Answer]) -> None:
        for answer in answers:
            self._size += len(answer[0]) + len(answer[3]) + RECORD_COST
            self._step(answer)
            if self._part is Part.WHOLE:
                return

    def _take_whole(self, message: bytes) -> bool:
        """Begin to pack a whole zone, with the messages that did not tell yet that it is one."""
        packer = self._packer = new_packer(self.base.apex)
        for held in self._held:
            packer.add_transfer_message(held)
        self._held.clear()
        return packer.add_transfer_message(message)

    def _step(self, answer: Answer) -> None:
        """Take one record."""
        owner, rtype, _ttl, rdata = answer
        is_soa = rtype == SOA and owner == self.base.apex
        match self._part:
            case Part.OPENING:
                if not is_soa:
                    raise WireError("the answer does not start with the SOA of the zone")
                self.soa, self._part = rdata, Part.KIND
            case Part.KIND:
                if is_soa and rdata != self.soa:
                    self._changes = Changes(self.base)
                    self._begin(answer)
                else:
                    self._part = Part.WHOLE
            case Part.REMOVED:
                self._advance(answer) if is_soa else self._change(answer)
            case Part.ADDED:
                if is_soa:
                    self._close_or_begin(answer)
                else:
                    self._change(answer)
            case Part.COMPLETE:
                raise WireError("records follow the closing SOA")
            case Part.WHOLE | Part.CURRENT:
                raise AssertionError(self._part)

    def _begin(self, answer: Answer) -> None:
        """Take the SOA that a sequence starts from: that of the base, or of the sequence before."""
        serial = Soa.of(answer[3]).serial
        if serial != self._serial:
            where = "base serial mismatch" if self._serial == self.base.serial else "a gap"
            self._fail(f"{where} (have {self._serial}, got {serial})")
        self._part = Part.REMOVED
        self._change(answer)

    def _advance(self, answer: Answer) -> None:
        """Take the SOA that a sequence leads to."""
        serial = Soa.of(answer[3]).serial
        if not is_newer(serial, self._serial):
            self._fail(
                f"a sequence leads from serial {self._serial} to {serial}, which is no newer"
            )
        self._serial, self._part = serial, Part.ADDED
        self._change(answer)

    def _close_or_begin(self, answer: Answer) -> None:
        """Take the SOA behind a sequence: the last one closes the answer."""
        if self._serial != Soa.of(self.soa).serial:
            self._begin(answer)
            return
        there = self.changes.rdatas(self.base.apex, SOA)
        if answer[3] != self.soa or there != {self.soa}:
            self._fail(f"the SOA at its end is not the one of serial {self._serial} at its start")
        self._part = Part.COMPLETE

    def _change(self, answer: Answer) -> None:
        try:
            if self._part is Part.REMOVED:
                self.changes.remove(*answer)
            else:
                self.changes.add(*answer)
        except Unfitting as error:
            self._fail(f"{error}")

    def _fail(self, reason: str) -> NoReturn:
        raise self.stream.error(RULE, reason)

    def __repr__(self) -> str:
        peer = self.stream.peer or "a primary"
        return f"<IncrementalTransfer {display(self.base.apex)} from {peer}>"
