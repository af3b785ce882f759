"""Packing: records in any order, one by one or as AXFR messages, become the packed form.

``Packer`` is the whole contract in plain Python, to be read beside RFC 5936 and RFC 1035 4.1.
``zones/_packing.pyx`` has the same contract compiled, for zones of a million records; the tests
hold the two together octet by octet. ``new_packer`` chooses.
"""

from __future__ import annotations

import functools
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from zones import packed
from zones.errors import WireError
from zones.name import MAX_LABEL, MAX_LENGTH, Name, display, fold, is_subdomain
from zones.rdata import FOLDED, LAYOUT, NAME, STRING, TAIL, type_text
from zones.rrset import RRSIG, SOA, RRset

if TYPE_CHECKING:
    from zones._packing import PackerCompiled

try:
    from zones import _packing
except ImportError:  # no compiler where this was installed
    compiled_available = False
else:
    compiled_available = True

KEPT: Final = 20  # so many examples of each oddity are kept for the report
IN: Final = 1
POINTER: Final = 0xC0
MAX_RDATA: Final = 0xFFFF
MESSAGE_HEADER: Final = 12
MAX_POINTERS: Final = 127  # in one name: as many as a name can have labels
COUNTS: Final = struct.Struct("!HH")
RECORD_HEAD: Final = struct.Struct("!HHIH")  # type, class, TTL, rdlength


class SOAChanged(WireError):
    """The SOA that closes a transfer is not the one that opened it."""


Example: TypeAlias = tuple[Name, int]  # owner and type


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed zone and what was set right on the way to it.

    ``records`` are those in ``blob``. ``out_of_zone`` are the first records that were dropped, in
    order of arrival; ``ttl_mismatches`` the first RRsets, in canonical order, whose records came
    with different TTLs (RFC 2181 5.2): the smallest is the RRset's now.
    """

    blob: bytes
    records: int
    duplicates: int = 0
    out_of_zone: tuple[Example, ...] = ()
    out_of_zone_count: int = 0
    ttl_mismatches: tuple[Example, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Tell whether nothing had to be set right."""
        return not (self.duplicates or self.out_of_zone_count or self.ttl_mismatches)


@dataclass(slots=True)
class Gathered:
    """An RRset while its records arrive."""

    ttl: int
    rdatas: set[bytes] = field(default_factory=set)
    mixed_ttl: bool = False


