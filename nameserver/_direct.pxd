# cython: language_level=3
"""What is answered with one RRset, written as it is found: most of what is asked without DO.

``complete`` gives the same octets for these queries, as for all others. Here nothing is put
together before it is written, which takes a third of the instructions. Where anything is out of
the ordinary, or does not fit, ``answer_directly`` returns 0, and ``complete`` has to answer.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from nameserver._answer cimport (
    MINIMUM_UDP, NODATA, NXDOMAIN, POSITIVE, UDP, Prepared, Settings,
)
from nameserver._image cimport HAS_CNAME, NONE, Image, Node, find_set
from nameserver._names cimport same_name
from nameserver._query cimport AA, CD, LOCATED, MESSAGE_HEADER, QR, RD, TYPE_OPT
from nameserver._walk cimport EXACT, NO_NAME, SYNTHESIS, Place, walk_from
from nameserver._writer cimport (
    SET_HEAD, Writer, note_name, put_octets, start_writer, write_set,
)
from zones._wire cimport get16, get32, put16

cdef enum:
    DIRECT_DS = 43
    DIRECT_RRSIG = 46
    DIRECT_META = 249  # from here on types are not those of records (RFC 6895 3.1)
    DIRECT_OPT_SIZE = 11
    DIRECT_NXDOMAIN = 3


cdef inline bint is_plain(const Prepared* p, const Settings* settings) noexcept nogil:
    """Tell whether the query wants nothing but records, without proofs."""
    return p.stage == LOCATED and p.zone != NULL and p.zone.image.nodes != NULL \
        and p.qname_size > 1 and not p.dnssec and not p.wants_nsid and not p.wants_keepalive \
        and not p.wants_padding and not p.wants_version \
        and p.cookie == NULL and p.qtype < DIRECT_META and p.qtype != DIRECT_DS \
        and p.qtype != DIRECT_RRSIG and settings.minimal and not settings.reserve


cdef inline uint32_t find_directly(const Image* image, Prepared* p, uint32_t* rcode) noexcept nogil:
    """Return the RRset that is the answer, NONE for none; set ``kind``, FAILURE for complete's."""
    cdef Place place
    cdef const Node* node
    cdef uint32_t number
    if p.node != <uint32_t>NONE and same_name(
        image.blob + image.nodes[p.node].name, image.nodes[p.node].size, p.qname, p.qname_size
    ):
        place.kind, place.node = EXACT, p.node
        if image.nodes[p.node].stop != <uint32_t>NONE:
            return <uint32_t>NONE
    else:
        if p.node != <uint32_t>NONE and image.nodes[p.node].stop != <uint32_t>NONE:
            return <uint32_t>NONE  # most likely below a cut
        walk_from(image, <uint32_t>NONE, p.qname, p.qname_size, &p.labels, &place)
    if place.kind == NO_NAME:
        p.kind, rcode[0] = NXDOMAIN, DIRECT_NXDOMAIN
        return <uint32_t>NONE
    if place.kind != EXACT and place.kind != SYNTHESIS:
        return <uint32_t>NONE
    node = &image.nodes[place.node]
    number = find_set(image, node, p.qtype, 0)
    if number != <uint32_t>NONE:
        p.kind = POSITIVE
    elif not node.flags & HAS_CNAME:
        p.kind = NODATA
    else:
        return <uint32_t>NONE
    p.synthesised = place.kind == SYNTHESIS
    return number


cdef inline int write_soa(Writer* w, const Image* image, const Prepared* p) noexcept nogil:
    """Write the SOA of a negative answer; return the records, -1 where they do not fit."""
    cdef uint32_t pointer = MESSAGE_HEADER + p.qname_size - image.apex_size
    cdef const uint8_t* head = image.blob + image.sets[image.apex_soa].head
    cdef const uint8_t* rdata = head + SET_HEAD
    cdef uint32_t minimum = get32(rdata + 2 + get16(rdata) - 4)
    return write_set(w, NULL, 0, &pointer, head, min(get32(head + 4), minimum))


cdef inline int answer_directly(const Settings* settings, Writer* w, Prepared* p,
                                int transport) noexcept nogil:
    """Write the response to a query if that is simple; return its size, or 0."""
    cdef const Image* image
    cdef const uint8_t* head
    cdef uint32_t number, limit, rcode = 0, pointer = MESSAGE_HEADER, size = p.qname_size + 4
    cdef uint32_t opt = DIRECT_OPT_SIZE if p.has_edns else 0
    cdef int written = 1, before = p.kind
    cdef uint8_t* out = p.out
    if not is_plain(p, settings):
        return 0
    image = &p.zone.image
    number = find_directly(image, p, &rcode)
    if p.kind == before or (number == <uint32_t>NONE and (
        image.apex_soa == <uint32_t>NONE or image.apex_size == 1
    )):
        return undo(p, before)
    # As respond._Exchange: what is wanted, within what is allowed.
    limit = 65535
    if transport == UDP:
        limit = p.udp_size if p.has_edns else MINIMUM_UDP
        limit = max(<uint32_t>MINIMUM_UDP, min(limit, <uint32_t>settings.udp_limit))
    start_writer(w, out, limit - opt)
    put_octets(out + MESSAGE_HEADER, p.query + MESSAGE_HEADER, size)
    w.at += size
    note_name(w, p.qname, p.qname_size, MESSAGE_HEADER)
    if p.kind == POSITIVE:
        head = image.blob + image.sets[number].head
        written = write_set(w, NULL, 0, &pointer, head, get32(head + 4))
    else:
        written = write_soa(w, image, p)
    if written < 0:
        return undo(p, before)
    memcpy(out, p.query, 2)
    put16(out + 2, QR | AA | (p.flags & (RD | CD)) | rcode)
    put16(put16(put16(put16(out + 4, 1), written if p.kind == POSITIVE else 0),
                0 if p.kind == POSITIVE else written), p.has_edns)
    if opt:
        out += w.at
        out[0] = 0
        put16(put16(out + 1, TYPE_OPT), settings.udp_limit)
        out[5] = out[6] = out[7] = out[8] = out[9] = out[10] = 0
    return w.at + opt


cdef inline int undo(Prepared* p, int kind) noexcept nogil:
    p.kind, p.synthesised = kind, False
    return 0
