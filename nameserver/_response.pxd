# cython: language_level=3
"""From a prepared query to the octets of its response: ``nameserver.respond._write``."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from nameserver._answer cimport LARGEST, TO_ORACLE, UDP, Prepared, Settings
from nameserver._compose cimport compose
from nameserver._image cimport NONE
from nameserver._query cimport (
    AA, BROKEN, CD, CLASS_CH, CLASS_IN, FORMERR, MESSAGE_HEADER, NOTIMP, OPCODE_QUERY, OPTION_NSID,
    QR, RD, REFUSED, TC, TYPE_OPT, UNUSABLE, opcode_of, refusal,
)
from nameserver._sections cimport Item, Work
from nameserver._table cimport Root
from nameserver._writer cimport (
    Writer, start_writer, take_back, write_head, write_name, write_owner, write_set,
)
from zones._wire cimport get32, put, put16

cdef enum:
    TYPE_CNAME = 5
    TYPE_TXT = 16
    TYPE_ANY = 255
    MINIMUM_UDP = 512
    OPT_SIZE = 11
    OPTION_ERROR = 15
    LONGEST_STRING = 255


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
    memcpy(w.out + MESSAGE_HEADER, p.query + MESSAGE_HEADER, size)
    w.at += size
    w.rclass = p.qclass
    w.qname, w.labels = p.qname, &p.labels


cdef inline int complete(const Root* root, const Settings* settings, Work* work, Prepared* p,
                         int transport) noexcept nogil:
    """Write the response to a query that was prepared; return its size, or what Result says."""
    cdef Writer* w = &work.writer
    cdef uint32_t opt_size
    cdef uint16_t counts[3]
    cdef uint16_t flags
    if p.stage == UNUSABLE:
        return p.result
    if p.stage == BROKEN:
        return only_header(p, FORMERR if opcode_of(p) == OPCODE_QUERY else NOTIMP)
    start_writer(w, p.out, limit_of(p, settings, transport) - settings.reserve)
    if p.qname_size:
        write_question(w, p)
    start_work(work, root, settings, p, transport)
    work.rcode = refusal(p)
    if work.rcode < 0:
        work.rcode = 0
        if p.qclass == CLASS_IN:
            compose(work, p)
            if work.overflow:
                return TO_ORACLE
    opt_size = size_of_opt(work, w.at)
    w.limit -= opt_size
    memset(counts, 0, sizeof(counts))
    if p.qclass == CLASS_CH and not work.rcode:
        flags = 0 if answer_chaos(work, counts) else TC
    else:
        flags = 0 if write_sections(work, counts) else TC
    flags |= QR | (p.flags & (0x7800 | RD | CD)) | (work.rcode & 0xF)
    if work.authoritative:
        flags |= AA
    if p.has_edns:
        w.limit += opt_size
        write_opt(work, opt_size)
        counts[2] += 1
    memcpy(p.out, p.query, 2)
    put16(p.out + 2, flags)
    put16(p.out + 4, p.qname_size != 0)
    put16(put16(put16(p.out + 6, counts[0]), counts[1]), counts[2])
    return w.at


cdef inline void start_work(Work* work, const Root* root, const Settings* settings,
                            const Prepared* p, int transport) noexcept nogil:
    work.root, work.prepared, work.settings = root, p, settings
    work.datagram = transport == UDP
    work.length = work.item_count = 0
    work.authoritative = work.overflow = work.hashed = False
    work.error, work.error_text = -1, b""
    work.counts[0] = work.counts[1] = work.counts[2] = 0


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


cdef inline uint32_t size_of_opt(const Work* work, uint32_t at) noexcept nogil:
    """Return the octets of the OPT record; options go in as far as 512 octets have room."""
    cdef uint32_t size = OPT_SIZE, option, room = MINIMUM_UDP - work.settings.reserve
    if not work.prepared.has_edns:
        return 0
    if has_nsid(work):
        option = 4 + work.settings.identity_size
        if at + size + option <= room:
            size += option
    if work.error >= 0:
        option = 6 + text_size(work.error_text)
        if at + size + option <= room:
            size += option
    return size


cdef inline bint has_nsid(const Work* work) noexcept nogil:
    return work.prepared.wants_nsid and work.settings.identity_size > 0


cdef inline uint32_t text_size(const char* text) noexcept nogil:
    cdef uint32_t size = 0
    while text[size]:
        size += 1
    return size


cdef inline void write_opt(Work* work, uint32_t size) noexcept nogil:
    """Write an OPT record of the size that was kept free for it."""
    cdef Writer* w = &work.writer
    cdef uint8_t* out = w.out + w.at
    cdef uint32_t left = size - OPT_SIZE, option = 4 + work.settings.identity_size
    w.at += size
    out[0] = 0
    put16(put16(out + 1, TYPE_OPT), work.settings.udp_limit)
    out[5], out[6], out[7], out[8] = work.rcode >> 4, 0, 0x80 if work.prepared.dnssec else 0, 0
    out = put16(out + 9, left)
    # What is left tells which options had room: their sizes were added up in this order.
    if has_nsid(work) and left >= option and nsid_fits(work, size):
        out = put16(put16(out, OPTION_NSID), work.settings.identity_size)
        out = put(out, work.settings.identity, work.settings.identity_size)
        left -= option
    if left:
        out = put16(put16(put16(out, OPTION_ERROR), left - 4), work.error)
        put(out, work.error_text, left - 6)


cdef inline bint nsid_fits(const Work* work, uint32_t size) noexcept nogil:
    cdef uint32_t at = MESSAGE_HEADER
    if work.prepared.qname_size:
        at += work.prepared.qname_size + 4
    return at + OPT_SIZE + 4 + work.settings.identity_size \
        <= MINIMUM_UDP - work.settings.reserve


# ---- class CHAOS: nameserver.chaos


cdef inline bint is_one_of(const Prepared* p, const char* one, uint32_t one_size,
                           const char* other, uint32_t other_size) noexcept nogil:
    return (p.qname_size == one_size and not memcmp(p.qname, one, one_size)) \
        or (p.qname_size == other_size and not memcmp(p.qname, other, other_size))


cdef inline bint answer_chaos(Work* work, uint16_t* counts) noexcept nogil:
    """Write what this server tells of itself; ``False`` where it does not fit."""
    cdef const Prepared* p = work.prepared
    cdef Writer* w = &work.writer
    cdef const uint8_t* text = NULL
    cdef uint32_t size = 0, at = w.at, pointer = MESSAGE_HEADER
    if is_one_of(p, b"\x07version\x04bind", 14, b"\x07version\x06server", 16):
        text, size = work.settings.version, work.settings.version_size
    elif is_one_of(p, b"\x02id\x06server", 11, b"\x08hostname\x04bind", 15):
        text, size = work.settings.identity, work.settings.identity_size
    if not size:
        work.rcode = REFUSED
        return True
    work.authoritative = True
    if p.qtype != TYPE_TXT and p.qtype != TYPE_ANY:
        return True
    size = min(size, <uint32_t>LONGEST_STRING)
    if not write_owner(w, p.qname, p.qname_size, &pointer) \
            or not write_head(w, TYPE_TXT, 0, 1 + size) or w.limit - w.at < 1 + size:
        w.at = at
        return False
    w.out[w.at] = size
    put(w.out + w.at + 1, text, size)
    w.at += 1 + size
    counts[0] = 1
    return True
