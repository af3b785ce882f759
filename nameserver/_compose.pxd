# cython: language_level=3
"""Composing an answer of class IN: ``nameserver.compose``, function by function.

Read that module first; here stands the same, on an image, with the same names.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nameserver._additional cimport add_glue, add_targets
from nameserver._answer cimport Prepared
from nameserver._image cimport (
    CUT, HAS_CNAME, NONE, Image, Node, find_set,
)
from nameserver._names cimport LONGEST_NAME, is_at_or_below, split
from nameserver._proofs cimport no_closer_match, no_data, no_name, no_wildcard_data
from nameserver._query cimport LOCATED
from nameserver._sections cimport (
    ANSWER, AUTHORITY, GROWING_CHAIN, LONGEST_CHAIN, Item, Section, Work, add_item, add_set,
    fill_item, new_item, pointer_above, set_octets,
)
from nameserver._table cimport EXPIRED, SERVING, SUSPENDED, Root, Zone, find_zone, has_deeper
from nameserver._walk cimport (
    DELEGATION, EXACT, REDIRECTION, SYNTHESIS, Place, walk, walk_from,
)
from nameserver._writer cimport SET_HEAD
from zones._wire cimport get16, get32

cdef enum:
    TYPE_NS = 2
    TYPE_CNAME = 5
    TYPE_DNAME = 39
    TYPE_DS = 43
    TYPE_RRSIG = 46
    TYPE_NSEC = 47
    TYPE_ANY = 255
    SERVFAIL = 2
    NXDOMAIN = 3
    REFUSED = 5
    YXDOMAIN = 6
    NOT_READY = 14  # extended errors, as in nameserver.edns
    BLOCKED = 15
    NOT_AUTHORITATIVE = 20
    INVALID_DATA = 24


cdef inline const Zone* enclosing_zone(const Work* work) noexcept nogil:
    """Return the nearest enclosing zone; for DS at an apex, the parent's if it is served."""
    cdef const Zone* zone = find_zone(work.root, work.name, work.name_size, work.labels, 0)
    cdef const Zone* above
    cdef Place place
    if work.prepared.qtype != TYPE_DS or zone == NULL or zone.size != work.name_size:
        return zone
    if zone.size == 1:
        return zone
    above = find_zone(work.root, work.name, work.name_size, work.labels, 1)
    if above == NULL:
        return zone
    if above.image.nodes != NULL:
        walk(&above.image, work.name, work.name_size, work.labels, &place)
        if place.kind == DELEGATION and above.image.nodes[place.node].size != work.name_size:
            return zone
    return above


cdef inline void refuse(Work* work, const Zone* zone) noexcept nogil:
    """Say that nothing is known of the name, or why not."""
    if zone == NULL:
        work.rcode, work.error, work.error_text = REFUSED, NOT_AUTHORITATIVE, b""
    elif zone.state == SUSPENDED:
        work.rcode, work.error, work.error_text = REFUSED, BLOCKED, b"zone suspended"
    elif zone.state == EXPIRED:
        work.rcode, work.error, work.error_text = SERVFAIL, INVALID_DATA, b"zone expired"
    else:
        work.rcode, work.error, work.error_text = SERVFAIL, NOT_READY, b"zone not loaded yet"


cdef inline void compose(Work* work, Prepared* prepared) noexcept nogil:
    """Fill the sections for the question of ``prepared``."""
    cdef const Zone* zone
    cdef int length
    work.name, work.name_size = prepared.qname, prepared.qname_size
    work.labels = &prepared.labels
    work.target_image = NULL
    if prepared.stage != LOCATED or prepared.qtype == TYPE_DS:
        prepared.zone = enclosing_zone(work)
        prepared.node = <uint32_t>NONE  # what was found may be another zone's
    zone = prepared.zone
    if zone == NULL or zone.image.nodes == NULL:
        refuse(work, zone)
        return
    for length in range(LONGEST_CHAIN):
        if zone == NULL or zone.image.nodes == NULL:
            return  # the chain leads to where nothing can be said
        work.image, work.length = &zone.image, length
        if not take_step(work) or work.overflow:
            return
        if is_known(work):
            continue  # in the same zone
        split(work.name, &work.chain_labels)
        work.labels = &work.chain_labels
        zone = enclosing_zone(work)


cdef inline bint is_known(const Work* work) noexcept nogil:
    """Tell whether all is known of where an alias leads: to a node of the zone, above all cuts.

    ``labels`` are not those of that name then; nothing asks for them. In an image that was changed
    the node may be one whose name is gone (size 0): there may be a wildcard, or nothing.
    """
    return work.target_image == work.image and work.target != <uint32_t>NONE \
        and work.image.nodes[work.target].size \
        and work.prepared.qtype != TYPE_DS \
        and work.image.nodes[work.target].stop == <uint32_t>NONE \
        and not has_deeper(work.root, work.image.apex_labels)


