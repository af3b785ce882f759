# cython: language_level=3, boundscheck=False, wraparound=False
"""Finding, in a zone of a million records, the few names that a rule may have something to say about.

``Survey`` walks packed content twice: first every owner goes into a table, with what stands there;
then each owner is looked at, and those about which nothing can be said are passed over. It passes
over a name only where that is certain, the targets of its records being looked up in the table:
whatever is unusual, rare, or of a type not known here is left to the rules in Python. So all
findings are as they would be without this module.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp

from zones import packed
from zones._records cimport grow
from zones._syntax cimport (
    are_strings, is_bitmap, is_digest, is_nsec3, name_size, starts_with_number,
)
from zones._wire cimport BRIEF, FINE, MALFORMED, NO_MEMORY, Outcome, get16, get32

cdef enum:
    RRSET_HEAD = 16  # zones.packed.RRSET_HEAD
    RECORD_HEAD = 12  # zones.survey._RECORD_HEAD
    LARGE = 32767  # an RRset of more octets is measured by the rules
    MAX_TTL = 0x7FFFFFFF
    NONE = 0xFFFFFFFF

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
    NSEC3 = 50
    SPF = 99

cdef enum Flag:  # what stands at an owner; RRSIG and NSEC have none
    HAS_ADDRESS = 1
    HAS_CNAME = 2
    HAS_NS = 4
    HAS_DNAME = 8
    HAS_OTHER = 16

cdef enum Where:
    AT_APEX
    IN_ZONE
    AT_CUT
    OCCLUDED

cdef struct Owner:
    uint32_t start  # of its first RRset; it ends where the next owner starts
    uint32_t flags

cdef struct Suspect:
    uint32_t start
    uint32_t end
    uint32_t cut  # the start of the delegation at or above, or NONE
    uint32_t dname  # the start of the DNAME owner above, or NONE
    bint silent  # nothing to say but, at the apex, about its SOA, and about what is missing

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


cdef bint is_below(const uint8_t* name, size_t size, const uint8_t* top, size_t top_size) noexcept nogil:
    """Tell whether a name is ``top`` or below it."""
    cdef size_t position = 0
    if size < top_size or memcmp(name + size - top_size, top, top_size):
        return False
    while position < size - top_size:
        position += 1 + name[position]
    return position == size - top_size


cdef bint has_at_sign(const uint8_t* name) noexcept nogil:
    """Tell whether a label of a valid name has an @."""
    cdef int i
    while name[0]:
        for i in range(1, 1 + name[0]):
            if name[i] == 0x40:
                return True
        name += 1 + name[0]
    return False


cdef bint is_soa_quiet(const uint8_t* rdata, size_t size, const uint32_t* ranges) noexcept nogil:
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


cdef class Survey:
    """The owners of packed content, with what stands there; raises ``PackedError``.

    Content of 4 GiB or more is refused with ``OverflowError``.
    """

    cdef bytes blob
    cdef const uint8_t* octets
    cdef size_t size
    cdef const uint8_t* apex
    cdef size_t apex_size
    cdef Owner* owners
    cdef size_t count, room
    cdef uint32_t* slots  # indexes into owners, plus 1
    cdef uint64_t mask

    def __cinit__(self, bytes blob not None):
        header = packed.read_header(blob)
        cdef size_t start = header.start
        cdef uint32_t rrsets = header.rrsets
        cdef Outcome outcome
        self.blob, self.octets, self.size = blob, blob, len(blob)
        if self.size >> 32:
            raise OverflowError("packed content of 4 GiB or more")
        self.apex_size = len(header.apex)
        self.apex = self.octets + start - self.apex_size
        if self.size < BRIEF:
            outcome = self.list_and_fill(start, rrsets)
        else:
            with nogil:
                outcome = self.list_and_fill(start, rrsets)
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome == MALFORMED:
            raise packed.PackedError("a packed zone does not end where it says")

    def __dealloc__(self):
        free(self.owners)
        free(self.slots)

    def suspects(self):
        """Return where the owners stand that the rules must look at, in order.

        Each is ``(start, end, cut, dname, silent)``: from where to where its RRsets go, and where
        the delegation at or above it and the DNAME owner above it start, or ``None``. The apex is
        always among them; ``silent`` tells that there it is only its SOA that the rules must see,
        and which types there are.
        """
        cdef Suspect* found = NULL
        cdef size_t count = 0
        cdef Outcome outcome
        if self.size < BRIEF:
            outcome = self.find_suspects(&found, &count)
        else:
            with nogil:
                outcome = self.find_suspects(&found, &count)
        try:
            if outcome == NO_MEMORY:
                raise MemoryError
            return [
                (
                    found[i].start,
                    found[i].end,
                    None if found[i].cut == NONE else found[i].cut,
                    None if found[i].dname == NONE else found[i].dname,
                    bool(found[i].silent),
                )
                for i in range(count)
            ]
        finally:
            free(found)

    def types_at(self, bytes name not None):
        """Return the set of types that stand at a folded name, empty where it owns no records."""
        cdef Owner* owner = self.find(<const uint8_t*>name, len(name))
        cdef RRsetView rrset
        cdef size_t position, end
        types = set()
        if owner != NULL:
            position, end = owner.start, self.end_of(owner - self.owners)
            while position < end:
                position = self.read(position, &rrset)
                types.add(rrset.rtype)
        return types

    def is_quiet(self, bytes ranges not None):
        """Tell whether no rule has anything to say: certain where true, unknown where not.

        ``ranges`` has the least and the greatest value of REFRESH, RETRY, EXPIRE and MINIMUM that
        need no remark, eight native 32-bit integers.
        """
        cdef Suspect* found = NULL
        cdef size_t count = 0
        if len(ranges) != 8 * sizeof(uint32_t):
            raise ValueError("eight integers are due")
        if self.find_suspects(&found, &count) == NO_MEMORY:
            free(found)
            raise MemoryError
        try:
            return count == 1 and found[0].silent and self.is_apex_quiet(
                found[0].start, found[0].end, <const uint32_t*><const char*>ranges
            )
        finally:
            free(found)

    cdef bint is_apex_quiet(self, size_t position, size_t end, const uint32_t* ranges) noexcept nogil:
        """Look at what the apex must have, its RRsets being silent."""
        cdef RRsetView rrset
        cdef bint has_soa = False, has_ns = False, is_signed = False, has_nsec = False
        while position < end:
            position = self.read(position, &rrset)
            if rrset.rtype == SOA:
                if rrset.count != 1 or not is_soa_quiet(
                    self.octets + rrset.records + 2, rrset.size - 2, ranges
                ):
                    return False
                has_soa = True
            has_ns = has_ns or rrset.rtype == NS
            is_signed = is_signed or rrset.rtype == RRSIG
            has_nsec = has_nsec or rrset.rtype == NSEC
        return has_soa and has_ns and (has_nsec or not is_signed)

    # ---- the table of owners

    cdef Outcome list_and_fill(self, size_t position, uint32_t rrsets) noexcept nogil:
        cdef Outcome outcome = self.list_owners(position, rrsets)
        return self.fill_slots() if outcome == FINE else outcome

    cdef Outcome list_owners(self, size_t position, uint32_t rrsets) noexcept nogil:
        """Note all owners; after this, the sizes of RRsets can be relied on."""
        cdef const uint8_t* last = NULL
        cdef const uint8_t* name
        cdef size_t name_octets, size
        while rrsets:
            if position >= self.size or self.size - position < 1 + RRSET_HEAD \
                    + <size_t>self.octets[position]:
                return MALFORMED
            name = self.octets + position
            name_octets = name[0]
            size = get32(name + 1 + name_octets + 12)
            if self.size - position - 1 - RRSET_HEAD - name_octets < size \
                    or name_size(name + 1, name_octets) != name_octets:
                return MALFORMED
            if last == NULL or memcmp(last, name, 1 + name_octets):
                if self.count == self.room \
                        and not grow(<void**>&self.owners, &self.room, 0, sizeof(Owner)):
                    return NO_MEMORY
                self.owners[self.count] = Owner(position, 0)
                self.count += 1
                last = name
            self.owners[self.count - 1].flags |= flag_of(get16(name + 1 + name_octets))
            position += 1 + name_octets + RRSET_HEAD + size
            rrsets -= 1
        return FINE if position == self.size else MALFORMED

    cdef Outcome fill_slots(self) noexcept nogil:
        """Make the hash table: open addressing, at most half full."""
        cdef const uint8_t* name
        cdef uint64_t slot
        cdef size_t i
        self.mask = 15
        while self.mask < 2 * self.count:
            self.mask = 2 * self.mask + 1
        self.slots = <uint32_t*>calloc(self.mask + 1, sizeof(uint32_t))
        if self.slots == NULL:
            return NO_MEMORY
        for i in range(self.count):
            name = self.octets + self.owners[i].start
            slot = hash_of(name + 1, name[0]) & self.mask
            while self.slots[slot]:
                slot = (slot + 1) & self.mask
            self.slots[slot] = i + 1
        return FINE

    cdef Owner* find(self, const uint8_t* name, size_t size) noexcept nogil:
        """Return the owner of this name, NULL where there is none."""
        cdef uint64_t slot = hash_of(name, size) & self.mask
        cdef const uint8_t* found
        while self.slots[slot]:
            found = self.octets + self.owners[self.slots[slot] - 1].start
            if found[0] == size and not memcmp(found + 1, name, size):
                return &self.owners[self.slots[slot] - 1]
            slot = (slot + 1) & self.mask
        return NULL

    cdef inline size_t end_of(self, size_t i) noexcept nogil:
        return self.owners[i + 1].start if i + 1 < self.count else self.size

    cdef inline size_t read(self, size_t position, RRsetView* rrset) noexcept nogil:
        """Read the RRset at ``position`` and return the offset behind it."""
        cdef const uint8_t* head = self.octets + position + 1 + self.octets[position]
        rrset.rtype, rrset.ttl = get16(head), get32(head + 4)
        rrset.count, rrset.size = get32(head + 8), get32(head + 12)
        rrset.records = head - self.octets + RRSET_HEAD
        return rrset.records + rrset.size

    # ---- the suspects

    cdef Outcome find_suspects(self, Suspect** found, size_t* count) noexcept nogil:
        """Walk the owners as ``zones.survey`` does: all that is below a name directly follows it."""
        cdef const uint8_t* name
        cdef const uint8_t* cut = NULL
        cdef const uint8_t* dname = NULL
        cdef const uint8_t* above
        cdef Where where
        cdef bint silent
        cdef size_t i, room = 0
        for i in range(self.count):
            name = self.octets + self.owners[i].start
            if cut != NULL and not is_below(name + 1, name[0], cut + 1, cut[0]):
                cut = NULL
            if dname != NULL and not is_below(name + 1, name[0], dname + 1, dname[0]):
                dname = NULL
            above, where = dname, IN_ZONE if cut == NULL else OCCLUDED
            if cut == NULL and self.owners[i].flags & HAS_NS and not self.is_apex(name):
                cut, where = name, AT_CUT
            if dname == NULL and cut == NULL and self.owners[i].flags & HAS_DNAME:
                dname = name
            if self.is_apex(name):
                where = AT_APEX
            silent = above == NULL and self.is_silent(i, where)
            if silent and where != AT_APEX:
                continue
            if count[0] == room and not grow(<void**>found, &room, 0, sizeof(Suspect)):
                return NO_MEMORY
            found[0][count[0]] = Suspect(
                self.owners[i].start,
                self.end_of(i),
                NONE if cut == NULL else cut - self.octets,
                NONE if above == NULL else above - self.octets,
                silent,
            )
            count[0] += 1
        return FINE

    cdef inline bint is_apex(self, const uint8_t* owner) noexcept nogil:
        return owner[0] == self.apex_size and not memcmp(owner + 1, self.apex, self.apex_size)

    cdef bint is_silent(self, size_t i, Where where) noexcept nogil:
        """Tell whether there certainly is nothing to say about an owner."""
        cdef size_t position = self.owners[i].start, end = self.end_of(i)
        cdef uint32_t flags = self.owners[i].flags
        cdef RRsetView rrset
        if where == AT_CUT and get16(self.octets + position + 1) == 0x012A:  # a wildcard
            return False
        if flags & HAS_CNAME and flags != HAS_CNAME:
            return False
        while position < end:
            position = self.read(position, &rrset)
            if rrset.ttl > MAX_TTL or rrset.count > LARGE \
                    or <uint64_t>rrset.size + rrset.count * RECORD_HEAD > LARGE \
                    or not self.may_stand(rrset.rtype, where) \
                    or (rrset.rtype == CNAME and rrset.count > 1) \
                    or not self.are_silent(&rrset):
                return False
        return True

    cdef bint may_stand(self, uint32_t rtype, Where where) noexcept nogil:
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
            or rtype == NSEC3 or rtype == SPF

    cdef bint are_silent(self, const RRsetView* rrset) noexcept nogil:
        """Look at the records of an RRset."""
        cdef size_t position = rrset.records, end = rrset.records + rrset.size, size
        cdef uint32_t i
        for i in range(rrset.count):
            if end - position < 2:
                return False
            size = get16(self.octets + position)
            position += 2
            if end - position < size:
                return False
            if not self.is_record_silent(rrset, self.octets + position, size):
                return False
            position += size
        return position == end

    cdef bint is_record_silent(self, const RRsetView* rrset, const uint8_t* rdata,
                               size_t size) noexcept nogil:
        cdef uint32_t rtype = rrset.rtype
        cdef size_t name
        if rtype == SOA:  # at the apex, where the rules see it anyway
            return True
        if rtype == A:
            return size == 4
        if rtype == AAAA:
            return size == 16
        if rtype == TXT or rtype == SPF:
            return are_strings(rdata, size)
        if rtype == RRSIG:
            name = name_size(rdata + 18, size - 18) if size > 18 else 0
            return name > 0 and 18 + name < size
        if rtype == NSEC:
            name = name_size(rdata, size)
            return name > 0 and is_bitmap(rdata + name, size - name)
        if rtype == NSEC3:
            return is_nsec3(rdata, size)
        if rtype == DS:
            return is_digest(rdata, size)
        return self.is_target_silent(rrset, rdata, size)

    cdef bint is_target_silent(self, const RRsetView* rrset, const uint8_t* rdata,
                               size_t size) noexcept nogil:
        """Look at a record that ends with the name that it points to."""
        cdef uint32_t rtype = rrset.rtype
        cdef size_t prefix = 2 if rtype == MX else 6 if rtype == SRV else 0
        cdef const uint8_t* target = rdata + prefix
        cdef Owner* owner
        if size <= prefix or name_size(target, size - prefix) != size - prefix:
            return False
        if not target[0]:  # the null MX (RFC 7505), or a service that is not there (RFC 2782)
            return rtype == SRV or (rtype == MX and rrset.count == 1 and not get16(rdata))
        if rtype == PTR:
            return True
        if (rtype == NS or rtype == MX) and starts_with_number(target):
            return False
        if not is_below(target, size - prefix, self.apex, self.apex_size):
            return True
        owner = self.find(target, size - prefix)
        if owner == NULL or owner.flags & HAS_CNAME:
            return False
        return rtype == CNAME or owner.flags & HAS_ADDRESS
