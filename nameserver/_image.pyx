# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Building an image from the packed form: one pass that checks all it reads, then exact arrays.

The packed form may come from a file, so nothing in it is believed: every length is looked at, names
must be sound and in canonical order, and the rdata whose names answers need must be well-formed.
What fails is refused with ``PackedError``; an image that was made can be walked without checks.
"""

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from nameserver._builder cimport (
    FINE, HEAD, MALFORMED, NO_MEMORY, RRSIG, SOA, Builder, Outcome, check_set, choose_hashed,
    target_offset,
)
from nameserver._names cimport (
    Labels, check_name, compare_labels, find_labels, hash_label, is_at_or_below,
    name_size, split,
)
from nameserver._walk cimport prefix_of
from zones._wire cimport get16, get32

from zones.denial import choose_nsec3_parameters
from zones.packed import FORMAT, MAGIC, PackedError

cdef enum:
    HEADER = 20  # zones.packed.HEADER
    MAGIC_SIZE = 4
    NS = 2
    CNAME = 5
    DNAME = 39
    NSEC = 47
    NSEC3 = 50
    NSEC3PARAM = 51
    SMALL = 1 << 16  # octets that are not worth a release of the GIL

cdef inline Outcome more_room(void** items, uint32_t* room, size_t item_size) noexcept nogil:
    cdef uint32_t wanted = room[0] * 2 if room[0] >= 16 else 16
    cdef void* moved = realloc(items[0], wanted * item_size)
    if moved == NULL:
        return NO_MEMORY
    items[0], room[0] = moved, wanted
    return FINE


cdef Outcome build(Builder* b) noexcept nogil:
    """Read all RRsets: fill nodes and sets."""
    cdef uint32_t i = 0
    cdef Outcome outcome
    b.path[0].hash = apex_hash(b)
    outcome = add_node(b, b.apex - b.blob, b.image.apex_size, 0, b.path[0].hash)
    while outcome == FINE and i < b.rrset_count:
        outcome = read_owner(b, &i)
    if outcome == FINE and b.position != b.size:
        return MALFORMED
    return outcome


cdef uint64_t apex_hash(Builder* b) noexcept nogil:
    cdef Labels labels
    split(b.apex, &labels)
    b.image.apex_labels = labels.count
    return labels.hashes[0]


cdef Outcome add_node(Builder* b, uint32_t name, int size, int depth, uint64_t hash) noexcept nogil:
    """Add a node below the one at ``depth - 1`` of the path, without RRsets yet."""
    cdef Node* node
    cdef Node* above
    cdef uint32_t number = b.image.node_count
    if number == b.node_room:
        if number >= <uint32_t>1 << 30:
            return NO_MEMORY
        if more_room(<void**>&b.hashes, &b.node_room, sizeof(uint64_t)) != FINE:
            return NO_MEMORY
        above = <Node*>realloc(b.nodes, b.node_room * sizeof(Node))
        if above == NULL:
            return NO_MEMORY
        b.nodes = above
    node = &b.nodes[number]
    memset(node, 0, sizeof(Node))
    node.name, node.size, node.flags = name, size, IS_ENT
    node.stop = <uint32_t>NONE
    if depth:
        above = &b.nodes[b.path[depth - 1].node]
        if above.stop != <uint32_t>NONE:
            node.stop = above.stop
        elif above.flags & (CUT | HAS_DNAME):
            node.stop = b.path[depth - 1].node
        if b.blob[name] == 1 and b.blob[name + 1] == 42:
            above.flags |= HAS_WILDCARD
    b.hashes[number] = hash
    b.path[depth].node, b.path[depth].hash = number, hash
    b.image.node_count += 1
    return FINE


cdef Outcome read_owner(Builder* b, uint32_t* done) noexcept nogil:
    """Read all RRsets of the owner that comes next."""
    cdef const uint8_t* owner = b.blob + b.position + 1
    cdef size_t name = b.position + 1
    cdef int size, depth
    cdef uint32_t first = b.image.set_count, first_hashed
    cdef uint8_t starts[128]
    cdef Outcome outcome
    cdef uint32_t end = done[0], regular = 0
    if b.size - b.position < 2:
        return MALFORMED
    size = (owner - 1)[0]
    if b.size - name < <size_t>size + HEAD or check_name(owner, size) != size:
        return MALFORMED
    if not is_at_or_below(owner, size, b.apex, b.image.apex_size):
        return MALFORMED
    depth = find_labels(owner, starts) - b.image.apex_labels
    outcome = place_owner(b, owner, starts, depth)
    if outcome != FINE:
        return outcome
    # First the sets that belong to the name itself, then NSEC3 and what signs it.
    outcome = read_sets(b, owner, size, done, &regular)
    if outcome != FINE:
        return outcome
    b.last, b.last_depth = owner, depth
    memcpy(b.last_starts, starts, depth + 1)
    if regular:
        outcome = grow_tree(b, name, owner, starts, depth)
        if outcome != FINE:
            return outcome
        settle(b, b.path[depth].node, first, regular)
    b.depth = depth if regular else min(b.depth, depth)
    first_hashed = first + regular
    if first_hashed < b.image.set_count:
        return add_hashed(b, name, first_hashed)
    return FINE


cdef Outcome place_owner(Builder* b, const uint8_t* owner, const uint8_t* starts,
                         int depth) noexcept nogil:
    """Check that an owner stands behind the one before; shorten the path to what they share."""
    cdef int shared = 0, order = 0
    if b.last == NULL:
        return FINE
    while shared < depth and shared < b.last_depth:
        order = compare_labels(owner + starts[depth - 1 - shared],
                               b.last + b.last_starts[b.last_depth - 1 - shared])
        if order:
            break
        shared += 1
    if order < 0 or (not order and depth <= b.last_depth):
        return MALFORMED
    if b.depth > shared:
        b.depth = shared
    return FINE


cdef Outcome grow_tree(Builder* b, uint32_t name, const uint8_t* owner, const uint8_t* starts,
                       int depth) noexcept nogil:
    """Add the nodes between the path and an owner, and the owner's own."""
    cdef int i, start
    cdef uint64_t hash
    cdef Outcome outcome
    for i in range(b.depth + 1, depth + 1):
        start = starts[depth - i]
        hash = hash_label(b.path[i - 1].hash, owner + start)
        outcome = add_node(b, name + start, <int>(owner - 1)[0] - start, i, hash)
        if outcome != FINE:
            return outcome
    return FINE


