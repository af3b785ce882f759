# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled engine: the way of a query is that of ``nameserver.respond``, in steps.

Its parts stand in ``*.pxd`` so that the C compiler sees them as one::

    _query       what the message asks              message.parse_query
    _table       the zone
    _walk        the name's place in its image      lookup.walk
    _compose     the sections                       compose
    _proofs      NSEC and NSEC3                     proofs
    _additional  addresses                          additional
    _writer      octets, compression                message.Writer

Nothing is allocated for a query, no exception is raised, and each loop ends with the octets of the
query, of an RRset or of the response.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from nameserver._compose cimport compose
from nameserver._image cimport NONE, Image, Node, first_slot, likely_node
from nameserver._names cimport prefetch
from nameserver._query cimport (
    AA, BROKEN, CD, LOCATED, MESSAGE_HEADER, PARSED, QR, RD, TC, UNUSABLE, opcode_of, parse_query,
)
from nameserver._sections cimport Item, Work
from nameserver._table cimport Root, Table, Zone, Zones, find_zone, has_depth, load_root
from nameserver._writer cimport (
    Writer, start_writer, take_back, write_head, write_labels, write_name,
    write_octets, write_owner, write_set,
)
from zones._wire cimport get16, get32, put, put16, put32

from nameserver import respond as oracle
from nameserver.table import ZoneTable

cdef enum:
    CLASS_IN = 1
    CLASS_CH = 3
    TYPE_CNAME = 5
    TYPE_TXT = 16
    TYPE_IXFR = 251
    TYPE_AXFR = 252
    TYPE_ANY = 255
    OPCODE_QUERY = 0
    OPCODE_NOTIFY = 4
    OPCODE_UPDATE = 5
    FORMERR = 1
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16
    MINIMUM_UDP = 512
    OPT_SIZE = 11
    OPTION_NSID = 3
    OPTION_ERROR = 15
    LONGEST_STRING = 255
    BATCH = 64  # of respond_many
    MOST_RESERVED = 200  # more would leave no room for the question and OPT

cdef dict HAND_OVERS = {
    TO_NOTIFY: oracle.HandOver.NOTIFY,
    TO_UPDATE: oracle.HandOver.UPDATE,
    TO_TRANSFER: oracle.HandOver.TRANSFER,
    TO_TSIG: oracle.HandOver.TSIG,
}
cdef dict TRANSPORTS = {
    oracle.Transport.UDP: UDP,
    oracle.Transport.TCP: TCP,
    oracle.Transport.TLS: TLS,
}


# ---- before any zone is looked at


cdef inline void prepare(Prepared* p) noexcept nogil:
    """Read the query; say what can be said of the message alone."""
    p.zone = NULL
    p.qname_size = p.qtype = p.qclass = 0
    p.has_edns = p.dnssec = p.wants_nsid = p.has_tsig = False
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
    else:
        p.stage = PARSED


cdef inline int refusal(const Prepared* p) noexcept nogil:
    """Return the rcode for a query that is not looked into, -1 for any other."""
    if opcode_of(p) != OPCODE_QUERY:
        return NOTIMP
    if p.has_edns and p.edns_version > 0:
        return BADVERS
    if not p.qname_size:
        return FORMERR
    if p.qclass != CLASS_IN and p.qclass != CLASS_CH:
        return REFUSED
    return -1


# ---- the response


cdef uint32_t response_limit(const Settings* settings, int transport) noexcept nogil:
    """Return the octets that a response over this transport may have at most."""
    if transport != UDP:
        return LARGEST
    return max(<uint32_t>MINIMUM_UDP, settings.udp_limit)


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
    put16(put16(out + 1, 41), work.settings.udp_limit)
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


# ---- one query, and many


cdef Workspace* new_workspace() noexcept nogil:
    """Return what one thread needs for answering; NULL without memory."""
    cdef Workspace* workspace = <Workspace*>malloc(sizeof(Workspace))
    if workspace == NULL:
        return NULL
    workspace.memory = malloc(sizeof(Work))
    if workspace.memory == NULL:
        free(workspace)
        return NULL
    return workspace


