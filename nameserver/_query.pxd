# cython: language_level=3
"""Reading a query, as ``nameserver.message.parse_query`` reads it: every octet is looked at."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nameserver._answer cimport (
    FAILURE, INVALID, MALFORMED, NO_COOKIE, SILENCE, TO_NOTIFY, TO_TRANSFER, TO_TSIG, TO_UPDATE,
    TO_EXPIRE, Prepared, Settings,
)
from nameserver._cookies cimport is_well_formed
from nameserver._image cimport NONE
from nameserver._names cimport LONGEST_LABEL, LONGEST_NAME, hash_suffixes, read64
from zones._wire cimport get16, get32

cdef enum:
    MESSAGE_HEADER = 12
    QR = 0x8000
    AA = 0x0400
    TC = 0x0200
    RD = 0x0100
    CD = 0x0010
    POINTER = 0xC0
    RECORD_HEAD = 10
    ADDITIONAL_SECTION = 2  # counted from the answer section
    TYPE_OPT = 41
    TYPE_TSIG = 250
    OPTION_NSID = 3
    OPTION_EXPIRE = 9
    OPTION_COOKIE = 10
    OPTION_KEEPALIVE = 11
    OPTION_ZONEVERSION = 19
    OPTION_PADDING = 12
    CLASS_IN = 1
    CLASS_CH = 3
    TYPE_IXFR = 251
    TYPE_SOA = 6
    TYPE_AXFR = 252
    OPCODE_QUERY = 0
    OPCODE_NOTIFY = 4
    OPCODE_UPDATE = 5
    FORMERR = 1
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16
    BADCOOKIE = 23

cdef enum Stage:
    UNUSABLE  # silence or a hand-over: result says which
    BROKEN  # FORMERR, or NOTIMP for an unknown opcode
    PARSED
    LOCATED  # and its zone was looked for


cdef inline int opcode_of(const Prepared* p) noexcept nogil:
    return p.flags >> 11 & 0xF


cdef inline bint parse_query(Prepared* p) noexcept nogil:
    """Fill in what a message with a whole header asks; ``False`` where it is malformed."""
    cdef const uint8_t* query = p.query
    cdef uint32_t position = MESSAGE_HEADER
    cdef bint has_tsig = False
    cdef int section
    cdef uint32_t count
    if get16(query + 4) > 1:
        return False
    if get16(query + 4) and not parse_question(p, &position):
        return False
    if is_plain_opt(p, position):
        return True
    for section in range(3):
        count = get16(query + 6 + 2 * section)
        while count:
            if has_tsig or not parse_record(p, &position, section, &has_tsig):
                return False
            count -= 1
    if position != p.size:
        return False
    p.has_tsig = has_tsig
    return True


cdef inline bint is_plain_opt(Prepared* p, uint32_t position) noexcept nogil:
    """Take the rest of a query at once if it is what most have: OPT without options.

    ``parse_record`` would find the same.
    """
    cdef const uint8_t* opt = p.query + position
    if p.size - position != 11 or get32(p.query + 6) or get16(p.query + 10) != 1:
        return False
    if opt[0] or get16(opt + 1) != TYPE_OPT or get16(opt + 9):
        return False
    p.has_edns = True
    p.udp_size = get16(opt + 3)
    p.edns_version = opt[6]
    p.dnssec = opt[7] >> 7
    return True


cdef inline bint parse_question(Prepared* p, uint32_t* position) noexcept nogil:
    """Take the question; fold and hash its name."""
    cdef const uint8_t* name = p.query + MESSAGE_HEADER
    cdef uint32_t room = p.size - MESSAGE_HEADER, at = 0, length, i
    cdef int labels = 0
    while True:
        if at >= room or at >= LONGEST_NAME:
            return False
        length = name[at]
        if not length:
            break
        if length > LONGEST_LABEL:
            return False
        p.labels.starts[labels] = at
        labels += 1
        at += 1 + length
    p.labels.starts[labels] = at
    p.labels.count = labels
    at += 1
    if room - at < 4:
        return False
    i = 0
    while i < at and room - i >= 8:
        fold_octets(name + i, p.qname + i)
        i += 8
    while i < at:
        p.qname[i] = name[i] | (<uint8_t>(name[i] - 65) < 26) << 5
        i += 1
    p.qname_size = at
    p.qtype, p.qclass = get16(name + at), get16(name + at + 2)
    hash_suffixes(p.qname, &p.labels)
    position[0] = MESSAGE_HEADER + at + 4
    return True


cdef inline void fold_octets(const uint8_t* octets, uint8_t* folded) noexcept nogil:
    """Fold eight octets at once: A-Z are those from which the top bit tells so twice."""
    cdef uint64_t word = read64(octets), low = word & <uint64_t>0x7F7F7F7F7F7F7F7F
    cdef uint64_t from_a = low + <uint64_t>0x3F3F3F3F3F3F3F3F
    cdef uint64_t behind_z = low + <uint64_t>0x2525252525252525
    cdef uint64_t is_letter = from_a & ~behind_z & ~word & <uint64_t>0x8080808080808080
    word |= is_letter >> 2
    memcpy(folded, &word, 8)


cdef inline bint parse_record(Prepared* p, uint32_t* position, int section,
                              bint* has_tsig) noexcept nogil:
    cdef const uint8_t* query = p.query
    cdef uint32_t start = position[0], at = start, length, rtype
    while True:  # the owner: pointers are not followed
        if at >= p.size:
            return False
        length = query[at]
        if length >= POINTER:
            at += 2
            break
        if length > LONGEST_LABEL:
            return False
        at += 1 + length
        if not length:
            if at - start > LONGEST_NAME:
                return False
            break
    if at > p.size or p.size - at < RECORD_HEAD:
        return False
    rtype, length = get16(query + at), get16(query + at + 8)
    if p.size - at - RECORD_HEAD < length:
        return False
    if rtype == TYPE_OPT:
        if p.has_edns or section != ADDITIONAL_SECTION or query[start]:
            return False
        if not parse_options(p, query + at + RECORD_HEAD, length):
            return False
        p.has_edns = True
        p.udp_size = get16(query + at + 2)
        p.edns_version = query[at + 5]
        p.dnssec = query[at + 6] >> 7
    has_tsig[0] = rtype == TYPE_TSIG and section == ADDITIONAL_SECTION
    position[0] = at + RECORD_HEAD + length
    return True


cdef inline bint parse_options(Prepared* p, const uint8_t* rdata, uint32_t size) noexcept nogil:
    cdef uint32_t at = 0, length, option
    while at < size:
        if size - at < 4:
            return False
        option, length = get16(rdata + at), get16(rdata + at + 2)
        at += 4
        if option == OPTION_NSID:
            p.wants_nsid = True
        elif option == OPTION_KEEPALIVE:
            p.wants_keepalive = True
        elif option == OPTION_PADDING:
            p.wants_padding = True
        elif option == OPTION_ZONEVERSION:
            p.wants_version = True
        elif option == OPTION_EXPIRE:
            p.wants_expire = True
        elif option == OPTION_COOKIE and p.cookie == NULL:
            p.cookie, p.cookie_size = rdata + at, length
            if not is_well_formed(length):
                p.verdict = MALFORMED
        if size - at < length:
            return False
        at += length
    return True


cdef inline void prepare(Prepared* p, const Settings* settings) noexcept nogil:
    """Read the query; say what can be said of the message alone."""
    p.zone = NULL
    p.node = NONE
    p.qname_size = p.qtype = p.qclass = 0
    p.wants_padding = p.wants_version = p.wants_expire = False
    p.has_edns = p.dnssec = p.wants_nsid = p.wants_keepalive = p.has_tsig = False
    p.cookie, p.cookie_size, p.verdict = NULL, 0, NO_COOKIE
    p.kind, p.synthesised = FAILURE, False
    p.stage, p.result = UNUSABLE, SILENCE
    if p.size < MESSAGE_HEADER:
        return
    p.flags = get16(p.query + 2)
    if p.flags & QR:  # a response is never answered
        return
    if opcode_of(p) == OPCODE_NOTIFY:
        p.result = TO_NOTIFY
    elif opcode_of(p) == OPCODE_UPDATE:
        p.result = TO_UPDATE
    elif not parse_query(p):
        p.stage = BROKEN
    elif p.has_tsig:
        p.result = TO_TSIG
    elif refusal(p) < 0 and p.qclass == CLASS_IN and (
        p.qtype == TYPE_AXFR or p.qtype == TYPE_IXFR
    ):
        p.result = TO_TRANSFER
    elif p.wants_expire and settings.expire and p.qtype == TYPE_SOA and p.qclass == CLASS_IN \
            and refusal(p) < 0:
        p.result = TO_EXPIRE
    else:
        p.stage = PARSED


cdef inline int refusal(const Prepared* p) noexcept nogil:
    """Return the rcode for a query that is not looked into, -1 for any other."""
    if opcode_of(p) != OPCODE_QUERY:
        return NOTIMP
    if p.has_edns and p.edns_version > 0:
        return BADVERS
    if p.verdict == MALFORMED:
        return FORMERR
    if not p.qname_size:
        return without_question(p)
    if p.qclass != CLASS_IN and p.qclass != CLASS_CH:
        return REFUSED
    return -1


cdef inline int without_question(const Prepared* p) noexcept nogil:
    """Return what is said to a query for a cookie alone."""
    if p.verdict == NO_COOKIE:
        return FORMERR
    return BADCOOKIE if p.verdict == INVALID else 0