cdef inline bint take_step(Work* work) noexcept nogil:
    """Answer for the name from its zone; tell whether it was replaced by an alias's target."""
    cdef Place place
    cdef const Node* node
    if work.length and is_known(work):
        node = &work.image.nodes[work.target]
        work.target_image = NULL
        return answer_from(work, node)
    if work.target_image == work.image:
        walk_from(work.image, work.target, work.name, work.name_size, work.labels, &place)
    else:
        walk_from(work.image, work.prepared.node if not work.length else <uint32_t>NONE,
                  work.name, work.name_size, work.labels, &place)
    work.target_image = NULL
    node = &work.image.nodes[place.node]
    if place.kind == DELEGATION \
            and (work.prepared.qtype != TYPE_DS or node.size != work.name_size):
        refer(work, node)
        return False
    work.authoritative = True
    if not work.length and (place.kind == REDIRECTION or place.kind == SYNTHESIS):
        work.synthesised = True
    if place.kind == EXACT or place.kind == DELEGATION:
        return answer_from(work, node)
    if place.kind == REDIRECTION:
        return redirect(work, node)
    if place.kind == SYNTHESIS:
        return synthesise(work, node, &place)
    work.rcode = NXDOMAIN
    add_soa(work)
    if work.prepared.dnssec:
        no_name(work, &place)
    return False


cdef inline void refer(Work* work, const Node* cut) noexcept nogil:
    """Refer to the servers of a delegated zone."""
    cdef uint32_t servers = find_set(work.image, cut, TYPE_NS, 0), ds
    fill_item(work, work.image.blob + cut.name, cut.size, servers, work.prepared.dnssec, True)
    new_item(work).pointer = pointer_above(work, cut.size)
    add_item(work, AUTHORITY)
    if work.prepared.dnssec and (work.image.hashed_count or work.image.nsec_count):
        ds = find_set(work.image, cut, TYPE_DS, 0)
        if ds != <uint32_t>NONE:
            add_set(work, AUTHORITY, cut, ds, True)
        else:
            no_data(work, work.image.blob + cut.name, cut.size)
    add_glue(work, cut, servers)


cdef inline bint answer_from(Work* work, const Node* node) noexcept nogil:
    """Answer from what stands at the name itself."""
    if add_matching(work, node):
        finish(work)
        return False
    if node.flags & HAS_CNAME:
        return follow(work, node)
    add_soa(work)
    if work.prepared.dnssec:
        no_data(work, work.name, work.name_size)
    return False


cdef inline bint synthesise(Work* work, const Node* source, const Place* place) noexcept nogil:
    """Answer from a wildcard as if it were the name."""
    if not has_matching(work, source) and not source.flags & HAS_CNAME:
        add_soa(work)
        if work.prepared.dnssec:
            no_wildcard_data(work, place)
        return False
    if work.prepared.dnssec:
        no_closer_match(work, place)
    if not add_matching(work, source):
        return follow(work, source)
    finish(work)
    return False


cdef inline bint redirect(Work* work, const Node* node) noexcept nogil:
    """Replace the suffix that owns a DNAME, and tell so by a CNAME."""
    cdef uint32_t dname = find_set(work.image, node, TYPE_DNAME, 0)
    cdef const uint8_t* head = work.image.blob + work.image.sets[dname].head
    cdef const uint8_t* suffix = head + SET_HEAD + 2
    cdef int suffix_size = get16(suffix - 2), kept = work.name_size - node.size
    cdef uint8_t* target = work.names[work.length]
    cdef Item* item
    cdef bint comes_back
    fill_item(work, work.image.blob + node.name, node.size, dname, work.prepared.dnssec, True)
    new_item(work).pointer = pointer_above(work, node.size)
    comes_back = not add_item(work, ANSWER)
    if comes_back and work.length >= GROWING_CHAIN:
        return False
    if kept + suffix_size > LONGEST_NAME:
        work.rcode = YXDOMAIN
        return False
    memcpy(target, work.name, kept)
    memcpy(target + kept, suffix, suffix_size)
    item = new_item(work)
    item.owner, item.owner_size, item.pointer = work.name, work.name_size, 0
    item.image, item.set, item.signature = NULL, <uint32_t>NONE, <uint32_t>NONE
    item.rdata, item.rdata_size = target, kept + suffix_size
    item.rtype, item.covers, item.ttl, item.required = TYPE_CNAME, 0, get32(head + 4), True
    if not add_item(work, ANSWER):
        return False
    if work.prepared.qtype == TYPE_CNAME or is_at_or_below(
        suffix, suffix_size, work.image.blob + node.name, node.size
    ):
        return False
    work.name, work.name_size = target, kept + suffix_size
    return True