cdef void free_workspace(Workspace* workspace) noexcept nogil:
    if workspace != NULL:
        free(workspace.memory)
        free(workspace)


cdef int answer(const Table* table, const Settings* settings, Workspace* workspace,
                Prepared* prepared, int transport) noexcept nogil:
    """Answer one query; the result is returned and stands in ``prepared``."""
    cdef const Root* root = load_root(&table.root)
    prepare(prepared)
    prepared.result = complete(root, settings, <Work*>workspace.memory, prepared, transport)
    return prepared.result


cdef void answer_batch(const Table* table, const Settings* settings, Workspace* workspace,
                       Prepared* prepared, uint32_t count, int transport) noexcept nogil:
    """Answer ``count`` queries; each result stands in its place of ``prepared``."""
    cdef const Root* root = load_root(&table.root)
    cdef uint32_t i
    for i in range(count):
        prepare(&prepared[i])
        if is_looked_up(&prepared[i]):
            approach_table(root, &prepared[i])
    for i in range(count):
        if is_looked_up(&prepared[i]):
            approach_zone(root, &prepared[i])
    for i in range(count):
        if prepared[i].zone != NULL:
            approach_node(&prepared[i])
    for i in range(count):
        if prepared[i].zone != NULL:
            approach_sets(&prepared[i])
    for i in range(count):
        prepared[i].result = complete(root, settings, <Work*>workspace.memory, &prepared[i],
                                      transport)


# What follows only asks for memory that complete() is going to read.


cdef inline bint is_looked_up(const Prepared* p) noexcept nogil:
    return p.stage == PARSED and p.qclass == CLASS_IN and refusal(p) < 0


cdef inline void approach_table(const Root* root, const Prepared* p) noexcept nogil:
    cdef int i
    for i in range(p.labels.count + 1):
        if has_depth(root, p.labels.count - i):
            prefetch(&root.slots[<uint32_t>(p.labels.hashes[i] >> 32) & (root.size - 1)])


cdef inline void approach_zone(const Root* root, Prepared* p) noexcept nogil:
    cdef const Zone* zone = find_zone(root, p.qname, p.qname_size, &p.labels, 0)
    p.zone, p.stage = zone, LOCATED
    if zone != NULL and zone.image.nodes != NULL:
        prefetch(&zone.image.slots[first_slot(&zone.image, p.labels.hashes[0])])
        if p.labels.count > zone.image.apex_labels + 1:  # it may be below a cut
            prefetch(&zone.image.slots[first_slot(&zone.image, p.labels.hashes[1])])


