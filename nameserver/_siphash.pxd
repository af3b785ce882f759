# cython: language_level=3
"""SipHash-2-4, as ``nameserver.siphash``."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

cdef extern from * nogil:
    """
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define nsctl_little(word) __builtin_bswap64(word)
    #else
    #define nsctl_little(word) (word)
    #endif
    """
    uint64_t little "nsctl_little"(uint64_t word) noexcept


cdef inline uint64_t turned(uint64_t word, int by) noexcept nogil:
    return word << by | word >> (64 - by)


cdef inline void sip_round(uint64_t* v) noexcept nogil:
    v[0] += v[1]
    v[1] = turned(v[1], 13) ^ v[0]
    v[0] = turned(v[0], 32)
    v[2] += v[3]
    v[3] = turned(v[3], 16) ^ v[2]
    v[0] += v[3]
    v[3] = turned(v[3], 21) ^ v[0]
    v[2] += v[1]
    v[1] = turned(v[1], 17) ^ v[2]
    v[2] = turned(v[2], 32)


cdef inline void sip_absorb(uint64_t* v, uint64_t word) noexcept nogil:
    v[3] ^= word
    sip_round(v)
    sip_round(v)
    v[0] ^= word


cdef inline uint64_t sip_word(const uint8_t* octets) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, octets, 8)
    return little(word)


cdef inline uint64_t siphash(const uint64_t* key, const uint8_t* text, size_t size) noexcept nogil:
    """Return the hash of a text; ``key`` has the two words that ``sip_word`` makes of its octets."""
    cdef uint64_t v[4]
    cdef uint64_t last = <uint64_t>size << 56
    cdef size_t at = 0
    cdef int i
    v[0], v[1] = key[0] ^ <uint64_t>0x736F6D6570736575, key[1] ^ <uint64_t>0x646F72616E646F6D
    v[2], v[3] = key[0] ^ <uint64_t>0x6C7967656E657261, key[1] ^ <uint64_t>0x7465646279746573
    while size - at >= 8:
        sip_absorb(v, sip_word(text + at))
        at += 8
    for i in range(<int>(size - at)):
        last |= <uint64_t>text[at + i] << 8 * i
    sip_absorb(v, last)
    v[2] ^= 0xFF
    for i in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
