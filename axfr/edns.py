"""The EDNS EXPIRE option (RFC 7314): asking primaries, reading what they say, telling others.

Who is fed by another secondary learns from it how long that one may still answer.
"""

from __future__ import annotations

import struct
from typing import Final

from axfr.message import HEADER, RECORD_HEAD, TSIG, iter_records, read_name
from zones.errors import WireError

OPT: Final = 41
EXPIRE: Final = 9
PAYLOAD: Final = 1232  # octets over UDP that surely arrive in one piece
# The owner is the root; then type, class (payload), TTL (flags), and the empty option.
ASKING: Final = b"\0" + RECORD_HEAD.pack(OPT, PAYLOAD, 0, 4) + struct.pack("!HH", EXPIRE, 0)
_START: Final = b"\0" + OPT.to_bytes(2, "big")
_TAIL: Final = 1500  # octets before the end in which an OPT and a TSIG record surely stand


def asking(query: bytes) -> bytes:
    """Return a query without additional records as one that asks for EXPIRE."""
    return query[:10] + b"\0\1" + query[HEADER.size :] + ASKING


def answering(query: bytes, expire: int | None) -> bytes:
    """Return the OPT record of the answer to a query that has one, empty for any other.

    ``expire`` is told to those who ask for it. Raises ``WireError``.
    """
    asked = next((record for record in iter_records(query) if record.rtype == OPT), None)
    if asked is None:
        return b""
    rdata = b""
    if expire is not None and EXPIRE in _codes(query[asked.rdata : asked.end]):
        rdata = struct.pack("!HHI", EXPIRE, 4, expire)
    return b"\0" + RECORD_HEAD.pack(OPT, PAYLOAD, 0, len(rdata)) + rdata


def _codes(rdata: bytes) -> list[int]:
    found, position = [], 0
    while position + 4 <= len(rdata):
        code, size = struct.unpack_from("!HH", rdata, position)
        found.append(code)
        position += 4 + size
    return found


def expire_of(message: bytes) -> int | None:
    """Return the seconds until the zone expires at the primary, ``None`` where it does not say.

    The OPT record is looked for from the end: answers may be large.
    """
    if message[10:12] == b"\0\0":
        return None
    position = message.rfind(_START, max(HEADER.size, len(message) - _TAIL))
    while position >= 0:
        end, found = _read(message, position)
        if end == len(message) or (end and _is_tsig(message, end)):
            return found
        position = message.rfind(_START, max(HEADER.size, len(message) - _TAIL), position)
    return None


def _read(message: bytes, position: int) -> tuple[int, int | None]:
    """Return where the OPT record at ``position`` ends, 0 where there is none, and its EXPIRE."""
    head = position + 1
    if head + RECORD_HEAD.size > len(message):
        return 0, None
    *_, length = RECORD_HEAD.unpack_from(message, head)
    position = head + RECORD_HEAD.size
    end = position + length
    if end > len(message):
        return 0, None
    found = None
    while position + 4 <= end:
        code, size = struct.unpack_from("!HH", message, position)
        position += 4
        if position + size > end:
            return 0, None
        if code == EXPIRE and size == 4:
            found = int.from_bytes(message[position : position + 4], "big")
        position += size
    return (end, found) if position == end else (0, None)


def _is_tsig(message: bytes, position: int) -> bool:
    """Tell whether a TSIG record stands at ``position`` and closes the message."""
    try:
        _owner, position = read_name(message, position)
        rtype, _class, _ttl, length = RECORD_HEAD.unpack_from(message, position)
    except (WireError, struct.error):
        return False
    return bool(rtype == TSIG and position + RECORD_HEAD.size + length == len(message))
