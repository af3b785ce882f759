# cython: language_level=3, boundscheck=False, wraparound=False
"""Finding RRsets in packed content: the search of ``zones.splice``, compiled.

One walk over the octets notes where every 64th RRset starts, which takes some ten milliseconds for
a zone of a million records; a search halves those marks, then reads on from the one before.
What else walks packed content stands here too: ``zones.losses`` and ``zones.zonemd``.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from zones import packed
from zones._records cimport grow
from zones._wire cimport BRIEF, FINE, MALFORMED, NO_MEMORY, Outcome, get16, get32

cdef extern from *:
    """
    #if defined(__linux__)
    #include <sys/mman.h>
    /* In large pages a large copy takes a third of the time: most of it is page faults. */
    static void advise_large_pages(char *octets, size_t size) {
        uintptr_t start = ((uintptr_t)octets + 4095) & ~(uintptr_t)4095;
        if (size > 8192)
            madvise((void *)start, (size - 8192) & ~(size_t)4095, MADV_HUGEPAGE);
    }
    #else
    static void advise_large_pages(char *octets, size_t size) { (void)octets; (void)size; }
    #endif
    """
    void advise_large_pages(char* octets, size_t size) nogil

cdef enum:
    LARGE = 1 << 22  # octets
    RRSET_HEAD = 16  # zones.packed.RRSET_HEAD
    EVERY = 64
    MAX_LABELS = 128


cdef struct Key:
    const uint8_t* name  # without a length in front
    int size
    int labels  # without the root
    uint8_t starts[MAX_LABELS]
    uint32_t rtype
    uint32_t covers


cdef bint split(Key* key) noexcept nogil:
    """Note where the labels of the key's name start; tell whether it is a name."""
    cdef int position = 0
    key.labels = 0
    while position < key.size and key.name[position]:
        if key.labels == MAX_LABELS - 1:
            return False
        key.starts[key.labels] = position
        key.labels += 1
        position += 1 + key.name[position]
    return position == key.size - 1


cdef int compare(const Key* a, const Key* b) noexcept nogil:
    """Order as the packed form does: by owner, canonically (RFC 4034 6.1), type, type covered."""
    cdef int i = a.labels - 1, j = b.labels - 1, order, size
    cdef const uint8_t* x
    cdef const uint8_t* y
    while i >= 0 and j >= 0:
        x, y = a.name + a.starts[i], b.name + b.starts[j]
        size = min(x[0], y[0])
        order = memcmp(x + 1, y + 1, size)
        if order:
            return order
        if x[0] != y[0]:
            return 1 if x[0] > y[0] else -1
        i -= 1
        j -= 1
    if i != j:
        return 1 if i > j else -1
    if a.rtype != b.rtype:
        return 1 if a.rtype > b.rtype else -1
    return (a.covers > b.covers) - (a.covers < b.covers)