cdef inline void approach_node(Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    p.node = <uint32_t>NONE
    if image.nodes == NULL:
        return
    p.node = likely_node(image, p.labels.hashes[0])
    if p.node == <uint32_t>NONE and p.labels.count > image.apex_labels + 1:
        p.node = likely_node(image, p.labels.hashes[1])
    if p.node != <uint32_t>NONE:
        prefetch(&image.nodes[p.node])


cdef inline void approach_sets(Prepared* p) noexcept nogil:
    cdef const Image* image = &p.zone.image
    cdef const Node* node
    if p.node != <uint32_t>NONE:
        node = &image.nodes[p.node]
        prefetch(image.blob + node.name)
        prefetch(image.blob + node.name + 64)
        prefetch(&image.sets[node.sets])


# ---- for Python


cdef class AnswerSettingsCompiled:
    def __cinit__(self, given not None):
        self.identity = given.identity.encode()
        self.version = given.version.encode()
        self.settings.identity = self.identity
        self.settings.version = self.version
        self.settings.identity_size = min(len(self.identity), 65535)
        self.settings.version_size = min(len(self.version), 65535)
        self.settings.udp_limit = given.udp_limit
        self.settings.minimal = given.minimal_responses
        if not 0 <= given.reserve <= MOST_RESERVED:
            raise ValueError(f"{given.reserve} octets cannot be left free")
        self.settings.reserve = given.reserve


cdef class CompiledTable(Zones):
    """The zones, and answering from them: see ``nameserver.respond``.

    One thread at a time; workers have workspaces of their own.
    """

    def __cinit__(self):
        self.out = <uint8_t*>malloc(LARGEST + SLACK)
        self.workspace = new_workspace()
        self.served = ZoneTable()
        if self.out == NULL or self.workspace == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.out)
        free_workspace(self.workspace)

    def replace(self, served):
        """Put a zone in, in place of what stood at its apex; raises ``PackedError``."""
        Zones.replace(self, served)
        self.served.replace(served)

    def remove(self, bytes apex not None):
        """Take a zone out; one that is not there is no error."""
        Zones.remove(self, apex)
        self.served.remove(apex)

    def respond(self, bytes query not None, transport, settings):
        """Return the response to a message; ``None`` for silence, ``HandOver`` for others' work."""
        cdef int result
        if settings is not self.given:
            self.settings = AnswerSettingsCompiled(settings)
            self.given = settings
        self.prepared.query, self.prepared.size = query, len(query)
        self.prepared.out = self.out
        result = answer(&self.table, &self.settings.settings, self.workspace, &self.prepared,
                        TRANSPORTS[transport])
        if result > 0:
            return PyBytes_FromStringAndSize(<const char*>self.out, result)
        if result == TO_ORACLE:
            return oracle.respond(self.served, query, transport, settings)
        return HAND_OVERS.get(result)

    def respond_many(self, list queries not None, transport, settings, rounds=1):
        """Return what ``respond`` returns for each, answered as a worker answers: in batches.

        ``rounds`` repeats the answering, without what Python needs for it: for measuring.
        """
        cdef uint32_t count = len(queries), i, times = rounds
        cdef int by = TRANSPORTS[transport]
        cdef AnswerSettingsCompiled own = AnswerSettingsCompiled(settings)
        cdef size_t room = response_limit(&own.settings, by) + SLACK
        cdef uint8_t* outs = <uint8_t*>malloc(BATCH * room)
        cdef Prepared* prepared = <Prepared*>malloc(BATCH * sizeof(Prepared))
        cdef const uint8_t** octets = <const uint8_t**>malloc((count + 1) * sizeof(uint8_t*))
        cdef uint32_t* sizes = <uint32_t*>malloc((count + 1) * sizeof(uint32_t))
        cdef uint32_t start = 0
        cdef bytes query
        results = []
        try:
            if outs == NULL or prepared == NULL or octets == NULL or sizes == NULL:
                raise MemoryError
            for i, query in enumerate(queries):
                octets[i], sizes[i] = query, len(query)
            for i in range(BATCH):
                prepared[i].out = outs + i * room
            with nogil:
                while times > 1:
                    start = 0
                    while start < count:
                        run_batch(&self.table, &own.settings, self.workspace, prepared,
                                  octets + start, sizes + start,
                                  min(<uint32_t>BATCH, count - start), by)
                        start += BATCH
                    times -= 1
            start = 0
            while start < count:
                run_batch(&self.table, &own.settings, self.workspace, prepared, octets + start,
                          sizes + start, min(<uint32_t>BATCH, count - start), by)
                for i in range(min(<uint32_t>BATCH, count - start)):
                    if prepared[i].result == TO_ORACLE:
                        results.append(
                            oracle.respond(self.served, queries[start + i], transport, settings))
                    elif prepared[i].result > 0:
                        results.append(
                            PyBytes_FromStringAndSize(<char*>prepared[i].out, prepared[i].result))
                    else:
                        results.append(HAND_OVERS.get(prepared[i].result))
                start += BATCH
        finally:
            free(outs)
            free(prepared)
            free(octets)
            free(sizes)
        return results


cdef void run_batch(const Table* table, const Settings* settings, Workspace* workspace,
                    Prepared* prepared, const uint8_t** octets, const uint32_t* sizes,
                    uint32_t count, int transport) noexcept nogil:
    cdef uint32_t i
    for i in range(count):
        prepared[i].query, prepared[i].size = octets[i], sizes[i]
    answer_batch(table, settings, workspace, prepared, count, transport)
