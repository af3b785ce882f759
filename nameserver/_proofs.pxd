# cython: language_level=3
"""Proofs of what a signed zone does not have: ``nameserver.proofs``, function by function."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from nameserver._image cimport HAS_NSEC, NONE, Image, Node, find_set
from nameserver._sections cimport AUTHORITY, Work, add_item, add_set, fill_item
from nameserver._walk cimport Place, hashed_name, nsec_node

cdef enum:
    PROOF_NSEC = 47


cdef inline void add_nsec(Work* work, const uint8_t* name) noexcept nogil:
    """Add the NSEC that matches or covers a name."""
    cdef const Node* node = &work.image.nodes[nsec_node(work.image, name)]
    add_set(work, AUTHORITY, node, find_set(work.image, node, PROOF_NSEC, 0), True)


cdef inline void add_hashed(Work* work, uint32_t number) noexcept nogil:
    """Add an NSEC3 RRset."""
    cdef const Image* image = work.image
    cdef const uint8_t* name = image.blob + image.hashed[number].name
    fill_item(work, name, (name - 1)[0], image.hashed[number].set, True, True)
    add_item(work, AUTHORITY)


cdef inline void add_covering(Work* work, const uint8_t* name, int size) noexcept nogil:
    cdef bint matched
    add_hashed(work, hashed_name(work.image, name, size, &matched))


cdef inline int asterisk_below(const uint8_t* encloser, int size, uint8_t* name) noexcept nogil:
    """Write the name of the wildcard right below a name; return its size."""
    name[0], name[1] = 1, 42
    memcpy(name + 2, encloser, size)
    return size + 2


cdef inline int closest_encloser(Work* work, const uint8_t* name, int size,
                                 int encloser) noexcept nogil:
    """Add the proof of the closest encloser, which starts at octet ``encloser`` of the name.

    Return where the closest provable encloser starts.
    """
    cdef const Image* image = work.image
    cdef int at = encloser, closer = -1, i = 0
    cdef uint32_t found
    cdef bint matched
    while i < encloser:  # the next closer name is the last one before
        closer = i
        i += 1 + name[i]
    while True:
        found = hashed_name(image, name + at, size - at, &matched)
        if matched or size - at == image.apex_size:
            break
        closer = at
        at += 1 + name[at]
    add_hashed(work, found)
    if closer >= 0:
        add_covering(work, name + closer, size - closer)
    return at


cdef inline void no_name(Work* work, const Place* place) noexcept nogil:
    """NXDOMAIN: neither the name exists nor a source of synthesis."""
    cdef uint8_t source[260]
    cdef int at = work.labels.starts[place.encloser], size
    if work.image.hashed_count:
        at = closest_encloser(work, work.name, work.name_size, at)
        size = asterisk_below(work.name + at, work.name_size - at, source)
        add_covering(work, source, size)
    elif work.image.nsec_count:
        add_nsec(work, work.name)
        asterisk_below(work.name + at, work.name_size - at, source)
        add_nsec(work, source)


cdef inline void no_data(Work* work, const uint8_t* name, int size) noexcept nogil:
    """NODATA, or a referral: the existing name lacks the type, or the cut DS."""
    if work.image.hashed_count:
        closest_encloser(work, name, size, 0)
    elif work.image.nsec_count:
        add_nsec(work, name)


cdef inline void no_closer_match(Work* work, const Place* place) noexcept nogil:
    """Wildcard answer: there is nothing closer to the name than the source of synthesis."""
    cdef int closer
    if work.image.hashed_count:
        closer = work.labels.starts[place.encloser - 1]
        add_covering(work, work.name + closer, work.name_size - closer)
    elif work.image.nsec_count:
        add_nsec(work, work.name)


cdef inline void no_wildcard_data(Work* work, const Place* place) noexcept nogil:
    """Wildcard NODATA: the name does not exist, and the source of synthesis lacks the type."""
    cdef uint8_t source[260]
    cdef int at = work.labels.starts[place.encloser], size
    size = asterisk_below(work.name + at, work.name_size - at, source)
    if work.image.hashed_count:
        closest_encloser(work, work.name, work.name_size, at)
        add_covering(work, source, size)
    elif work.image.nsec_count:
        add_nsec(work, work.name)
        add_nsec(work, source)
