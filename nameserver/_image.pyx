# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Building an image from the packed form: one pass that checks all it reads, then exact arrays.

The packed form may come from a file, so nothing in it is believed: every length is looked at, names
must be sound and in canonical order, and the rdata whose names answers need must be well-formed.
What fails is refused with ``PackedError``; an image that was made can be walked without checks.

The image of a large zone has some room, so that a copy of it can be changed: ``Content.copy`` and
``Content.change``.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from nameserver._arrays cimport allocate, copy_arrays, fill, lay_out, measure, round8
from nameserver._builder cimport (
    FINE, HEAD, NO_MEMORY, Builder, Outcome, choose_hashed,
)
from nameserver._change cimport change
from nameserver._change_sets cimport MOST_SETS, Change
from nameserver._names cimport Labels, check_name, split
from nameserver._tree cimport NSEC3PARAM, build
from zones._wire cimport get16, get32

from zones.denial import choose_nsec3_parameters
from zones.name import canonical_key
from zones.packed import FORMAT, MAGIC, PackedError

cdef enum:
    HEADER = 20  # zones.packed.HEADER
    MAGIC_SIZE = 4
    SMALL = 1 << 16  # octets that are not worth a release of the GIL


cdef int read_header(Builder* b, bytes blob) except -1:
    if b.size < HEADER or blob[:MAGIC_SIZE] != MAGIC or blob[4] != FORMAT:
        raise PackedError(f"not a packed zone of format {FORMAT}")
    if b.size >> 32:
        raise PackedError("a packed zone of more than 4 GiB")
    b.image.blob = b.blob
    b.image.apex_size = get16(b.blob + 6)
    b.apex = b.blob + HEADER
    if check_name(b.apex, b.size - HEADER) != b.image.apex_size:
        raise PackedError("a packed zone without a sound apex")
    b.position = HEADER + b.image.apex_size
    b.rrset_count = get32(b.blob + 12)
    if b.rrset_count > b.size // (HEAD + 4):
        raise PackedError("a packed zone is cut short")
    b.image.apex_ns = b.image.apex_soa = b.image.apex_hashed = <uint32_t>NONE
    return 0


cdef int choose_chain(Builder* b, bytes blob) except -1:
    """Take the NSEC3 chain that ``zones.denial`` takes."""
    cdef uint32_t i, position, count, length
    cdef const uint8_t* rdata
    cdef bytes salt
    rdatas = []
    if b.hashed_count:
        for i in range(b.nodes[0].sets, b.nodes[0].sets + b.nodes[0].count):
            if b.sets[i].rtype == NSEC3PARAM:
                position, count = b.sets[i].head + HEAD, get32(b.blob + b.sets[i].head + 8)
                while count:
                    length = get16(b.blob + position)
                    rdatas.append(blob[position + 2:position + 2 + length])
                    position += 2 + length
                    count -= 1
    parameters = choose_nsec3_parameters(rdatas) if rdatas else None
    if parameters is None:
        b.hashed_count = 0
        return 0
    salt = parameters.salt
    b.image.iterations = parameters.iterations
    b.image.salt_size = len(salt)
    choose_hashed(b, <const uint8_t*>salt, len(salt), parameters.iterations)
    if b.hashed_count:  # the salt as it stands in the packed form, which stays
        rdata = b.blob + b.sets[b.hashed[b.image.apex_hashed].set].head + HEAD
        while rdata[6] != len(salt) or memcmp(rdata + 7, <const uint8_t*>salt, len(salt)):
            rdata += 2 + get16(rdata)
        b.image.salt = rdata + 7
    return 0


cdef int make(Builder* b, bytes blob, size_t changeable, void** memory) except -1:
    read_header(b, blob)
    # An RRset takes 20 octets at least: the header cannot ask for more memory than is fair.
    b.sets = <RecordSet*>malloc((b.rrset_count + 1) * sizeof(RecordSet))
    if b.sets == NULL:
        raise MemoryError
    b.counting = b.size >= changeable
    read(b)
    b.plain_hashed = not b.hashed_count
    choose_chain(b, blob)
    if b.size < SMALL:
        memory[0] = lay_out(b)
    else:
        with nogil:
            memory[0] = lay_out(b)
    if memory[0] == NULL:
        raise MemoryError
    return 0


cdef Builder KEPT  # what the blocks made one after the other share: with the GIL, by one thread
cdef uint32_t KEPT_SETS = 0


cdef uint8_t* make_block(bytes blob, size_t front, Image* image) except NULL:
    """Return memory with ``front`` octets for the caller, the octets of a small zone, and its image.

    To be freed by the caller; raises ``PackedError``.
    """
    global KEPT_SETS
    cdef Builder* b = &KEPT
    cdef Growth growth
    cdef size_t size = len(blob)
    cdef uint8_t* block
    if size >= SMALL:
        raise ValueError("not a small zone")  # the GIL would be released meanwhile
    memset(image, 0, sizeof(Image))
    memset(&growth, 0, sizeof(Growth))
    b.blob, b.size, b.image, b.growth = <const uint8_t*>blob, size, image, &growth
    b.nsec_count = b.hashed_count = 0
    b.depth, b.last, b.last_depth, b.counting, b.lone_signatures = 0, NULL, 0, False, False
    read_header(b, blob)
    if b.sets == NULL or b.rrset_count >= KEPT_SETS:
        free(b.sets)
        KEPT_SETS = 2 * b.rrset_count + 64
        b.sets = <RecordSet*>malloc(KEPT_SETS * sizeof(RecordSet))
        if b.sets == NULL:
            raise MemoryError
    read(b)
    choose_chain(b, blob)
    measure(b)
    block = <uint8_t*>malloc(front + round8(size) + image.octets)
    if block == NULL:
        raise MemoryError
    memcpy(block + front, <const uint8_t*>blob, size)
    if image.salt != NULL:
        image.salt = block + front + (image.salt - image.blob)
    image.blob = block + front
    fill(b, block + front + round8(size))
    return block


