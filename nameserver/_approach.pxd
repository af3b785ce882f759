# cython: language_level=3
"""Asking for memory ahead: what a query of a batch is going to read is on its way while others run.

Nothing here decides anything but ``Prepared.zone``; ``complete`` looks again.
"""

from libc.stdint cimport uint32_t

from nameserver._answer cimport Prepared
from nameserver._image cimport (
    CUT, HAS_CNAME, NONE, Image, Node, RecordSet, find_set, first_slot, likely_node,
)
from nameserver._names cimport prefetch
from nameserver._query cimport CLASS_IN, LOCATED, PARSED, refusal
from nameserver._table cimport Root, Zone, find_zone, has_depth
from zones._wire cimport get32

cdef enum:
    TYPE_NS = 2
    TYPE_CNAME = 5
    MOST_TARGETS = 4


cdef inline bint is_looked_up(const Prepared* p) noexcept nogil:
    return p.stage == PARSED and p.qclass == CLASS_IN and refusal(p) < 0


cdef inline void approach_table(const Root* root, const Prepared* p) noexcept nogil:
    cdef int i
    for i in range(p.labels.count + 1):
        if has_depth(root, p.labels.count - i):
            prefetch(&root.slots[<uint32_t>(p.labels.hashes[i] >> 32) & (root.size - 1)])


cdef inline void approach_zone(const Root* root, Prepared* p) noexcept nogil:
    cdef const Zone* zone = find_zone(root, p.qname, p.qname_size, &p.labels, 0)
    p.zone, p.stage = zone, LOCATED
    if zone != NULL and zone.image.nodes != NULL:
        prefetch(&zone.image.slots[first_slot(&zone.image, p.labels.hashes[0])])
        if p.labels.count > zone.image.apex_labels + 1:  # it may be below a cut
            prefetch(&zone.image.slots[first_slot(&zone.image, p.labels.hashes[1])])


cdef inline void approach_node(Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    p.node = p.pointing = <uint32_t>NONE
    if image.nodes == NULL:
        return
    p.node = likely_node(image, p.labels.hashes[0])
    if p.node == <uint32_t>NONE and p.labels.count > image.apex_labels + 1:
        p.node = likely_node(image, p.labels.hashes[1])
    if p.node != <uint32_t>NONE:
        prefetch(&image.nodes[p.node])


cdef inline void approach_sets(Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    cdef const Node* node
    if p.node != <uint32_t>NONE:
        node = &image.nodes[p.node]
        prefetch(image.blob + node.name)
        prefetch(image.blob + node.name + 64)
        prefetch(&image.sets[node.sets])


cdef inline uint32_t pointing_set(const Prepared* p) noexcept nogil:
    """Return the NS or CNAME RRset whose targets are going to be looked at, or NONE."""
    cdef const Node* node
    if p.node == <uint32_t>NONE:
        return <uint32_t>NONE
    node = &p.zone.image.nodes[p.node]
    if not node.flags & (CUT | HAS_CNAME):
        return <uint32_t>NONE
    return find_set(&p.zone.image, node, TYPE_NS if node.flags & CUT else TYPE_CNAME, 0)


cdef inline bint approach_targets(Prepared* p) noexcept nogil:
    """Tell whether there are any."""
    cdef const Image* image = &p.zone.image
    p.pointing = pointing_set(p)
    if p.pointing != <uint32_t>NONE:
        prefetch(&image.targets[image.sets[p.pointing].targets])
    return p.pointing != <uint32_t>NONE


cdef inline void approach_target_nodes(const Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    cdef const RecordSet* one
    cdef uint32_t i, count, node
    if p.pointing != <uint32_t>NONE:
        one = &image.sets[p.pointing]
        count = get32(image.blob + one.head + 8)
        for i in range(min(count, <uint32_t>MOST_TARGETS)):
            node = image.targets[one.targets + i]
            if node != <uint32_t>NONE:
                prefetch(&image.nodes[node])


cdef inline void approach_target_sets(const Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    cdef const RecordSet* one
    cdef uint32_t i, count, node
    if p.pointing != <uint32_t>NONE:
        one = &image.sets[p.pointing]
        count = get32(image.blob + one.head + 8)
        for i in range(min(count, <uint32_t>MOST_TARGETS)):
            node = image.targets[one.targets + i]
            if node != <uint32_t>NONE:
                prefetch(image.blob + image.nodes[node].name)
                prefetch(&image.sets[image.nodes[node].sets])
