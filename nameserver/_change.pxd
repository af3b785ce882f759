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

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from nameserver._arrays cimport aim, take_slot
from nameserver._builder cimport FINE, MALFORMED, UNFIT, Outcome, target_offset
from nameserver._change_chains cimport change_hashed, drop_nsec, enter_nsec
from nameserver._change_sets cimport (
    GIVES_PARAMETERS, GIVES_RECORDS, MOST_DOUBTFUL, Change, merge, next_owner, put_sets,
)
from nameserver._image cimport (
    CUT, HAS_NSEC, HAS_WILDCARD, IS_ENT, NONE, Growth, Image, Node, RecordSet, Slot, find_node,
    first_slot,
)
from nameserver._names cimport same_octets
from nameserver._tree cimport flags_of, is_asterisk, link_signatures, note_apex, stop_below


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
        if number == <uint32_t>NONE and one.given & GIVES_RECORDS:
            outcome = grow(one)
    elif number != <uint32_t>NONE:
        outcome = aim_anew(one, &one.image.nodes[number])
    return outcome


# ---- names


cdef inline Outcome give_sets(Change* one, uint32_t number) noexcept nogil:
    """Change the sets of a node, and what follows from them for it."""
    cdef Image* image = one.image
    cdef Node* node = <Node*>&image.nodes[number]
    cdef uint32_t count, stop = stop_below(node, number)
    cdef bint had_nsec = (node.flags & HAS_NSEC) != 0
    cdef Outcome outcome
    if not number and one.given & GIVES_PARAMETERS:
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