cdef class MarksCompiled:
    """Where RRsets stand: the contract of ``zones.splice.Marks``; raises ``PackedError``."""

    cdef bytes blob
    cdef const uint8_t* octets
    cdef size_t size, first
    cdef uint32_t* marks
    cdef size_t count, room

    def __cinit__(self, bytes blob not None):
        cdef Outcome outcome
        cdef uint32_t rrsets
        header = packed.read_header(blob)
        self.blob, self.octets, self.size = blob, blob, len(blob)
        self.first, rrsets = header.start, header.rrsets
        if self.size >> 32:
            raise OverflowError("packed content of 4 GiB or more")
        if self.size < BRIEF:
            outcome = self.walk(rrsets)
        else:
            with nogil:
                outcome = self.walk(rrsets)
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome == MALFORMED:
            raise packed.PackedError("a packed zone does not end where it says")

    def __dealloc__(self):
        free(self.marks)

    def find(self, bytes owner not None, rtype, covers):
        """Return from where to where the RRset of a key stands, or would."""
        cdef Key wanted, there
        cdef size_t position, low = 0, high, middle
        cdef int order
        if len(owner) > 255:
            raise ValueError("not a name")
        wanted.name, wanted.size = owner, len(owner)
        wanted.rtype, wanted.covers = rtype, covers
        if not split(&wanted):
            raise ValueError("not a name")
        high = self.count
        while low < high:  # the last mark that does not stand behind what is wanted
            middle = (low + high) >> 1
            if not self.read(self.marks[middle], &there):
                raise packed.PackedError(f"a packed zone is damaged at octet {self.marks[middle]}")
            if compare(&there, &wanted) > 0:
                high = middle
            else:
                low = middle + 1
        position = self.marks[low - 1] if low else self.first
        while position < self.size:
            if not self.read(position, &there):
                raise packed.PackedError(f"a packed zone is damaged at octet {position}")
            order = compare(&there, &wanted)
            if order > 0:
                break
            if order == 0:
                return position, self.end_of(position)
            position = self.end_of(position)
        return position, position

    cdef Outcome walk(self, uint32_t rrsets) noexcept nogil:
        """Note every so many starts; after this, the sizes of RRsets can be relied on."""
        cdef size_t position = self.first, head
        cdef uint32_t number
        for number in range(rrsets):
            if position >= self.size or self.size - position < 1 + RRSET_HEAD \
                    + <size_t>self.octets[position]:
                return MALFORMED
            if number % EVERY == 0:
                if self.count == self.room \
                        and not grow(<void**>&self.marks, &self.room, 0, sizeof(uint32_t)):
                    return NO_MEMORY
                self.marks[self.count] = position
                self.count += 1
            head = position + 1 + self.octets[position]
            position = head + RRSET_HEAD + get32(self.octets + head + 12)
            if position > self.size:
                return MALFORMED
        return FINE if position == self.size else MALFORMED

    cdef inline bint read(self, size_t position, Key* key) noexcept nogil:
        """Read the key of the RRset at ``position``; tell whether its owner is a name."""
        key.name, key.size = self.octets + position + 1, self.octets[position]
        key.rtype = get16(key.name + key.size)
        key.covers = get16(key.name + key.size + 2)
        return split(key)

    cdef inline size_t end_of(self, size_t position) noexcept nogil:
        cdef size_t head = position + 1 + self.octets[position]
        return head + RRSET_HEAD + get32(self.octets + head + 12)


def join(list pieces not None):
    """Return what ``b"".join`` returns, without the GIL where it takes a while."""
    cdef Py_buffer* views
    cdef Py_ssize_t count = len(pieces), taken = 0, i
    cdef size_t size = 0
    cdef char* out
    views = <Py_buffer*>calloc(max(count, 1), sizeof(Py_buffer))
    if views == NULL:
        raise MemoryError
    try:
        for piece in pieces:
            PyObject_GetBuffer(piece, &views[taken], PyBUF_SIMPLE)
            size += views[taken].len
            taken += 1
        joined = PyBytes_FromStringAndSize(NULL, size)
        out = PyBytes_AS_STRING(joined)
        if size < LARGE:
            copy(views, count, out)
        else:
            with nogil:
                advise_large_pages(out, size)
                copy(views, count, out)
    finally:
        for i in range(taken):
            PyBuffer_Release(&views[i])
        free(views)
    return joined


