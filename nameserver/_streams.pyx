# cython: language_level=3, boundscheck=False, wraparound=False
"""The threads that serve TCP connections: queries in, answers out, and never the GIL.

How it works:

1. Each worker has listeners of its own (SO_REUSEPORT shares out who connects) and an epoll with
   the connections it accepted. It reads once from each that is ready, answers all whole queries in
   batches as a worker for datagrams does, and sends all answers at once, in order.
2. A connection that waits is a structure of some hundred octets, and no buffer: what is read goes
   into the worker's, and only what is left of it, half a query, is kept. A client that does not
   read its answers is not read from either; what it has not taken is kept meanwhile. All that is
   kept is bounded, and so is the time that anybody may take (``_stream.patience``).
3. What the engine does not answer, a transfer or a signed query, goes to Python with the whole
   connection, ``HandedStream``: answers stay in order by that, and no worker waits for Python.
4. What a worker reads may be replaced at any moment: see ``_workers`` on epochs.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from nameserver._answer cimport AnswerSettingsCompiled
from nameserver._clients cimport close_books, leave, open_books, open_now
from nameserver._counts cimport *
from nameserver._epoll cimport *
from nameserver._linux cimport *
from nameserver._stream cimport *
from nameserver._table cimport Zones
from nameserver._threads cimport begin_thread, have_passed
from nameserver._worker cimport store_settings, zeroed

import secrets

from nameserver._workers import named_counts

EVENT_NAMES = {
    CONNECTIONS: "connections",
    REFUSED_CONNECTIONS: "refused-connections",
    IDLE_CLOSED: "idle-closed",
    SLOW_CLOSED: "slow-closed",
    BROKEN_CLOSED: "broken",
    NONSENSE_CLOSED: "dropped",
    STREAMS_HANDED_OVER: "handed-over",
    ACCEPT_FAILED: "accept-failed",
}


cdef class HandedStream:
    """A connection that Python goes on with: socket ``fd`` of a client at ``host``, ``port``.

    ``unsent`` is to be sent first; ``unread`` was read and not answered yet. ``leave`` when the
    connection has ended: it stands in the books until then. Who takes the socket calls ``detach``.
    """

    cdef readonly int fd
    cdef readonly str host
    cdef readonly int port
    cdef readonly bytes unsent
    cdef readonly bytes unread
    cdef Streams owner
    cdef uint32_t client
    cdef bint booked

    def detach(self):
        """Return the file descriptor, which is the caller's from now on."""
        fd, self.fd = self.fd, -1
        return fd

    def leave(self):
        """Strike the connection from the books, once."""
        if self.booked:
            self.booked = False
            leave(&self.owner.shared.books, self.client)

    def __dealloc__(self):
        if self.fd >= 0:
            close(self.fd)
        if self.booked:
            leave(&self.owner.shared.books, self.client)


cdef HandedStream handed_stream(Streams owner, Stream* stream):
    """Return what Python sees of a connection, and free it."""
    cdef HandedStream one = HandedStream.__new__(HandedStream)
    cdef char host[64]
    cdef char port[8]
    cdef int unknown = getnameinfo(<const sockaddr*>stream.address, stream.address_size, host,
                                   sizeof(host), port, sizeof(port),
                                   NI_NUMERICHOST | NI_NUMERICSERV)
    one.fd, one.client, one.owner, one.booked = stream.fd, stream.client, owner, True
    try:
        one.unread = PyBytes_FromStringAndSize(<const char*>stream.kept, stream.kept_size)
        one.unsent = PyBytes_FromStringAndSize(<const char*>stream.unsent + stream.unsent_at,
                                               stream.unsent_size - stream.unsent_at)
    finally:
        free_stream(stream)
    one.host, one.port = ("", 0) if unknown else (host.decode(), int(port))
    return one


