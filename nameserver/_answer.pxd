# cython: language_level=3
"""The compiled engine: what ``nameserver.respond`` answers, octet by octet, without the GIL.

For one query: ``answer``. For a batch: ``answer_batch``, which does each step for all queries
before the next one, so that what a step asks of memory has arrived when it is needed.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from nameserver._names cimport Labels
from nameserver._table cimport Root, Table, Zone, Zones

cdef enum Transport:  # as nameserver.respond.Transport
    UDP
    TCP
    TLS

cdef enum Result:  # of answer(), where it is not the size of a response
    SILENCE = 0
    TO_NOTIFY = -1  # hand-overs, as nameserver.respond.HandOver
    TO_UPDATE = -2
    TO_TRANSFER = -3
    TO_TSIG = -4
    TO_EXPIRE = -5
    TO_ORACLE = -6  # more than the workspace holds: nameserver.respond is to answer

cdef enum Kind:  # as nameserver.answer.Kind
    POSITIVE
    NODATA
    REFERRAL
    NXDOMAIN
    FAILURE
    KINDS

cdef enum Verdict:  # as nameserver.cookies.Verdict
    NO_COOKIE
    MALFORMED
    CLIENT_ONLY
    INVALID
    VALID
    VERDICTS

cdef enum:
    MINIMUM_UDP = 512
    MOST_SECRETS = 4  # nameserver.cookies.MOST_SECRETS
    COOKIE_SIZE = 24  # octets of both sides' cookies
    LARGEST = 65535
    SLACK = 64  # octets that may be written behind the longest response


cdef struct Settings:  # as nameserver.respond.AnswerSettings
    const uint8_t* identity
    const uint8_t* version
    uint16_t identity_size
    uint16_t version_size
    uint16_t udp_limit
    uint16_t reserve  # octets left free in each response
    uint16_t keepalive
    bint minimal
    bint expire  # who asks for that is handed over
    uint32_t secret_count
    uint64_t secrets[MOST_SECRETS][2]


cdef struct Prepared:
    # Given by the caller:
    const uint8_t* query
    uint32_t size
    uint8_t* out  # room for response_limit() + SLACK octets
    const uint8_t* client  # its address
    uint8_t client_size  # 4 or 16; 0: not known
    uint32_t now  # seconds since 1970
    # Told to the caller:
    int result  # octets of the response, or what Result says
    const Zone* zone  # the one that answered the first name; NULL: none
    uint16_t qtype
    uint16_t qclass
    uint8_t kind
    uint8_t verdict  # on the cookie
    bint synthesised  # the name asked for was covered by a wildcard or a DNAME
    # Between the steps:
    uint8_t stage
    uint8_t qname_size  # 0: no question
    bint has_edns
    bint dnssec
    bint wants_nsid
    bint wants_keepalive
    bint wants_padding
    bint wants_version
    bint wants_expire
    bint has_tsig
    uint16_t cookie_size
    const uint8_t* cookie  # the first one of the query; NULL: none
    uint8_t answer_cookie[COOKIE_SIZE]
    uint8_t edns_version
    uint16_t udp_size
    uint16_t flags
    uint32_t node
    uint32_t pointing
    uint8_t qname[288]  # folded
    Labels labels


cdef struct Workspace:
    void* memory


cdef Workspace* new_workspace() noexcept nogil
cdef void free_workspace(Workspace* workspace) noexcept nogil
cdef uint32_t response_limit(const Settings* settings, int transport) noexcept nogil
cdef int answer(const Table* table, const Settings* settings, Workspace* workspace,
                Prepared* prepared, int transport) noexcept nogil
cdef void answer_batch(const Table* table, const Settings* settings, Workspace* workspace,
                       Prepared* prepared, uint32_t count, int transport) noexcept nogil
cdef int answer_briefly(const Settings* settings, Workspace* workspace, Prepared* prepared,
                        bint badcookie) noexcept nogil


cdef class AnswerSettingsCompiled:
    """``nameserver.respond.AnswerSettings`` for the engine; holds what ``settings`` points to."""
    cdef Settings settings
    cdef bytes identity
    cdef bytes version


cdef class CompiledTable(Zones):
    """A zone table with its own answering: ``respond(query, transport, settings)``."""
    cdef Workspace* workspace
    cdef Prepared prepared
    cdef uint8_t* out
    cdef object given  # the settings last used
    cdef AnswerSettingsCompiled settings
    cdef readonly object served  # the same zones for the oracle
