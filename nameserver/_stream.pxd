# cython: language_level=3
"""One worker for connections: a thread that never takes the GIL (see ``_streams``)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from nameserver._answer cimport Prepared, Settings, Workspace
from nameserver._clients cimport Books, open_now
from nameserver._counts cimport Counts
from nameserver._epoll cimport pthread_mutex_t
from nameserver._linux cimport pthread_t
from nameserver._ring cimport CLIENT_SIZE
from nameserver._worker cimport LINE, Shared

cdef enum:
    STREAM_BATCH = 32  # queries answered at once
    LENGTH_SIZE = 2  # octets before each message (RFC 1035 4.2.2)
    LARGEST_FRAME = LENGTH_SIZE + 65535
    READ_SIZE = 1 << 16  # octets read from one connection before the next has its turn
    INPUT_SIZE = LARGEST_FRAME + READ_SIZE
    OUTPUT_SIZE = LARGEST_FRAME + (1 << 16)

cdef enum:  # events
    CONNECTIONS
    REFUSED_CONNECTIONS  # above a limit
    IDLE_CLOSED  # nothing whole came in time
    SLOW_CLOSED  # did not read its answers in time, or too many do not
    BROKEN_CLOSED  # by the client, in the middle of something
    NONSENSE_CLOSED  # what no client would send
    STREAMS_HANDED_OVER
    ACCEPT_FAILED
    STREAM_EVENTS


cdef struct Stream:  # a connection: small, for most of them are idle
    int fd
    uint32_t client  # its place in the books
    uint64_t active  # milliseconds: when it last did something that counts
    Stream* older
    Stream* newer
    uint8_t* kept  # read, but not answered yet: mostly nothing
    uint8_t* unsent  # answers that the client has not read yet: mostly nothing
    uint8_t address[CLIENT_SIZE]  # behind a pointer: as aligned as a socket address has to be
    uint32_t kept_size
    uint32_t unsent_size
    uint32_t unsent_at
    uint8_t address_size


cdef struct StreamShared:
    Shared common
    uint64_t idle  # milliseconds
    uint64_t held_most  # octets that the connections of one worker may have us keep
    Books books
    pthread_mutex_t lock  # of what was handed over
    Stream* first_handed
    Stream* last_handed


cdef struct StreamWorker:
    uint64_t seen  # as that of _worker.Worker
    uint8_t apart[LINE]
    StreamShared* shared
    pthread_t thread
    bint running
    int epoll
    int wake
    uint32_t listener_count
    int* listeners
    Stream* oldest
    Stream* newest
    uint64_t held  # octets kept and unsent
    uint64_t now  # milliseconds
    Workspace* workspace
    uint8_t* input
    uint8_t* output
    uint8_t* answers
    Settings settings  # with the keepalive of the moment
    Prepared prepared[STREAM_BATCH]
    Counts counts
    uint64_t events[STREAM_EVENTS]


cdef StreamWorker* new_stream_worker(StreamShared* shared, uint32_t listener_count) noexcept nogil
cdef bint watch_listeners(StreamWorker* worker) noexcept nogil
cdef void end_all(StreamWorker* worker) noexcept nogil
cdef void free_stream_worker(StreamWorker* worker) noexcept nogil
cdef void free_stream(Stream* stream) noexcept nogil
cdef void* run_streams(void* worker) noexcept nogil


# ---- time

cdef inline uint64_t patience(const StreamShared* shared) noexcept nogil:
    """Return how many milliseconds a connection may be idle: fewer when nearly all are taken."""
    cdef uint64_t open = open_now(&shared.books), most = shared.books.most
    if 4 * open <= 3 * most:
        return shared.idle
    # From three quarters on in proportion to what is left, down to a sixteenth.
    return max(shared.idle * (most - min(open, most)) * 4 // most, shared.idle // 16 + 1)


cdef inline void append(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Put a connection behind those that did something before."""
    stream.older, stream.newer = worker.newest, NULL
    if worker.newest != NULL:
        worker.newest.newer = stream
    else:
        worker.oldest = stream
    worker.newest = stream


cdef inline void unlink(StreamWorker* worker, Stream* stream) noexcept nogil:
    if stream.older != NULL:
        stream.older.newer = stream.newer
    else:
        worker.oldest = stream.newer
    if stream.newer != NULL:
        stream.newer.older = stream.older
    else:
        worker.newest = stream.older


cdef inline void touch(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Begin its time anew."""
    stream.active = worker.now
    if worker.newest != stream:
        unlink(worker, stream)
        append(worker, stream)


# ---- what cannot be answered yet

cdef inline bint keep(StreamWorker* worker, Stream* stream, const uint8_t* octets,
                      uint32_t size) noexcept nogil:
    """Keep octets that were read; tell whether there was room."""
    if not size:
        return True
    if worker.held + size > worker.shared.held_most:
        return False
    stream.kept = <uint8_t*>malloc(size)
    if stream.kept == NULL:
        return False
    memcpy(stream.kept, octets, size)
    stream.kept_size = size
    worker.held += size
    return True


cdef inline uint32_t fetch_kept(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Put what was kept at the start of the input; return how much that is."""
    cdef uint32_t size = stream.kept_size
    if size:
        memcpy(worker.input, stream.kept, size)
        worker.held -= size
        free(stream.kept)
        stream.kept, stream.kept_size = NULL, 0
    return size
