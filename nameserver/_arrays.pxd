# cython: language_level=3
"""The arrays of an image as they stay, in one piece of memory; with room for more if it may change."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from nameserver._builder cimport HEAD, Builder, target_offset
from nameserver._image cimport (
    HAS_NSEC, NONE, Growth, HashedName, Image, Missing, Node, RecordSet, Slot, find_node, first_slot,
)
from nameserver._names cimport Labels, find_labels, is_at_or_below, name_size, split
from nameserver._walk cimport prefix_of
from zones._wire cimport get16, get32

cdef extern from *:
    """
    #if defined(__linux__)
    #include <stdlib.h>
    #include <sys/mman.h>
    /* In large pages there are fewer faults when it is filled, and fewer misses when it is read. */
    static void *nsctl_allocate(size_t size) {
        void *memory;
        if (size < 8u << 20)
            return malloc(size);
        size = (size + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1);
        memory = aligned_alloc(2u << 20, size);
        if (memory != NULL)
            madvise(memory, size, MADV_HUGEPAGE);
        return memory;
    }
    #else
    static void *nsctl_allocate(size_t size) { return malloc(size); }
    #endif
    """
    void* allocate "nsctl_allocate"(size_t size) noexcept nogil


cdef inline size_t round8(size_t octets) noexcept nogil:
    return (octets + 7) & ~<size_t>7


cdef inline uint32_t with_room(const Builder* b, uint32_t count) noexcept nogil:
    return count + (count >> 3) + 1024 if b.counting else count


cdef inline void measure(Builder* b) noexcept nogil:
    """Say how large the arrays are going to be, in ``Image.octets`` all together."""
    cdef Image* image = b.image
    cdef Growth* growth = b.growth
    image.nsec_count, image.hashed_count = b.nsec_count, b.hashed_count
    growth.node_room = with_room(b, image.node_count)
    growth.set_room = with_room(b, image.set_count)
    growth.target_room = with_room(b, image.target_count)
    growth.nsec_room = with_room(b, image.nsec_count)
    growth.hashed_room = with_room(b, image.hashed_count)
    image.slot_count = growth.node_room + (growth.node_room >> 1) + (growth.node_room >> 3) + 2
    place(image, growth, NULL, b.counting)


cdef inline void* lay_out(Builder* b) noexcept nogil:
    """Put all arrays into one piece of memory, which is returned; NULL without memory."""
    cdef void* memory
    measure(b)
    memory = allocate(b.image.octets)
    if memory != NULL and not fill(b, <uint8_t*>memory):
        free(memory)
        return NULL
    return memory


cdef inline bint fill(Builder* b, uint8_t* memory) noexcept nogil:
    """Put all arrays into memory that ``measure`` found large enough; ``False`` without more."""
    cdef Image* image = b.image
    cdef Growth* growth = b.growth
    place(image, growth, memory, b.counting)
    memset(<void*>image.slots, 0xFF, image.slot_count * sizeof(Slot))
    fill_slots(b, <Slot*>image.slots)
    memcpy(<void*>image.nodes, b.nodes, image.node_count * sizeof(Node))
    memcpy(<void*>image.sets, b.sets, image.set_count * sizeof(RecordSet))
    fill_nsec(image, <uint64_t*>image.nsec_keys, <uint32_t*>image.nsec_nodes)
    if image.hashed_count:
        memcpy(<void*>image.hashed, b.hashed, image.hashed_count * sizeof(HashedName))
    if b.counting:
        memcpy(growth.children, b.children, image.node_count * sizeof(uint32_t))
    return fill_targets(image, growth if b.counting else NULL)


cdef inline void place(Image* image, Growth* growth, uint8_t* memory, bint counting) noexcept nogil:
    """Say where in memory each array stands, and how many octets they all need."""
    cdef uint8_t* at = memory
    image.slots = <const Slot*>at
    at += <size_t>image.slot_count * sizeof(Slot)
    image.nodes = <const Node*>at
    at += round8(<size_t>growth.node_room * sizeof(Node))
    image.sets = <const RecordSet*>at
    at += round8(<size_t>growth.set_room * sizeof(RecordSet))
    image.nsec_keys = <const uint64_t*>at
    at += <size_t>growth.nsec_room * sizeof(uint64_t)
    image.nsec_nodes = <const uint32_t*>at
    at += round8(<size_t>growth.nsec_room * sizeof(uint32_t))
    image.hashed = <const HashedName*>at
    at += round8(<size_t>growth.hashed_room * sizeof(HashedName))
    image.targets = <const uint32_t*>at
    at += round8(<size_t>growth.target_room * sizeof(uint32_t))
    growth.children = NULL
    if counting:
        growth.children = <uint32_t*>at
        at += round8(<size_t>growth.node_room * sizeof(uint32_t))
    image.octets = at - memory


cdef inline void* copy_arrays(const Image* image, const Growth* growth, Image* own,
                              Growth* own_growth) noexcept nogil:
    """Copy an image that may change, with the room it has; return the memory, NULL without it."""
    cdef uint8_t* memory = <uint8_t*>allocate(image.octets)
    cdef Missing* missing = NULL
    if growth.missing_count:
        missing = <Missing*>malloc(growth.missing_room * sizeof(Missing))
    if memory == NULL or (growth.missing_count and missing == NULL):
        free(memory)
        free(missing)
        return NULL
    own[0], own_growth[0] = image[0], growth[0]
    place(own, own_growth, memory, True)
    memcpy(<void*>own.slots, image.slots, image.slot_count * sizeof(Slot))
    memcpy(<void*>own.nodes, image.nodes, image.node_count * sizeof(Node))
    memcpy(<void*>own.sets, image.sets, image.set_count * sizeof(RecordSet))
    memcpy(<void*>own.nsec_keys, image.nsec_keys, image.nsec_count * sizeof(uint64_t))
    memcpy(<void*>own.nsec_nodes, image.nsec_nodes, image.nsec_count * sizeof(uint32_t))
    memcpy(<void*>own.hashed, image.hashed, image.hashed_count * sizeof(HashedName))
    memcpy(<void*>own.targets, image.targets, image.target_count * sizeof(uint32_t))
    memcpy(own_growth.children, growth.children, image.node_count * sizeof(uint32_t))
    own_growth.missing = missing
    own_growth.missing_room = growth.missing_room if missing != NULL else 0
    if missing != NULL:
        memcpy(missing, growth.missing, growth.missing_count * sizeof(Missing))
    return memory


cdef inline bint fill_targets(const Image* image, Growth* growth) noexcept nogil:
    """Look up what records point to, once and for all; ``False`` without memory."""
    cdef uint32_t i
    for i in range(image.set_count):
        if target_offset(image.sets[i].rtype) >= 0 and not aim(image, growth, &image.sets[i]):
            return False
    return True


cdef inline bint aim(const Image* image, Growth* growth, const RecordSet* one) noexcept nogil:
    """Look up what the records of a set point to; ``False`` without memory.

    With ``growth``, names that may come to exist are noted.
    """
    cdef uint32_t* targets = <uint32_t*>image.targets
    cdef const uint8_t* rdata = image.blob + one.head + HEAD
    cdef const uint8_t* name
    cdef uint32_t j, count = get32(rdata - 8)
    cdef int skip = target_offset(one.rtype), size
    cdef Labels labels
    for j in range(count):
        name = rdata + 2 + skip
        size = name_size(name)
        targets[one.targets + j] = <uint32_t>NONE
        if is_at_or_below(name, size, image.blob + image.nodes[0].name, image.apex_size):
            split(name, &labels)
            targets[one.targets + j] = find_node(image, labels.hashes[0], name, size)
            if targets[one.targets + j] == <uint32_t>NONE and growth != NULL \
                    and not note_missing(growth, <uint32_t>labels.hashes[0], name - image.blob,
                                         one.targets + j):
                return False
        rdata += 2 + get16(rdata)
    return True


cdef inline bint note_missing(Growth* growth, uint32_t tag, uint32_t name,
                              uint32_t target) noexcept nogil:
    cdef Missing* moved
    if growth.missing_count == growth.missing_room:
        growth.missing_room = growth.missing_room * 2 if growth.missing_room else 16
        moved = <Missing*>realloc(growth.missing, growth.missing_room * sizeof(Missing))
        if moved == NULL:
            return False
        growth.missing = moved
    moved = &growth.missing[growth.missing_count]
    moved.tag, moved.name, moved.target = tag, name, target
    growth.missing_count += 1
    return True


cdef inline void fill_slots(Builder* b, Slot* slots) noexcept nogil:
    cdef uint32_t i
    for i in range(b.image.node_count):
        take_slot(b.image, slots, b.hashes[i], i)


cdef inline void take_slot(const Image* image, Slot* slots, uint64_t hash,
                           uint32_t node) noexcept nogil:
    """Enter a node into the hash of names."""
    cdef uint32_t at = first_slot(image, hash)
    while slots[at].node != <uint32_t>NONE:
        at += 1
        if at == image.slot_count:
            at = 0
    slots[at].tag, slots[at].node = <uint32_t>hash, node


cdef inline void fill_nsec(const Image* image, uint64_t* keys, uint32_t* nodes) noexcept nogil:
    cdef uint32_t i, count = 0
    if not image.nsec_count:
        return
    for i in range(image.node_count):
        if image.nodes[i].flags & HAS_NSEC:
            nodes[count] = i
            keys[count] = key_of_node(image, &image.nodes[i])
            count += 1


cdef inline uint64_t key_of_node(const Image* image, const Node* node) noexcept nogil:
    """Return the first octets of the sort key of a node's name."""
    cdef uint8_t starts[128]
    cdef const uint8_t* name = image.blob + node.name
    return prefix_of(name, starts, find_labels(name, starts) - image.apex_labels)
