# cython: language_level=3
"""Reading the packed form: RRsets are looked through before anything is made of them."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from nameserver._image cimport NONE, Growth, HashedName, Image, Node, RecordSet
from nameserver._names cimport check_name
from zones._wire cimport get16, get32

cdef enum:
    HEAD = 16  # zones.packed.RRSET_HEAD
    SOA = 6
    RRSIG = 46
    HASH_LABEL = 32
    SHA1 = 1
    SOA_BIT = 2

cdef enum Outcome:
    FINE
    MALFORMED
    NO_MEMORY
    UNFIT  # for being changed in place: see _change.pxd


cdef struct Step:  # the way from the apex to the owner being read
    uint32_t node
    uint64_t hash


cdef struct Builder:
    const uint8_t* blob
    size_t size
    size_t position
    Image* image
    Growth* growth
    Node* nodes
    RecordSet* sets
    uint64_t* hashes  # of the nodes
    uint32_t* children  # their number, of each node; if ``counting``
    bint counting
    uint32_t node_room
    uint32_t nsec_count
    uint32_t hashed_count
    HashedName* hashed
    uint32_t hashed_room
    bint plain_hashed  # all NSEC3 records are of the chain in use, one for each name
    bint lone_signatures  # of NSEC3 records that are not there
    uint32_t rrset_count
    const uint8_t* apex
    Step path[128]
    int depth  # to which the path is right
    const uint8_t* last  # the owner before, and its labels
    int last_depth
    uint8_t last_starts[128]


cdef inline Outcome check_set(Builder* b, const RecordSet* one) noexcept nogil:
    """Walk the records of a set, and leave the position behind it."""
    cdef const uint8_t* head = b.blob + one.head
    cdef uint32_t count = get32(head + 8), octets = get32(head + 12), length
    cdef size_t position = one.head + HEAD, end
    cdef int needed = needs(one.rtype)
    if b.size - position < octets or not count:
        return MALFORMED
    end = position + octets
    while count:
        if end - position < 2:
            return MALFORMED
        length = get16(b.blob + position)
        position += 2
        if end - position < length:
            return MALFORMED
        if needed >= 0 and not has_names(b.blob + position, length, one.rtype, needed):
            return MALFORMED
        if one.rtype == RRSIG and (length < 2 or get16(b.blob + position) != one.covers):
            return MALFORMED
        position += length
        count -= 1
    b.position = position
    return FINE if position == end else MALFORMED


cdef inline int needs(int rtype) noexcept nogil:
    """Return the octets before the names that answers look at, -1 for rdata they do not look into."""
    if rtype in (2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 39):
        return 0
    if rtype in (15, 64, 65):
        return 2
    if rtype == 33:
        return 6
    return -1


cdef inline int target_offset(int rtype) noexcept nogil:
    """Return where in rdata the name stands that is likely to be looked up next; -1 for no such."""
    if rtype in (2, 5):
        return 0
    if rtype in (15, 64, 65):
        return 2
    return 6 if rtype == 33 else -1


cdef inline bint has_names(const uint8_t* rdata, uint32_t size, int rtype, int skip) noexcept nogil:
    cdef int names = 2 if rtype in (6, 14) else 1, length
    cdef uint32_t position = skip
    if size < position:
        return False
    while names:
        length = check_name(rdata + position, size - position)
        if not length:
            return False
        position += length
        names -= 1
    if rtype == SOA:
        return size - position == 20
    return rtype in (64, 65) or position == size


cdef inline bint read_digest(const Image* image, HashedName* one) noexcept nogil:
    """Decode a hashed owner name (RFC 4648 7); ``False`` for another name."""
    cdef const uint8_t* name = image.blob + one.name
    cdef int i, value
    cdef uint64_t bits = 0
    cdef int held = 0, at = 0
    if name[0] != HASH_LABEL or <int>(name - 1)[0] != 1 + HASH_LABEL + image.apex_size:
        return False
    for i in range(1, 1 + HASH_LABEL):
        if 48 <= name[i] <= 57:
            value = name[i] - 48
        elif 97 <= name[i] <= 118:
            value = name[i] - 87
        else:
            return False
        bits = bits << 5 | <uint64_t>value
        held += 5
        if held >= 8:
            held -= 8
            one.digest[at] = <uint8_t>(bits >> held)
            at += 1
    return True


cdef inline bint is_of_chain(const uint8_t* rdata, uint32_t length, const uint8_t* salt,
                             uint32_t salt_size, int iterations) noexcept nogil:
    """Tell whether an NSEC3 record has these parameters."""
    return length >= 5 + salt_size and rdata[0] == SHA1 and rdata[4] == salt_size \
        and <int>get16(rdata + 2) == iterations and not memcmp(rdata + 5, salt, salt_size)


cdef inline bint is_of_apex(const uint8_t* rdata, uint32_t length) noexcept nogil:
    """Tell whether the name that an NSEC3 record, of five octets at least, stands for has a SOA."""
    cdef uint32_t at = 5 + rdata[4]
    cdef const uint8_t* bitmap
    if length <= at:
        return False
    at += 1 + rdata[at]
    bitmap = rdata + at
    return length > at + 2 and not bitmap[0] and (bitmap[2] & SOA_BIT) != 0


cdef inline void choose_hashed(Builder* b, const uint8_t* salt, int salt_size, int iterations) noexcept nogil:
    """Keep of the NSEC3 records those of one chain."""
    cdef uint32_t i, kept = 0, count
    cdef const uint8_t* head
    cdef const uint8_t* rdata
    cdef uint32_t length
    cdef bint found
    b.image.apex_hashed = <uint32_t>NONE
    b.plain_hashed = True
    for i in range(b.hashed_count):
        head = b.blob + b.sets[b.hashed[i].set].head
        rdata, count, found = head + HEAD, get32(head + 8), False
        if not read_digest(b.image, &b.hashed[i]):
            b.plain_hashed = False
            continue
        b.plain_hashed &= count == 1
        while count:
            length = get16(rdata)
            rdata += 2
            if is_of_chain(rdata, length, salt, salt_size, iterations):
                found = True
                if is_of_apex(rdata, length):
                    b.image.apex_hashed = kept
            rdata += length
            count -= 1
        b.plain_hashed &= found
        if found:
            b.hashed[kept] = b.hashed[i]
            kept += 1
    b.hashed_count = kept if b.image.apex_hashed != <uint32_t>NONE else 0
