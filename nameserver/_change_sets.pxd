# cython: language_level=3
"""The RRsets of one name while an image is changed: those it has, and those given (``_change``)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from nameserver._builder cimport (
    FINE, HEAD, MALFORMED, RRSIG, UNFIT, Builder, Outcome, check_set, target_offset,
)
from nameserver._image cimport NONE, Growth, Image, RecordSet
from nameserver._names cimport Labels, split
from nameserver._tree cimport NSEC3, NSEC3PARAM
from zones._wire cimport get16, get32

cdef enum:
    MOST_SETS = 512  # of one name
    MOST_DOUBTFUL = 256

cdef enum Given:  # among the RRsets of a name
    GIVES_RECORDS = 1  # that are to stand at the name itself
    GIVES_HASHED = 2  # an NSEC3 record or its signatures, to stand there or to go
    GIVES_PARAMETERS = 4  # NSEC3PARAM, likewise


cdef struct Change:  # of what stands at one name
    Image* image
    Growth* growth
    const uint8_t* owner
    int size
    size_t first  # where its RRsets begin and end
    size_t end
    int given  # bits of Given
    Labels labels
    RecordSet* merged  # room for MOST_SETS
    uint32_t doubtful[MOST_DOUBTFUL]  # nodes that became cuts, or are none any more; and DNAMEs
    uint32_t doubtful_count


cdef inline bint is_hashed(uint16_t rtype, uint16_t covers) noexcept nogil:
    return rtype == NSEC3 or covers == NSEC3


cdef inline Outcome next_owner(Change* one, size_t end) noexcept nogil:
    """Find the RRsets of the next owner, and what they are."""
    cdef const uint8_t* blob = one.image.blob
    cdef const uint8_t* head
    cdef size_t position = one.end
    one.first, one.given = position, 0
    one.owner, one.size = blob + position + 1, blob[position]
    split(one.owner, &one.labels)
    while position < end and blob[position] == one.size \
            and not memcmp(blob + position + 1, one.owner, one.size):
        head = blob + position + 1 + one.size
        if is_hashed(get16(head), get16(head + 2)):
            one.given |= GIVES_HASHED
        elif get32(head + 8):
            one.given |= GIVES_RECORDS
        if get16(head) == NSEC3PARAM:
            one.given |= GIVES_PARAMETERS
        position += 1 + one.size + HEAD + get32(head + 12)
    one.end = position
    return FINE if position <= end else MALFORMED


cdef inline Outcome merge(Change* one, uint32_t old, uint32_t count, bint hashed,
                          uint32_t* merged) noexcept nogil:
    """Put together the sets that a name has and those given; ``old`` are the former."""
    cdef Image* image = one.image
    cdef size_t position = one.first
    cdef uint32_t end = old + count, key, there, made = 0
    cdef const uint8_t* head
    cdef Outcome outcome
    while position < one.end or old < end:
        if made == MOST_SETS:
            return UNFIT
        key = <uint32_t>NONE
        if position < one.end:
            head = image.blob + position + 1 + one.size
            key = <uint32_t>get16(head) << 16 | get16(head + 2)
            if is_hashed(get16(head), get16(head + 2)) != hashed:
                position += 1 + one.size + HEAD + get32(head + 12)
                continue
        there = <uint32_t>NONE
        if old < end:
            there = <uint32_t>image.sets[old].rtype << 16 | image.sets[old].covers
            if there < key:
                one.merged[made] = image.sets[old]
                made += 1
                old += 1
                continue
        old += there == key
        position += 1 + one.size
        if get32(head + 8):
            outcome = new_set(one, position, &one.merged[made])
            if outcome != FINE:
                return outcome
            made += 1
        position += HEAD + get32(head + 12)
    merged[0] = made
    return FINE


cdef inline Outcome new_set(Change* one, uint32_t head, RecordSet* new) noexcept nogil:
    """Fill in a set whose head stands at an offset."""
    cdef Image* image = one.image
    cdef Builder b
    cdef uint32_t count = get32(image.blob + head + 8)
    b.blob, b.size = image.blob, one.end
    new.head, new.rtype, new.covers = head, get16(image.blob + head), get16(image.blob + head + 2)
    new.signature = new.targets = <uint32_t>NONE
    if new.rtype == NSEC3PARAM:
        return UNFIT  # another chain may be in use
    if new.covers and new.rtype != RRSIG:
        return MALFORMED
    if target_offset(new.rtype) >= 0:
        # Never in the place of others: what is missing may still be noted for them.
        if one.growth.target_room - image.target_count < count:
            return UNFIT
        new.targets = image.target_count
        image.target_count += count
        memset(<void*>&image.targets[new.targets], 0xFF, count * sizeof(uint32_t))
    return check_set(&b, new)


cdef inline uint32_t put_sets(Change* one, uint32_t old, uint32_t room, uint32_t count) noexcept nogil:
    """Store what ``merge`` made, in the old place if it fits; return where, or NONE."""
    cdef Image* image = one.image
    if count > room:
        if one.growth.set_room - image.set_count < count:
            return <uint32_t>NONE
        old = image.set_count
        image.set_count += count
    memcpy(<void*>&image.sets[old], one.merged, count * sizeof(RecordSet))
    return old
