# cython: language_level=3
"""Wire format for the compiled modules: what they share, and the small pieces of it inline."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

cdef enum Outcome:
    FINE
    MALFORMED
    NO_MEMORY

cdef enum:
    MAX_NAME = 255
    MAX_RDATA = 65535
    MESSAGE_HEADER = 12
    MAX_POINTERS = 127  # zones.packing.MAX_POINTERS
    # Work on fewer octets keeps the GIL: to get it back may take longer than the work.
    BRIEF = 1 << 15


cdef struct Reader:
    const uint8_t* octets
    size_t size
    size_t position
    bint pointers  # whether compression pointers may stand here


cdef struct WireName:
    uint8_t octets[MAX_NAME]
    int size
    int labels  # without the root
    uint8_t starts[128]  # of the labels


cdef Outcome read_name(Reader* reader, size_t end, WireName* name) noexcept nogil
cdef Outcome read_rdata(Reader* reader, size_t end, int rtype, uint8_t* out,
                        size_t* out_size) noexcept nogil


cdef inline uint32_t get16(const uint8_t* octets) noexcept nogil:
    return <uint32_t>octets[0] << 8 | octets[1]


cdef inline uint32_t get32(const uint8_t* octets) noexcept nogil:
    return get16(octets) << 16 | get16(octets + 2)


cdef inline void fold(uint8_t* octets, int size) noexcept nogil:
    """Fold A-Z; the length octets of labels are below them."""
    cdef int i
    for i in range(size):
        octets[i] |= (<uint8_t>(octets[i] - 65) < 26) << 5


cdef inline uint8_t* put16(uint8_t* out, uint32_t value) noexcept nogil:
    out[0] = <uint8_t>(value >> 8)
    out[1] = <uint8_t>value
    return out + 2


cdef inline uint8_t* put32(uint8_t* out, uint32_t value) noexcept nogil:
    return put16(put16(out, value >> 16), value & 0xFFFF)


cdef inline uint8_t* put(uint8_t* out, const void* octets, size_t size) noexcept nogil:
    memcpy(out, octets, size)
    return out + size
