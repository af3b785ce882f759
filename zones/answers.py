"""The records of one message, one by one: for incremental transfers, whose order has a meaning.

Whole zones do not come this way but through ``zones.packing``. ``zones/_answers.pyx`` reads the
same compiled, and leaves it to this module to say what is wrong.
"""

from __future__ import annotations

import contextlib
from typing import TypeAlias

from zones.errors import WireError
from zones.name import Name, display, fold
from zones.packing import (
    COUNTS,
    IN,
    MESSAGE_HEADER,
    RECORD_HEAD,
    read_name,
    read_rdata,
    use_compiled,
)

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones import _answers

Answer: TypeAlias = tuple[Name, int, int, bytes]  # owner, type, TTL, canonical rdata


def read_answers(message: bytes, most: int = 0xFFFF) -> list[Answer]:
    """Return the first ``most`` records of the answer section, uncompressed and canonical.

    Raises ``WireError`` for what is malformed, as far as it is read, or of another class than IN.
    """
    found = _answers.read_answers(message, most) if use_compiled() else None
    return _read(message, most) if found is None else found


def _read(message: bytes, most: int) -> list[Answer]:
    size = len(message)
    if size < MESSAGE_HEADER:
        raise WireError(f"a message of {size} octets has no header")
    questions, answers = COUNTS.unpack_from(message, 4)
    position = MESSAGE_HEADER
    for _ in range(questions):
        _name, position = read_name(message, position, size)
        position += 4
    found = []
    for _ in range(min(answers, most)):
        record, position = _read_record(message, position)
        found.append(record)
    return found


def _read_record(message: bytes, position: int) -> tuple[Answer, int]:
    owner, position = read_name(message, position, len(message))
    rdata = position + RECORD_HEAD.size
    if rdata > len(message):
        raise WireError("a record is cut short")
    rtype, rclass, ttl, length = RECORD_HEAD.unpack_from(message, position)
    if rdata + length > len(message):
        raise WireError("the rdata of a record is cut short")
    if rclass != IN:
        raise WireError(f"a record of {display(owner)} has class {rclass} instead of IN")
    data = read_rdata(message, rtype, rdata, rdata + length)
    return (fold(owner), rtype, ttl, data), rdata + length