class Packer:
    """Gathers the records of one zone, and packs them.

    A packer that has raised ``WireError`` is of no further use. It is not for several threads.
    """

    def __init__(self, apex: Name) -> None:
        self.apex = fold(_whole_name(apex))
        self._rrsets: dict[tuple[Name, int, int], Gathered] = {}
        self._duplicates = 0
        self._out_of_zone: list[Example] = []
        self._out_of_zone_count = 0
        self._opening: bytes | None = None  # rdata of the SOA that starts a transfer
        self._closed = False
        self._size = packed.HEADER.size + len(self.apex)

    @property
    def opening_soa(self) -> bytes:
        """The rdata of the SOA that opened a transfer, empty before it came."""
        return self._opening or b""

    @property
    def size(self) -> int:
        """The octets that the packed zone will have at most: for limits on what peers send."""
        return self._size

    def add(self, owner: bytes, rtype: int, ttl: int, rdata: bytes) -> None:
        """Take a record with uncompressed names in any case; raises ``WireError``.

        Owners outside of the zone are counted and dropped.
        """
        if not 0 <= rtype <= 0xFFFF or not 0 <= ttl <= 0xFFFFFFFF:
            raise WireError(f"type {rtype} or TTL {ttl} is out of range")
        owner = fold(_whole_name(owner))
        self._gather(owner, rtype, ttl, read_rdata(rdata, rtype, 0, len(rdata), pointers=False))

    def add_transfer_message(self, message: bytes) -> bool:
        """Take the answer section of one message of an AXFR response (RFC 5936 2.2).

        The caller has looked at id, flags, rcode and question. Returns whether the closing SOA was
        seen. Raises ``WireError`` for what is malformed, of another class than IN, or out of order:
        the apex SOA opens the stream, and the same SOA closes it.
        """
        if self._closed:
            raise WireError("a message follows the closing SOA")
        if len(message) < MESSAGE_HEADER:
            raise WireError(f"a message of {len(message)} octets has no header")
        questions, answers = COUNTS.unpack_from(message, 4)
        position = MESSAGE_HEADER
        for _ in range(questions):
            _name, position = read_name(message, position, len(message))
            position = _bounded(position + 4, len(message), "the question")
        for _ in range(answers):
            position = self._read_record(message, position)
        return self._closed

    def finish(self) -> Packed:
        """Return the packed zone; what is wrong with its content is for the zone checks to say."""
        rrsets = sorted(
            (
                (RRset(owner, rtype, gathered.ttl, tuple(sorted(gathered.rdatas))), gathered)
                for (owner, rtype, _covers), gathered in self._rrsets.items()
            ),
            key=lambda pair: pair[0].sort_key,
        )
        mixed = [(rrset.owner, rrset.rtype) for rrset, gathered in rrsets if gathered.mixed_ttl]
        return Packed(
            blob=packed.pack(self.apex, (rrset for rrset, _gathered in rrsets)),
            records=sum(len(rrset.rdatas) for rrset, _gathered in rrsets),
            duplicates=self._duplicates,
            out_of_zone=tuple(self._out_of_zone),
            out_of_zone_count=self._out_of_zone_count,
            ttl_mismatches=tuple(mixed[:KEPT]),
        )

    def why_refused(self, message: bytes, *, opening: bytes | None, closed: bool) -> WireError:
        """Return what is wrong with a message that the compiled packer refused.

        ``opening``, the rdata of the first SOA, and ``closed`` say where in the stream it came.
        """
        self._opening, self._closed = opening, closed
        try:
            self.add_transfer_message(message)
        except WireError as error:
            return error
        raise AssertionError(f"only the compiled packer refuses {message.hex()}")

    def _read_record(self, message: bytes, position: int) -> int:
        """Take the record at ``position`` and return the offset behind it."""
        if self._closed:
            raise WireError("records follow the closing SOA")
        owner, position = read_name(message, position, len(message))
        rdata_start = _bounded(position + RECORD_HEAD.size, len(message), "a record")
        rtype, rclass, ttl, length = RECORD_HEAD.unpack_from(message, position)
        end = _bounded(rdata_start + length, len(message), "a record")
        if rclass != IN:
            raise WireError(f"a record of {display(owner)} has class {rclass} instead of IN")
        rdata = read_rdata(message, rtype, rdata_start, end)
        owner = fold(owner)
        if rtype == SOA and owner == self.apex and self._opening is not None:
            self._close(self._opening, rdata)
            return end
        if self._opening is None:
            self._open(owner, rtype, rdata)
        self._gather(owner, rtype, ttl, rdata)
        return end

    def _open(self, owner: Name, rtype: int, rdata: bytes) -> None:
        if rtype != SOA or owner != self.apex:
            raise WireError(
                f"the transfer of {display(self.apex)} starts with {display(owner)} "
                f"{type_text(rtype)} instead of its SOA"
            )
        self._opening = rdata

    def _close(self, opening: bytes, closing: bytes) -> None:
        if closing != opening:
            first, second = (int.from_bytes(rdata[-20:-16], "big") for rdata in (opening, closing))
            raise SOAChanged(
                f"the SOA changed in the middle of the transfer: serial {first}, then {second}"
                + (" with other content" if first == second else "")
            )
        self._closed = True

    def _gather(self, owner: Name, rtype: int, ttl: int, rdata: bytes) -> None:
        """Put a record, checked and canonical, where it belongs."""
        if not is_subdomain(owner, self.apex):
            self._out_of_zone_count += 1
            if len(self._out_of_zone) < KEPT:
                self._out_of_zone.append((owner, rtype))
            return
        covers = int.from_bytes(rdata[:2], "big") if rtype == RRSIG else 0
        key = owner, rtype, covers
        gathered = self._rrsets.get(key)
        if gathered is None:
            gathered = self._rrsets[key] = Gathered(ttl)
            self._size += 1 + len(owner) + packed.RRSET_HEAD.size
        if rdata in gathered.rdatas:
            self._duplicates += 1
        else:
            gathered.rdatas.add(rdata)
            self._size += packed.RDATA_LENGTH.size + len(rdata)
        gathered.mixed_ttl |= ttl != gathered.ttl
        gathered.ttl = min(ttl, gathered.ttl)


