# cython: language_level=3
"""The image of a zone version: what lookups walk in, made once from the packed form.

An image borrows the octets of the packed form and adds numbers to it: every existing name is a
``Node``, empty non-terminals included, in canonical order; every RRset a ``RecordSet``. Nothing in an
image changes after it was made, so that any thread may read it.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from nameserver._names cimport Labels, same_name

cdef enum:
    NONE = 0xFFFFFFFF  # no node, no set

cdef enum:
    CHANGEABLE = 1 << 19  # octets from which on an image is rather changed than made anew

cdef enum NodeFlag:
    CUT = 1  # an NS RRset, not at the apex
    HAS_DNAME = 2
    HAS_CNAME = 4
    HAS_WILDCARD = 8  # the name below it that starts with an asterisk exists
    HAS_NSEC = 16
    IS_ENT = 32


cdef struct Node:
    uint32_t name  # offset in the packed form
    uint32_t sets  # the first of its RRsets
    uint32_t count  # of its RRsets, RRSIGs included
    uint32_t stop  # where the walk from the apex ends before or here: a cut or DNAME; or NONE
    uint8_t size  # of the name; 0: it is gone, see _change.pxd
    uint8_t flags


cdef struct RecordSet:
    uint32_t head  # offset in the packed form, of what follows the owner
    uint32_t signature  # the set of the RRSIGs that cover this one, or NONE
    uint32_t targets  # of what points to names: where the nodes of these names stand; or NONE
    uint16_t rtype
    uint16_t covers


cdef struct Slot:  # of the hash of names
    uint32_t tag
    uint32_t node  # NONE: empty


cdef struct HashedName:  # an NSEC3 record
    uint8_t digest[20]
    uint32_t name  # offset in the packed form
    uint32_t set


cdef struct Image:
    const uint8_t* blob
    const Node* nodes  # the apex is the first
    const RecordSet* sets
    const uint32_t* targets  # a node, maybe a dead one, for each record of such a set; or NONE
    const Slot* slots
    const uint32_t* nsec_nodes  # those with an NSEC, in order
    const uint64_t* nsec_keys  # the first octets of their sort keys
    const HashedName* hashed  # the chain of NSEC3, in order
    uint32_t node_count
    uint32_t set_count
    uint32_t target_count
    uint32_t slot_count
    uint32_t nsec_count
    uint32_t hashed_count
    uint32_t apex_hashed  # the NSEC3 of the apex, or NONE
    uint16_t apex_size
    uint8_t apex_labels
    uint8_t salt_size
    const uint8_t* salt
    uint16_t iterations
    uint32_t apex_ns  # sets of the apex, or NONE
    uint32_t apex_soa
    size_t octets  # of memory beside the packed form


cdef struct Missing:  # a name within the zone that a record points to and that does not exist
    uint32_t tag
    uint32_t name  # offset in the packed form
    uint32_t target


cdef struct Growth:  # what is needed to change an image; see _change.pxd
    uint32_t node_room
    uint32_t set_room
    uint32_t target_room
    uint32_t nsec_room
    uint32_t hashed_room
    uint32_t* children  # the number of names right below each node
    Missing* missing
    uint32_t missing_count
    uint32_t missing_room


cdef uint8_t* make_block(bytes blob, size_t front, Image* image) except NULL


cdef class Records:
    """Packed RRsets with room for more behind them: what images that change share."""
    cdef uint8_t* octets
    cdef size_t size
    cdef size_t room
    cdef int append(self, bytes more) except -1


cdef class Content:
    """A zone version's octets and their image; frees both when nobody holds it."""
    cdef bytes blob
    cdef Image image
    cdef void* memory
    cdef Records records  # in place of the blob, once the image has changed
    cdef Growth growth
    cdef readonly bint can_change
    cdef int users  # zones of tables that it is the image of, or was until lately
    cdef int rest_on(self, Records records) except -1
    cdef int take_over(self, size_t start, size_t end) except -1


cdef inline const uint8_t* node_name(const Image* image, const Node* node) noexcept nogil:
    return image.blob + node.name


cdef inline uint32_t first_slot(const Image* image, uint64_t hash) noexcept nogil:
    return <uint32_t>(((hash >> 32) * image.slot_count) >> 32)


cdef inline uint32_t find_node(const Image* image, uint64_t hash, const uint8_t* name,
                               int size) noexcept nogil:
    """Return the node with a name, or NONE."""
    cdef uint32_t i = first_slot(image, hash), tag = <uint32_t>hash
    cdef const Slot* slot
    cdef const Node* node
    while True:
        slot = &image.slots[i]
        if slot.node == <uint32_t>NONE:
            return <uint32_t>NONE
        if slot.tag == tag:
            node = &image.nodes[slot.node]
            if same_name(image.blob + node.name, node.size, name, size):
                return slot.node
        i += 1
        if i == image.slot_count:
            i = 0


cdef inline uint32_t likely_node(const Image* image, uint64_t hash) noexcept nogil:
    """Return the node that most likely has a name of this hash, or NONE."""
    cdef uint32_t i = first_slot(image, hash)
    while image.slots[i].node != <uint32_t>NONE:
        if image.slots[i].tag == <uint32_t>hash:
            return image.slots[i].node
        i += 1
        if i == image.slot_count:
            i = 0
    return <uint32_t>NONE


cdef inline uint32_t find_set(const Image* image, const Node* node, uint32_t rtype,
                              uint32_t covers) noexcept nogil:
    """Return the RRset of a node with a type, or NONE."""
    cdef uint32_t low = node.sets, high = node.sets + node.count, middle
    cdef uint32_t wanted = rtype << 16 | covers, key
    cdef const RecordSet* one
    while high - low > 8:
        middle = (low + high) >> 1
        one = &image.sets[middle]
        if (<uint32_t>one.rtype << 16 | one.covers) <= wanted:
            low = middle
        else:
            high = middle
    while low < high:
        one = &image.sets[low]
        key = <uint32_t>one.rtype << 16 | one.covers
        if key == wanted:
            return low
        if key > wanted:
            break
        low += 1
    return <uint32_t>NONE
