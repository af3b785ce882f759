# cython: language_level=3
"""Whether octets are what their type asks for: of ``zones.syntax``, what most records are, inline."""

from libc.stdint cimport uint8_t

from zones._wire cimport MAX_NAME


cdef inline size_t name_size(const uint8_t* octets, size_t size) noexcept nogil:
    """Return the size of the name that starts here, 0 where it is not sound."""
    cdef size_t position = 0, length
    while position < size:
        length = octets[position]
        position += 1 + length
        if not length:
            return position if position <= MAX_NAME else 0
        if length > 63:
            return 0
    return 0


cdef inline bint is_bitmap(const uint8_t* octets, size_t size) noexcept nogil:
    """Tell whether these are the windows of a type bitmap (RFC 4034 4.1.2)."""
    cdef size_t position = 0
    cdef int last = -1
    while position + 2 < size:
        if octets[position] <= last or not 1 <= octets[position + 1] <= 32:
            return False
        last = octets[position]
        position += 2 + octets[position + 1]
    return position == size


cdef inline bint are_strings(const uint8_t* octets, size_t size) noexcept nogil:
    cdef size_t position = 0
    while position < size:
        position += 1 + octets[position]
    return size > 0 and position == size


cdef inline bint is_nsec3(const uint8_t* octets, size_t size) noexcept nogil:
    """Walk algorithm, flags, iterations, salt, hash and the types (RFC 5155 3.2)."""
    cdef size_t position = 4
    cdef int i
    for i in range(2):
        if position >= size:
            return False
        position += 1 + octets[position]
    return position <= size and is_bitmap(octets + position, size - position)


cdef inline bint is_digest(const uint8_t* octets, size_t size) noexcept nogil:
    """Tell whether a DS record has one of the usual digests (RFC 4509, RFC 6605)."""
    if size < 5:
        return False
    return (octets[3] == 1 and size == 24) or (octets[3] == 2 and size == 36) \
        or (octets[3] == 4 and size == 52)


cdef inline bint starts_with_number(const uint8_t* name) noexcept nogil:
    """Tell whether the first label has digits alone: so starts what looks like an address."""
    cdef int i
    for i in range(1, 1 + name[0]):
        if not 48 <= name[i] <= 57:
            return False
    return True
