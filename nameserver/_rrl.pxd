# cython: language_level=3
"""Response rate limiting, as ``nameserver.rrl``: read that module first.

The workers share one table, so that what is configured holds whatever their number. A set of
accounts is locked while an answer is booked, for some nanoseconds; nothing is allocated after the
start.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nameserver._answer cimport FAILURE, POSITIVE, Prepared
from nameserver._names cimport prefetch
from nameserver._siphash cimport siphash

cdef enum:
    WAYS = 4
    NET_SIZE = 8
    ANSWER = 1000
    MOST_EXEMPT = 64
    IPV4_SIZE = 4
    LATE = 10000  # nameserver.rrl.LATE
    LOCKS = 1024  # a power of two
    PATIENCE = 10000  # looks at a lock; who holds one so long was put to sleep by the system

cdef enum Action:
    SEND
    DROP
    SLIP


cdef struct Net:
    uint8_t size  # octets of its addresses
    uint8_t whole  # octets that have to be equal
    uint8_t mask  # of the next one
    uint8_t address[16]


cdef struct Limits:  # nameserver.rrl.RateLimits
    uint64_t key[2]
    uint32_t rate
    uint32_t most  # debt
    uint32_t slip
    uint32_t sets
    uint32_t ipv4_prefix
    uint32_t ipv6_prefix
    bint badcookie
    uint32_t exempt_count
    Net exempt[MOST_EXEMPT]


cdef struct Account:  # all zero: nothing is owed
    uint32_t tag
    uint32_t time  # in milliseconds
    uint32_t debt
    uint32_t limited


cdef struct Limiter:
    const Limits* limits
    Account* accounts
    uint8_t* locks  # LOCKS of them; NULL where nobody else uses the accounts


cdef class RateLimitsCompiled:
    """``nameserver.rrl.RateLimits`` for the workers."""
    cdef Limits limits
    cdef int exempt(self, bytes address, uint32_t prefix) except -1


cdef extern from *:
    """
    #define nsctl_try_lock(lock) (!__atomic_test_and_set((lock), __ATOMIC_ACQUIRE))
    #define nsctl_unlock(lock) __atomic_clear((lock), __ATOMIC_RELEASE)
    #if defined(__x86_64__)
    #define nsctl_relax() __builtin_ia32_pause()
    #else
    #define nsctl_relax() ((void)0)
    #endif
    """
    bint try_lock "nsctl_try_lock"(uint8_t* lock) noexcept nogil
    void unlock "nsctl_unlock"(uint8_t* lock) noexcept nogil
    void relax "nsctl_relax"() noexcept nogil


cdef Account* new_accounts(const Limits* limits) noexcept nogil


cdef inline uint64_t net_of(const Limits* limits, const uint8_t* address, int size) noexcept nogil:
    """Return what stands for a client's net, as a number of eight octets."""
    cdef uint64_t first = 0
    cdef bint is_ipv4 = size == IPV4_SIZE
    cdef int i, left = 64 - <int>(limits.ipv4_prefix if is_ipv4 else limits.ipv6_prefix)
    for i in range(IPV4_SIZE if is_ipv4 else NET_SIZE):
        first |= <uint64_t>address[i] << (56 - 8 * i)
    return first >> left << left | is_ipv4


cdef inline bint is_exempt(const Limits* limits, const uint8_t* address, int size) noexcept nogil:
    cdef uint32_t i
    cdef int j
    cdef const Net* net
    for i in range(limits.exempt_count):
        net = &limits.exempt[i]
        if net.size != size:
            continue
        j = 0
        while j < net.whole and address[j] == net.address[j]:
            j += 1
        if j == net.whole and (j == size or not (address[j] ^ net.address[j]) & net.mask):
            return True
    return False


cdef inline uint64_t account_number(const Limits* limits, const uint8_t* address, int size, int kind,
                                    const uint8_t* subject, int subject_size) noexcept nogil:
    """Return the hash of what an account is for."""
    cdef uint8_t text[NET_SIZE + 1 + 256]
    cdef uint64_t net = net_of(limits, address, size)
    cdef int i
    for i in range(NET_SIZE):
        text[i] = net >> (56 - 8 * i) & 0xFF
    text[NET_SIZE] = kind
    memcpy(text + NET_SIZE + 1, subject, subject_size)
    return siphash(limits.key, text, NET_SIZE + 1 + subject_size)


cdef inline uint64_t account_of(const Limits* limits, const Prepared* p) noexcept nogil:
    """Return the number of the account for an answer: while its zone is sure to be there."""
    cdef const uint8_t* subject = p.qname
    cdef int size = 0
    if p.kind == POSITIVE and not p.synthesised:
        size = p.qname_size
    elif p.kind != FAILURE and p.zone != NULL:
        subject, size = p.zone.apex, p.zone.size
    return account_number(limits, p.client, p.client_size, p.kind, subject, size)


cdef inline Account* set_of(const Limiter* limiter, uint64_t number) noexcept nogil:
    return limiter.accounts + WAYS * (number & (limiter.limits.sets - 1))


cdef inline uint32_t elapsed(const Account* account, uint32_t now) noexcept nogil:
    """Return the milliseconds since an account was booked to; another worker may be ahead."""
    cdef uint32_t since = now - account.time
    return since if since < <uint32_t>0 - LATE else 0


cdef inline uint32_t debt_at(const Account* account, uint32_t now, uint32_t rate) noexcept nogil:
    cdef uint64_t paid = <uint64_t>elapsed(account, now) * rate
    return account.debt - <uint32_t>paid if paid < account.debt else 0


cdef inline Account* find_account(const Limiter* limiter, uint64_t number,
                                  uint32_t now) noexcept nogil:
    """Return the account with this number; a new one takes the place of one that owes little."""
    cdef Account* ways = set_of(limiter, number)
    cdef Account* least = ways
    cdef uint32_t tag = <uint32_t>(number >> 32), rate = limiter.limits.rate, debt, lowest
    cdef int i
    for i in range(WAYS):
        if ways[i].tag == tag:
            return &ways[i]
    lowest = debt_at(ways, now, rate)
    for i in range(1, WAYS):
        debt = debt_at(&ways[i], now, rate)
        if debt < lowest:
            least, lowest = &ways[i], debt
    least.tag, least.time, least.debt, least.limited = tag, now, 0, 0
    return least


cdef inline int book(const Limiter* limiter, uint64_t number, uint32_t now) noexcept nogil:
    """Book an answer to an account and return what to do with it."""
    cdef uint8_t* lock
    cdef int looks = 0, action
    if limiter.locks == NULL:
        return book_alone(limiter, number, now)
    lock = limiter.locks + (number & (limiter.limits.sets - 1) & (LOCKS - 1))
    while not try_lock(lock):
        looks += 1
        if looks == PATIENCE:
            return SEND
        relax()
    action = book_alone(limiter, number, now)
    unlock(lock)
    return action


cdef inline int book_alone(const Limiter* limiter, uint64_t number, uint32_t now) noexcept nogil:
    cdef const Limits* limits = limiter.limits
    cdef Account* account = find_account(limiter, number, now)
    cdef uint64_t debt = <uint64_t>debt_at(account, now, limits.rate) + ANSWER
    cdef bint slips
    account.time += elapsed(account, now)
    account.debt = <uint32_t>min(debt, <uint64_t>limits.most)
    if debt <= <uint64_t>ANSWER * limits.rate:
        account.limited = 0
        return SEND
    slips = limits.slip and account.limited % limits.slip == 0
    account.limited += 1
    return SLIP if slips else DROP
