# cython: language_level=3, boundscheck=False, wraparound=False
"""Answer sections of a whole transfer, compiled: ``zones.sections``.

The packed form is our own and is trusted, as everywhere where it is read.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc

from zones._wire cimport MAX_NAME, MAX_RDATA, get16, get32, put, put16, put32
from zones.packed import read_header

cdef enum:
    TYPE_SOA = 6
    CLASS_IN = 1
    APEX_POINTER = 0xC00C  # to the name in the question
    RRSET_HEAD = 16  # of the packed form: type, covers, TTL, records, octets
    RECORD_HEAD = 12  # of a message: the pointer, type, class, TTL, length
    LARGEST = MAX_NAME + RECORD_HEAD + MAX_RDATA


cdef class SectionsCompiled:
    """An iterator of sections and their counts of records; see ``zones.sections.sections``."""

    cdef bytes blob
    cdef bytes soa
    cdef size_t room
    cdef uint8_t* section
    cdef const uint8_t* position  # the next RRset
    cdef uint32_t rrsets  # from there on
    cdef int apex_size
    cdef const uint8_t* owner  # of the RRset whose records are being written
    cdef const uint8_t* rdata  # the next one of it, behind its length
    cdef const uint8_t* rdata_end
    cdef int soas  # that are still to come: one at each end

    def __cinit__(self, bytes blob not None, bytes soa not None, size_t room):
        header = read_header(blob)
        self.blob, self.soa, self.room = blob, soa, room
        self.position = <const uint8_t*>blob + <size_t>header.start
        self.rrsets = header.rrsets
        self.apex_size = len(header.apex)
        self.soas = 2
        self.section = <uint8_t*>malloc(room + LARGEST)
        if self.section == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.section)

    def __iter__(self):
        return self

    def __next__(self):
        cdef size_t size = 0
        cdef uint32_t count = 0
        if self.soas == 2:
            size, count = self.write_soa(0), 1
        # Some tens of microseconds: to give the GIL away and get it back may take longer.
        while self.next_rrset() and self.write_record(&size):
            count += 1
        if self.soas == 1 and not self.is_left() and (not count or size + len(self.soa) <= self.room):
            size, count = self.write_soa(size), count + 1
        if not count:
            raise StopIteration
        return (<const char*>self.section)[:size], count

    cdef size_t write_soa(self, size_t size):
        """Write the apex SOA behind the first ``size`` octets; return their new number."""
        self.soas -= 1
        return put(self.section + size, <const char*>self.soa, len(self.soa)) - self.section

    cdef bint is_left(self) noexcept nogil:
        return self.rdata != self.rdata_end or self.rrsets

    cdef bint next_rrset(self) noexcept nogil:
        """Have ``rdata`` at a record that is still to be written; tell whether there is one."""
        cdef const uint8_t* head
        while self.rdata == self.rdata_end:
            if not self.rrsets:
                return False
            self.rrsets -= 1
            self.owner = self.position
            head = self.owner + 1 + self.owner[0]
            self.rdata = head + RRSET_HEAD
            self.rdata_end = self.position = self.rdata + get32(head + 12)
            if get16(head) == TYPE_SOA and self.owner[0] == self.apex_size:
                self.rdata = self.rdata_end
        return True

    cdef bint write_record(self, size_t* size) noexcept nogil:
        """Write the record at ``rdata`` where it fits; an empty section takes any."""
        cdef const uint8_t* head = self.owner + 1 + self.owner[0]
        cdef size_t front = self.owner[0] - self.apex_size
        cdef size_t data = 2 + get16(self.rdata)
        cdef uint8_t* out = self.section + size[0]
        if size[0] and size[0] + front + RECORD_HEAD - 2 + data > self.room:
            return False
        out = put16(put(out, self.owner + 1, front), APEX_POINTER)
        out = put16(put16(out, get16(head)), CLASS_IN)
        out = put(put32(out, get32(head + 4)), self.rdata, data)
        self.rdata += data
        size[0] = out - self.section
        return True
