# cython: language_level=3, boundscheck=False, wraparound=False
"""Reading names and rdata from messages, compiled: ``read_name`` and ``read_rdata`` of
``zones.packing``.

All octets read here may come from an enemy: every read is preceded by a look at the bounds. What
breaks a rule is MALFORMED, without a reason; ``zones.packing`` reads it again to give one.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from zones.rdata import FOLDED, LAYOUT, TAIL

cdef enum:
    LAID_OUT = 256  # types from here on are opaque
    MAX_PARTS = 6
    PART_NAME = -1
    PART_STRING = -2

cdef struct Layout:
    int parts[MAX_PARTS]
    int count
    int tail  # octets due after the parts, -1 for any number
    bint folded

cdef Layout LAYOUTS[LAID_OUT]

assert max(max(LAYOUT), max(TAIL)) < LAID_OUT and max(map(len, LAYOUT.values())) <= MAX_PARTS
for _rtype in range(LAID_OUT):
    LAYOUTS[_rtype].count = len(LAYOUT.get(_rtype, ()))
    for _position, _part in enumerate(LAYOUT.get(_rtype, ())):
        LAYOUTS[_rtype].parts[_position] = _part
    LAYOUTS[_rtype].tail = TAIL.get(_rtype, -1)
    LAYOUTS[_rtype].folded = _rtype in FOLDED


cdef Outcome read_name(Reader* reader, size_t end, WireName* name) noexcept nogil:
    """Read the name at the reader's position, which must lie before ``end``; do not fold it.

    See ``zones.packing.read_name`` for the rules.
    """
    cdef size_t position = reader.position, lowest = position, behind = 0, target
    cdef int size = 0, labels = 0, pointers = 0, length
    while True:
        if position >= end:
            return MALFORMED
        length = reader.octets[position]
        if length >= 0xC0:
            if not reader.pointers or position + 2 > end:
                return MALFORMED
            target = get16(reader.octets + position) & 0x3FFF
            pointers += 1
            if target < MESSAGE_HEADER or target >= lowest or pointers > MAX_POINTERS:
                return MALFORMED
            if not behind:
                behind = position + 2
            position = lowest = target
            end = reader.size
            continue
        if length > 63 or position + 1 + length > end or size + 1 + length > MAX_NAME:
            return MALFORMED
        memcpy(name.octets + size, reader.octets + position, 1 + length)
        position += 1 + length
        if not length:
            break
        name.starts[labels] = size
        labels += 1
        size += 1 + length
    name.size = size + 1
    name.labels = labels
    reader.position = behind if behind else position
    return FINE


cdef Outcome read_rdata(Reader* reader, size_t end, int rtype, uint8_t* out,
                        size_t* out_size) noexcept nogil:
    """Write the rdata from the reader's position to ``end`` canonically to ``out``.

    ``out`` has room for the octets that stand there and two whole names. See
    ``zones.packing.read_rdata`` for the rules.
    """
    cdef WireName name
    cdef Layout* layout
    cdef size_t written = 0, size
    cdef int i
    if rtype < LAID_OUT:
        layout = &LAYOUTS[rtype]
        for i in range(layout.count):
            if layout.parts[i] == PART_NAME:
                if read_name(reader, end, &name) != FINE:
                    return MALFORMED
                if layout.folded:
                    fold(name.octets, name.size)
                memcpy(out + written, name.octets, name.size)
                written += name.size
                continue
            if layout.parts[i] == PART_STRING:
                if reader.position >= end:
                    return MALFORMED
                size = 1 + reader.octets[reader.position]
            else:
                size = layout.parts[i]
            if size > end - reader.position:
                return MALFORMED
            memcpy(out + written, reader.octets + reader.position, size)
            written += size
            reader.position += size
        if layout.tail >= 0 and end - reader.position != <size_t>layout.tail:
            return MALFORMED
    size = end - reader.position
    if written + size > MAX_RDATA:
        return MALFORMED
    memcpy(out + written, reader.octets + reader.position, size)
    reader.position = end
    out_size[0] = written + size
    return FINE
