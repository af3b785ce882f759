# cython: language_level=3
"""The zones by apex, read without locks.

One thread writes, with the GIL; any number of threads read without it. A reader loads the root,
then a slot; each is replaced by one store. What was replaced is kept in ``Zones.retired`` until
its owner knows that no reader is left that could have seen it, and drops it from there.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from nameserver._image cimport Content, Image
from nameserver._names cimport Labels, same_name

cdef enum State:  # as nameserver.table.ZoneState
    SERVING
    EXPIRED
    PENDING
    SUSPENDED


cdef struct Zone:
    uint64_t hash
    uint64_t id  # the store's, of what was loaded in bulk
    Image image  # nodes is NULL where nothing is served
    int state
    uint32_t octets  # of the packed form where that stands behind the zone; 0: elsewhere
    uint32_t number  # small, and the same as long as the apex is in the table: for counters
    uint8_t labels
    uint8_t size
    uint8_t apex[255]  # as many octets of it as there are


cdef struct Entry:
    uint64_t hash
    const Zone* zone  # NULL: empty, or taken out


cdef struct Root:
    uint32_t size  # of the slots, a power of two
    uint32_t used  # slots that are or were taken
    uint64_t depths[2]  # bit n: there may be a zone whose apex has n labels
    Entry slots[1]  # in truth ``size`` of them


cdef struct Table:
    Root* root


cdef extern from *:
    """
    #define nsctl_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define nsctl_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    """
    const Zone* load_zone "nsctl_load"(const Zone* const* place) noexcept nogil
    Root* load_root "nsctl_load"(Root* const* place) noexcept nogil
    void store_zone "nsctl_store"(const Zone** place, const Zone* zone) noexcept nogil
    void store_root "nsctl_store"(Root** place, Root* root) noexcept nogil
    uint64_t load_hash "nsctl_load"(const uint64_t* place) noexcept nogil
    void store_hash "nsctl_store"(uint64_t* place, uint64_t hash) noexcept nogil


cdef class Line:
    """The images of a large zone that changes: see docs/adr/0013-changed-images.md.

    ``newest`` is the image of ``version``; ``behind`` the one before, to which ``owed`` is to be
    done before it is the same. Both have the same records, and what is owed stands there.
    """
    cdef Content newest
    cdef Content behind
    cdef object version  # weak
    cdef list owed  # (start, end)


cdef class Zones:
    """The owner of a table: see ``nameserver.table.ZoneTable``, whose contract it keeps."""
    cdef Table table
    cdef dict held  # apex -> Handle
    cdef object ahead  # version -> Content, made by ``prepare``
    cdef public list retired  # what readers may still see; who clears it frees it
    cdef uint32_t numbers  # given out so far
    cdef list free_numbers
    cdef readonly uint32_t loaded_count  # of zones that were loaded in bulk, and are still there
    cdef Zone* block(self, bytes apex) except? NULL
    cdef uint32_t next_number(self) except? 0
    cdef int retire_block(self, Zone* zone) except -1
    cdef int make_room(self, size_t count) except -1
    cdef public size_t changeable  # octets from which on zones are changed rather than made anew
    cdef dict lines  # apex -> Line, of large zones that change
    cdef object lines_lock
    cdef Content changed(self, object version)
    cdef Line new_line(self, object version)
    cdef Content spare(self, Line line)


cdef inline uint64_t key_of(uint64_t hash) noexcept nogil:
    """Return the hash of an apex as it stands in a slot, where 0 means an empty one."""
    return hash if hash else 1


cdef inline bint has_depth(const Root* root, int labels) noexcept nogil:
    return root.depths[labels >> 6] >> (labels & 63) & 1


cdef inline bint has_deeper(const Root* root, int labels) noexcept nogil:
    """Tell whether there may be a zone whose apex has more labels than these."""
    if labels >= 63:
        return True
    return root.depths[1] or root.depths[0] >> (labels + 1)


cdef inline const Zone* zone_at(const Root* root, uint64_t hash, const uint8_t* name,
                                int size) noexcept nogil:
    """Return the zone with exactly this apex, or NULL."""
    cdef uint64_t key = key_of(hash), found
    cdef uint32_t i = <uint32_t>(key >> 32) & (root.size - 1)
    cdef const Zone* zone
    while True:
        found = load_hash(&root.slots[i].hash)
        if not found:
            return NULL
        if found == key:
            zone = load_zone(&root.slots[i].zone)
            if zone != NULL and same_name(zone.apex, zone.size, name, size):
                return zone
        i = (i + 1) & (root.size - 1)


cdef inline const Zone* find_zone(const Root* root, const uint8_t* name, int size,
                                  const Labels* labels, int first) noexcept nogil:
    """Return the zone that is the nearest at or above the suffix at label ``first``, or NULL."""
    cdef const Zone* zone
    cdef int i
    for i in range(first, labels.count + 1):
        if has_depth(root, labels.count - i):
            zone = zone_at(root, labels.hashes[i], name + labels.starts[i],
                           size - labels.starts[i])
            if zone != NULL:
                return zone
    return NULL
