# cython: language_level=3
"""Writing a response: compression by the one rule of ``nameserver.message``, RRsets in whole.

Most responses have a few names: these are noted as they are, and a name is compared with each of
them. With more than ``FEW_NAMES`` every suffix is noted with its offset, by its hash. Either way the
notes are a stack, so that an RRset that does not fit is taken back by cutting it. They point to the
names' octets, which stay where they are until the response is done.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from nameserver._image cimport Image
from nameserver._names cimport Labels, equal_at_end, read64, same_octets, split
from zones._wire cimport get16, get32

cdef enum:
    MOST_SUFFIXES = 8192  # two octets each at least, below POINTER_LIMIT
    POINTER_LIMIT = 0x4000
    NEAR_LIMIT = POINTER_LIMIT - 256  # here a name may have suffixes on both sides of the limit
    FEW_NAMES = 8
    FEW_BUCKETS = 64
    MANY_BUCKETS = 4096
    LAST = 0xFFFF
    SET_HEAD = 16  # zones.packed.RRSET_HEAD
    # zones.rdata.COMPRESSIBLE, a bit each
    ONE_NAME = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 12 | 1 << 15
    TWO_NAMES = 1 << 6 | 1 << 14


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define nsctl_network64(n) (n)
    #define nsctl_network32(n) (n)
    #else
    #define nsctl_network64(n) __builtin_bswap64(n)
    #define nsctl_network32(n) __builtin_bswap32(n)
    #endif
    /* A pointer to the owner, and the head of a record: in two stores. */
    static inline uint8_t *nsctl_put_record_head(uint8_t *out, uint32_t pointer, uint32_t rtype,
                                                 uint32_t rclass, uint32_t ttl, uint32_t size) {
        uint64_t first = nsctl_network64((uint64_t)(0xC000 | pointer) << 48 | (uint64_t)rtype << 32
                                         | rclass << 16 | ttl >> 16);
        uint32_t second = nsctl_network32(ttl << 16 | size);
        memcpy(out, &first, 8);
        memcpy(out + 8, &second, 4);
        return out + 12;
    }
    """
    uint8_t* put_record_head "nsctl_put_record_head"(
        uint8_t* out, uint32_t pointer, uint32_t rtype, uint32_t rclass, uint32_t ttl,
        uint32_t size) noexcept nogil


cdef struct Suffix:
    const uint8_t* name
    uint32_t tag
    uint16_t size
    uint16_t offset
    uint16_t next  # in the same bucket
    uint16_t bucket


cdef struct Written:  # a name of which at least the first label stands in the message
    const uint8_t* name
    uint16_t size
    uint16_t offset


cdef struct Writer:
    uint8_t* out
    uint32_t at
    uint32_t limit
    uint16_t rclass
    uint16_t mask
    bint hashed  # names are noted by their suffixes
    uint32_t name_count
    Written names[FEW_NAMES]
    uint32_t suffix_count
    uint16_t buckets[MANY_BUCKETS]
    Suffix suffixes[MOST_SUFFIXES]


cdef inline void start_writer(Writer* w, uint8_t* out, uint32_t limit) noexcept nogil:
    w.out, w.at, w.limit, w.rclass = out, 12, limit, 1
    w.mask = (FEW_BUCKETS if limit <= 4096 else MANY_BUCKETS) - 1
    w.suffix_count = w.name_count = 0
    w.hashed = False


cdef inline void note_by_suffixes(Writer* w) noexcept nogil:
    """Note the names that were written by their suffixes; the first place of each counts."""
    cdef Labels labels
    cdef uint32_t i, start, size
    cdef int j
    memset(w.buckets, 0xFF, (w.mask + 1) * sizeof(uint16_t))
    w.hashed = True
    for i in range(w.name_count):
        split(w.names[i].name, &labels)
        for j in range(labels.count):
            start = labels.starts[j]
            size = w.names[i].size - start
            if known_offset(w, labels.hashes[j], w.names[i].name + start, size):
                break
            note_suffix(w, labels.hashes[j], w.names[i].name + start, size,
                        w.names[i].offset + start)


cdef inline uint32_t known_offset(const Writer* w, uint64_t hash, const uint8_t* name,
                                  uint32_t size) noexcept nogil:
    """Return where a suffix was written first, 0 for nowhere."""
    cdef uint32_t i = w.buckets[hash & w.mask]
    cdef const Suffix* one
    while i != LAST:
        one = &w.suffixes[i]
        if one.tag == <uint32_t>(hash >> 32) and one.size == size \
                and same_octets(one.name, name, size):
            return one.offset
        i = one.next
    return 0


