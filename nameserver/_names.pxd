# cython: language_level=3
"""Names for the compiled engine: uncompressed wire octets, folded, with a hash of every suffix.

The hash of a name is computed label by label from the right, so that one pass over a name gives
the hashes of all names above it. It is keyed by chance: nobody can prepare names that collide.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

cdef enum:
    LONGEST_NAME = 255
    LONGEST_LABEL = 63
    MOST_LABELS = 127  # without the root


cdef uint64_t SEED[2]

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline uint64_t nsctl_mix(uint64_t a, uint64_t b) {
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    static inline uint64_t nsctl_read64(const void *p) { uint64_t v; memcpy(&v, p, 8); return v; }
    /* How many of the last octets are equal, where eight octets read at once differ so. */
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define nsctl_equal_at_end(differing) (__builtin_ctzll(differing) >> 3)
    #else
    #define nsctl_equal_at_end(differing) (__builtin_clzll(differing) >> 3)
    #endif
    static inline uint32_t nsctl_read32(const void *p) { uint32_t v; memcpy(&v, p, 4); return v; }
    """
    uint64_t mix "nsctl_mix"(uint64_t a, uint64_t b) noexcept nogil
    uint64_t read64 "nsctl_read64"(const void* octets) noexcept nogil
    uint32_t read32 "nsctl_read32"(const void* octets) noexcept nogil
    int equal_at_end "nsctl_equal_at_end"(uint64_t differing) noexcept nogil
    void prefetch "__builtin_prefetch"(const void* address) noexcept nogil


cdef struct Labels:
    int count  # without the root
    uint8_t starts[128]  # of each label, and of the root behind them
    uint64_t hashes[128]  # of the names that start there: hashes[count] is the root's


cdef inline uint64_t hash_label(uint64_t above, const uint8_t* label) noexcept nogil:
    """Return the hash of a name from that of its parent; ``label`` begins with its length."""
    cdef uint32_t size = label[0], rest
    cdef const uint8_t* octets = label + 1
    cdef uint64_t first, second
    cdef uint64_t result = above ^ SEED[1]
    rest = size
    while rest > 16:
        result = mix(read64(octets) ^ SEED[0], read64(octets + 8) ^ result)
        octets += 16
        rest -= 16
    if rest >= 8:
        first, second = read64(octets), read64(octets + rest - 8)
    elif rest >= 4:
        first, second = read32(octets), read32(octets + rest - 4)
    else:
        first = <uint64_t>octets[0] << 16 | <uint64_t>octets[rest >> 1] << 8 | octets[rest - 1]
        second = 0
    return mix(first ^ SEED[0] ^ <uint64_t>size << 56, second ^ result)


cdef inline uint64_t root_hash() noexcept nogil:
    return SEED[0] ^ SEED[1]


cdef inline void split(const uint8_t* name, Labels* labels) noexcept nogil:
    """Find the labels of a sound name, and hash all suffixes of it."""
    cdef int count = 0, position = 0
    while name[position]:
        labels.starts[count] = position
        count += 1
        position += 1 + name[position]
    labels.starts[count] = position
    labels.count = count
    hash_suffixes(name, labels)


cdef inline void hash_suffixes(const uint8_t* name, Labels* labels) noexcept nogil:
    cdef int i = labels.count
    cdef uint64_t result = root_hash()
    labels.hashes[i] = result
    while i:
        i -= 1
        result = hash_label(result, name + labels.starts[i])
        labels.hashes[i] = result


cdef inline int find_labels(const uint8_t* name, uint8_t* starts) noexcept nogil:
    """Find where the labels of a sound name start; return their number, without the root."""
    cdef int count = 0, position = 0
    while name[position]:
        starts[count] = position
        count += 1
        position += 1 + name[position]
    starts[count] = position
    return count


cdef inline int name_size(const uint8_t* name) noexcept nogil:
    """Return the size of a sound name."""
    cdef int size = 0
    while name[size]:
        size += 1 + name[size]
    return size + 1


cdef inline int check_name(const uint8_t* name, size_t size) noexcept nogil:
    """Return the size of the name that starts here, 0 where it is none that fits in ``size``."""
    cdef size_t position = 0, length
    while position < size and position < LONGEST_NAME:
        length = name[position]
        position += 1 + length
        if not length:
            return position
        if length > LONGEST_LABEL:
            return 0
    return 0


cdef inline bint same_octets(const uint8_t* a, const uint8_t* b, uint32_t size) noexcept nogil:
    """Tell whether octets are equal; names are too short for a call of memcmp."""
    cdef uint32_t i = 0
    if size >= 8:
        while i + 8 < size:
            if read64(a + i) != read64(b + i):
                return False
            i += 8
        return read64(a + size - 8) == read64(b + size - 8)
    if size >= 4:
        return read32(a) == read32(b) and read32(a + size - 4) == read32(b + size - 4)
    while i < size:
        if a[i] != b[i]:
            return False
        i += 1
    return True


cdef inline bint same_name(const uint8_t* a, int a_size, const uint8_t* b, int b_size) noexcept nogil:
    return a_size == b_size and same_octets(a, b, a_size)


cdef inline bint is_at_or_below(const uint8_t* name, int size, const uint8_t* of,
                                int of_size) noexcept nogil:
    """Tell whether a name is ``of`` or below it."""
    cdef int position = 0, end = size - of_size
    if end < 0 or not same_octets(name + end, of, of_size):
        return False
    while position < end:
        position += 1 + name[position]
    return position == end


cdef inline int compare_labels(const uint8_t* a, const uint8_t* b) noexcept nogil:
    """Order two labels, which begin with their lengths (RFC 4034 6.1)."""
    cdef int order = memcmp(a + 1, b + 1, a[0] if a[0] < b[0] else b[0])
    return order if order else <int>a[0] - <int>b[0]


cdef inline int compare_names(const uint8_t* a, const uint8_t* b) noexcept nogil:
    """Order two names canonically (RFC 4034 6.1)."""
    cdef uint8_t a_starts[128]
    cdef uint8_t b_starts[128]
    cdef int i = find_labels(a, a_starts), j = find_labels(b, b_starts), order
    while i and j:
        i -= 1
        j -= 1
        order = compare_labels(a + a_starts[i], b + b_starts[j])
        if order:
            return order
    return i - j