cdef Outcome read_sets(Builder* b, const uint8_t* owner, int size, uint32_t* done,
                       uint32_t* regular) noexcept nogil:
    """Read RRsets as long as the owner is the same: regular ones in order, then NSEC3's."""
    cdef uint32_t first = b.image.set_count, first_hashed, i
    cdef RecordSet* one
    cdef RecordSet held
    cdef uint64_t order = 0, key
    cdef Outcome outcome
    cdef bint hashed
    while done[0] < b.rrset_count:
        if b.size - b.position < <size_t>1 + size + HEAD or b.blob[b.position] != size \
                or memcmp(b.blob + b.position + 1, owner, size):
            break
        one = &b.sets[b.image.set_count]
        one.head = b.position + 1 + size
        one.rtype = get16(b.blob + one.head)
        one.covers = get16(b.blob + one.head + 2)
        one.signature = one.targets = <uint32_t>NONE
        if target_offset(one.rtype) >= 0:
            one.targets = b.image.target_count
            b.image.target_count += get32(b.blob + one.head + 8)
        key = (<uint64_t>one.rtype << 16 | one.covers) + 1
        if key <= order or (one.covers and one.rtype != RRSIG):
            return MALFORMED
        order = key
        outcome = check_set(b, one)
        if outcome != FINE:
            return outcome
        b.image.set_count += 1
        done[0] += 1
        hashed = one.rtype == NSEC3 or one.covers == NSEC3
        if not hashed:
            i = first + regular[0]
            if i != b.image.set_count - 1:  # NSEC3's go behind: there are two at most
                held = one[0]
                first_hashed = b.image.set_count - 1
                while first_hashed > i:
                    b.sets[first_hashed] = b.sets[first_hashed - 1]
                    first_hashed -= 1
                b.sets[i] = held
            regular[0] += 1
    if done[0] < b.rrset_count and b.position >= b.size:
        return MALFORMED
    if b.image.set_count == first:
        return MALFORMED
    return FINE


