# cython: language_level=3
"""What takes no composing, written as it is found: most of what is asked without DO.

That is an RRset, the lack of one, a name that a CNAME of the same zone leads to, and a referral.
``complete`` gives the same octets for these queries, as for all others. Here nothing is put
together before it is written, which takes a third of the instructions. Where anything is out of
the ordinary, or does not fit, ``answer_directly`` returns 0, and ``complete`` has to answer.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from nameserver._answer cimport (
    FAILURE, MINIMUM_UDP, NODATA, NXDOMAIN, POSITIVE, REFERRAL, UDP, Prepared, Settings,
)
from nameserver._image cimport CUT, HAS_CNAME, NONE, Image, Node, RecordSet, find_set
from nameserver._names cimport is_at_or_below, same_name
from nameserver._query cimport AA, CD, LOCATED, MESSAGE_HEADER, POINTER, QR, RD, TYPE_OPT
from nameserver._table cimport Root, has_deeper
from nameserver._walk cimport DELEGATION, EXACT, NO_NAME, SYNTHESIS, Place, walk_from
from nameserver._writer cimport (
    POINTER_LIMIT, SET_HEAD, Writer, note_name, put_octets, start_writer, write_set,
)
from zones._wire cimport get16, get32, put16

cdef enum:
    DIRECT_A = 1
    DIRECT_NS = 2
    DIRECT_CNAME = 5
    DIRECT_AAAA = 28
    DIRECT_DS = 43
    DIRECT_RRSIG = 46
    DIRECT_META = 249  # from here on types are not those of records (RFC 6895 3.1)
    DIRECT_OPT_SIZE = 11
    POINTED_HEAD = 12  # octets of a record before its rdata, where a pointer is its owner
    DIRECT_NXDOMAIN = 3


cdef struct Direct:  # what is to be written
    int kind  # FAILURE: nothing that is written here
    bint synthesised
    uint32_t alias  # the CNAME RRset of the name asked for, or NONE
    const Node* owner  # of ``found``
    uint32_t found  # the RRset that answers or refers; NONE: the SOA tells that there is none


cdef inline bint is_plain(const Prepared* p, const Settings* settings) noexcept nogil:
    """Tell whether the query wants nothing but records, without proofs."""
    return p.stage == LOCATED and p.zone != NULL and p.zone.image.nodes != NULL \
        and p.qname_size > 1 and not p.dnssec and not p.wants_nsid and not p.wants_keepalive \
        and not p.wants_padding and not p.wants_version \
        and p.cookie == NULL and p.qtype < DIRECT_META and p.qtype != DIRECT_DS \
        and p.qtype != DIRECT_RRSIG and settings.minimal and not settings.reserve


# ---- finding

cdef inline void find_directly(const Root* root, const Image* image, const Prepared* p,
                               Direct* d) noexcept nogil:
    """Find what answers a query."""
    cdef Place place
    cdef const Node* node
    cdef uint32_t wanted = p.qtype
    d.kind, d.synthesised, d.alias, d.found = FAILURE, False, <uint32_t>NONE, <uint32_t>NONE
    if p.node != <uint32_t>NONE and image.nodes[p.node].stop == <uint32_t>NONE and same_name(
        image.blob + image.nodes[p.node].name, image.nodes[p.node].size, p.qname, p.qname_size
    ):
        place.kind, place.node = EXACT, p.node
    else:
        walk_from(image, p.node, p.qname, p.qname_size, &p.labels, &place)
    d.owner = node = &image.nodes[place.node]
    if place.kind == NO_NAME:
        d.kind = NXDOMAIN
        return
    if place.kind == DELEGATION:
        wanted = DIRECT_NS
    elif place.kind == SYNTHESIS:
        d.synthesised = True
    elif place.kind != EXACT:
        return
    d.found = find_set(image, node, wanted, 0)
    if d.found != <uint32_t>NONE:
        d.kind = REFERRAL if place.kind == DELEGATION else POSITIVE
    elif not node.flags & HAS_CNAME:
        d.kind = NODATA
    else:
        follow_directly(root, image, p, node, d)


cdef inline void follow_directly(const Root* root, const Image* image, const Prepared* p,
                                 const Node* node, Direct* d) noexcept nogil:
    """Go on with a CNAME that leads to data of the same zone, of which all is known."""
    cdef uint32_t target
    d.alias = find_set(image, node, DIRECT_CNAME, 0)
    target = image.targets[image.sets[d.alias].targets]
    if target == <uint32_t>NONE or has_deeper(root, image.apex_labels):
        return
    d.owner = &image.nodes[target]
    if not d.owner.size or d.owner.stop != <uint32_t>NONE:
        return
    d.found = find_set(image, d.owner, p.qtype, 0)
    if d.found != <uint32_t>NONE:
        d.kind = POSITIVE


# ---- writing

cdef inline int write_found(Writer* w, const Image* image, uint32_t number,
                            uint32_t pointer) noexcept nogil:
    """Write an RRset whose owner stands at ``pointer``; return the records, -1: they do not fit."""
    cdef const uint8_t* head = image.blob + image.sets[number].head
    return write_set(w, NULL, 0, &pointer, head, get32(head + 4))


cdef inline uint32_t name_in(const Writer* w, uint32_t at) noexcept nogil:
    """Return where the name stands that is the rdata of the record at an offset; 0 for the root."""
    cdef uint32_t place = at + POINTED_HEAD
    if w.out[place] >= POINTER:
        return get16(w.out + place) & 0x3FFF
    return place if w.out[place] else 0  # the root is never pointed at


cdef inline int write_soa(Writer* w, const Image* image, const Prepared* p) noexcept nogil:
    """Write the SOA of a negative answer; return the records, -1 where they do not fit."""
    cdef uint32_t pointer = MESSAGE_HEADER + p.qname_size - image.apex_size
    cdef const uint8_t* head = image.blob + image.sets[image.apex_soa].head
    cdef const uint8_t* rdata = head + SET_HEAD
    cdef uint32_t minimum = get32(rdata + 2 + get16(rdata) - 4)
    return write_set(w, NULL, 0, &pointer, head, min(get32(head + 4), minimum))


cdef inline int write_addresses(Writer* w, const Image* image, uint32_t number,
                                uint32_t pointer) noexcept nogil:
    """Write the addresses of a name server that is named at ``pointer``; return the records.

    -1 where they do not fit, or ``pointer`` is 0.
    """
    cdef const Node* node = &image.nodes[number]
    cdef uint32_t i, rtype
    cdef int count = 0, written
    if not pointer:
        return -1
    if node.stop != <uint32_t>NONE and not image.nodes[node.stop].flags & CUT:
        return 0  # below a DNAME
    for i in range(node.sets, node.sets + node.count):  # types go upwards
        rtype = image.sets[i].rtype
        if rtype > DIRECT_AAAA:
            break
        if rtype == DIRECT_A or rtype == DIRECT_AAAA:
            written = write_found(w, image, i, pointer)
            if written < 0:
                return -1
            count += written
    return count


cdef inline int write_glue(Writer* w, const Image* image, const Direct* d,
                           uint32_t first) noexcept nogil:
    """Write the addresses of a referral, those in the delegated domain first (``add_glue``).

    The NS records stand at ``first`` of the message.
    """
    cdef const RecordSet* names = &image.sets[d.found]
    cdef const uint8_t* head = image.blob + names.head
    cdef const uint8_t* rdata
    cdef uint32_t i, size, number, at
    cdef int inside, written, count = 0, others = 1
    for inside in range(1, -1, -1):
        rdata, at = head + SET_HEAD, first
        if not inside and not others:
            break
        others = 0
        for i in range(get32(head + 8)):
            size, number = get16(rdata), image.targets[names.targets + i]
            if number == <uint32_t>NONE:
                pass
            elif inside == is_at_or_below(rdata + 2, size, image.blob + d.owner.name, d.owner.size):
                written = write_addresses(w, image, number, name_in(w, at))
                if written < 0:
                    return -1
                count += written
            else:
                others = 1
            rdata += 2 + size
            at += POINTED_HEAD + get16(w.out + at + POINTED_HEAD - 2)
    return count


cdef inline bint write_directly(Writer* w, const Image* image, const Prepared* p, const Direct* d,
                                int* counts) noexcept nogil:
    """Write the sections; ``False`` where something does not fit."""
    cdef uint32_t start = w.at
    counts[0] = counts[1] = counts[2] = 0
    if d.kind == POSITIVE and d.alias == <uint32_t>NONE:
        counts[0] = write_found(w, image, d.found, MESSAGE_HEADER)
        return counts[0] >= 0
    if d.kind == REFERRAL:
        counts[1] = write_found(w, image, d.found, MESSAGE_HEADER + p.qname_size - d.owner.size)
        if counts[1] < 0 or w.at > POINTER_LIMIT:  # not all names can be pointed at
            return False
        counts[2] = write_glue(w, image, d, start)
        return counts[2] >= 0
    if d.kind != POSITIVE:
        counts[1] = write_soa(w, image, p)
        return counts[1] >= 0
    if write_found(w, image, d.alias, MESSAGE_HEADER) != 1 or not name_in(w, start):
        return False
    counts[0] = 1 + write_found(w, image, d.found, name_in(w, start))
    return counts[0] > 0


cdef inline int answer_directly(const Root* root, const Settings* settings, Writer* w, Prepared* p,
                                int transport) noexcept nogil:
    """Write the response to a query if that is simple; return its size, or 0."""
    cdef const Image* image
    cdef Direct d
    cdef uint32_t limit = 65535, size = p.qname_size + 4, opt = DIRECT_OPT_SIZE if p.has_edns else 0
    cdef int counts[3]
    cdef uint8_t* out = p.out
    if not is_plain(p, settings):
        return 0
    image = &p.zone.image
    find_directly(root, image, p, &d)
    if d.kind == FAILURE or (d.found == <uint32_t>NONE and (
        image.apex_soa == <uint32_t>NONE or image.apex_size == 1
    )):
        return 0
    # As respond._Exchange: what is wanted, within what is allowed.
    if transport == UDP:
        limit = p.udp_size if p.has_edns else MINIMUM_UDP
        limit = max(<uint32_t>MINIMUM_UDP, min(limit, <uint32_t>settings.udp_limit))
    start_writer(w, out, limit - opt)
    put_octets(out + MESSAGE_HEADER, p.query + MESSAGE_HEADER, size)
    w.at += size
    note_name(w, p.qname, p.qname_size, MESSAGE_HEADER)
    if not write_directly(w, image, p, &d, counts):
        return 0
    p.kind, p.synthesised = d.kind, d.synthesised
    memcpy(out, p.query, 2)
    put16(out + 2, QR | (AA if d.kind != REFERRAL else 0) | (p.flags & (RD | CD))
          | (DIRECT_NXDOMAIN if d.kind == NXDOMAIN else 0))
    put16(put16(put16(put16(out + 4, 1), counts[0]), counts[1]), counts[2] + p.has_edns)
    if opt:
        out += w.at
        out[0] = 0
        put16(put16(out + 1, TYPE_OPT), settings.udp_limit)
        out[5] = out[6] = out[7] = out[8] = out[9] = out[10] = 0
    return w.at + opt