cdef inline void note_suffix(Writer* w, uint64_t hash, const uint8_t* name, uint32_t size,
                             uint32_t offset) noexcept nogil:
    cdef Suffix* one
    if offset >= POINTER_LIMIT or w.suffix_count >= MOST_SUFFIXES:
        return
    one = &w.suffixes[w.suffix_count]
    one.name, one.tag, one.size, one.offset = name, <uint32_t>(hash >> 32), size, offset
    one.bucket = hash & w.mask
    one.next = w.buckets[one.bucket]
    w.buckets[one.bucket] = w.suffix_count
    w.suffix_count += 1


cdef inline void take_back(Writer* w, uint32_t at) noexcept nogil:
    """Forget what was written from ``at`` on."""
    cdef const Suffix* one
    if w.hashed:
        while w.suffix_count and w.suffixes[w.suffix_count - 1].offset >= at:
            w.suffix_count -= 1
            one = &w.suffixes[w.suffix_count]
            w.buckets[one.bucket] = one.next
    else:
        while w.name_count and w.names[w.name_count - 1].offset >= at:
            w.name_count -= 1
    w.at = at


cdef inline uint32_t shared_octets(const uint8_t* name, uint32_t size, const uint8_t* other,
                                   uint32_t other_size) noexcept nogil:
    """Return the size of the longest name that two names end with; 1 is the root's."""
    cdef uint32_t equal = 0, most = min(size, other_size), start = 0, there = 0
    cdef uint64_t differing
    while equal + 8 <= most:
        differing = read64(name + size - equal - 8) ^ read64(other + other_size - equal - 8)
        if differing:
            equal += equal_at_end(differing)
            break
        equal += 8
    else:
        while equal < most and name[size - equal - 1] == other[other_size - equal - 1]:
            equal += 1
    # Octets are shared; labels are, from where one begins in both.
    while True:
        while size - start > equal:
            start += 1 + name[start]
        while other_size - there > size - start:
            there += 1 + other[there]
        if other_size - there == size - start:
            return size - start
        start += 1 + name[start]


cdef inline void note_name(Writer* w, const uint8_t* name, uint32_t size,
                           uint32_t offset) noexcept nogil:
    cdef Written* one = &w.names[w.name_count]
    one.name, one.size, one.offset = name, size, offset
    w.name_count += 1


cdef inline bint write_name(Writer* w, const uint8_t* name, uint32_t size) noexcept nogil:
    """Write a folded name; ``False`` where it does not fit."""
    cdef uint32_t shared, longest = 1, known = 0, i
    if not w.hashed and (w.name_count == FEW_NAMES or w.at > NEAR_LIMIT):
        note_by_suffixes(w)
    if w.hashed:
        return write_labels(w, name, size)
    for i in range(w.name_count):
        shared = shared_octets(name, size, w.names[i].name, w.names[i].size)
        if shared > longest:  # what is longer than all before was written out here
            longest, known = shared, w.names[i].offset + w.names[i].size - shared
    if longest == 1:
        longest = 0
    if w.limit - w.at < size - longest + 2 * (longest > 0):
        return False
    if size > longest:
        put_octets(w.out + w.at, name, size - longest)
        if size > 1:
            note_name(w, name, size, w.at)
        w.at += size - longest
    if longest:
        put_pointer(w, w.at, known)
        w.at += 2
    return True


cdef inline bint write_labels(Writer* w, const uint8_t* name, uint32_t size) noexcept nogil:
    cdef Labels labels
    cdef uint32_t known, start
    cdef int i
    split(name, &labels)
    for i in range(labels.count):
        start = labels.starts[i]
        known = known_offset(w, labels.hashes[i], name + start, size - start)
        if known:
            if w.limit - w.at < start + 2:
                return False
            memcpy(w.out + w.at, name, start)
            put_pointer(w, w.at + start, known)
            w.at += start + 2
            return True
        note_suffix(w, labels.hashes[i], name + start, size - start, w.at + start)
    if w.limit - w.at < size:
        return False
    memcpy(w.out + w.at, name, size)
    w.at += size
    return True


cdef inline void put_octets(uint8_t* out, const uint8_t* octets, uint32_t size) noexcept nogil:
    """Copy a few octets: most are too few for a call of memcpy."""
    cdef uint32_t i = 0
    if size > 32:
        memcpy(out, octets, size)
        return
    if size >= 8:
        while i + 8 < size:
            memcpy(out + i, octets + i, 8)
            i += 8
        memcpy(out + size - 8, octets + size - 8, 8)
        return
    if size >= 4:
        memcpy(out, octets, 4)
        memcpy(out + size - 4, octets + size - 4, 4)
        return
    while i < size:
        out[i] = octets[i]
        i += 1