cdef void settle(Builder* b, uint32_t number, uint32_t first, uint32_t count) noexcept nogil:
    """Give a node its sets; link each to its signatures."""
    cdef Node* node = &b.nodes[number]
    cdef RecordSet* one
    cdef uint32_t i, signed = first
    node.sets, node.count = first, count
    node.flags &= ~IS_ENT
    for i in range(first, first + count):
        one = &b.sets[i]
        if one.rtype == NS and number:
            node.flags |= CUT
            if node.stop == <uint32_t>NONE:
                node.stop = number
        elif one.rtype == DNAME:
            node.flags |= HAS_DNAME
        elif one.rtype == CNAME:
            node.flags |= HAS_CNAME
        elif one.rtype == NSEC:
            node.flags |= HAS_NSEC
            b.nsec_count += 1
    link_signatures(b, first, count)
    if not number:
        for i in range(first, first + count):
            if b.sets[i].rtype == NS:
                b.image.apex_ns = i
            elif b.sets[i].rtype == SOA:
                b.image.apex_soa = i


cdef void link_signatures(Builder* b, uint32_t first, uint32_t count) noexcept nogil:
    """Both the types and what RRSIGs cover go upwards: walk them side by side."""
    cdef uint32_t i, sig = first, end = first + count
    while sig < end and b.sets[sig].rtype != RRSIG:
        sig += 1
    for i in range(first, end):
        if b.sets[i].rtype == RRSIG:
            continue
        while sig < end and b.sets[sig].rtype == RRSIG and b.sets[sig].covers < b.sets[i].rtype:
            sig += 1
        if sig < end and b.sets[sig].rtype == RRSIG and b.sets[sig].covers == b.sets[i].rtype:
            b.sets[i].signature = sig


cdef Outcome add_hashed(Builder* b, uint32_t name, uint32_t first) noexcept nogil:
    """Note an NSEC3 RRset, whose signature, if any, is the set before it."""
    cdef uint32_t last = b.image.set_count - 1
    cdef HashedName* one
    if b.sets[last].rtype != NSEC3:
        return FINE
    if last > first:
        b.sets[last].signature = first
    if b.hashed_count == b.hashed_room \
            and more_room(<void**>&b.hashed, &b.hashed_room, sizeof(HashedName)) != FINE:
        return NO_MEMORY
    one = &b.hashed[b.hashed_count]
    one.name, one.set = name, last
    b.hashed_count += 1
    return FINE


# ---- the arrays as they stay


cdef size_t round8(size_t octets) noexcept nogil:
    return (octets + 7) & ~<size_t>7


cdef void* lay_out(Builder* b) noexcept nogil:
    """Put all arrays into one piece of memory, which is returned; NULL without memory."""
    cdef Image* image = b.image
    cdef size_t nodes = round8(image.node_count * sizeof(Node))
    cdef size_t sets = round8(image.set_count * sizeof(RecordSet))
    cdef size_t slots, nsec, keys, hashed
    cdef size_t targets = round8(image.target_count * sizeof(uint32_t))
    cdef uint8_t* memory
    cdef uint8_t* at
    image.slot_count = image.node_count + (image.node_count >> 1) + (image.node_count >> 3) + 2
    image.nsec_count, image.hashed_count = b.nsec_count, b.hashed_count
    slots = image.slot_count * sizeof(Slot)
    keys = image.nsec_count * sizeof(uint64_t)
    nsec = round8(image.nsec_count * sizeof(uint32_t))
    hashed = round8(image.hashed_count * sizeof(HashedName))
    image.octets = slots + nodes + sets + keys + nsec + hashed + targets
    memory = <uint8_t*>malloc(image.octets)
    if memory == NULL:
        return NULL
    at = memory
    image.slots = <const Slot*>at
    memset(at, 0xFF, slots)
    fill_slots(b, <Slot*>at)
    at += slots
    image.nodes = <const Node*>memcpy(at, b.nodes, image.node_count * sizeof(Node))
    at += nodes
    image.sets = <const RecordSet*>memcpy(at, b.sets, image.set_count * sizeof(RecordSet))
    at += sets
    image.nsec_keys = <const uint64_t*>at
    image.nsec_nodes = <const uint32_t*>(at + keys)
    fill_nsec(image, <uint64_t*>at, <uint32_t*>(at + keys))
    at += keys + nsec
    image.hashed = <const HashedName*>at
    if image.hashed_count:
        memcpy(at, b.hashed, image.hashed_count * sizeof(HashedName))
    at += hashed
    image.targets = <const uint32_t*>at
    fill_targets(image, <uint32_t*>at)
    return memory


