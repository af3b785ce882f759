# cython: language_level=3, boundscheck=False, wraparound=False
"""The packer of ``zones.packing``, compiled: the same contract, for zones of a million records.

How it works:

1. A record is read from its message straight into an arena that grows by blocks and never moves:
   names uncompressed and folded, rdata canonical. Nothing is written unless it fits.
2. Consecutive records of one owner are a *run*. A run has the owner's sort key: its labels below
   the apex from the highest to the lowest, each closed by a zero octet, so that the canonical
   order of RFC 4034 6.1 is that of memcmp. Primaries send in canonical order or nearly so: there
   are far fewer runs than records, and often nothing is left to sort.
3. ``finish`` sorts the runs, and the records of each owner, and writes the blob in one pass.

Reading stands in ``_wire``, records and their order in ``_records``. A refusal is a mere MALFORMED
here: ``zones.packing`` reads the same octets again to say what is wrong, so that both packers give
the same reasons.
"""

from cpython.bytes cimport PyBytes_AS_STRING, _PyBytes_Resize
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcmp, memcpy

from zones._records cimport (
    TYPE_SOA, Arena, Example, Record, Run, compare_octets, compare_runs, covers, grow, release,
    reserve, same_rrset, sort_key, sort_records,
)
from zones._wire cimport (
    BRIEF, FINE, MALFORMED, MAX_NAME, MAX_RDATA, MESSAGE_HEADER, NO_MEMORY, Outcome, Reader, WireName,
    fold, get16, get32, put, put16, put32, read_name, read_rdata,
)

cdef extern from "Python.h":
    PyObject* PyBytes_FromStringAndSize(const char* octets, Py_ssize_t size) except NULL

cdef enum:
    KEPT = 20  # zones.packing.KEPT
    RRSET_HEAD = 16  # zones.packed.RRSET_HEAD
    BLOB_HEADER = 20  # zones.packed.HEADER


