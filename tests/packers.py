"""Both packers, and what tests give them: records one by one, and messages of a transfer."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TypeAlias

import pytest

from tests.strategies import APEX, SOA_RDATA
from tests.transfers import MessageWriter, Record
from zones import packing
from zones.errors import WireError
from zones.name import from_text
from zones.packing import Packed, Packer
from zones.rrset import NS, SOA

SOA_RECORD: Record = (APEX, SOA, 3600, SOA_RDATA)
WWW = from_text("www.example.org.")
NEW: list[Callable[[bytes], Packer]] = [Packer]
if packing.compiled_available:
    from zones._packing import PackerCompiled

    NEW.append(PackerCompiled)  # type: ignore[arg-type]  # equal by duck, not by descent

NewPacker: TypeAlias = Callable[[bytes], Packer]
both = pytest.mark.parametrize("new", NEW, ids=lambda new: new.__name__)
compiled = pytest.mark.skipif(not packing.compiled_available, reason="nothing is compiled here")


def pack(new: NewPacker, records: Iterable[Record], apex: bytes = APEX) -> Packed:
    """Pack records one by one."""
    packer = new(apex)
    for record in records:
        packer.add(*record)
    return packer.finish()


def transfer(new: NewPacker, stream: Iterable[bytes]) -> Packed:
    """Pack a stream of messages that must be complete."""
    packer = new(APEX)
    closed = False
    for message in stream:
        closed = packer.add_transfer_message(message)
    assert closed
    return packer.finish()


def refusal(new: NewPacker, stream: Iterable[bytes]) -> str:
    """Return why a stream of messages is refused."""
    with pytest.raises(WireError) as raised:
        transfer(new, stream)
    return str(raised.value)


def outcome(new: NewPacker, stream: Iterable[bytes]) -> tuple[object, ...]:
    """Return all that can be seen of packing a stream, complete or not."""
    packer = new(APEX)
    closed: list[bool] = []
    try:
        closed.extend(packer.add_transfer_message(message) for message in stream)
    except WireError as error:
        return closed, str(error), error.rcode
    return closed, packer.finish()


def name_message(octets: bytes, rtype: int = NS, rdlength: int | None = None) -> bytes:
    """Return a message whose second record, of the apex, has ``octets`` as its rdata."""
    writer = MessageWriter(APEX)
    writer.add(SOA_RECORD)
    length = len(octets) if rdlength is None else rdlength
    head = b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 300, length)
    message = bytearray(writer.octets() + head + octets)
    message[7] = 2
    return bytes(message)
