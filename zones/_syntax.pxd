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


cdef inline bint is_for_messages(unsigned int rtype) noexcept nogil:
    """Tell whether no records of a type can stand in a zone, of any of which that may be said."""
    return rtype == 0 or rtype == 41 or 128 <= rtype < 256


cdef inline bint has_form(unsigned int rtype) noexcept nogil:
    """Tell whether ``is_in_form`` knows a type: SSHFP, TLSA, CDS, CDNSKEY, SVCB, HTTPS, CAA."""
    return rtype == 44 or rtype == 52 or rtype == 59 or rtype == 60 or rtype == 64 \
        or rtype == 65 or rtype == 257


cdef inline bint is_in_form(unsigned int rtype, const uint8_t* octets, size_t size) noexcept nogil:
    """Tell whether these are the octets of a type of which that is known here."""
    cdef size_t position
    cdef int last = -1, key
    if rtype == 257:
        if size <= 2 or not octets[1] or size - 2 < octets[1]:
            return False
        for position in range(2, 2 + <size_t>octets[1]):
            if not is_alphanumeric(octets[position]):
                return False
        return True
    if rtype != 64 and rtype != 65:
        return size > (2 if rtype == 44 else 3 if rtype == 52 else 4)
    position = name_size(octets + 2, size - 2) if size > 2 else 0
    if not position:
        return False
    position += 2
    while position + 4 <= size:  # keys grow (RFC 9460 2.2)
        key = octets[position] << 8 | octets[position + 1]
        if key <= last:
            return False
        last = key
        position += 4 + (octets[position + 2] << 8 | octets[position + 3])
    return position == size


cdef inline bint is_alphanumeric(uint8_t octet) noexcept nogil:
    return 0x30 <= octet <= 0x39 or 0x41 <= octet <= 0x5A or 0x61 <= octet <= 0x7A
