# cython: language_level=3
"""Reading the packed form into nodes and sets: one pass, in canonical order."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memcmp, memcpy, memset

from nameserver._builder cimport (
    FINE, HEAD, MALFORMED, NO_MEMORY, RRSIG, SOA, Builder, Outcome, check_set, target_offset,
)
from nameserver._image cimport (
    CUT, HAS_CNAME, HAS_DNAME, HAS_NSEC, HAS_WILDCARD, IS_ENT, NONE, HashedName, Image, Node,
    RecordSet,
)
from nameserver._names cimport (
    Labels, check_name, compare_labels, find_labels, hash_label, is_at_or_below, split,
)
from zones._wire cimport get16, get32

cdef enum:
    NS = 2
    CNAME = 5
    DNAME = 39
    NSEC = 47
    NSEC3 = 50
    NSEC3PARAM = 51


cdef inline Outcome more_room(void** items, uint32_t* room, size_t item_size) noexcept nogil:
    cdef uint32_t wanted = room[0] * 2 if room[0] >= 16 else 16
    cdef void* moved = realloc(items[0], wanted * item_size)
    if moved == NULL:
        return NO_MEMORY
    items[0], room[0] = moved, wanted
    return FINE


cdef inline Outcome build(Builder* b) noexcept nogil:
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


cdef inline uint64_t apex_hash(Builder* b) noexcept nogil:
    cdef Labels labels
    split(b.apex, &labels)
    b.image.apex_labels = labels.count
    return labels.hashes[0]


cdef inline Outcome add_node(Builder* b, uint32_t name, int size, int depth, uint64_t hash) noexcept nogil:
    """Add a node below the one at ``depth - 1`` of the path, without RRsets yet."""
    cdef Node* node
    cdef Node* above
    cdef uint32_t* counts
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
        if b.counting:
            counts = <uint32_t*>realloc(b.children, b.node_room * sizeof(uint32_t))
            if counts == NULL:
                return NO_MEMORY
            b.children = counts
    node = &b.nodes[number]
    memset(node, 0, sizeof(Node))
    node.name, node.size, node.flags = name, size, IS_ENT
    node.stop = <uint32_t>NONE
    if b.counting:
        b.children[number] = 0
    if depth:
        above = &b.nodes[b.path[depth - 1].node]
        node.stop = stop_below(above, b.path[depth - 1].node)
        if is_asterisk(b.blob + name):
            above.flags |= HAS_WILDCARD
        if b.counting:
            b.children[b.path[depth - 1].node] += 1
    b.hashes[number] = hash
    b.path[depth].node, b.path[depth].hash = number, hash
    b.image.node_count += 1
    return FINE


cdef inline Outcome read_owner(Builder* b, uint32_t* done) noexcept nogil:
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


cdef inline Outcome place_owner(Builder* b, const uint8_t* owner, const uint8_t* starts,
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


cdef inline Outcome grow_tree(Builder* b, uint32_t name, const uint8_t* owner, const uint8_t* starts,
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


cdef inline Outcome read_sets(Builder* b, const uint8_t* owner, int size, uint32_t* done,
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


cdef inline uint32_t stop_below(const Node* node, uint32_t number) noexcept nogil:
    """Return where the walk to a name below a node ends."""
    if node.stop != <uint32_t>NONE:
        return node.stop
    return number if node.flags & (CUT | HAS_DNAME) else <uint32_t>NONE


cdef inline bint is_asterisk(const uint8_t* name) noexcept nogil:
    return name[0] == 1 and name[1] == 42


cdef inline uint8_t flags_of(const RecordSet* sets, uint32_t count, bint apex) noexcept nogil:
    """Return what RRsets make of their node."""
    cdef uint8_t flags = 0
    cdef uint32_t i
    for i in range(count):
        if sets[i].rtype == NS:
            flags |= 0 if apex else CUT
        elif sets[i].rtype == CNAME:
            flags |= HAS_CNAME
        elif sets[i].rtype == DNAME:
            flags |= HAS_DNAME
        elif sets[i].rtype == NSEC:
            flags |= HAS_NSEC
    return flags if count else <uint8_t>IS_ENT


cdef inline void settle(Builder* b, uint32_t number, uint32_t first, uint32_t count) noexcept nogil:
    """Give a node its sets; link each to its signatures."""
    cdef Node* node = &b.nodes[number]
    node.sets, node.count = first, count
    node.flags = node.flags & HAS_WILDCARD | flags_of(b.sets + first, count, not number)
    if node.flags & CUT and node.stop == <uint32_t>NONE:
        node.stop = number
    if node.flags & HAS_NSEC:
        b.nsec_count += 1
    link_signatures(b.sets, first, count)
    if not number:
        note_apex(b.image, b.sets, first, count)


cdef inline void note_apex(Image* image, const RecordSet* sets, uint32_t first,
                           uint32_t count) noexcept nogil:
    """Note the sets of the apex that many answers need."""
    cdef uint32_t i
    image.apex_ns = image.apex_soa = <uint32_t>NONE
    for i in range(first, first + count):
        if sets[i].rtype == NS:
            image.apex_ns = i
        elif sets[i].rtype == SOA:
            image.apex_soa = i


cdef inline void link_signatures(RecordSet* sets, uint32_t first, uint32_t count) noexcept nogil:
    """Both the types and what RRSIGs cover go upwards: walk them side by side."""
    cdef uint32_t i, sig = first, end = first + count
    while sig < end and sets[sig].rtype != RRSIG:
        sig += 1
    for i in range(first, end):
        if sets[i].rtype == RRSIG:
            continue
        sets[i].signature = <uint32_t>NONE
        while sig < end and sets[sig].rtype == RRSIG and sets[sig].covers < sets[i].rtype:
            sig += 1
        if sig < end and sets[sig].rtype == RRSIG and sets[sig].covers == sets[i].rtype:
            sets[i].signature = sig


cdef inline Outcome add_hashed(Builder* b, uint32_t name, uint32_t first) noexcept nogil:
    """Note an NSEC3 RRset, whose signature, if any, is the set before it."""
    cdef uint32_t last = b.image.set_count - 1
    cdef HashedName* one
    if b.sets[last].rtype != NSEC3:
        b.lone_signatures = True
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