cdef inline void put_pointer(Writer* w, uint32_t at, uint32_t offset) noexcept nogil:
    w.out[at] = 0xC0 | offset >> 8
    w.out[at + 1] = <uint8_t>offset


cdef inline bint write_octets(Writer* w, const uint8_t* octets, uint32_t size) noexcept nogil:
    if w.limit - w.at < size:
        return False
    put_octets(w.out + w.at, octets, size)
    w.at += size
    return True


cdef inline bint write_owner(Writer* w, const uint8_t* owner, uint32_t size,
                             uint32_t* pointer) noexcept nogil:
    """Write an owner; ``pointer`` is where the whole of it is known to stand, or 0, and is set."""
    cdef uint32_t here = w.at
    if pointer[0]:
        if w.limit - here < 2:
            return False
        put_pointer(w, here, pointer[0])
        w.at += 2
        return True
    if not write_name(w, owner, size):
        return False
    if size > 1:
        if w.at - here == 2 and w.out[here] >= 0xC0:
            pointer[0] = get16(w.out + here) & 0x3FFF
        elif here < POINTER_LIMIT:
            pointer[0] = here
    return True


cdef inline bint write_head(Writer* w, uint32_t rtype, uint32_t ttl, uint32_t size) noexcept nogil:
    cdef uint8_t* out = w.out + w.at
    if w.limit - w.at < 10:
        return False
    out[0], out[1], out[2], out[3] = rtype >> 8, <uint8_t>rtype, w.rclass >> 8, <uint8_t>w.rclass
    out[4], out[5], out[6], out[7] = ttl >> 24, <uint8_t>(ttl >> 16), <uint8_t>(ttl >> 8), <uint8_t>ttl
    out[8], out[9] = size >> 8, <uint8_t>size
    w.at += 10
    return True


cdef inline int compressed_names(uint32_t rtype) noexcept nogil:
    """Return how many names in rdata of a type are compressed (RFC 3597 4)."""
    if rtype > 15:
        return 0
    if ONE_NAME >> rtype & 1:
        return 1
    return 2 if TWO_NAMES >> rtype & 1 else 0


cdef inline bint write_rdata(Writer* w, uint32_t rtype, const uint8_t* rdata,
                             uint32_t size) noexcept nogil:
    """Write rdata behind a head, and its size into the head."""
    cdef int names = compressed_names(rtype)
    cdef uint32_t position = 2 if rtype == 15 else 0, length, start = w.at
    cdef bint fits
    if not names:
        return write_octets(w, rdata, size)
    if not write_octets(w, rdata, position):
        return False
    while names:
        length = 0
        while rdata[position + length]:
            length += 1 + rdata[position + length]
        length += 1
        if not write_name(w, rdata + position, length):
            return False
        position += length
        names -= 1
    fits = write_octets(w, rdata + position, size - position)
    length = w.at - start
    w.out[start - 2], w.out[start - 1] = length >> 8, <uint8_t>length
    return fits


cdef inline int write_plain_set(Writer* w, uint32_t pointer, const uint8_t* head,
                                uint32_t ttl) noexcept nogil:
    """Write all records of a set that has no names to compress, whose owner is known."""
    cdef uint32_t rtype = get16(head), count = get32(head + 8), i, size
    cdef const uint8_t* rdata = head + SET_HEAD
    cdef uint8_t* out = w.out + w.at
    if w.limit - w.at < 10 * count + get32(head + 12):  # two octets of each are the pointer's
        return -1
    for i in range(count):
        size = get16(rdata)
        out = put_record_head(out, pointer, rtype, w.rclass, ttl, size)
        put_octets(out, rdata + 2, size)
        out += size
        rdata += 2 + size
    w.at = out - w.out
    return count


cdef inline int write_set(Writer* w, const uint8_t* owner, uint32_t owner_size, uint32_t* pointer,
                          const uint8_t* head, uint32_t ttl) noexcept nogil:
    """Write all records of a set; return their number, -1 where they do not fit."""
    cdef uint32_t rtype = get16(head), count = get32(head + 8), i, size
    cdef const uint8_t* rdata = head + SET_HEAD
    if pointer[0] and not compressed_names(rtype):
        return write_plain_set(w, pointer[0], head, ttl)
    for i in range(count):
        size = get16(rdata)
        rdata += 2
        if not write_owner(w, owner, owner_size, pointer) \
                or not write_head(w, rtype, ttl, size) \
                or not write_rdata(w, rtype, rdata, size):
            return -1
        rdata += size
    return count