cdef void fill_targets(const Image* image, uint32_t* targets) noexcept nogil:
    """Look up what records point to, once and for all."""
    cdef uint32_t i, j, count
    cdef const uint8_t* rdata
    cdef int skip
    for i in range(image.set_count):
        skip = target_offset(image.sets[i].rtype)
        if skip < 0:
            continue
        rdata = image.blob + image.sets[i].head + HEAD
        count = get32(rdata - 8)
        for j in range(count):
            targets[image.sets[i].targets + j] = node_of(image, rdata + 2 + skip)
            rdata += 2 + get16(rdata)


cdef uint32_t node_of(const Image* image, const uint8_t* name) noexcept nogil:
    cdef Labels labels
    cdef int size = name_size(name)
    if not is_at_or_below(name, size, image.blob + image.nodes[0].name, image.apex_size):
        return <uint32_t>NONE
    split(name, &labels)
    return find_node(image, labels.hashes[0], name, size)


cdef void fill_slots(Builder* b, Slot* slots) noexcept nogil:
    cdef uint32_t i, at
    for i in range(b.image.node_count):
        at = first_slot(b.image, b.hashes[i])
        while slots[at].node != <uint32_t>NONE:
            at += 1
            if at == b.image.slot_count:
                at = 0
        slots[at].tag, slots[at].node = <uint32_t>b.hashes[i], i


cdef void fill_nsec(const Image* image, uint64_t* keys, uint32_t* nodes) noexcept nogil:
    cdef uint32_t i, count = 0
    cdef uint8_t starts[128]
    cdef const uint8_t* name
    if not image.nsec_count:
        return
    for i in range(image.node_count):
        if image.nodes[i].flags & HAS_NSEC:
            nodes[count] = i
            name = image.blob + image.nodes[i].name
            keys[count] = prefix_of(name, starts, find_labels(name, starts) - image.apex_labels)
            count += 1


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


cdef int make(Builder* b, bytes blob, void** memory) except -1:
    cdef Outcome outcome
    read_header(b, blob)
    # An RRset takes 20 octets at least: the header cannot ask for more memory than is fair.
    b.sets = <RecordSet*>malloc((b.rrset_count + 1) * sizeof(RecordSet))
    if b.sets == NULL:
        raise MemoryError
    if b.size < SMALL:
        outcome = build(b)
    else:
        with nogil:
            outcome = build(b)
    if outcome == NO_MEMORY:
        raise MemoryError
    if outcome != FINE:
        raise PackedError(f"a packed zone is malformed about octet {b.position}")
    choose_chain(b, blob)
    if b.size < SMALL:
        memory[0] = lay_out(b)
    else:
        with nogil:
            memory[0] = lay_out(b)
    if memory[0] == NULL:
        raise MemoryError
    return 0


cdef tuple describe(bytes blob, const Image* image, uint32_t number):
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t i
    sets = [
        (image.sets[i].rtype, image.sets[i].covers)
        for i in range(node.sets, node.sets + node.count)
    ]
    return blob[node.name:node.name + node.size], tuple(sets)


@cython.no_gc  # holds nothing that could hold it: the collector need not look
cdef class Content:
    """The image of a packed zone; raises ``PackedError`` for octets that are not one."""

    def __cinit__(self, bytes blob not None):
        cdef Builder b
        memset(&b, 0, sizeof(Builder))
        self.blob = blob
        b.blob, b.size, b.image = <const uint8_t*>blob, len(blob), &self.image
        try:
            make(&b, blob, &self.memory)
        finally:
            free(b.nodes)
            free(b.sets)
            free(b.hashes)
            free(b.hashed)

    def __dealloc__(self):
        free(self.memory)

    @property
    def octets(self):
        """The memory of the image, beside the packed form."""
        return self.image.octets

    @property
    def nodes(self):
        """Each name with its RRsets as (type, type covered), in canonical order."""
        cdef uint32_t i
        return [describe(self.blob, &self.image, i) for i in range(self.image.node_count)]

    def find(self, bytes name not None):
        """Return the name and sets at a folded name, ``None`` where it does not exist."""
        cdef Labels labels
        cdef uint32_t number
        if check_name(<const uint8_t*>name, len(name)) != len(name):
            raise ValueError(name)
        split(<const uint8_t*>name, &labels)
        number = find_node(&self.image, labels.hashes[0], <const uint8_t*>name, len(name))
        return None if number == <uint32_t>NONE else describe(self.blob, &self.image, number)
