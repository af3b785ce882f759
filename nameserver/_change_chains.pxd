# cython: language_level=3
"""The circles of NSEC and of NSEC3 while an image is changed (``_change``)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memmove

from nameserver._arrays cimport key_of_node
from nameserver._builder cimport FINE, HEAD, UNFIT, Outcome, is_of_apex, is_of_chain, read_digest
from nameserver._change_sets cimport GIVES_HASHED, Change, merge, put_sets
from nameserver._image cimport NONE, HashedName, Image, Node, RecordSet
from nameserver._names cimport find_labels
from nameserver._tree cimport NSEC3
from nameserver._walk cimport compare_below, prefix_of
from zones._wire cimport get16, get32


# ---- NSEC

cdef inline uint32_t place_in_circle(const Image* image, const uint8_t* name) noexcept nogil:
    """Return which node with an NSEC is the first that does not stand before a name."""
    cdef uint8_t starts[128]
    cdef int depth = find_labels(name, starts) - image.apex_labels
    cdef uint64_t prefix = prefix_of(name, starts, depth)
    cdef uint32_t low = 0, high = image.nsec_count, middle
    cdef const Node* node
    cdef bint before
    while low < high:
        middle = (low + high) >> 1
        if image.nsec_keys[middle] != prefix:
            before = image.nsec_keys[middle] < prefix
        else:
            node = &image.nodes[image.nsec_nodes[middle]]
            before = compare_below(name, starts, depth, image.blob + node.name,
                                   image.apex_labels) > 0
        if before:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline Outcome enter_nsec(Change* one, uint32_t number) noexcept nogil:
    cdef Image* image = one.image
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t at = place_in_circle(image, image.blob + node.name)
    cdef uint32_t behind = image.nsec_count - at
    cdef uint64_t* keys = <uint64_t*>image.nsec_keys
    cdef uint32_t* nodes = <uint32_t*>image.nsec_nodes
    if image.nsec_count == one.growth.nsec_room:
        return UNFIT
    memmove(&keys[at + 1], &keys[at], behind * sizeof(uint64_t))
    memmove(&nodes[at + 1], &nodes[at], behind * sizeof(uint32_t))
    keys[at], nodes[at] = key_of_node(image, node), number
    image.nsec_count += 1
    return FINE


cdef inline Outcome drop_nsec(Image* image, const Node* node) noexcept nogil:
    cdef uint32_t at = place_in_circle(image, image.blob + node.name)
    cdef uint32_t behind = image.nsec_count - at - 1
    cdef uint64_t* keys = <uint64_t*>image.nsec_keys
    cdef uint32_t* nodes = <uint32_t*>image.nsec_nodes
    memmove(&keys[at], &keys[at + 1], behind * sizeof(uint64_t))
    memmove(&nodes[at], &nodes[at + 1], behind * sizeof(uint32_t))
    image.nsec_count -= 1
    return FINE


# ---- NSEC3

cdef inline Outcome change_hashed(Change* one) noexcept nogil:
    """Change what stands at a hashed name: an NSEC3 record and its signatures."""
    cdef Image* image = one.image
    cdef HashedName* chain = <HashedName*>image.hashed
    cdef HashedName new
    cdef uint32_t at, count, old = 0, room = 0
    cdef bint found
    cdef Outcome outcome
    if not one.given & GIVES_HASHED:
        return FINE
    new.name = one.owner - image.blob
    if not image.hashed_count or not read_digest(image, &new):
        return UNFIT
    at = place_in_chain(image, new.digest)
    found = at < image.hashed_count and not memcmp(chain[at].digest, new.digest, 20)
    if found:
        room = 1 if image.sets[chain[at].set].signature == <uint32_t>NONE else 2
        old = chain[at].set + 1 - room
    outcome = merge(one, old, room, True, &count)
    if outcome != FINE:
        return outcome
    if not count:
        return drop_hashed(image, at) if found else FINE
    if one.merged[count - 1].rtype != NSEC3 \
            or not fits_chain(image, &one.merged[count - 1], found and at == image.apex_hashed):
        return UNFIT
    if not found:
        if image.hashed_count == one.growth.hashed_room:
            return UNFIT
        memmove(&chain[at + 1], &chain[at], (image.hashed_count - at) * sizeof(HashedName))
        image.hashed_count += 1
        image.apex_hashed += at <= image.apex_hashed
    new.set = put_sets(one, old, room, count)
    if new.set == <uint32_t>NONE:
        return UNFIT
    if count == 2:
        (<RecordSet*>&image.sets[new.set + 1]).signature = new.set
    new.set += count - 1
    if count == 1:
        (<RecordSet*>&image.sets[new.set]).signature = <uint32_t>NONE
    chain[at] = new
    return FINE


cdef inline uint32_t place_in_chain(const Image* image, const uint8_t* digest) noexcept nogil:
    """Return which NSEC3 record is the first that does not stand before a digest."""
    cdef uint32_t low = 0, high = image.hashed_count, middle
    while low < high:
        middle = (low + high) >> 1
        if memcmp(image.hashed[middle].digest, digest, 20) < 0:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline bint fits_chain(const Image* image, const RecordSet* one, bint apex) noexcept nogil:
    """Tell whether there is one record, with the parameters of the chain; the apex stays where it is."""
    cdef const uint8_t* rdata = image.blob + one.head + HEAD
    cdef uint32_t length = get16(rdata)
    return get32(rdata - 8) == 1 \
        and is_of_chain(rdata + 2, length, image.salt, image.salt_size, image.iterations) \
        and is_of_apex(rdata + 2, length) == apex


cdef inline Outcome drop_hashed(Image* image, uint32_t at) noexcept nogil:
    cdef HashedName* chain = <HashedName*>image.hashed
    if at == image.apex_hashed:
        return UNFIT
    image.hashed_count -= 1
    memmove(&chain[at], &chain[at + 1], (image.hashed_count - at) * sizeof(HashedName))
    image.apex_hashed -= at < image.apex_hashed
    return FINE