def use_compiled() -> bool:
    """Tell whether compiled modules are there and ``NSCTL_ENGINE`` does not ask for Python."""
    return compiled_available and os.environ.get("NSCTL_ENGINE") != "python"


def new_packer(apex: Name) -> Packer | PackerCompiled:
    """Return a packer, the compiled one where that is to be used."""
    if use_compiled():
        return _packing.PackerCompiled(apex)
    return Packer(apex)


def read_name(
    octets: bytes, position: int, end: int, *, pointers: bool = True
) -> tuple[bytes, int]:
    """Return the name at ``position``, uncompressed and in its own case, and the offset behind it.

    What stands at ``position`` must lie before ``end``. Every compression pointer (RFC 1035 4.1.4)
    must lead further back than all that was read before it, so that names end; ``pointers`` tells
    whether there may be any. Raises ``WireError``.
    """
    name = bytearray()
    behind = None  # where reading goes on, known at the first pointer
    lowest = position
    pointers_left = MAX_POINTERS if pointers else 0
    while True:
        label_start = _bounded(position + 1, end, "a name")
        length = octets[position]
        if length >= POINTER:
            behind = _bounded(label_start + 1, end, "a name") if behind is None else behind
            if not pointers_left:
                raise WireError("a name has a compression pointer too many")
            pointers_left -= 1
            position = _pointer_target(octets, position, lowest)
            lowest, end = position, len(octets)
            continue
        if length > MAX_LABEL:
            raise WireError(f"a label of type {length >> 6:02b} (RFC 6891 5)")
        end_of_label = _bounded(label_start + length, end, "a name")
        name += octets[position:end_of_label]
        position = end_of_label
        if len(name) > MAX_LENGTH:
            raise WireError(f"a name is longer than {MAX_LENGTH} octets")
        if not length:
            return bytes(name), position if behind is None else behind


def _pointer_target(octets: bytes, position: int, lowest: int) -> int:
    _bounded(position + 2, len(octets), "a name")
    target = (octets[position] << 8 | octets[position + 1]) & 0x3FFF
    if not MESSAGE_HEADER <= target < lowest:
        raise WireError(f"a compression pointer at {position} leads to {target}: not backwards")
    return target


def _whole_name(octets: bytes) -> bytes:
    """Return ``octets`` when they are one uncompressed name; raises ``WireError``."""
    name, end = read_name(octets, 0, len(octets), pointers=False)
    if end != len(octets):
        raise WireError(f"{len(octets) - end} octets follow the name {display(name)}")
    return name


def read_rdata(
    octets: bytes, rtype: int, position: int, end: int, *, pointers: bool = True
) -> bytes:
    """Return the rdata in ``octets[position:end]`` uncompressed and canonical (RFC 4034 6.2).

    Raises ``WireError`` where it is not laid out as its type is; types without a layout are opaque
    (RFC 3597).
    """
    rdata = bytearray()
    what = _rdata_of(rtype)
    for part in LAYOUT.get(rtype, ()):
        if part == NAME:
            name, position = read_name(octets, position, end, pointers=pointers)
            rdata += fold(name) if rtype in FOLDED else name
            continue
        size = part if part != STRING else 1 + octets[_bounded(position + 1, end, what) - 1]
        rdata += octets[position : _bounded(position + size, end, what)]
        position += size
    tail = TAIL.get(rtype)
    if tail is not None and end - position != tail:
        raise WireError(f"{what} has {end - position} octets where {tail} are due at its end")
    rdata += octets[position:end]
    if len(rdata) > MAX_RDATA:
        raise WireError(f"{what} is longer than {MAX_RDATA} octets")
    return bytes(rdata)


@functools.cache
def _rdata_of(rtype: int) -> str:
    return f"rdata of type {type_text(rtype)}"


def _bounded(position: int, end: int, what: str) -> int:
    """Return ``position`` when it is not behind ``end``; raises ``WireError``."""
    if position > end:
        raise WireError(f"{what} is cut short at octet {end}")
    return position