cdef class PackerCompiled:
    """Gathers the records of one zone, and packs them: see ``zones.packing.Packer``."""

    cdef WireName apex
    cdef Arena arena
    cdef Record* records
    cdef Run* runs
    cdef size_t record_count, record_room, run_count, run_room
    cdef size_t blob_size  # at most: exact when nothing is merged
    cdef bint sorted  # the runs are, and no owner has two
    cdef bint settled  # by finish(): the next record starts a run
    cdef const uint8_t* opening  # rdata of the SOA that starts a transfer
    cdef size_t opening_size
    cdef bint closed, busy
    cdef uint64_t out_of_zone_count
    cdef int out_of_zone_kept
    cdef Example out_of_zone[KEPT]
    # Of the last finish():
    cdef uint64_t duplicates
    cdef uint32_t rrset_count, kept_count, serial, mixed_count
    cdef Example mixed[KEPT]

    def __cinit__(self, bytes apex not None):
        cdef Reader reader = Reader(<const uint8_t*>apex, len(apex), 0, False)
        if read_name(&reader, reader.size, &self.apex) != FINE or reader.position != reader.size:
            from zones.packing import Packer
            Packer(apex)  # raises
        fold(self.apex.octets, self.apex.size)
        self.blob_size = BLOB_HEADER + self.apex.size
        self.sorted = True

    def __dealloc__(self):
        release(&self.arena)
        free(self.records)
        free(self.runs)

    def add(self, bytes owner not None, rtype, ttl, bytes rdata not None):
        """Take a record with uncompressed names in any case; raises ``WireError``."""
        cdef WireName name
        cdef Reader reader = Reader(<const uint8_t*>owner, len(owner), 0, False)
        cdef Outcome outcome = MALFORMED
        if (
            0 <= rtype <= 0xFFFF and 0 <= ttl <= 0xFFFFFFFF
            and read_name(&reader, reader.size, &name) == FINE and reader.position == reader.size
        ):
            fold(name.octets, name.size)
            reader = Reader(<const uint8_t*>rdata, len(rdata), 0, False)
            outcome = self.take(&reader, reader.size, &name, rtype, ttl, False)
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome == MALFORMED:
            from zones.packing import Packer
            Packer(self.apex_octets()).add(owner, rtype, ttl, rdata)
            raise AssertionError(f"only the compiled packer refuses {rdata.hex()}")

    def add_transfer_message(self, bytes message not None):
        """Take one message of an AXFR response; return whether the closing SOA was seen."""
        cdef Reader reader = Reader(<const uint8_t*>message, len(message), 0, True)
        cdef bint was_closed = self.closed
        cdef const uint8_t* opening = self.opening
        cdef Outcome outcome
        self.enter()
        if reader.size < BRIEF:
            outcome = self.take_message(&reader)
        else:
            with nogil:
                outcome = self.take_message(&reader)
        self.busy = False
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome == MALFORMED:
            from zones.packing import Packer
            first = (<const char*>opening)[:self.opening_size] if opening != NULL else None
            raise Packer(self.apex_octets()).why_refused(message, opening=first, closed=was_closed)
        return bool(self.closed)

    @property
    def opening_soa(self):
        """The rdata of the SOA that opened a transfer, empty before it came."""
        return (<const char*>self.opening)[:self.opening_size] if self.opening != NULL else b""

    @property
    def size(self):
        """The octets that the packed zone will have at most: for limits on what peers send."""
        return self.blob_size

    def finish(self):
        """Return the packed zone."""
        from zones.packing import Packed
        return Packed(
            blob=self.blob(),
            records=self.kept_count,
            duplicates=self.duplicates,
            out_of_zone=examples(self.out_of_zone, self.out_of_zone_kept, b""),
            out_of_zone_count=self.out_of_zone_count,
            ttl_mismatches=examples(self.mixed, self.mixed_count, self.apex_octets()),
        )

    cdef bytes apex_octets(self):
        return (<const char*>self.apex.octets)[:self.apex.size]

    cdef bytes blob(self):
        cdef PyObject* raw
        cdef uint8_t* out
        cdef uint8_t* end
        self.enter()
        try:
            raw = PyBytes_FromStringAndSize(NULL, self.blob_size)
            out = <uint8_t*>PyBytes_AS_STRING(<object>raw)
            if self.blob_size < BRIEF:
                end = self.write_blob(out)
            else:
                with nogil:
                    end = self.write_blob(out)
        finally:
            self.busy = False
        if end == NULL:
            Py_XDECREF(raw)
            raise MemoryError
        _PyBytes_Resize(&raw, end - out)
        blob = <bytes>raw
        Py_XDECREF(raw)
        return blob

    cdef int enter(self) except -1:
        """Without the GIL, a second thread might come; send it away."""
        if self.busy:
            raise RuntimeError("a packer is used by two threads at once")
        self.busy = True
        return 0

    # ---- taking records

    cdef Outcome take_message(self, Reader* reader) noexcept nogil:
        cdef WireName name
        cdef Outcome outcome
        cdef uint32_t questions, answers
        if self.closed or reader.size < MESSAGE_HEADER:
            return MALFORMED
        questions, answers = get16(reader.octets + 4), get16(reader.octets + 6)
        reader.position = MESSAGE_HEADER
        while questions:
            if read_name(reader, reader.size, &name) != FINE \
                    or reader.size - reader.position < 4:
                return MALFORMED
            reader.position += 4
            questions -= 1
        while answers:
            outcome = self.take_record(reader, &name)
            if outcome != FINE:
                return outcome
            answers -= 1
        return FINE

    cdef Outcome take_record(self, Reader* reader, WireName* name) noexcept nogil:
        cdef const uint8_t* head
        cdef size_t length
        if self.closed or read_name(reader, reader.size, name) != FINE \
                or reader.size - reader.position < 10:
            return MALFORMED
        head = reader.octets + reader.position
        length = get16(head + 8)
        reader.position += 10
        if reader.size - reader.position < length or get16(head + 2) != 1:
            return MALFORMED
        fold(name.octets, name.size)
        return self.take(reader, reader.position + length, name, get16(head), get32(head + 4), True)

    cdef Outcome take(self, Reader* reader, size_t end, const WireName* owner, int rtype,
                      uint32_t ttl, bint in_stream) noexcept nogil:
        """Take the record of a folded owner whose rdata goes from the reader's position to end."""
        cdef size_t size
        cdef uint8_t* rdata
        cdef bint is_apex
        if end - reader.position > MAX_RDATA:
            return MALFORMED
        rdata = reserve(&self.arena, end - reader.position + 2 * MAX_NAME)
        if rdata == NULL:
            return NO_MEMORY
        if read_rdata(reader, end, rtype, rdata, &size) != FINE:
            return MALFORMED
        if in_stream:
            is_apex = rtype == TYPE_SOA and owner.size == self.apex.size \
                and not memcmp(owner.octets, self.apex.octets, owner.size)
            if self.opening != NULL and is_apex:
                self.closed = not compare_octets(rdata, size, self.opening, self.opening_size)
                return FINE if self.closed else MALFORMED
            if self.opening == NULL:
                if not is_apex:
                    return MALFORMED
                self.opening, self.opening_size = rdata, size
        return self.gather(owner, rtype, ttl, rdata, size)

    cdef Outcome gather(self, const WireName* owner, int rtype, uint32_t ttl,
                        const uint8_t* rdata, size_t size) noexcept nogil:
        """Put a record where it belongs; its rdata is the last thing in the arena, not yet kept."""
        cdef int labels = owner.labels - self.apex.labels  # below the apex
        cdef int relative = owner.size - self.apex.size
        cdef Record record = Record(rdata, ttl, rtype, size)
        cdef Outcome outcome
        if labels < 0 or relative < 0 \
                or (owner.starts[labels] if self.apex.labels else owner.size - 1) != relative \
                or memcmp(owner.octets + relative, self.apex.octets, self.apex.size):
            return self.leave_out(owner, rtype)
        self.arena.last.used += size
        if not self.continues(owner, relative):
            outcome = self.start_run(owner, labels, relative)
            if outcome != FINE:
                return outcome
        if not self.runs[self.run_count - 1].count \
                or not same_rrset(&record, &self.records[self.record_count - 1]):
            self.blob_size += 1 + owner.size + RRSET_HEAD
        self.blob_size += 2 + size
        if self.blob_size >> 32:  # the packed form counts octets in 32 bits
            return NO_MEMORY
        if self.record_count == self.record_room \
                and not grow(<void**>&self.records, &self.record_room, 0, sizeof(Record)):
            return NO_MEMORY
        self.records[self.record_count] = record
        self.record_count += 1
        self.runs[self.run_count - 1].count += 1
        return FINE

    cdef Outcome leave_out(self, const WireName* owner, int rtype) noexcept nogil:
        """Count a record that is outside of the zone."""
        cdef uint8_t* copy
        if self.out_of_zone_kept < KEPT:
            copy = reserve(&self.arena, owner.size)
            if copy == NULL:
                return NO_MEMORY
            memcpy(copy, owner.octets, owner.size)
            self.arena.last.used += owner.size
            self.out_of_zone[self.out_of_zone_kept] = Example(copy, owner.size, rtype)
            self.out_of_zone_kept += 1
        self.out_of_zone_count += 1
        return FINE

    cdef inline bint continues(self, const WireName* owner, int relative) noexcept nogil:
        """Tell whether the last run is this owner's."""
        cdef const uint8_t* last
        if not self.run_count or self.settled:
            return False
        last = self.runs[self.run_count - 1].owner
        return last[2] == relative and not memcmp(last + 3 + get16(last), owner.octets, relative)

    cdef Outcome start_run(self, const WireName* owner, int labels, int relative) noexcept nogil:
        """Open a run. In the arena: size of the key u16, of the owner u8, key, owner without apex."""
        cdef uint8_t* start = reserve(&self.arena, 3 + 3 * MAX_NAME)
        cdef Run run
        cdef int size, i
        if start == NULL:
            return NO_MEMORY
        if self.run_count == self.run_room \
                and not grow(<void**>&self.runs, &self.run_room, 0, sizeof(Run)):
            return NO_MEMORY
        size = sort_key(owner, labels, start + 3)
        put16(start, size)
        start[2] = relative
        memcpy(start + 3 + size, owner.octets, relative)
        self.arena.last.used += 3 + size + relative
        run.owner, run.first, run.count = start, self.record_count, 0
        run.prefix[0] = run.prefix[1] = 0
        for i in range(min(size, 16)):
            run.prefix[i >> 3] |= <uint64_t>start[3 + i] << (56 - 8 * (i & 7))
        if self.run_count and self.sorted:
            self.sorted = compare_runs(&self.runs[self.run_count - 1], &run) < 0
        self.runs[self.run_count] = run
        self.run_count += 1
        self.settled = False
        return FINE

    # ---- writing the blob

    cdef uint8_t* write_blob(self, uint8_t* out) noexcept nogil:
        """Sort, merge and write everything; return the end, NULL without memory."""
        cdef uint8_t* start = out
        cdef Record* gathered = NULL
        cdef Record* records
        cdef size_t i = 0, j, count, room = 0
        self.duplicates = self.rrset_count = self.kept_count = self.serial = self.mixed_count = 0
        out = put(out + BLOB_HEADER, self.apex.octets, self.apex.size)
        if not self.sorted:
            qsort(self.runs, self.run_count, sizeof(Run), compare_runs)
        self.settled = True
        while i < self.run_count:
            j, count = i + 1, self.runs[i].count
            records = self.records + self.runs[i].first
            while j < self.run_count and not compare_runs(&self.runs[i], &self.runs[j]):
                count += self.runs[j].count
                j += 1
            if j > i + 1:
                if count > room and not grow(<void**>&gathered, &room, count, sizeof(Record)):
                    free(gathered)
                    return NULL
                self.collect(i, j, gathered)
                records = gathered
            sort_records(records, count)
            out = self.write_owner(out, self.runs[i].owner, records, count)
            i = j
        free(gathered)
        start = put(start, b"NSZV\x01\x00", 6)
        start = put16(start, self.apex.size)
        put32(put32(put32(start, self.serial), self.rrset_count), self.kept_count)
        return out

    cdef void collect(self, size_t i, size_t end, Record* out) noexcept nogil:
        """Copy the records of the runs from ``i`` to ``end`` to ``out``."""
        while i < end:
            memcpy(out, self.records + self.runs[i].first, self.runs[i].count * sizeof(Record))
            out += self.runs[i].count
            i += 1

    cdef uint8_t* write_owner(self, uint8_t* out, const uint8_t* owner, const Record* records,
                              size_t count) noexcept nogil:
        """Write the RRsets of an owner, whose records are in order."""
        cdef size_t i = 0, j
        while i < count:
            j = i + 1
            while j < count and same_rrset(&records[i], &records[j]):
                j += 1
            out = self.write_rrset(out, owner, &records[i], j - i)
            i = j
        return out

    cdef uint8_t* write_rrset(self, uint8_t* out, const uint8_t* owner, const Record* records,
                              size_t count) noexcept nogil:
        cdef const uint8_t* relative = owner + 3 + get16(owner)
        cdef const Record* record
        cdef uint8_t* head
        cdef uint32_t ttl = records.ttl, kept = 0
        cdef bint mixed = False
        cdef size_t i
        out[0] = owner[2] + self.apex.size
        head = put(put(out + 1, relative, owner[2]), self.apex.octets, self.apex.size)
        out = head + RRSET_HEAD
        for i in range(count):
            record = &records[i]
            mixed |= record.ttl != ttl
            ttl = min(ttl, record.ttl)
            if i and not compare_octets(record.rdata, record.size, records[i - 1].rdata,
                                        records[i - 1].size):
                self.duplicates += 1
                continue
            out = put(put16(out, record.size), record.rdata, record.size)
            kept += 1
        head = put32(put16(put16(head, records.rtype), covers(records)), ttl)
        put32(put32(head, kept), out - (head + 8))
        self.rrset_count += 1
        self.kept_count += kept
        if records.rtype == TYPE_SOA and not owner[2]:
            self.serial = get32(records.rdata + records.size - 20)
        if mixed and self.mixed_count < KEPT:
            self.mixed[self.mixed_count] = Example(relative, owner[2], records.rtype)
            self.mixed_count += 1
        return out


cdef tuple examples(const Example* kept, int count, bytes suffix):
    """Return what was kept as pairs of name and type; ``suffix`` completes the names."""
    return tuple(
        [
            ((<const char*>kept[i].name)[:kept[i].size] + suffix, kept[i].rtype)
            for i in range(count)
        ]
    )
