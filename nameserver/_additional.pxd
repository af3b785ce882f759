# cython: language_level=3
"""The additional section: ``nameserver.additional``, function by function."""

from libc.stdint cimport uint8_t, uint32_t

from nameserver._image cimport CUT, NONE, Image, Node, RecordSet, find_node
from nameserver._names cimport Labels, is_at_or_below, name_size, split
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


cdef inline uint32_t find_target(const Work* work, const uint8_t* target, int size) noexcept nogil:
    """Return the node with a name, NONE for a name that is not in this zone."""
    cdef const Image* image = work.image
    cdef Labels labels
    if not is_at_or_below(target, size, image.blob + image.nodes[0].name, image.apex_size):
        return <uint32_t>NONE
    split(target, &labels)
    return find_node(image, labels.hashes[0], target, size)


cdef inline void add_addresses(Work* work, uint32_t number, int more, bint required) noexcept nogil:
    """Add the addresses of a node, and the RRset of type ``more`` if that is not 0."""
    cdef const Image* image = work.image
    cdef const Node* node
    cdef uint32_t i
    cdef int rtype
    if number == <uint32_t>NONE:
        return
    node = &image.nodes[number]
    if node.stop != <uint32_t>NONE and not image.nodes[node.stop].flags & CUT:
        return  # below a DNAME
    for i in range(node.sets, node.sets + node.count):  # types go upwards
        rtype = image.sets[i].rtype
        if rtype == TARGET_A or rtype == TARGET_AAAA or (more and rtype == more):
            add_set(work, ADDITIONAL, node, i, required)
        elif rtype > TARGET_HTTPS:
            return


cdef inline void add_glue(Work* work, const Node* cut, uint32_t servers) noexcept nogil:
    """Add the addresses of a delegation's name servers, those in the delegated domain first."""
    cdef const RecordSet* names = &work.image.sets[servers]
    cdef const uint8_t* head = work.image.blob + names.head
    cdef const uint8_t* rdata
    cdef uint32_t i, count = get32(head + 8), size
    cdef int below
    for below in range(1, -1, -1):
        rdata = head + SET_HEAD
        for i in range(count):
            size = get16(rdata)
            if is_at_or_below(rdata + 2, size, work.image.blob + cut.name, cut.size) == below:
                add_addresses(work, work.image.targets[names.targets + i], 0, below)
                if work.overflow:
                    return
            rdata += 2 + size


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
    cdef const RecordSet* names = &item.image.sets[item.set]
    cdef const uint8_t* head = item.image.blob + names.head
    cdef const uint8_t* rdata = head + SET_HEAD
    cdef uint32_t i, count = get32(head + 8), number
    cdef int skip = 2, rtype = item.rtype, more
    if rtype == TARGET_SRV:
        skip = 6
    elif rtype == TARGET_NS:
        skip = 0
    for i in range(count):
        more = 0
        if rtype >= TARGET_SVCB and not rdata[2 + skip] and get16(rdata + 2):
            # ServiceMode: "." is the owner itself
            number = find_target(work, item.owner, item.owner_size)
        elif item.image == work.image:
            number = work.image.targets[names.targets + i]
        else:
            number = find_target(work, rdata + 2 + skip, name_size(rdata + 2 + skip))
        if rtype >= TARGET_SVCB and not get16(rdata + 2):  # AliasMode
            more = rtype
        add_addresses(work, number, more, False)
        if work.overflow:
            return
        rdata += 2 + get16(rdata)
