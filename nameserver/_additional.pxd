# cython: language_level=3
"""The additional section: ``nameserver.additional``, function by function."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp

from nameserver._image cimport CUT, NONE, Image, Node, find_node, find_set
from nameserver._names cimport Labels, is_at_or_below, split
from nameserver._sections cimport ADDITIONAL, ANSWER, AUTHORITY, Item, Work, add_set
from nameserver._writer cimport SET_HEAD
from zones._wire cimport get16, get32

cdef enum:
    TARGET_A = 1
    TARGET_NS = 2
    TARGET_MX = 15
    TARGET_AAAA = 28
    TARGET_SRV = 33
    TARGET_SVCB = 64
    TARGET_HTTPS = 65


cdef inline int name_size(const uint8_t* name) noexcept nogil:
    """Return the size of a sound name."""
    cdef int size = 0
    while name[size]:
        size += 1 + name[size]
    return size + 1


cdef inline const Node* target_node(const Work* work, const uint8_t* target, int size) noexcept nogil:
    """Return what stands at a target in this zone, authoritative data or glue; or NULL."""
    cdef const Image* image = work.image
    cdef Labels labels
    cdef uint32_t number
    cdef const Node* node
    if not is_at_or_below(target, size, image.blob + image.nodes[0].name, image.apex_size):
        return NULL
    split(target, &labels)
    number = find_node(image, labels.hashes[0], target, size)
    if number == <uint32_t>NONE:
        return NULL
    node = &image.nodes[number]
    if node.stop != <uint32_t>NONE and not image.nodes[node.stop].flags & CUT:
        return NULL
    return node


cdef inline void add_addresses(Work* work, const uint8_t* target, int size, int more,
                               bint required) noexcept nogil:
    """Add the addresses of a target, and the RRset of type ``more`` if that is not 0."""
    cdef const Node* node = target_node(work, target, size)
    cdef uint32_t found
    if node == NULL:
        return
    found = find_set(work.image, node, TARGET_A, 0)
    if found != <uint32_t>NONE:
        add_set(work, ADDITIONAL, node, found, required)
    found = find_set(work.image, node, TARGET_AAAA, 0)
    if found != <uint32_t>NONE:
        add_set(work, ADDITIONAL, node, found, required)
    if more:
        found = find_set(work.image, node, more, 0)
        if found != <uint32_t>NONE:
            add_set(work, ADDITIONAL, node, found, required)


cdef inline void add_glue(Work* work, const Node* cut, uint32_t servers) noexcept nogil:
    """Add the addresses of a delegation's name servers, those in the delegated domain first."""
    cdef const uint8_t* head = work.image.blob + work.image.sets[servers].head
    cdef const uint8_t* rdata
    cdef uint32_t i, count = get32(head + 8), size
    cdef bint required = True
    while True:
        rdata = head + SET_HEAD
        for i in range(count):
            size = get16(rdata)
            if not required or is_at_or_below(rdata + 2, size, work.image.blob + cut.name,
                                              cut.size):
                add_addresses(work, rdata + 2, size, 0, required)
                if work.overflow:
                    return
            rdata += 2 + size
        if not required:
            return
        required = False


cdef inline void add_targets(Work* work) noexcept nogil:
    """Add the addresses of what the answer and authority sections point to."""
    cdef int section
    cdef uint32_t i
    cdef const Item* item
    for section in range(2):
        for i in range(work.counts[section]):
            item = &work.items[work.order[section][i]]
            if item.rtype in (TARGET_NS, TARGET_MX, TARGET_SRV, TARGET_SVCB, TARGET_HTTPS):
                add_item_targets(work, item)
            if work.overflow:
                return


cdef inline void add_item_targets(Work* work, const Item* item) noexcept nogil:
    cdef const uint8_t* head = item.image.blob + item.image.sets[item.set].head
    cdef const uint8_t* rdata = head + SET_HEAD
    cdef const uint8_t* target
    cdef uint32_t i, count = get32(head + 8), size
    cdef int skip = 0, rtype = item.rtype, more
    if rtype == TARGET_SRV:
        skip = 6
    elif rtype != TARGET_NS:
        skip = 2
    for i in range(count):
        size = get16(rdata)
        rdata += 2
        target, more = rdata + skip, 0
        if rtype == TARGET_SVCB or rtype == TARGET_HTTPS:
            if not get16(rdata):  # AliasMode
                more = rtype
            elif not target[0]:  # ServiceMode: "." is the owner itself
                target = item.owner
        add_addresses(work, target, name_size(target), more, False)
        if work.overflow:
            return
        rdata += size
