# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Response rate limiting for the workers: the settings, and a face for tests."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from nameserver._linux cimport aligned_alloc
from nameserver._siphash cimport sip_word

from nameserver import rrl

cdef enum:
    LINE = 64  # octets of a cache line, and of a set


cdef Account* new_accounts(const Limits* limits) noexcept nogil:
    """Return the accounts of a limiter, NULL where memory is short; ``free`` frees them."""
    cdef size_t size = <size_t>limits.sets * WAYS * sizeof(Account)
    cdef void* memory = aligned_alloc(LINE, size)
    if memory != NULL:
        memset(memory, 0, size)
    return <Account*>memory


cdef class RateLimitsCompiled:
    def __cinit__(self, given not None):
        cdef Limits* limits = &self.limits
        cdef bytes key = given.key
        if len(key) != 16:
            raise ValueError(f"a key of {len(key)} octets")
        limits.key[0], limits.key[1] = sip_word(key), sip_word(<const uint8_t*>key + 8)
        limits.rate, limits.slip = given.rate, given.slip
        limits.most = ANSWER * given.rate * (1 + given.window)
        limits.sets = given.sets
        limits.ipv4_prefix, limits.ipv6_prefix = given.ipv4_prefix, given.ipv6_prefix
        limits.badcookie = given.badcookie
        if len(given.exempt) > MOST_EXEMPT:
            raise ValueError(f"{len(given.exempt)} exempt nets")
        for net in given.exempt:
            self.exempt(net.network_address.packed, net.prefixlen)

    cdef int exempt(self, bytes address, uint32_t prefix) except -1:
        cdef Net* net = &self.limits.exempt[self.limits.exempt_count]
        net.size, net.whole = len(address), prefix // 8
        net.mask = 0xFF00 >> prefix % 8 & 0xFF
        memcpy(net.address, <const uint8_t*>address, net.size)
        self.limits.exempt_count += 1
        return 0


cdef class CompiledLimiter:
    """``nameserver.rrl.Limiter`` as the workers have it."""

    cdef RateLimitsCompiled limits
    cdef Limiter limiter

    def __cinit__(self, limits not None):
        self.limits = RateLimitsCompiled(limits)
        self.limiter.limits = &self.limits.limits
        self.limiter.accounts = new_accounts(&self.limits.limits)
        if self.limiter.accounts == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.limiter.accounts)

    def judge(self, bytes address not None, int kind, bytes subject not None, milliseconds):
        """Book an answer and return what to do with it."""
        cdef const Limits* limits = self.limiter.limits
        cdef uint32_t now = milliseconds % 2**32
        if len(address) not in (4, 16) or len(subject) > 255:
            raise ValueError("no address, or no name")
        if is_exempt(limits, address, len(address)):
            return rrl.Action.SEND
        return rrl.Action(book(&self.limiter, account_number(
            limits, address, len(address), kind, subject, len(subject)), now))
