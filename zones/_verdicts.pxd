# cython: language_level=3
"""What the rules can have to say about the names of a zone: of ``zones._survey``, inline."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from zones._owners cimport (
    A, AAAA, CNAME, DNAME, DNSKEY, DS, HAS_ADDRESS, HAS_CNAME, MX, NS, NSEC, NSEC3, PTR, RRSIG, SOA,
    SPF, SRV, TXT, Owner, Owners, RRsetView, end_of, find, is_below, read,
)
from zones._syntax cimport (
    are_strings, has_form, is_bitmap, is_digest, is_for_messages, is_in_form, is_nsec3, name_size,
    starts_with_number,
)
from zones._wire cimport get16, get32

cdef enum:
    RECORD_HEAD = 12  # zones.survey._RECORD_HEAD
    LARGE = 32767  # an RRset of more octets is measured by the rules
    MAX_TTL = 0x7FFFFFFF

cdef enum Where:
    AT_APEX
    IN_ZONE
    AT_CUT
    OCCLUDED

cdef enum Verdict:
    SILENT  # there certainly is nothing to say
    WARNED  # a rule may warn, and none refuses
    OPEN  # the rules have to look


cdef inline bint may_stand(uint32_t rtype, Where where) noexcept nogil:
    if rtype == A or rtype == AAAA or rtype == RRSIG or rtype == NSEC:
        return True
    if where == OCCLUDED:
        return False
    if where == AT_CUT:
        return rtype == NS or rtype == DS
    if where == AT_APEX and (rtype == CNAME or rtype == NSEC3):
        return False
    if where == AT_APEX and (rtype == SOA or rtype == NS):
        return True
    return rtype == TXT or rtype == MX or rtype == CNAME or rtype == SRV or rtype == PTR \
        or rtype == NSEC3 or rtype == SPF or has_form(rtype)


cdef inline Verdict target_verdict(Owners* zone, const RRsetView* rrset, const uint8_t* rdata,
                            size_t size) noexcept nogil:
    """Look at a record that ends with the name that it points to."""
    cdef uint32_t rtype = rrset.rtype
    cdef size_t prefix = 2 if rtype == MX else 6 if rtype == SRV else 0
    cdef const uint8_t* target = rdata + prefix
    cdef Owner* owner
    if size <= prefix or name_size(target, size - prefix) != size - prefix:
        return OPEN
    if not target[0]:  # the null MX (RFC 7505), or a service that is not there (RFC 2782)
        if rtype == SRV or (rtype == MX and rrset.count == 1 and not get16(rdata)):
            return SILENT
        return WARNED
    if rtype == PTR:
        return SILENT
    if (rtype == NS or rtype == MX) and starts_with_number(target):
        return WARNED
    if not is_below(target, size - prefix, zone.apex, zone.apex_size):
        return SILENT
    owner = find(zone, target, size - prefix)
    if owner == NULL or owner.flags & HAS_CNAME:
        return WARNED
    return SILENT if rtype == CNAME or owner.flags & HAS_ADDRESS else WARNED


cdef inline Verdict record_verdict(Owners* zone, const RRsetView* rrset, const uint8_t* rdata,
                            size_t size) noexcept nogil:
    cdef uint32_t rtype = rrset.rtype
    cdef size_t name
    if rtype == SOA:  # at the apex, where the rules see it anyway
        return SILENT
    if rtype == A:
        return SILENT if size == 4 else OPEN
    if rtype == AAAA:
        return SILENT if size == 16 else OPEN
    if rtype == TXT or rtype == SPF:
        return SILENT if are_strings(rdata, size) else OPEN
    if rtype == RRSIG:
        name = name_size(rdata + 18, size - 18) if size > 18 else 0
        return SILENT if name > 0 and 18 + name < size else OPEN
    if rtype == NSEC:
        name = name_size(rdata, size)
        return SILENT if name > 0 and is_bitmap(rdata + name, size - name) else OPEN
    if rtype == NSEC3:
        return SILENT if is_nsec3(rdata, size) else OPEN
    if rtype == DS:
        return SILENT if is_digest(rdata, size) else WARNED if size > 4 else OPEN
    if rtype == DNSKEY:
        return WARNED if size > 4 else OPEN
    if has_form(rtype):
        return SILENT if is_in_form(rtype, rdata, size) else OPEN
    if rtype == NS or rtype == CNAME or rtype == PTR or rtype == MX or rtype == SRV:
        return target_verdict(zone, rrset, rdata, size)
    return WARNED  # dnspython may doubt it


cdef inline Verdict records_verdict(Owners* zone, const RRsetView* rrset) noexcept nogil:
    """Look at the records of an RRset."""
    cdef size_t position = rrset.records, end = rrset.records + rrset.size, size
    cdef Verdict worst = SILENT, one
    cdef uint32_t i
    for i in range(rrset.count):
        if end - position < 2:
            return OPEN
        size = get16(zone.octets + position)
        position += 2
        if end - position < size:
            return OPEN
        one = record_verdict(zone, rrset, zone.octets + position, size)
        if one == OPEN:
            return OPEN
        if one == WARNED:
            worst = WARNED
        position += size
    return worst if position == end else OPEN


cdef inline Verdict verdict_of(Owners* zone, size_t i, Where where) noexcept nogil:
    """Tell what the rules can have to say about an owner that no DNAME is above of."""
    cdef size_t position = zone.owners[i].start, end = end_of(zone, i)
    cdef uint32_t flags = zone.owners[i].flags
    cdef RRsetView rrset
    cdef Verdict worst = SILENT, one
    if where == AT_CUT and get16(zone.octets + position + 1) == 0x012A:  # a wildcard
        worst = WARNED
    if flags & HAS_CNAME and flags != HAS_CNAME:
        return OPEN
    while position < end:
        position = read(zone, position, &rrset)
        if rrset.ttl > MAX_TTL or rrset.count > LARGE \
                or <uint64_t>rrset.size + rrset.count * RECORD_HEAD > LARGE \
                or (rrset.rtype == CNAME and rrset.count > 1):
            return OPEN
        if not may_stand(rrset.rtype, where):
            if where == AT_APEX or rrset.rtype == SOA or rrset.rtype == DNAME \
                    or is_for_messages(rrset.rtype):
                return OPEN
            worst = WARNED
        one = records_verdict(zone, &rrset)
        if one == OPEN:
            return OPEN
        if one == WARNED:
            worst = WARNED
    return worst


cdef inline bint has_at_sign(const uint8_t* name) noexcept nogil:
    """Tell whether a label of a valid name has an @."""
    cdef int i
    while name[0]:
        for i in range(1, 1 + name[0]):
            if name[i] == 0x40:
                return True
        name += 1 + name[0]
    return False


cdef inline bint is_soa_quiet(const uint8_t* rdata, size_t size, const uint32_t* ranges) noexcept nogil:
    """Tell whether SOA rdata is sound and no rule has anything to say about it."""
    cdef size_t mname = name_size(rdata, size), rname
    cdef uint32_t timers[4]
    cdef int i
    if mname < 2:  # malformed, or the root
        return False
    rname = name_size(rdata + mname, size - mname)
    if rname < 2 or mname + rname + 20 != size or has_at_sign(rdata + mname):
        return False
    for i in range(4):
        timers[i] = get32(rdata + mname + rname + 4 + 4 * i)
        if not ranges[2 * i] <= timers[i] <= ranges[2 * i + 1]:
            return False
    return timers[1] <= timers[0] and timers[2] > <uint64_t>timers[0] + timers[1]


cdef inline bint is_apex_quiet(Owners* zone, size_t position, size_t end, const uint32_t* ranges) noexcept nogil:
    """Look at what the apex must have, its RRsets being silent."""
    cdef RRsetView rrset
    cdef inline bint has_soa = False, has_ns = False, is_signed = False, has_nsec = False
    while position < end:
        position = read(zone, position, &rrset)
        if rrset.rtype == SOA:
            if rrset.count != 1 or not is_soa_quiet(
                zone.octets + rrset.records + 2, rrset.size - 2, ranges
            ):
                return False
            has_soa = True
        has_ns = has_ns or rrset.rtype == NS
        is_signed = is_signed or rrset.rtype == RRSIG
        has_nsec = has_nsec or rrset.rtype == NSEC
    return has_soa and has_ns and (has_nsec or not is_signed)
