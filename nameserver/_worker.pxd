# cython: language_level=3
"""One worker: a thread that answers datagrams and never takes the GIL (see ``_workers``)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from nameserver._answer cimport Prepared, Settings, Workspace
from nameserver._counts cimport Counts
from nameserver._linux cimport iovec, mmsghdr, pollfd, pthread_t
from nameserver._ring cimport CLIENT_SIZE, CONTROL_SIZE, Ring
from nameserver._rrl cimport Limiter
from nameserver._table cimport Table

cdef enum:
    BATCH = 32  # datagrams of a turn
    LARGEST_QUERY = 4096  # nameserver.udp.LARGEST_QUERY
    LINE = 64  # octets of a cache line
    # Queries stand an odd number of lines apart, or all would compete for the same places in the
    # cache; so do answers.
    QUERY_ROOM = LARGEST_QUERY + LINE


cdef struct Shared:
    uint64_t epoch
    uint8_t apart[LINE]
    uint64_t stopping
    int event  # wakes the event loop
    const Table* table
    const Settings* settings
    Limiter limiter  # without accounts nothing is limited


cdef struct Batch:
    mmsghdr incoming[BATCH]
    mmsghdr outgoing[BATCH]
    iovec parts_in[BATCH]
    iovec parts_out[BATCH]
    uint8_t clients[BATCH][CLIENT_SIZE]
    uint8_t controls[BATCH][CONTROL_SIZE]
    Prepared prepared[BATCH]
    uint8_t queries[BATCH][QUERY_ROOM]


cdef struct Worker:
    uint64_t seen  # the epoch in which the present work began; 0: quiet
    uint8_t apart[LINE]
    Shared* shared
    pthread_t thread
    bint running
    Workspace* workspace
    Batch* batch
    uint8_t* answers
    pollfd* sockets
    uint32_t socket_count
    Ring ring
    Counts counts


cdef extern from *:
    """
    #define nsctl_load_pointer(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define nsctl_store_pointer(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    """
    const Settings* load_settings "nsctl_load_pointer"(const Settings** place) noexcept nogil
    void store_settings "nsctl_store_pointer"(const Settings** place,
                                              const Settings* settings) noexcept nogil


cdef void* zeroed(size_t size) noexcept nogil
cdef Worker* new_worker(Shared* shared, uint32_t socket_count) noexcept nogil
cdef void free_worker(Worker* worker) noexcept nogil
cdef void* run(void* worker) noexcept nogil
