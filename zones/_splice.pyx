# cython: language_level=3, boundscheck=False, wraparound=False
"""Finding RRsets in packed content: the search of ``zones.splice``, compiled.

One walk over the octets notes where every 64th RRset starts, which takes some ten milliseconds for
a zone of a million records; a search halves those marks, then reads on from the one before.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

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
