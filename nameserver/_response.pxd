# cython: language_level=3
"""From a prepared query to the octets of its response: ``nameserver.respond._write``."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from nameserver._answer cimport (
    CLIENT_ONLY, FAILURE, INVALID, LARGEST, MINIMUM_UDP, NODATA, NXDOMAIN, POSITIVE, REFERRAL,
    TLS, TO_ORACLE, UDP, Prepared, Settings,
)
from nameserver._chaos cimport answer_chaos
from nameserver._compose cimport compose
from nameserver._cookies cimport judge_cookie
from nameserver._direct cimport answer_directly
from nameserver._image cimport NONE
from nameserver._opt cimport plan_opt, write_opt
from nameserver._query cimport (
    AA, BADCOOKIE, BROKEN, CD, CLASS_CH, CLASS_IN, FORMERR, MESSAGE_HEADER, NOTIMP, OPCODE_QUERY,
    QR, RD, TC, UNUSABLE, opcode_of, refusal,
)
from nameserver._sections cimport Item, Work
from nameserver._table cimport Root
from nameserver._writer cimport (
    Writer, note_name, put_octets, start_writer, take_back, write_head, write_name, write_owner, write_set,
)
from zones._wire cimport get32, put16

cdef enum:
    TYPE_CNAME = 5
    RCODE_NXDOMAIN = 3


cdef inline uint32_t limit_of(const Prepared* p, const Settings* settings,
                              int transport) noexcept nogil:
    cdef uint32_t wanted = p.udp_size if p.has_edns else MINIMUM_UDP
    if transport != UDP:
        return LARGEST
    return max(<uint32_t>MINIMUM_UDP, min(wanted, <uint32_t>settings.udp_limit))


cdef inline int only_header(Prepared* p, int rcode) noexcept nogil:
    """Answer what could not be read."""
    memset(p.out, 0, MESSAGE_HEADER)
    memcpy(p.out, p.query, 2)
    put16(p.out + 2, QR | (p.flags & (0x7800 | RD | CD)) | rcode)
    return MESSAGE_HEADER


cdef inline void write_question(Writer* w, const Prepared* p) noexcept nogil:
    """Write the question as it came."""
    cdef uint32_t size = p.qname_size + 4
    put_octets(w.out + MESSAGE_HEADER, p.query + MESSAGE_HEADER, size)
    w.at += size
    w.rclass = p.qclass
    if p.qname_size > 1:
        note_name(w, p.qname, p.qname_size, MESSAGE_HEADER)


cdef inline int complete(const Root* root, const Settings* settings, Work* work, Prepared* p,
                         int transport) noexcept nogil:
    """Write the response to a query that was prepared; return its size, or what Result says."""
    cdef Writer* w = &work.writer
    cdef uint16_t counts[3]
    cdef uint16_t flags
    cdef int size = answer_directly(root, settings, w, p, transport)
    if size:
        return size
    if p.stage == UNUSABLE:
        return p.result
    if p.stage == BROKEN:
        return only_header(p, FORMERR if opcode_of(p) == OPCODE_QUERY else NOTIMP)
    judge_cookie(p, settings)
    start_work(work, root, settings, p, transport)
    work.rcode = refusal(p)
    if work.rcode < 0:
        work.rcode = 0
        if p.qclass == CLASS_IN:
            compose(work, p)
            if work.overflow:
                return TO_ORACLE
    keep_room(work)
    memset(counts, 0, sizeof(counts))
    if p.qclass == CLASS_CH and not work.rcode:
        flags = 0 if answer_chaos(work, counts) else TC
    else:
        flags = 0 if write_sections(work, counts) else TC
    p.kind, p.synthesised = kind_of(work), work.synthesised
    return finish_message(work, p, flags, counts)


cdef inline int brief(const Settings* settings, Work* work, Prepared* p,
                      bint badcookie) noexcept nogil:
    """Write an answer without any records: respond.brief_response."""
    cdef uint16_t counts[3]
    cdef bint refuses = badcookie and (p.verdict == CLIENT_ONLY or p.verdict == INVALID)
    start_work(work, NULL, settings, p, UDP)
    keep_room(work)
    work.rcode = BADCOOKIE if refuses else 0
    memset(counts, 0, sizeof(counts))
    return finish_message(work, p, 0 if refuses else TC, counts)


cdef inline void start_work(Work* work, const Root* root, const Settings* settings,
                            const Prepared* p, int transport) noexcept nogil:
    """Begin a response with its question."""
    start_writer(&work.writer, p.out, limit_of(p, settings, transport) - settings.reserve)
    if p.qname_size:
        write_question(&work.writer, p)
    work.root, work.prepared, work.settings = root, p, settings
    work.datagram, work.encrypted = transport == UDP, transport == TLS
    work.length = work.item_count = 0
    work.authoritative = work.synthesised = work.overflow = work.hashed = False
    work.error, work.error_text = -1, b""
    work.counts[0] = work.counts[1] = work.counts[2] = 0


cdef inline void keep_room(Work* work) noexcept nogil:
    """Keep room for the OPT record."""
    work.opt_size = 0
    if work.prepared.has_edns:
        plan_opt(work, work.writer.at)
        work.writer.limit -= work.opt_size


cdef inline int kind_of(const Work* work) noexcept nogil:
    """Return what the answer is, whether or not all of it found room."""
    if work.rcode:
        return NXDOMAIN if work.rcode == RCODE_NXDOMAIN else FAILURE
    if work.counts[0]:
        return POSITIVE
    return REFERRAL if not work.authoritative and work.counts[1] else NODATA


cdef inline int finish_message(Work* work, const Prepared* p, uint32_t flags,
                               uint16_t* counts) noexcept nogil:
    """Write the OPT record and the header; return the octets of the response."""
    cdef Writer* w = &work.writer
    flags |= QR | (p.flags & (0x7800 | RD | CD)) | (work.rcode & 0xF)
    if work.authoritative:
        flags |= AA
    if p.has_edns:
        w.limit += work.opt_size
        write_opt(work)
        counts[2] += 1
    memcpy(p.out, p.query, 2)
    put16(p.out + 2, flags)
    put16(p.out + 4, p.qname_size != 0)
    put16(put16(put16(p.out + 6, counts[0]), counts[1]), counts[2])
    return w.at


cdef inline bint write_sections(Work* work, uint16_t* counts) noexcept nogil:
    """Write RRsets in whole; ``False`` as soon as one that is required does not fit."""
    cdef int section, written
    cdef uint32_t i
    cdef const Item* item
    for section in range(3):
        for i in range(work.counts[section]):
            item = &work.items[work.order[section][i]]
            written = write_item(&work.writer, item)
            if written >= 0:
                counts[section] += written
            elif item.required:
                return False
    return True


cdef inline int write_item(Writer* w, const Item* item) noexcept nogil:
    """Write an RRset with its signatures; return the records, -1, and nothing written, if it is
    too long."""
    cdef uint32_t at = w.at, pointer = item.pointer, ttl = item.ttl
    cdef const uint8_t* head
    cdef int written, more = 0
    if item.image == NULL:
        written = write_alias(w, item, &pointer)
    else:
        written = write_set(w, item.owner, item.owner_size, &pointer,
                            item.image.blob + item.image.sets[item.set].head, ttl)
        if written >= 0 and item.signature != <uint32_t>NONE:
            head = item.image.blob + item.image.sets[item.signature].head
            if not item.capped:
                ttl = get32(head + 4)
            more = write_set(w, item.owner, item.owner_size, &pointer, head, ttl)
    if written < 0 or more < 0:
        take_back(w, at)
        return -1
    return written + more


cdef inline int write_alias(Writer* w, const Item* item, uint32_t* pointer) noexcept nogil:
    """Write a CNAME that no zone has."""
    cdef uint32_t start
    if not write_owner(w, item.owner, item.owner_size, pointer) \
            or not write_head(w, TYPE_CNAME, item.ttl, 0):
        return -1
    start = w.at
    if not write_name(w, item.rdata, item.rdata_size):
        return -1
    put16(w.out + start - 2, w.at - start)
    return 1
