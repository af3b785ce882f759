# cython: language_level=3
"""SHA-1 (FIPS 180-4) of a few octets, for NSEC3 (RFC 5155 5)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from zones._wire cimport get32, put32

cdef enum:
    DIGEST = 20
    SHA1_BLOCK = 64
    LONGEST_INPUT = 510  # a name and a salt
    SHA1_ROOM = 576  # the same in whole blocks


cdef inline uint32_t rotate(uint32_t value, int bits) noexcept nogil:
    return value << bits | value >> (32 - bits)


cdef inline void sha1_block(uint32_t* state, const uint8_t* block) noexcept nogil:
    cdef uint32_t w[80]
    cdef uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], t
    cdef int i
    for i in range(16):
        w[i] = get32(block + 4 * i)
    for i in range(16, 80):
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1)
    for i in range(20):
        t = rotate(a, 5) + (d ^ (b & (c ^ d))) + e + w[i] + <uint32_t>0x5A827999
        e, d, c, b, a = d, c, rotate(b, 30), a, t
    for i in range(20, 40):
        t = rotate(a, 5) + (b ^ c ^ d) + e + w[i] + <uint32_t>0x6ED9EBA1
        e, d, c, b, a = d, c, rotate(b, 30), a, t
    for i in range(40, 60):
        t = rotate(a, 5) + ((b & c) | (d & (b | c))) + e + w[i] + <uint32_t>0x8F1BBCDC
        e, d, c, b, a = d, c, rotate(b, 30), a, t
    for i in range(60, 80):
        t = rotate(a, 5) + (b ^ c ^ d) + e + w[i] + <uint32_t>0xCA62C1D6
        e, d, c, b, a = d, c, rotate(b, 30), a, t
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e


cdef inline void sha1(uint8_t* octets, uint32_t size, uint8_t* digest) noexcept nogil:
    """Hash ``size`` octets, at most LONGEST_INPUT, in a buffer of SHA1_ROOM, which is padded."""
    cdef uint32_t state[5]
    cdef uint32_t end = (size + 9 + 63) & ~<uint32_t>63, position = 0
    cdef int i
    state[0], state[1], state[2], state[3], state[4] = (
        0x67452301, <uint32_t>0xEFCDAB89, <uint32_t>0x98BADCFE, 0x10325476, <uint32_t>0xC3D2E1F0)
    octets[size] = 0x80
    memset(octets + size + 1, 0, end - size - 1)
    put32(octets + end - 4, size * 8)
    while position < end:
        sha1_block(state, octets + position)
        position += SHA1_BLOCK
    for i in range(5):
        put32(digest + 4 * i, state[i])


cdef inline void hash_name(const uint8_t* name, int size, const uint8_t* salt, int salt_size,
                           int iterations, uint8_t* digest) noexcept nogil:
    """Hash a folded name as NSEC3 does (RFC 5155 5)."""
    cdef uint8_t room[SHA1_ROOM]
    memcpy(room, name, size)
    memcpy(room + size, salt, salt_size)
    sha1(room, size + salt_size, digest)
    while iterations:
        memcpy(room, digest, DIGEST)
        memcpy(room + DIGEST, salt, salt_size)
        sha1(room, DIGEST + salt_size, digest)
        iterations -= 1
