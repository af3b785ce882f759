# cython: language_level=3
"""Where a name lies in a zone: ``nameserver.lookup.walk``, by two probes instead of a walk.

What a walk from the apex would meet first, a cut or a DNAME, every node knows of itself
(``Node.stop``); so it is enough to find the name, or else its closest encloser.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from nameserver._image cimport (
    CUT, HAS_DNAME, HAS_NSEC, HAS_WILDCARD, NONE, HashedName, Image, Node, find_node,
)
from nameserver._names cimport Labels, compare_labels, find_labels, hash_label, same_name
from nameserver._sha1 cimport hash_name

cdef enum Kind:
    EXACT
    DELEGATION
    REDIRECTION
    SYNTHESIS
    NO_NAME

cdef enum:
    MOST_ITERATIONS = 150  # zones.denial.MAX_ITERATIONS


cdef struct Place:
    Kind kind
    uint32_t node  # as nameserver.lookup says; of NO_NAME and SYNTHESIS too
    int encloser  # the label at which the closest encloser starts


cdef inline uint32_t suffix_node(const Image* image, const uint8_t* name, int size,
                                 const Labels* labels, int label) noexcept nogil:
    cdef int start = labels.starts[label]
    return find_node(image, labels.hashes[label], name + start, size - start)


cdef inline void walk(const Image* image, const uint8_t* name, int size, const Labels* labels,
                      Place* place) noexcept nogil:
    """Find the place of a folded name at or below the apex."""
    walk_from(image, <uint32_t>NONE, name, size, labels, place)


cdef inline void walk_from(const Image* image, uint32_t likely, const uint8_t* name, int size,
                           const Labels* labels, Place* place) noexcept nogil:
    """Do the same; ``likely`` is the node that may have the name, or NONE."""
    cdef int low, high, middle
    cdef uint32_t number = likely, found
    cdef const Node* node
    if number == <uint32_t>NONE or not same_name(
        image.blob + image.nodes[number].name, image.nodes[number].size, name, size
    ):
        number = suffix_node(image, name, size, labels, 0)
    if number != <uint32_t>NONE:
        node = &image.nodes[number]
        place.encloser, place.node, place.kind = 0, number, EXACT
        if node.stop != <uint32_t>NONE:
            stop_at(image, node.stop, place)
        return
    # All names above an existing one exist: halve the way between the name and the apex.
    low, high, number = 0, labels.count - image.apex_labels, 0
    while high - low > 1:
        middle = (low + high) >> 1
        found = suffix_node(image, name, size, labels, middle)
        if found == <uint32_t>NONE:
            low = middle
        else:
            high, number = middle, found
    node = &image.nodes[number]
    place.encloser, place.node, place.kind = high, number, NO_NAME
    if node.stop != <uint32_t>NONE:
        stop_at(image, node.stop, place)
    elif node.flags & HAS_DNAME:
        place.kind = REDIRECTION
    elif node.flags & HAS_WILDCARD:
        place.kind = SYNTHESIS
        place.node = wildcard_node(image, node, labels.hashes[high])


cdef inline void stop_at(const Image* image, uint32_t stop, Place* place) noexcept nogil:
    place.node = stop
    place.kind = DELEGATION if image.nodes[stop].flags & CUT else REDIRECTION


cdef inline uint32_t wildcard_node(const Image* image, const Node* encloser,
                                   uint64_t hash) noexcept nogil:
    """Return the node of the wildcard right below a node, which has one."""
    cdef uint8_t name[258]
    name[0], name[1] = 1, 42
    memcpy(name + 2, image.blob + encloser.name, encloser.size)
    return find_node(image, hash_label(hash, name), name, encloser.size + 2)


# ---- the circle of NSEC


cdef inline uint64_t prefix_of(const uint8_t* name, const uint8_t* starts, int depth) noexcept nogil:
    """Return the first octets of a name's sort key as a number."""
    cdef int i = depth, j, room = 8
    cdef uint64_t result = 0
    cdef const uint8_t* label
    while i and room:
        i -= 1
        label = name + starts[i]
        for j in range(1, 1 + label[0]):
            if not room:
                break
            if label[j] <= 1:
                result = result << 8 | 1
                room -= 1
                if not room:
                    break
            result = result << 8 | (label[j] + (label[j] <= 1))
            room -= 1
        if room:
            result <<= 8
            room -= 1
    return result << (8 * room) if room < 8 else 0


cdef inline int compare_below(const uint8_t* a, const uint8_t* a_starts, int a_depth,
                              const uint8_t* b, int apex_labels) noexcept nogil:
    """Order two names of one zone canonically."""
    cdef uint8_t b_starts[128]
    cdef int b_depth = find_labels(b, b_starts) - apex_labels, order
    while a_depth and b_depth:
        a_depth -= 1
        b_depth -= 1
        order = compare_labels(a + a_starts[a_depth], b + b_starts[b_depth])
        if order:
            return order
    return a_depth - b_depth


cdef inline uint32_t nsec_node(const Image* image, const uint8_t* name) noexcept nogil:
    """Return the node whose NSEC matches or covers a name; the zone has one at least."""
    cdef uint8_t starts[128]
    cdef int depth = find_labels(name, starts) - image.apex_labels
    cdef uint64_t prefix = prefix_of(name, starts, depth)
    cdef uint32_t low = 0, high = image.nsec_count, middle
    cdef bint behind
    while low < high:  # the first that stands behind the name
        middle = (low + high) >> 1
        if image.nsec_keys[middle] != prefix:
            behind = image.nsec_keys[middle] > prefix
        else:
            behind = compare_below(name, starts, depth,
                                   image.blob + image.nodes[image.nsec_nodes[middle]].name,
                                   image.apex_labels) < 0
        if behind:
            high = middle
        else:
            low = middle + 1
    return image.nsec_nodes[(low if low else image.nsec_count) - 1]


# ---- the circle of NSEC3


cdef inline uint32_t hashed_name(const Image* image, const uint8_t* name, int size,
                                 bint* matches) noexcept nogil:
    """Return which NSEC3 matches or covers a name, as ``zones.denial.Nsec3Chain.find``."""
    cdef uint8_t digest[20]
    cdef uint32_t low = 0, high = image.hashed_count, middle, step
    matches[0] = True
    if image.iterations > MOST_ITERATIONS:
        return image.apex_hashed
    hash_name(name, size, image.salt, image.salt_size, image.iterations, digest)
    while low < high:
        middle = (low + high) >> 1
        if memcmp(image.hashed[middle].digest, digest, 20) > 0:
            high = middle
        else:
            low = middle + 1
    low = (low if low else image.hashed_count) - 1
    matches[0] = not memcmp(image.hashed[low].digest, digest, 20)
    return low
