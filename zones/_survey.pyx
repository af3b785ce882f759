# cython: language_level=3, boundscheck=False, wraparound=False
"""Finding, in a zone of a million records, the few names that a rule may have something to say about.

``Survey`` walks packed content twice: first every owner goes into a table, with what stands there;
then each owner is looked at, and those about which nothing can be said are passed over. It passes
over a name only where that is certain, the targets of its records being looked up in the table:
whatever is unusual, rare, or of a type not known here is left to the rules in Python. So all
findings are as they would be without this module, but for one thing: of names about which the rules
could at most warn, only so many are shown to them, or a zone of a million such names would take
half a minute of a thread. ``passed`` counts the others.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free

from zones import packed
from zones._owners cimport (
    HAS_DNAME, HAS_NS, Owner, Owners, RRsetView, end_of, find, is_apex, is_below, list_and_fill, read,
)
from zones._records cimport grow
from zones._verdicts cimport (
    AT_APEX, AT_CUT, IN_ZONE, OCCLUDED, OPEN, SILENT, WARNED, Verdict, Where, is_apex_quiet, verdict_of,
)
from zones._wire cimport BRIEF, FINE, MALFORMED, NO_MEMORY, Outcome

cdef enum:
    NONE = 0xFFFFFFFF
    MOST_WARNED = 10000  # names that are shown to the rules though nothing can refuse them

cdef struct Suspect:
    uint32_t start
    uint32_t end
    uint32_t cut  # the start of the delegation at or above, or NONE
    uint32_t dname  # the start of the DNAME owner above, or NONE
    bint silent  # nothing to say but, at the apex, about its SOA, and about what is missing


cdef class Survey:
    """The owners of packed content, with what stands there; raises ``PackedError``.

    Content of 4 GiB or more is refused with ``OverflowError``.
    """

    cdef bytes blob
    cdef Owners zone
    cdef readonly size_t passed  # names with warnings at most that ``suspects`` left out

    def __cinit__(self, bytes blob not None):
        header = packed.read_header(blob)
        cdef size_t start = header.start
        cdef uint32_t rrsets = header.rrsets
        cdef Outcome outcome
        self.blob, self.zone.octets, self.zone.size = blob, blob, len(blob)
        if self.zone.size >> 32:
            raise OverflowError("packed content of 4 GiB or more")
        self.zone.apex_size = len(header.apex)
        self.zone.apex = self.zone.octets + start - self.zone.apex_size
        if self.zone.size < BRIEF:
            outcome = list_and_fill(&self.zone, start, rrsets)
        else:
            with nogil:
                outcome = list_and_fill(&self.zone, start, rrsets)
        if outcome == NO_MEMORY:
            raise MemoryError
        if outcome == MALFORMED:
            raise packed.PackedError("a packed zone does not end where it says")

    def __dealloc__(self):
        free(self.zone.owners)
        free(self.zone.slots)

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
        if self.zone.size < BRIEF:
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
        cdef Owner* owner = find(&self.zone, <const uint8_t*>name, len(name))
        cdef RRsetView rrset
        cdef size_t position, end
        types = set()
        if owner != NULL:
            position, end = owner.start, end_of(&self.zone, owner - self.zone.owners)
            while position < end:
                position = read(&self.zone, position, &rrset)
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
            return count == 1 and found[0].silent and is_apex_quiet(&self.zone,
                found[0].start, found[0].end, <const uint32_t*><const char*>ranges
            )
        finally:
            free(found)

    cdef Outcome find_suspects(self, Suspect** found, size_t* count) noexcept nogil:
        """Walk the owners as ``zones.survey`` does: all that is below a name directly follows it."""
        cdef const uint8_t* name
        cdef const uint8_t* cut = NULL
        cdef const uint8_t* dname = NULL
        cdef const uint8_t* above
        cdef Where where
        cdef Verdict verdict
        cdef size_t i, room = 0, warned = 0
        self.passed = 0
        for i in range(self.zone.count):
            name = self.zone.octets + self.zone.owners[i].start
            if cut != NULL and not is_below(name + 1, name[0], cut + 1, cut[0]):
                cut = NULL
            if dname != NULL and not is_below(name + 1, name[0], dname + 1, dname[0]):
                dname = NULL
            above, where = dname, IN_ZONE if cut == NULL else OCCLUDED
            if cut == NULL and self.zone.owners[i].flags & HAS_NS and not is_apex(&self.zone, name):
                cut, where = name, AT_CUT
            if dname == NULL and cut == NULL and self.zone.owners[i].flags & HAS_DNAME:
                dname = name
            if is_apex(&self.zone, name):
                where = AT_APEX
            verdict = verdict_of(&self.zone, i, where) if above == NULL else OPEN
            if where != AT_APEX:
                if verdict == SILENT:
                    continue
                if verdict == WARNED:
                    if warned == MOST_WARNED:
                        self.passed += 1
                        continue
                    warned += 1
            if count[0] == room and not grow(<void**>found, &room, 0, sizeof(Suspect)):
                return NO_MEMORY
            found[0][count[0]] = Suspect(
                self.zone.owners[i].start,
                end_of(&self.zone, i),
                NONE if cut == NULL else cut - self.zone.octets,
                NONE if above == NULL else above - self.zone.octets,
                verdict == SILENT,
            )
            count[0] += 1
        return FINE