cdef class Streams:
    """Threads that serve connections from a compiled zone table: start once, stop once.

    ``listeners`` has the file descriptors of one worker after the other; they listen, do not block,
    and stay open until ``stop`` has returned. ``idle`` is seconds, ``held`` the octets that the
    connections of one worker may have kept in all.
    """

    cdef Zones table
    cdef AnswerSettingsCompiled settings
    cdef StreamShared* shared
    cdef StreamWorker** workers
    cdef uint32_t count

    def __cinit__(self, Zones table not None, AnswerSettingsCompiled settings not None, listeners,
                  *, uint32_t connections, uint32_t per_client, double idle,
                  uint64_t held=1 << 26):
        cdef StreamWorker* worker
        cdef uint32_t i
        self.table, self.settings = table, settings
        self.shared = <StreamShared*>zeroed(sizeof(StreamShared))
        self.workers = <StreamWorker**>zeroed((len(listeners) + 1) * sizeof(StreamWorker*))
        if self.shared == NULL or self.workers == NULL or not open_books(
                &self.shared.books, connections, per_client, secrets.randbits(64)):
            raise MemoryError
        self.shared.common.epoch = 1
        self.shared.common.table = &table.table
        self.shared.common.settings = &settings.settings
        self.shared.idle, self.shared.held_most = max(1, <uint64_t>(idle * 1000)), held
        pthread_mutex_init(&self.shared.lock, NULL)
        self.shared.common.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.shared.common.event < 0:
            raise OSError(errno, "no eventfd is to be had")
        for own in listeners:
            worker = new_stream_worker(self.shared, len(own))
            if worker == NULL:
                raise OSError(errno, "a worker for connections cannot be set up")
            self.workers[self.count] = worker
            self.count += 1
            for i, fd in enumerate(own):
                worker.listeners[i] = fd
            if not watch_listeners(worker):
                raise OSError(errno, "a listener cannot be watched")

    def __dealloc__(self):
        cdef uint32_t i
        if self.shared == NULL:
            return
        self.halt()
        for i in range(self.count):
            free_stream_worker(self.workers[i])
        free(self.workers)
        while self.shared.first_handed != NULL:
            self.drop_handed()
        close_books(&self.shared.books)
        pthread_mutex_destroy(&self.shared.lock)
        if self.shared.common.event > 0:
            close(self.shared.common.event)
        free(self.shared)

    cdef Stream* next_handed(self) noexcept:
        """Return what was handed over first, NULL where there is nothing more."""
        cdef Stream* stream
        pthread_mutex_lock(&self.shared.lock)
        stream = self.shared.first_handed
        if stream != NULL:
            self.shared.first_handed = stream.newer
            if stream.newer == NULL:
                self.shared.last_handed = NULL
        pthread_mutex_unlock(&self.shared.lock)
        return stream

    cdef void drop_handed(self) noexcept:
        cdef Stream* stream = self.next_handed()
        close(stream.fd)
        leave(&self.shared.books, stream.client)
        free_stream(stream)

    def start(self):
        """Begin to serve; raises ``OSError`` where the system gives no threads."""
        cdef uint32_t i
        cdef int failed = 0
        for i in range(self.count):
            failed = begin_thread(&self.workers[i].thread, run_streams, self.workers[i], b"nsctl-tcp")
            if failed:
                break
            self.workers[i].running = True
        if failed:
            self.halt()
            raise OSError(failed, "a worker thread cannot be started")

    def stop(self):
        """End the threads and close their connections."""
        self.halt()

    cdef void halt(self):
        cdef uint32_t i
        store_release(&self.shared.common.stopping, 1)
        with nogil:
            for i in range(self.count):
                if self.workers[i].running:
                    eventfd_write(self.workers[i].wake, 1)
            for i in range(self.count):
                if self.workers[i].running:
                    pthread_join(self.workers[i].thread, NULL)
                    self.workers[i].running = False
                end_all(self.workers[i])

    # -- replacing what is read: as _workers.Workers

    def use(self, AnswerSettingsCompiled settings not None):
        """Answer by other settings; return the old ones, which workers may still see."""
        before, self.settings = self.settings, settings
        store_settings(&self.shared.common.settings, &settings.settings)
        return before

    def advance(self):
        """Begin a new epoch and return it: ask ``passed`` before freeing what was replaced."""
        return next_number(&self.shared.common.epoch)

    def passed(self, uint64_t epoch):
        """Tell whether nobody sees any more what was replaced before ``epoch`` began."""
        return have_passed(<const uint64_t**>self.workers, self.count, epoch)

    # -- what Python goes on with

    def fileno(self):
        """Return what becomes readable when a connection was handed over."""
        return self.shared.common.event

    def take(self):
        """Return the connections that were handed over, oldest first."""
        cdef uint64_t woken
        cdef Stream* stream
        eventfd_read(self.shared.common.event, &woken)
        taken = []
        while True:
            stream = self.next_handed()
            if stream == NULL:
                return taken
            taken.append(handed_stream(self, stream))

    # -- counts

    def counts(self):
        """Return what all workers have counted, by name; ``tcp.open`` is how many there are now."""
        cdef Counts total
        cdef uint64_t events[STREAM_EVENTS]
        cdef uint64_t* sums = <uint64_t*>&total
        cdef const uint64_t* own
        cdef uint32_t i, j
        memset(&total, 0, sizeof(Counts))
        memset(events, 0, sizeof(events))
        for i in range(self.count):
            own = <const uint64_t*>&self.workers[i].counts
            for j in range(sizeof(Counts) // sizeof(uint64_t)):
                sums[j] += load_relaxed(&own[j])
            for j in range(STREAM_EVENTS):
                events[j] += load_relaxed(&self.workers[i].events[j])
        found = named_counts(PyBytes_FromStringAndSize(<const char*>&total, sizeof(Counts)), "tcp")
        for i, name in EVENT_NAMES.items():
            found[f"tcp.{name}"] = events[i]
        found["tcp.open"] = open_now(&self.shared.books)
        return {name: number for name, number in found.items() if number}
