# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled engine: the way of a query is that of ``nameserver.respond``, in steps.

Its parts stand in ``*.pxd`` so that the C compiler sees them as one::

    _query       what the message asks              message.parse_query
    _approach    memory, ahead of its use
    _table       the zone
    _walk        the name's place in its image      lookup.walk
    _direct      what needs no composing
    _compose     the sections                       compose
    _proofs      NSEC and NSEC3                     proofs
    _additional  addresses                          additional
    _cookies     what a cookie is worth             cookies
    _response    the message                        respond._Exchange
    _writer      octets, compression                message.Writer
    _opt         the OPT record                     edns.record

Nothing is allocated for a query, no exception is raised, and each loop ends with the octets of the
query, of an RRset or of the response.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from nameserver._approach cimport (
    approach_node, approach_sets, approach_table, approach_target_nodes, approach_target_sets,
    approach_targets, approach_zone, is_looked_up,
)
from nameserver._query cimport prepare
from nameserver._response cimport brief, complete
from nameserver._rrl cimport RateLimitsCompiled, account_of
from nameserver._sections cimport Work
from nameserver._siphash cimport sip_word
from nameserver._table cimport Root, Table, Zones, load_root

from nameserver import respond as oracle
from nameserver.table import LoadedTable

cdef enum:
    BATCH = 64  # of respond_many
    MOST_RESERVED = 200  # more would leave no room for the question and OPT

cdef dict HAND_OVERS = {
    TO_NOTIFY: oracle.HandOver.NOTIFY,
    TO_UPDATE: oracle.HandOver.UPDATE,
    TO_TRANSFER: oracle.HandOver.TRANSFER,
    TO_TSIG: oracle.HandOver.TSIG,
    TO_EXPIRE: oracle.HandOver.EXPIRE,
}
cdef dict TRANSPORTS = {
    oracle.Transport.UDP: UDP,
    oracle.Transport.TCP: TCP,
    oracle.Transport.TLS: TLS,
}


cdef uint32_t response_limit(const Settings* settings, int transport) noexcept nogil:
    """Return the octets that a response over this transport may have at most."""
    if transport != UDP:
        return LARGEST
    return max(<uint32_t>MINIMUM_UDP, settings.udp_limit)


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
    prepare(prepared, settings)
    prepared.result = complete(root, settings, <Work*>workspace.memory, prepared, transport)
    return prepared.result


cdef void answer_batch(const Table* table, const Settings* settings, Workspace* workspace,
                       Prepared* prepared, uint32_t count, int transport) noexcept nogil:
    """Answer ``count`` queries; each result stands in its place of ``prepared``."""
    cdef const Root* root = load_root(&table.root)
    cdef uint32_t i
    cdef bint pointing = False
    for i in range(count):
        prepare(&prepared[i], settings)
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
        if prepared[i].zone != NULL:
            pointing |= approach_targets(&prepared[i])
    if pointing:
        for i in range(count):
            if prepared[i].zone != NULL:
                approach_target_nodes(&prepared[i])
        for i in range(count):
            if prepared[i].zone != NULL:
                approach_target_sets(&prepared[i])
    for i in range(count):
        prepared[i].result = complete(root, settings, <Work*>workspace.memory, &prepared[i],
                                      transport)


cdef int answer_briefly(const Settings* settings, Workspace* workspace, Prepared* prepared,
                        bint badcookie) noexcept nogil:
    """Put an answer without records in place of one that was written; return its size."""
    prepared.result = brief(settings, <Work*>workspace.memory, prepared, badcookie)
    return prepared.result


# ---- for Python


cdef class AnswerSettingsCompiled:
    def __cinit__(self, given not None):
        cdef uint64_t* own
        cdef bytes secret
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
        self.settings.keepalive = given.keepalive
        self.settings.expire = given.expire
        if len(given.cookie_secrets) > MOST_SECRETS:
            raise ValueError(f"{len(given.cookie_secrets)} cookie secrets")
        for secret in given.cookie_secrets:
            if len(secret) != 16:
                raise ValueError(f"a cookie secret of {len(secret)} octets")
            own = self.settings.secrets[self.settings.secret_count]
            own[0], own[1] = sip_word(secret), sip_word(<const uint8_t*>secret + 8)
            self.settings.secret_count += 1


cdef int set_client(Prepared* prepared, client) except -1:
    """Say who asks, and when; what ``client`` has must stay alive."""
    cdef bytes address
    prepared.client, prepared.client_size, prepared.now = NULL, 0, 0
    if client is not None:
        address = client.address
        prepared.client, prepared.client_size = address, len(address)
        if prepared.client_size != 4 and prepared.client_size != 16:
            raise ValueError(f"an address of {prepared.client_size} octets")
        prepared.now = <uint32_t><uint64_t>client.now
    return 0


@cython.no_gc_clear
cdef class CompiledTable(Zones):
    """The zones, and answering from them: see ``nameserver.respond``.

    One thread at a time; workers have workspaces of their own.
    """

    def __cinit__(self):
        self.out = <uint8_t*>malloc(LARGEST + SLACK)
        self.workspace = new_workspace()
        self.served = LoadedTable(self)
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

    def respond(self, bytes query not None, transport, settings, client=None):
        """Return the response to a message; ``None`` for silence, ``HandOver`` for others' work."""
        cdef int result
        if settings is not self.given:
            self.settings = AnswerSettingsCompiled(settings)
            self.given = settings
        self.prepared.query, self.prepared.size = query, len(query)
        self.prepared.out = self.out
        set_client(&self.prepared, client)
        result = answer(&self.table, &self.settings.settings, self.workspace, &self.prepared,
                        TRANSPORTS[transport])
        if result > 0:
            return PyBytes_FromStringAndSize(<const char*>self.out, result)
        if result == TO_ORACLE:
            return oracle.respond(self.served, query, transport, settings, client)
        return HAND_OVERS.get(result)

    def respond_briefly(self, bytes query not None, settings, client=None, *, bint badcookie):
        """Return what ``respond.brief_response`` returns."""
        if not isinstance(self.respond(query, oracle.Transport.UDP, settings, client), bytes):
            raise ValueError("a query without an answer")
        answer_briefly(&self.settings.settings, self.workspace, &self.prepared, badcookie)
        return PyBytes_FromStringAndSize(<const char*>self.out, self.prepared.result)

    def account(self, RateLimitsCompiled limits not None):
        """Return the number of the account that the last answer is booked to: ``rrl.number``."""
        if self.prepared.result <= 0 or not self.prepared.client_size:
            raise ValueError("no answer, or no client")
        return account_of(&limits.limits, &self.prepared)

    def respond_many(self, list queries not None, transport, settings, client=None, *, rounds=1):
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
                set_client(&prepared[i], client)
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
                            oracle.respond(self.served, queries[start + i], transport, settings,
                                           client))
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