cdef void copy(const Py_buffer* views, Py_ssize_t count, char* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        memcpy(out, views[i].buf, views[i].len)
        out += views[i].len


# ---- what is missing in another version: zones.losses

cdef enum Uncounted:
    SOA = 6
    RRSIG = 46
    NSEC = 47
    NSEC3 = 50
    NSEC3PARAM = 51
    ZONEMD = 63


cdef struct Walker:  # walks the owners of packed content, one run of RRsets at a time
    const uint8_t* octets
    size_t position  # of the run
    size_t end  # of it
    size_t size
    size_t records  # in it, of those that count
    Key owner


cdef struct Tally:
    uint64_t names
    uint64_t names_lost
    uint64_t records
    uint64_t records_lost
    uint64_t names_left


cdef inline bint counts(uint32_t rtype) noexcept nogil:
    return rtype != SOA and rtype != RRSIG and rtype != NSEC and rtype != NSEC3 \
        and rtype != NSEC3PARAM and rtype != ZONEMD


cdef inline size_t behind(const uint8_t* octets, size_t size, size_t position) noexcept nogil:
    """Return the offset behind an RRset, 0 where it does not end within the octets."""
    cdef size_t head = position + 1 + octets[position]
    if head + RRSET_HEAD > size:
        return 0
    head += RRSET_HEAD + get32(octets + head + 12)
    return head if head <= size else 0


cdef bint walk_on(Walker* walker) noexcept nogil:
    """Go to the next run; tell whether all is well. At the end ``position`` is ``size``."""
    cdef const uint8_t* octets = walker.octets
    cdef const uint8_t* head
    cdef size_t name_size
    walker.position, walker.records = walker.end, 0
    if walker.position >= walker.size:
        return True
    name_size = octets[walker.position]
    while walker.end < walker.size and octets[walker.end] == name_size and not memcmp(
            octets + walker.end + 1, octets + walker.position + 1, name_size):
        head = octets + walker.end + 1 + name_size
        walker.end = behind(octets, walker.size, walker.end)
        if not walker.end:
            return False
        if counts(get16(head)):
            walker.records += get32(head + 8)
    walker.owner.name, walker.owner.size = octets + walker.position + 1, name_size
    walker.owner.rtype = walker.owner.covers = 0
    return split(&walker.owner)


cdef uint64_t records_lost(const uint8_t* old, size_t old_end, const uint8_t* new, size_t new_end) noexcept nogil:
    """Count the records of one RRset, sorted, that are missing in another one."""
    cdef size_t i = 0, j = 0, a, b
    cdef int order
    cdef uint64_t lost = 0
    while i + 2 <= old_end:
        a = get16(old + i)
        order = -1
        if j + 2 <= new_end:
            b = get16(new + j)
            order = memcmp(old + i + 2, new + j + 2, min(a, b))
            if not order:
                order = (a > b) - (a < b)
        if order > 0:
            j += 2 + b
            continue
        if order < 0:
            lost += 1
        else:
            j += 2 + b
        i += 2 + a
    return lost


cdef uint64_t run_lost(const Walker* old, const Walker* new) noexcept nogil:
    """Count the records at an owner that are missing at the same one; all RRsets fit (walk_on)."""
    cdef size_t i = old.position, j, i_end, j_end, head = 1 + old.octets[old.position]
    cdef uint32_t rtype
    cdef uint64_t lost = 0
    while i < old.end:
        i_end = behind(old.octets, old.size, i)
        rtype = get16(old.octets + i + head)
        if counts(rtype):
            j = new.position
            while j < new.end and get16(new.octets + j + head) != rtype:
                j = behind(new.octets, new.size, j)
            if j < new.end:
                j_end = behind(new.octets, new.size, j)
                lost += records_lost(
                    old.octets + i + head + RRSET_HEAD, i_end - i - head - RRSET_HEAD,
                    new.octets + j + head + RRSET_HEAD, j_end - j - head - RRSET_HEAD)
            else:
                lost += get32(old.octets + i + head + 8)
        i = i_end
    return lost


cdef bint compare_all(Walker* old, Walker* new, Tally* tally) noexcept nogil:
    """Merge the owners of both; tell whether both are sound. The first one is the apex."""
    cdef int order
    cdef bint at_apex = True
    if not walk_on(old) or not walk_on(new):
        return False
    while old.position < old.size or new.position < new.size:
        if old.position >= old.size:
            order = 1
        elif new.position >= new.size:
            order = -1
        else:
            order = compare(&old.owner, &new.owner)
        if order <= 0 and old.records:
            tally.names += not at_apex
            tally.records += old.records
            if order < 0 or not new.records:
                tally.names_lost += not at_apex
                tally.records_lost += old.records
            elif old.end - old.position != new.end - new.position or memcmp(
                    old.octets + old.position, new.octets + new.position,
                    old.end - old.position):
                tally.records_lost += run_lost(old, new)
        if order >= 0 and new.records and not at_apex:
            tally.names_left += 1
        at_apex = False
        if order <= 0 and not walk_on(old):
            return False
        if order >= 0 and not walk_on(new):
            return False
    return True


def count_losses(bytes old not None, bytes new not None):
    """Return names, names lost, records, records lost and names left: see ``zones.losses``.

    Both have the same apex, which owns records in both. Raises ``PackedError``.
    """
    cdef Walker before, after
    cdef Tally tally
    cdef bint sound
    memset(&tally, 0, sizeof(Tally))
    before.octets, before.size, before.end = old, len(old), packed.read_header(old).start
    after.octets, after.size, after.end = new, len(new), packed.read_header(new).start
    with nogil:
        sound = compare_all(&before, &after, &tally)
    if not sound:
        raise packed.PackedError("a packed zone does not end where it says")
    return tally.names, tally.names_lost, tally.records, tally.records_lost, tally.names_left


# ---- what stands at the apex: zones.apex

def apex_places(bytes blob not None):
    """Return where each RRset of the apex starts, by type and type covered: see ``zones.apex``."""
    cdef const uint8_t* octets = blob
    cdef size_t size = len(blob), position, head, end
    cdef object header = packed.read_header(blob)
    cdef bytes apex = header.apex
    cdef const uint8_t* apex_octets = apex
    cdef size_t apex_size = len(apex)
    cdef dict places = {}
    position = header.start
    while position + 1 + apex_size <= size and octets[position] == apex_size \
            and not memcmp(octets + position + 1, apex_octets, apex_size):
        end = behind(octets, size, position)
        if not end:
            raise packed.PackedError(f"a packed zone is cut short at octet {position}")
        head = position + 1 + apex_size
        places[get16(octets + head), get16(octets + head + 2)] = position
        position = end
    return places


# ---- the wire form that a ZONEMD digest is made of: zones.zonemd

cdef enum:
    RECORD_OVERHEAD = 10  # type, class, TTL, length


def canonical_wire(bytes blob not None, size_t position, Py_ssize_t room):
    """Return records from ``position`` on in canonical wire form (RFC 8976 3.3), and where it ends.

    Some ``room`` octets of them; an RRset is never split. The ZONEMD records of the apex and their
    signatures are left out. Raises ``PackedError``.
    """
    cdef const uint8_t* octets = blob
    cdef size_t size = len(blob), end, head, record, name_size, needed = 0, start = position
    cdef uint32_t rtype, length
    cdef bytes apex = packed.read_header(blob).apex
    cdef const uint8_t* apex_octets = apex
    cdef size_t apex_size = len(apex)
    cdef uint8_t* out
    cdef bytearray written
    while position < size and needed < <size_t>room:
        end = behind(octets, size, position)
        if not end:
            raise packed.PackedError("a packed zone does not end where it says")
        head = position + 1 + octets[position]
        needed += get32(octets + head + 8) * (octets[position] + RECORD_OVERHEAD) \
            + get32(octets + head + 12)
        position = end
    end = position
    written = bytearray(needed)
    out = written
    cdef uint8_t* first = out
    with nogil:
        position = start
        while position < end:
            name_size = octets[position]
            head = position + 1 + name_size
            rtype = get16(octets + head)
            record = head + RRSET_HEAD
            start = record + get32(octets + head + 12)
            if (rtype == ZONEMD or (rtype == RRSIG and get16(octets + head + 2) == ZONEMD)) \
                    and name_size == apex_size \
                    and not memcmp(octets + position + 1, apex_octets, apex_size):
                position = start
                continue
            while record + 2 <= start:
                length = get16(octets + record)
                if record + 2 + length > start \
                        or <size_t>(out - first) + name_size + RECORD_OVERHEAD + length > needed:
                    break  # more records than the RRset says it has
                memcpy(out, octets + position + 1, name_size)
                out += name_size
                out[0], out[1], out[2], out[3] = rtype >> 8, rtype & 0xFF, 0, 1
                memcpy(out + 4, octets + head + 4, 4)
                memcpy(out + 8, octets + record, 2 + length)
                out += RECORD_OVERHEAD + length
                record += 2 + length
            position = start
    del written[out - first:]
    return written, position
