# cython: language_level=3
"""What the compiled packer gathers: records, runs of records of one owner, and their order."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.string cimport memcmp

from zones._wire cimport WireName, get16

cdef enum:
    TYPE_SOA = 6
    TYPE_RRSIG = 46
    FIRST_BLOCK = 1 << 13  # small zones are many
    BLOCK = 1 << 20


cdef struct Block:
    Block* previous
    size_t size
    size_t used
    # the octets follow


cdef struct Arena:
    Block* last


cdef struct Record:
    const uint8_t* rdata
    uint32_t ttl
    uint16_t rtype
    uint16_t size


cdef struct Run:
    uint64_t prefix[2]  # the first octets of the key, as numbers: most runs differ there
    const uint8_t* owner  # in the arena: see start_run
    uint32_t first  # index into the records
    uint32_t count


cdef struct Example:
    const uint8_t* name
    int size  # of the name
    int rtype


cdef inline int covers(const Record* record) noexcept nogil:
    return get16(record.rdata) if record.rtype == TYPE_RRSIG else 0


cdef inline int compare_octets(const uint8_t* a, size_t a_size,
                               const uint8_t* b, size_t b_size) noexcept nogil:
    cdef int order = memcmp(a, b, a_size if a_size < b_size else b_size)
    return order if order else (a_size > b_size) - (a_size < b_size)


cdef inline int compare_records(const void* a, const void* b) noexcept nogil:
    """Order by type, then rdata; the type that an RRSIG covers is what its rdata starts with."""
    cdef const Record* x = <const Record*>a
    cdef const Record* y = <const Record*>b
    if x.rtype != y.rtype:
        return 1 if x.rtype > y.rtype else -1
    return compare_octets(x.rdata, x.size, y.rdata, y.size)


cdef inline int compare_runs(const void* a, const void* b) noexcept nogil:
    """Order by owner, canonically."""
    cdef const Run* x = <const Run*>a
    cdef const Run* y = <const Run*>b
    if x.prefix[0] != y.prefix[0]:
        return 1 if x.prefix[0] > y.prefix[0] else -1
    if x.prefix[1] != y.prefix[1]:
        return 1 if x.prefix[1] > y.prefix[1] else -1
    return compare_octets(x.owner + 3, get16(x.owner), y.owner + 3, get16(y.owner))


cdef inline int sort_key(const WireName* name, int labels, uint8_t* key) noexcept nogil:
    """Write the sort key of the first ``labels`` labels (at most 510 octets); return its size.

    Octets 0 and 1 are written as 1 1 and 1 2, so that 0 only ever ends a label.
    """
    cdef int size = 0, i, j
    cdef const uint8_t* label
    for i in range(labels - 1, -1, -1):
        label = name.octets + name.starts[i]
        for j in range(1, 1 + label[0]):
            if label[j] <= 1:
                key[size] = 1
                size += 1
            key[size] = label[j] + (label[j] <= 1)
            size += 1
        key[size] = 0
        size += 1
    return size


cdef inline bint same_rrset(const Record* a, const Record* b) noexcept nogil:
    return a.rtype == b.rtype and covers(a) == covers(b)


cdef inline bint grow(void** items, size_t* room, size_t at_least, size_t item_size) noexcept nogil:
    """Give an array more room; tell whether there was memory."""
    cdef size_t wanted = max(at_least, 2 * room[0], <size_t>64)
    cdef void* moved = realloc(items[0], wanted * item_size)
    if moved == NULL:
        return False
    items[0], room[0] = moved, wanted
    return True


cdef inline void sort_records(Record* records, size_t count) noexcept nogil:
    cdef size_t i
    for i in range(1, count):
        if compare_records(&records[i - 1], &records[i]) > 0:
            qsort(records, count, sizeof(Record), compare_records)
            return


cdef inline uint8_t* reserve(Arena* arena, size_t size) noexcept nogil:
    """Return room for ``size`` octets; who uses it adds to ``used``. Blocks double up to BLOCK."""
    cdef Block* block = arena.last
    cdef size_t room
    if block == NULL or block.size - block.used < size:
        room = <size_t>FIRST_BLOCK if block == NULL else min(2 * block.size, <size_t>BLOCK)
        room = max(room, size)
        block = <Block*>malloc(sizeof(Block) + room)
        if block == NULL:
            return NULL
        block.previous, block.size, block.used = arena.last, room, 0
        arena.last = block
    return <uint8_t*>(block + 1) + block.used


cdef inline void release(Arena* arena) noexcept nogil:
    """Free the arena and all that stands in it."""
    cdef Block* block
    while arena.last != NULL:
        block = arena.last
        arena.last = block.previous
        free(block)
