# cython: language_level=3
"""A ring of datagrams that one thread fills and another one empties; neither ever waits.

``head`` and ``tail`` count octets and never wrap; the place of a note is its count modulo the size
of the ring. A note does not go around the end: where it does not fit, a note of size 0 says that
the next one is at the start.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nameserver._linux cimport load_acquire, load_relaxed, store_release

cdef enum:
    CLIENT_SIZE = 32  # of a socket address, IPv4 or IPv6
    CONTROL_SIZE = 64  # of IP_PKTINFO or IPV6_PKTINFO


cdef struct Note:
    uint32_t size  # of the note with what follows it; 0: the next is at the start of the ring
    uint32_t length  # of the message, which follows
    int fd
    uint16_t client_size
    uint16_t control_size
    uint8_t client[CLIENT_SIZE]
    uint8_t control[CONTROL_SIZE]


cdef struct Ring:
    uint8_t* octets
    uint64_t size  # a power of two
    uint64_t head  # of the writer
    uint8_t apart[64]  # so that each side has a cache line of its own
    uint64_t tail  # of the reader


cdef inline Note* room_for(Ring* ring, uint32_t length, uint64_t* head) noexcept nogil:
    """Return where a note with so long a message goes, NULL where the ring is full."""
    cdef uint64_t size = (sizeof(Note) + length + 7) & ~<uint64_t>7
    cdef uint64_t place, left, start = ring.head
    place = start & (ring.size - 1)
    left = ring.size - place
    if left < size:
        start += left
    if start + size - load_acquire(&ring.tail) > ring.size:
        return NULL
    if left < size:
        (<Note*>(ring.octets + place)).size = 0
        place = 0
    head[0] = start + size
    (<Note*>(ring.octets + place)).size = <uint32_t>size
    return <Note*>(ring.octets + place)


cdef inline bint put_note(Ring* ring, const Note* head, const uint8_t* message) noexcept nogil:
    """Add a note and its message; tell whether there was room."""
    cdef uint64_t behind
    cdef Note* note = room_for(ring, head.length, &behind)
    cdef uint32_t size
    if note == NULL:
        return False
    size = note.size
    note[0] = head[0]
    note.size = size
    memcpy(<uint8_t*>note + sizeof(Note), message, head.length)
    store_release(&ring.head, behind)
    return True


cdef inline const Note* first_note(Ring* ring) noexcept nogil:
    """Return the oldest note, NULL where there is none; its message stands behind it."""
    cdef uint64_t place
    cdef const Note* note
    if load_acquire(&ring.head) == ring.tail:
        return NULL
    place = ring.tail & (ring.size - 1)
    note = <const Note*>(ring.octets + place)
    if not note.size:
        store_release(&ring.tail, ring.tail + ring.size - place)
        note = <const Note*>ring.octets
    return note


cdef inline void drop_note(Ring* ring, const Note* note) noexcept nogil:
    store_release(&ring.tail, ring.tail + note.size)
