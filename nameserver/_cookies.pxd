# cython: language_level=3
"""DNS cookies, as ``nameserver.cookies``."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nameserver._answer cimport (
    CLIENT_ONLY, COOKIE_SIZE, INVALID, MALFORMED, NO_COOKIE, VALID, Prepared, Settings,
)
from nameserver._siphash cimport little, siphash
from zones._wire cimport get32, put32

cdef enum:
    OWN = 8  # octets of the client's cookie, before the server's
    HEAD = 16  # with version, reserved octets and time of the server's
    OLDEST = 3600  # nameserver.cookies.OLDEST
    NEWEST = -300
    RENEWED_AFTER = 1800
    COOKIE_VERSION = 1


cdef inline bint is_well_formed(uint32_t size) noexcept nogil:
    return size == OWN or 16 <= size <= 40


cdef inline void sign(const Prepared* p, const uint64_t* secret, const uint8_t* head,
                      uint8_t* hash) noexcept nogil:
    """Write the hash of client's cookie, version, reserved octets and time, and of the address."""
    cdef uint8_t text[HEAD + 16]
    cdef uint64_t result
    memcpy(text, head, HEAD)
    memcpy(text + HEAD, p.client, p.client_size)
    result = little(siphash(secret, text, HEAD + p.client_size))
    memcpy(hash, &result, 8)


cdef inline int maker(const Prepared* p, const Settings* settings) noexcept nogil:
    """Return the number of the secret that a server cookie was made with, -1 for an invalid one."""
    cdef int32_t age
    cdef uint8_t hash[8]
    cdef uint32_t i
    cdef int j, different
    if p.cookie_size != COOKIE_SIZE or p.cookie[OWN] != COOKIE_VERSION:
        return -1
    age = <int32_t>(p.now - get32(p.cookie + 12))
    if not NEWEST <= age <= OLDEST:
        return -1
    for i in range(settings.secret_count):
        sign(p, settings.secrets[i], p.cookie, hash)
        different = 0
        for j in range(8):  # in the same time, however much is right
            different |= hash[j] ^ p.cookie[HEAD + j]
        if not different:
            return i
    return -1


cdef inline void judge_cookie(Prepared* p, const Settings* settings) noexcept nogil:
    """Say what the cookie of a query is worth, and what goes into the response's option."""
    cdef int by
    if p.cookie == NULL or p.verdict == MALFORMED or not p.client_size \
            or not settings.secret_count:
        return
    memcpy(p.answer_cookie, p.cookie, OWN)
    if p.cookie_size == OWN:
        p.verdict = CLIENT_ONLY
    else:
        by = maker(p, settings)
        p.verdict = VALID if by >= 0 else INVALID
        if by == 0 and <int32_t>(p.now - get32(p.cookie + 12)) <= RENEWED_AFTER:
            memcpy(p.answer_cookie, p.cookie, COOKIE_SIZE)
            return
    put32(p.answer_cookie + OWN, <uint32_t>COOKIE_VERSION << 24)
    put32(p.answer_cookie + OWN + 4, p.now)
    sign(p, settings.secrets[0], p.answer_cookie, p.answer_cookie + HEAD)