cdef inline bint follow(Work* work, const Node* node) noexcept nogil:
    """Give a CNAME under the name asked for, and go on with its target; one given before ends."""
    cdef uint32_t number = find_set(work.image, node, TYPE_CNAME, 0)
    cdef const uint8_t* rdata = work.image.blob + work.image.sets[number].head + SET_HEAD
    fill_item(work, work.name, work.name_size, number, work.prepared.dnssec, True)
    new_item(work).pointer = pointer_above(work, work.name_size)
    if not add_item(work, ANSWER):
        return False
    work.name, work.name_size = rdata + 2, get16(rdata)
    work.target_image = work.image
    work.target = work.image.targets[work.image.sets[number].targets]
    return True


cdef inline void finish(Work* work) noexcept nogil:
    """Give with an answer what a resolver is likely to ask next."""
    cdef const Node* apex = &work.image.nodes[0]
    if work.settings.minimal:
        return
    if work.image.apex_ns != <uint32_t>NONE:
        fill_item(work, work.image.blob + apex.name, apex.size, work.image.apex_ns,
                  work.prepared.dnssec, False)
        new_item(work).pointer = pointer_above(work, apex.size)
        add_item(work, AUTHORITY)
    add_targets(work)


cdef inline bint matches(int qtype, int rtype) noexcept nogil:
    """Tell whether a type, which is not RRSIG, is asked for."""
    return rtype == qtype or (qtype == TYPE_ANY and rtype != TYPE_NSEC)


cdef inline bint has_matching(const Work* work, const Node* node) noexcept nogil:
    cdef uint32_t i
    cdef int qtype = work.prepared.qtype
    if qtype != TYPE_ANY and qtype != TYPE_RRSIG:
        return find_set(work.image, node, qtype, 0) != <uint32_t>NONE
    for i in range(node.sets, node.sets + node.count):
        if qtype == TYPE_RRSIG:
            if work.image.sets[i].rtype == TYPE_RRSIG:
                return True
        elif work.image.sets[i].rtype != TYPE_RRSIG and work.image.sets[i].rtype != TYPE_NSEC:
            return True
    return False


cdef inline void add_found(Work* work, uint32_t number) noexcept nogil:
    """Add one RRset to the answer section, under the name asked for."""
    fill_item(work, work.name, work.name_size, number,
              work.prepared.dnssec and work.prepared.qtype != TYPE_RRSIG, True)
    new_item(work).pointer = pointer_above(work, work.name_size)
    add_item(work, ANSWER)


cdef inline bint add_matching(Work* work, const Node* node) noexcept nogil:
    """Add the RRsets of a node that have the type asked for; tell whether there are any."""
    cdef int qtype = work.prepared.qtype
    cdef uint32_t number
    if qtype == TYPE_ANY or qtype == TYPE_RRSIG:
        return add_all(work, node)
    number = find_set(work.image, node, qtype, 0)
    if number == <uint32_t>NONE:
        return False
    add_found(work, number)
    return True


cdef inline bint add_all(Work* work, const Node* node) noexcept nogil:
    """Add all that matches ANY or RRSIG; to an address that may be forged just the smallest."""
    cdef bint signatures = work.prepared.qtype == TYPE_RRSIG
    cdef uint32_t i, smallest = <uint32_t>NONE
    cdef uint64_t octets, least = 0
    cdef const Image* image = work.image
    for i in range(node.sets, node.sets + node.count):
        if (image.sets[i].rtype == TYPE_RRSIG) != signatures \
                or (not signatures and image.sets[i].rtype == TYPE_NSEC):
            continue
        if not work.datagram:
            smallest = i
            add_found(work, i)
            continue
        octets = set_octets(image, i)
        if not signatures and work.prepared.dnssec \
                and image.sets[i].signature != <uint32_t>NONE:
            octets += set_octets(image, image.sets[i].signature)
        if smallest == <uint32_t>NONE or octets < least:
            smallest, least = i, octets
    if work.datagram and smallest != <uint32_t>NONE:
        add_found(work, smallest)
    return smallest != <uint32_t>NONE


cdef inline void add_soa(Work* work) noexcept nogil:
    """Put the SOA into a negative answer, with the TTL that the answer is cached for."""
    cdef const Image* image = work.image
    cdef const uint8_t* rdata
    cdef uint32_t minimum
    if image.apex_soa == <uint32_t>NONE:
        return
    rdata = image.blob + image.sets[image.apex_soa].head + SET_HEAD
    minimum = get32(rdata + 2 + get16(rdata) - 4)
    fill_item(work, image.blob + image.nodes[0].name, image.apex_size, image.apex_soa,
              work.prepared.dnssec, True)
    new_item(work).ttl = min(new_item(work).ttl, minimum)
    new_item(work).capped = True
    new_item(work).pointer = pointer_above(work, image.apex_size)
    add_item(work, AUTHORITY)