cdef int read(Builder* b) except -1:
    cdef Outcome outcome
    if b.size < SMALL:
        outcome = build(b)
    else:
        with nogil:
            outcome = build(b)
    if outcome == NO_MEMORY:
        raise MemoryError
    if outcome != FINE:
        raise PackedError(f"a packed zone is malformed about octet {b.position}")
    return 0


cdef tuple describe(const Image* image, uint32_t number):
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t i
    sets = [
        (image.sets[i].rtype, image.sets[i].covers)
        for i in range(node.sets, node.sets + node.count)
    ]
    return <bytes>(image.blob + node.name)[:node.size], tuple(sets)


@cython.no_gc
cdef class Records:
    """Octets in memory of their own, with room for more behind them."""

    def __cinit__(self, bytes first not None):
        cdef const uint8_t* octets = first
        self.size = len(first)
        self.room = self.size + self.size // 4 + SMALL
        if self.room >> 32:
            raise OverflowError("a packed zone of more than 4 GiB")
        self.octets = <uint8_t*>allocate(self.room)
        if self.octets == NULL:
            raise MemoryError
        with nogil:
            memcpy(self.octets, octets, self.size)

    def __dealloc__(self):
        free(self.octets)

    cdef int append(self, bytes more) except -1:
        """Put octets behind the others; tell whether there was room for them."""
        cdef size_t size = len(more)
        if self.room - self.size < size:
            return 0
        memcpy(self.octets + self.size, <const uint8_t*>more, size)
        self.size += size
        return 1


@cython.no_gc  # holds nothing that could hold it: the collector need not look
cdef class Content:
    """The image of a packed zone; raises ``PackedError`` for octets that are not one.

    From ``changeable`` octets on it gets room for being changed.
    """

    def __cinit__(self, bytes blob, size_t changeable=CHANGEABLE):
        cdef Builder b
        if blob is None:  # copy() goes on
            return
        memset(&b, 0, sizeof(Builder))
        self.blob = blob
        b.blob, b.size, b.image, b.growth = <const uint8_t*>blob, len(blob), &self.image, &self.growth
        try:
            make(&b, blob, changeable, &self.memory)
        finally:
            free(b.nodes)
            free(b.sets)
            free(b.hashes)
            free(b.hashed)
            free(b.children)
        self.can_change = b.counting and b.plain_hashed and not b.lone_signatures

    def __dealloc__(self):
        free(self.memory)
        free(self.growth.missing)

    def copy(self):
        """Return a copy that ``change`` may be asked of; where ``can_change`` says so."""
        cdef Content copy
        if not self.can_change:
            raise ValueError("not an image that can be changed")
        copy = Content(None)
        with nogil:
            copy.memory = copy_arrays(&self.image, &self.growth, &copy.image, &copy.growth)
        if copy.memory == NULL:
            raise MemoryError
        copy.can_change = True
        copy.rest_on(Records(self.blob) if self.records is None else self.records)
        return copy

    cdef int rest_on(self, Records records) except -1:
        """Take the records from there from now on; they are the same."""
        if self.image.salt != NULL:
            self.image.salt = records.octets + (self.image.salt - self.image.blob)
        self.image.blob, self.records, self.blob = records.octets, records, None
        return 0

    cdef int take_over(self, size_t start, size_t end) except -1:
        """Change it by the RRsets that stand there in its records; tell whether that can be done.

        Nobody may read it meanwhile. What could not be changed is of no further use.
        """
        cdef Outcome outcome = NO_MEMORY
        cdef Change* one = <Change*>malloc(sizeof(Change))
        cdef RecordSet* merged = <RecordSet*>malloc(MOST_SETS * sizeof(RecordSet))
        if one != NULL and merged != NULL:
            one.merged = merged
            with nogil:
                outcome = change(&self.image, &self.growth, one, start, end)
        free(merged)
        free(one)
        self.can_change = outcome == FINE
        return self.can_change

    def change(self, bytes delta not None):
        """Change what ``copy`` returned by RRsets in packed form; those without records go.

        Returns whether that could be done; if not, the copy is of no further use.
        """
        cdef size_t start
        if self.records is None or not self.can_change:
            raise ValueError("not a copy that can be changed")
        start = self.records.size
        return bool(self.records.append(delta) and self.take_over(start, self.records.size))

    @property
    def octets(self):
        """The memory of the image, beside the packed form."""
        return self.image.octets

    @property
    def nodes(self):
        """Each name with its RRsets as (type, type covered), in canonical order."""
        cdef uint32_t i
        found = [describe(&self.image, i) for i in range(self.image.node_count)
                 if self.image.nodes[i].size]
        if self.records is not None:  # what is new stands behind
            found.sort(key=lambda named: canonical_key(named[0]))
        return found

    def find(self, bytes name not None):
        """Return the name and sets at a folded name, ``None`` where it does not exist."""
        cdef Labels labels
        cdef uint32_t number
        if check_name(<const uint8_t*>name, len(name)) != len(name):
            raise ValueError(name)
        split(<const uint8_t*>name, &labels)
        number = find_node(&self.image, labels.hashes[0], <const uint8_t*>name, len(name))
        return None if number == <uint32_t>NONE else describe(&self.image, number)
