# cython: language_level=3
"""Changing an image in place, where nobody reads it: see docs/adr/0013-changed-images.md.

What is given are whole RRsets as the packed form has them, in its order, behind the records that the
image has already; one without records is taken out. The result answers as an image made anew would,
but for numbers: nodes and sets that are new stand behind the others, and a node that is gone keeps
its number and its place in the hash, with a size of 0, which no name has; whoever comes to it by its
number, from what pointed there, has to look at the size. What would touch more than the names given
and those above them is ``UNFIT``; so is what there is no room for. The image is then of no further
use.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove, memset

from nameserver._arrays cimport aim, key_of_node, take_slot
from nameserver._builder cimport (
    FINE, HEAD, MALFORMED, RRSIG, UNFIT, Builder, Outcome, check_set, is_of_apex, is_of_chain,
    read_digest, target_offset,
)
from nameserver._image cimport (
    CUT, HAS_NSEC, HAS_WILDCARD, IS_ENT, NONE, Growth, HashedName, Image, Node, RecordSet, Slot,
    find_node, first_slot,
)
from nameserver._names cimport Labels, find_labels, same_octets, split
from nameserver._tree cimport (
    NSEC3, NSEC3PARAM, flags_of, is_asterisk, link_signatures, note_apex, stop_below,
)
from nameserver._walk cimport compare_below, prefix_of
from zones._wire cimport get16, get32

cdef enum:
    MOST_SETS = 512  # of one name
    MOST_DOUBTFUL = 256


cdef struct Change:  # of what stands at one name
    Image* image
    Growth* growth
    const uint8_t* owner
    int size
    size_t first  # where its RRsets begin and end
    size_t end
    Labels labels
    RecordSet* merged  # room for MOST_SETS
    uint32_t doubtful[MOST_DOUBTFUL]  # nodes that became cuts, or are none any more; and DNAMEs
    uint32_t doubtful_count


cdef inline Outcome change(Image* image, Growth* growth, Change* one, size_t start,
                           size_t end) noexcept nogil:
    """Take over the RRsets that stand at ``start`` to ``end`` of the records."""
    cdef int step
    cdef Outcome outcome
    one.image, one.growth, one.doubtful_count = image, growth, 0
    # What exists, then what goes, then what comes; so each meets the tree as it will be.
    for step in range(4):
        one.end = start
        while one.end < end:
            outcome = next_owner(one, end)
            if outcome == FINE:
                outcome = take(one, step)
            if outcome != FINE:
                return outcome
        if step == 1 and has_names_astray(one):
            return UNFIT
    return FINE


cdef inline Outcome take(Change* one, int step) noexcept nogil:
    cdef Outcome outcome = FINE
    cdef uint32_t number = find_node(one.image, one.labels.hashes[0], one.owner, one.size)
    if step == 0:
        outcome = change_hashed(one)
        if outcome == FINE and number != <uint32_t>NONE:
            outcome = give_sets(one, number)
    elif step == 1:
        cut_dead(one)
    elif step == 2:
        if number == <uint32_t>NONE and brings_records(one):
            outcome = grow(one)
    elif number != <uint32_t>NONE:
        outcome = aim_anew(one, &one.image.nodes[number])
    return outcome


# ---- reading


cdef inline Outcome next_owner(Change* one, size_t end) noexcept nogil:
    """Find the RRsets of the next owner."""
    cdef const uint8_t* blob = one.image.blob
    cdef size_t position = one.end
    one.first = position
    one.owner, one.size = blob + position + 1, blob[position]
    split(one.owner, &one.labels)
    while position < end and blob[position] == one.size \
            and not memcmp(blob + position + 1, one.owner, one.size):
        position += 1 + one.size
        position += HEAD + get32(blob + position + 12)
    one.end = position
    return FINE if position <= end else MALFORMED


cdef inline bint is_hashed(uint16_t rtype, uint16_t covers) noexcept nogil:
    return rtype == NSEC3 or covers == NSEC3


cdef inline bint brings_records(const Change* one) noexcept nogil:
    """Tell whether something is to stand at the name itself."""
    cdef const uint8_t* head
    cdef size_t position = one.first
    while position < one.end:
        head = one.image.blob + position + 1 + one.size
        if get32(head + 8) and not is_hashed(get16(head), get16(head + 2)):
            return True
        position += 1 + one.size + HEAD + get32(head + 12)
    return False


cdef inline Outcome merge(Change* one, uint32_t old, uint32_t count, bint hashed,
                          uint32_t* merged) noexcept nogil:
    """Put together the sets that a name has and those given; ``old`` are the former."""
    cdef Image* image = one.image
    cdef size_t position = one.first
    cdef uint32_t end = old + count, key, there, made = 0
    cdef const uint8_t* head
    cdef Outcome outcome
    while position < one.end or old < end:
        if made == MOST_SETS:
            return UNFIT
        key = <uint32_t>NONE
        if position < one.end:
            head = image.blob + position + 1 + one.size
            key = <uint32_t>get16(head) << 16 | get16(head + 2)
            if is_hashed(get16(head), get16(head + 2)) != hashed:
                position += 1 + one.size + HEAD + get32(head + 12)
                continue
        there = <uint32_t>NONE
        if old < end:
            there = <uint32_t>image.sets[old].rtype << 16 | image.sets[old].covers
            if there < key:
                one.merged[made] = image.sets[old]
                made += 1
                old += 1
                continue
        old += there == key
        position += 1 + one.size
        if get32(head + 8):
            outcome = new_set(one, position, &one.merged[made])
            if outcome != FINE:
                return outcome
            made += 1
        position += HEAD + get32(head + 12)
    merged[0] = made
    return FINE


cdef inline Outcome new_set(Change* one, uint32_t head, RecordSet* new) noexcept nogil:
    """Fill in a set whose head stands at an offset."""
    cdef Image* image = one.image
    cdef Builder b
    cdef uint32_t count = get32(image.blob + head + 8)
    b.blob, b.size = image.blob, one.end
    new.head, new.rtype, new.covers = head, get16(image.blob + head), get16(image.blob + head + 2)
    new.signature = new.targets = <uint32_t>NONE
    if new.rtype == NSEC3PARAM:
        return UNFIT  # another chain may be in use
    if new.covers and new.rtype != RRSIG:
        return MALFORMED
    if target_offset(new.rtype) >= 0:
        # Never in the place of others: what is missing may still be noted for them.
        if one.growth.target_room - image.target_count < count:
            return UNFIT
        new.targets = image.target_count
        image.target_count += count
        memset(<void*>&image.targets[new.targets], 0xFF, count * sizeof(uint32_t))
    return check_set(&b, new)


cdef inline uint32_t put_sets(Change* one, uint32_t old, uint32_t room, uint32_t count) noexcept nogil:
    """Store what ``merge`` made, in the old place if it fits; return where, or NONE."""
    cdef Image* image = one.image
    if count > room:
        if one.growth.set_room - image.set_count < count:
            return <uint32_t>NONE
        old = image.set_count
        image.set_count += count
    memcpy(<void*>&image.sets[old], one.merged, count * sizeof(RecordSet))
    return old


# ---- names


cdef inline Outcome give_sets(Change* one, uint32_t number) noexcept nogil:
    """Change the sets of a node, and what follows from them for it."""
    cdef Image* image = one.image
    cdef Node* node = <Node*>&image.nodes[number]
    cdef uint32_t count, stop = stop_below(node, number)
    cdef bint had_nsec = (node.flags & HAS_NSEC) != 0
    cdef Outcome outcome
    if not number and takes_parameters(one):
        return UNFIT
    outcome = merge(one, node.sets, node.count, False, &count)
    if outcome != FINE:
        return outcome
    node.sets = put_sets(one, node.sets, node.count, count)
    if node.sets == <uint32_t>NONE:
        return UNFIT
    node.count = count
    node.flags = node.flags & HAS_WILDCARD | flags_of(&image.sets[node.sets], count, not number)
    if node.flags & CUT and node.stop == <uint32_t>NONE:
        node.stop = number
    elif node.stop == number and not node.flags & CUT:
        node.stop = <uint32_t>NONE
    link_signatures(<RecordSet*>image.sets, node.sets, count)
    if not number:
        note_apex(image, image.sets, node.sets, count)
    if had_nsec != ((node.flags & HAS_NSEC) != 0):
        outcome = drop_nsec(image, node) if had_nsec else enter_nsec(one, number)
        if outcome != FINE:
            return outcome
    if stop != stop_below(node, number) and one.growth.children[number]:
        if one.doubtful_count == MOST_DOUBTFUL:
            return UNFIT
        one.doubtful[one.doubtful_count] = number
        one.doubtful_count += 1
    return FINE


cdef inline bint has_names_astray(const Change* one) noexcept nogil:
    """Tell whether there are names the walk to which would end elsewhere from now on."""
    cdef uint32_t i
    for i in range(one.doubtful_count):
        if one.growth.children[one.doubtful[i]]:
            return True
    return False


cdef inline bint takes_parameters(const Change* one) noexcept nogil:
    """Tell whether an NSEC3PARAM RRset is given or taken out."""
    cdef size_t position = one.first
    cdef const uint8_t* head
    while position < one.end:
        head = one.image.blob + position + 1 + one.size
        if get16(head) == NSEC3PARAM:
            return True
        position += 1 + one.size + HEAD + get32(head + 12)
    return False


cdef inline void cut_dead(Change* one) noexcept nogil:
    """Take out a name where nothing stands any more, and those above it that led only there."""
    cdef Image* image = one.image
    cdef uint32_t number, above
    cdef int i = 0, start
    cdef Node* node
    while one.labels.count - i > image.apex_labels:
        start = one.labels.starts[i]
        number = find_node(image, one.labels.hashes[i], one.owner + start, one.size - start)
        if number != <uint32_t>NONE:
            node = <Node*>&image.nodes[number]
            if node.count or one.growth.children[number]:
                return
            start = one.labels.starts[i + 1]
            above = find_node(image, one.labels.hashes[i + 1], one.owner + start, one.size - start)
            one.growth.children[above] -= 1
            if is_asterisk(image.blob + node.name):
                (<Node*>&image.nodes[above]).flags &= <uint8_t>~HAS_WILDCARD
            node.size = node.flags = 0
            node.stop = <uint32_t>NONE
        elif not i:
            return
        i += 1


cdef inline Outcome grow(Change* one) noexcept nogil:
    """Add a name, with those above it that do not exist yet."""
    cdef Image* image = one.image
    cdef uint32_t number = <uint32_t>NONE, above
    cdef int i = 0, start
    while number == <uint32_t>NONE:
        i += 1
        if one.labels.count - i < image.apex_labels:
            return MALFORMED
        start = one.labels.starts[i]
        number = find_node(image, one.labels.hashes[i], one.owner + start, one.size - start)
    while i:
        i -= 1
        above = number
        number = add_name(one, above, i)
        if number == <uint32_t>NONE:
            return UNFIT
        meet_missing(one, one.labels.hashes[i], number)
    return give_sets(one, number)


cdef inline uint32_t add_name(Change* one, uint32_t above, int label) noexcept nogil:
    """Add the node of a suffix of the owner, or wake it; return its number, or NONE."""
    cdef Image* image = one.image
    cdef int start = one.labels.starts[label]
    cdef uint64_t hash = one.labels.hashes[label]
    cdef uint32_t number = dead_node(image, hash, one.owner + start, one.size - start)
    cdef Node* node
    if number == <uint32_t>NONE:
        number = image.node_count
        if number == one.growth.node_room:
            return <uint32_t>NONE
        image.node_count += 1
        node = <Node*>&image.nodes[number]
        memset(node, 0, sizeof(Node))
        node.name = one.owner + start - image.blob
        take_slot(image, <Slot*>image.slots, hash, number)
    node = <Node*>&image.nodes[number]
    node.size, node.flags = one.size - start, IS_ENT
    node.stop = stop_below(&image.nodes[above], above)
    one.growth.children[number] = 0
    one.growth.children[above] += 1
    if is_asterisk(one.owner + start):
        (<Node*>&image.nodes[above]).flags |= HAS_WILDCARD
    return number


cdef inline uint32_t dead_node(const Image* image, uint64_t hash, const uint8_t* name,
                               int size) noexcept nogil:
    """Return the node that had a name once, or NONE: records may still point to it."""
    cdef uint32_t i = first_slot(image, hash)
    cdef const Node* node
    while image.slots[i].node != <uint32_t>NONE:
        if image.slots[i].tag == <uint32_t>hash:
            node = &image.nodes[image.slots[i].node]
            if not node.size and same_whole_name(image.blob + node.name, name, size):
                return image.slots[i].node
        i += 1
        if i == image.slot_count:
            i = 0
    return <uint32_t>NONE


cdef inline bint same_whole_name(const uint8_t* stored, const uint8_t* name, int size) noexcept nogil:
    """Compare with a stored name, of which only that it ends with a root label is known."""
    cdef int position = 0
    while stored[position]:
        position += 1 + stored[position]
    return position + 1 == size and same_octets(stored, name, size)


# ---- what points to names


cdef inline void meet_missing(Change* one, uint64_t hash, uint32_t number) noexcept nogil:
    """Let records that pointed to a name before it existed find it."""
    cdef Growth* growth = one.growth
    cdef const Image* image = one.image
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t i = 0
    while i < growth.missing_count:
        if growth.missing[i].tag == <uint32_t>hash and same_whole_name(
            image.blob + growth.missing[i].name, image.blob + node.name, node.size
        ):
            (<uint32_t*>image.targets)[growth.missing[i].target] = number
            growth.missing_count -= 1
            growth.missing[i] = growth.missing[growth.missing_count]
        else:
            i += 1


cdef inline Outcome aim_anew(Change* one, const Node* node) noexcept nogil:
    """Look up what the new records of a node point to."""
    cdef const RecordSet* own
    cdef uint32_t i
    for i in range(node.sets, node.sets + node.count):
        own = &one.image.sets[i]
        if own.head >= one.first and own.head < one.end and target_offset(own.rtype) >= 0:
            if not aim(one.image, one.growth, own):
                return UNFIT
    return FINE


# ---- the circles of NSEC and NSEC3


cdef inline uint32_t place_in_circle(const Image* image, const uint8_t* name) noexcept nogil:
    """Return which node with an NSEC is the first that does not stand before a name."""
    cdef uint8_t starts[128]
    cdef int depth = find_labels(name, starts) - image.apex_labels
    cdef uint64_t prefix = prefix_of(name, starts, depth)
    cdef uint32_t low = 0, high = image.nsec_count, middle
    cdef const Node* node
    cdef bint before
    while low < high:
        middle = (low + high) >> 1
        if image.nsec_keys[middle] != prefix:
            before = image.nsec_keys[middle] < prefix
        else:
            node = &image.nodes[image.nsec_nodes[middle]]
            before = compare_below(name, starts, depth, image.blob + node.name,
                                   image.apex_labels) > 0
        if before:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline Outcome enter_nsec(Change* one, uint32_t number) noexcept nogil:
    cdef Image* image = one.image
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t at = place_in_circle(image, image.blob + node.name)
    cdef uint32_t behind = image.nsec_count - at
    cdef uint64_t* keys = <uint64_t*>image.nsec_keys
    cdef uint32_t* nodes = <uint32_t*>image.nsec_nodes
    if image.nsec_count == one.growth.nsec_room:
        return UNFIT
    memmove(&keys[at + 1], &keys[at], behind * sizeof(uint64_t))
    memmove(&nodes[at + 1], &nodes[at], behind * sizeof(uint32_t))
    keys[at], nodes[at] = key_of_node(image, node), number
    image.nsec_count += 1
    return FINE


cdef inline Outcome drop_nsec(Image* image, const Node* node) noexcept nogil:
    cdef uint32_t at = place_in_circle(image, image.blob + node.name)
    cdef uint32_t behind = image.nsec_count - at - 1
    cdef uint64_t* keys = <uint64_t*>image.nsec_keys
    cdef uint32_t* nodes = <uint32_t*>image.nsec_nodes
    memmove(&keys[at], &keys[at + 1], behind * sizeof(uint64_t))
    memmove(&nodes[at], &nodes[at + 1], behind * sizeof(uint32_t))
    image.nsec_count -= 1
    return FINE


cdef inline Outcome change_hashed(Change* one) noexcept nogil:
    """Change what stands at a hashed name: an NSEC3 record and its signatures."""
    cdef Image* image = one.image
    cdef HashedName* chain = <HashedName*>image.hashed
    cdef HashedName new
    cdef uint32_t at, count, old = 0, room = 0
    cdef bint found
    cdef Outcome outcome
    if not touches_hashed(one):
        return FINE
    new.name = one.owner - image.blob
    if not image.hashed_count or not read_digest(image, &new):
        return UNFIT
    at = place_in_chain(image, new.digest)
    found = at < image.hashed_count and not memcmp(chain[at].digest, new.digest, 20)
    if found:
        room = 1 if image.sets[chain[at].set].signature == <uint32_t>NONE else 2
        old = chain[at].set + 1 - room
    outcome = merge(one, old, room, True, &count)
    if outcome != FINE:
        return outcome
    if not count:
        return drop_hashed(image, at) if found else FINE
    if one.merged[count - 1].rtype != NSEC3 \
            or not fits_chain(image, &one.merged[count - 1], found and at == image.apex_hashed):
        return UNFIT
    if not found:
        if image.hashed_count == one.growth.hashed_room:
            return UNFIT
        memmove(&chain[at + 1], &chain[at], (image.hashed_count - at) * sizeof(HashedName))
        image.hashed_count += 1
        image.apex_hashed += at <= image.apex_hashed
    new.set = put_sets(one, old, room, count)
    if new.set == <uint32_t>NONE:
        return UNFIT
    if count == 2:
        (<RecordSet*>&image.sets[new.set + 1]).signature = new.set
    new.set += count - 1
    if count == 1:
        (<RecordSet*>&image.sets[new.set]).signature = <uint32_t>NONE
    chain[at] = new
    return FINE


cdef inline bint touches_hashed(const Change* one) noexcept nogil:
    cdef size_t position = one.first
    cdef const uint8_t* head
    while position < one.end:
        head = one.image.blob + position + 1 + one.size
        if is_hashed(get16(head), get16(head + 2)):
            return True
        position += 1 + one.size + HEAD + get32(head + 12)
    return False


cdef inline uint32_t place_in_chain(const Image* image, const uint8_t* digest) noexcept nogil:
    """Return which NSEC3 record is the first that does not stand before a digest."""
    cdef uint32_t low = 0, high = image.hashed_count, middle
    while low < high:
        middle = (low + high) >> 1
        if memcmp(image.hashed[middle].digest, digest, 20) < 0:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline bint fits_chain(const Image* image, const RecordSet* one, bint apex) noexcept nogil:
    """Tell whether there is one record, with the parameters of the chain; the apex stays where it is."""
    cdef const uint8_t* rdata = image.blob + one.head + HEAD
    cdef uint32_t length = get16(rdata)
    return get32(rdata - 8) == 1 \
        and is_of_chain(rdata + 2, length, image.salt, image.salt_size, image.iterations) \
        and is_of_apex(rdata + 2, length) == apex


cdef inline Outcome drop_hashed(Image* image, uint32_t at) noexcept nogil:
    cdef HashedName* chain = <HashedName*>image.hashed
    if at == image.apex_hashed:
        return UNFIT
    image.hashed_count -= 1
    memmove(&chain[at], &chain[at + 1], (image.hashed_count - at) * sizeof(HashedName))
    image.apex_hashed -= at < image.apex_hashed
    return FINE
