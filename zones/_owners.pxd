# cython: language_level=3
"""The owners of packed content in a table, with what stands there: of ``zones._survey``, inline."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc
from libc.string cimport memcmp

from zones._records cimport grow
from zones._syntax cimport name_size
from zones._wire cimport FINE, MALFORMED, NO_MEMORY, Outcome, get16, get32

cdef enum:
    RRSET_HEAD = 16  # zones.packed.RRSET_HEAD

cdef enum Type:
    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    DNAME = 39
    DS = 43
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    NSEC3 = 50
    SPF = 99

cdef enum Flag:  # what stands at an owner; RRSIG and NSEC have none
    HAS_ADDRESS = 1
    HAS_CNAME = 2
    HAS_NS = 4
    HAS_DNAME = 8
    HAS_OTHER = 16

cdef struct Owner:
    uint32_t start  # of its first RRset; it ends where the next owner starts
    uint32_t flags

cdef struct Owners:  # of one zone
    const uint8_t* octets
    size_t size
    const uint8_t* apex
    size_t apex_size
    Owner* owners
    size_t count
    size_t room
    uint32_t* slots  # indexes into owners, plus 1
    uint64_t mask

cdef struct RRsetView:
    uint32_t rtype
    uint32_t ttl
    uint32_t count
    uint32_t size  # of the records
    size_t records  # where they start; the RRset ends ``size`` behind


cdef inline uint32_t flag_of(uint32_t rtype) noexcept nogil:
    if rtype == A or rtype == AAAA:
        return HAS_ADDRESS
    if rtype == RRSIG or rtype == NSEC:
        return 0
    if rtype == CNAME:
        return HAS_CNAME
    if rtype == NS:
        return HAS_NS
    return HAS_DNAME if rtype == DNAME else HAS_OTHER


cdef inline uint64_t hash_of(const uint8_t* name, size_t size) noexcept nogil:
    """FNV-1a, its upper half folded onto the lower."""
    cdef uint64_t value = 0xCBF29CE484222325ULL
    cdef size_t i
    for i in range(size):
        value = (value ^ name[i]) * 0x100000001B3ULL
    return value ^ value >> 32


cdef inline bint is_below(const uint8_t* name, size_t size, const uint8_t* top, size_t top_size) noexcept nogil:
    """Tell whether a name is ``top`` or below it."""
    cdef size_t position = 0
    if size < top_size or memcmp(name + size - top_size, top, top_size):
        return False
    while position < size - top_size:
        position += 1 + name[position]
    return position == size - top_size


cdef inline Outcome list_owners(Owners* zone, size_t position, uint32_t rrsets) noexcept nogil:
    """Note all owners; after this, the sizes of RRsets can be relied on."""
    cdef const uint8_t* last = NULL
    cdef const uint8_t* name
    cdef size_t name_octets, size
    while rrsets:
        if position >= zone.size or zone.size - position < 1 + RRSET_HEAD \
                + <size_t>zone.octets[position]:
            return MALFORMED
        name = zone.octets + position
        name_octets = name[0]
        size = get32(name + 1 + name_octets + 12)
        if zone.size - position - 1 - RRSET_HEAD - name_octets < size \
                or name_size(name + 1, name_octets) != name_octets:
            return MALFORMED
        if last == NULL or memcmp(last, name, 1 + name_octets):
            if zone.count == zone.room \
                    and not grow(<void**>&zone.owners, &zone.room, 0, sizeof(Owner)):
                return NO_MEMORY
            zone.owners[zone.count] = Owner(position, 0)
            zone.count += 1
            last = name
        zone.owners[zone.count - 1].flags |= flag_of(get16(name + 1 + name_octets))
        position += 1 + name_octets + RRSET_HEAD + size
        rrsets -= 1
    return FINE if position == zone.size else MALFORMED


cdef inline Outcome fill_slots(Owners* zone) noexcept nogil:
    """Make the hash table: open addressing, at most half full."""
    cdef const uint8_t* name
    cdef uint64_t slot
    cdef size_t i
    zone.mask = 15
    while zone.mask < 2 * zone.count:
        zone.mask = 2 * zone.mask + 1
    zone.slots = <uint32_t*>calloc(zone.mask + 1, sizeof(uint32_t))
    if zone.slots == NULL:
        return NO_MEMORY
    for i in range(zone.count):
        name = zone.octets + zone.owners[i].start
        slot = hash_of(name + 1, name[0]) & zone.mask
        while zone.slots[slot]:
            slot = (slot + 1) & zone.mask
        zone.slots[slot] = i + 1
    return FINE


cdef inline Outcome list_and_fill(Owners* zone, size_t position, uint32_t rrsets) noexcept nogil:
    cdef Outcome outcome = list_owners(zone, position, rrsets)
    return fill_slots(zone) if outcome == FINE else outcome


cdef inline Owner* find(Owners* zone, const uint8_t* name, size_t size) noexcept nogil:
    """Return the owner of this name, NULL where there is none."""
    cdef uint64_t slot = hash_of(name, size) & zone.mask
    cdef const uint8_t* found
    while zone.slots[slot]:
        found = zone.octets + zone.owners[zone.slots[slot] - 1].start
        if found[0] == size and not memcmp(found + 1, name, size):
            return &zone.owners[zone.slots[slot] - 1]
        slot = (slot + 1) & zone.mask
    return NULL


cdef inline size_t end_of(Owners* zone, size_t i) noexcept nogil:
    return zone.owners[i + 1].start if i + 1 < zone.count else zone.size


cdef inline size_t read(Owners* zone, size_t position, RRsetView* rrset) noexcept nogil:
    """Read the RRset at ``position`` and return the offset behind it."""
    cdef const uint8_t* head = zone.octets + position + 1 + zone.octets[position]
    rrset.rtype, rrset.ttl = get16(head), get32(head + 4)
    rrset.count, rrset.size = get32(head + 8), get32(head + 12)
    rrset.records = head - zone.octets + RRSET_HEAD
    return rrset.records + rrset.size


cdef inline bint is_apex(Owners* zone, const uint8_t* owner) noexcept nogil:
    return owner[0] == zone.apex_size and not memcmp(owner + 1, zone.apex, zone.apex_size)
