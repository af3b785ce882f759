# cython: language_level=3, boundscheck=False, wraparound=False
"""The worker threads: datagrams in, answers out, and never the GIL.

How it works:

1. Each worker has sockets of its own, one for each address (SO_REUSEPORT shares out the clients).
   A turn is recvmmsg, ``answer_batch``, sendmmsg, for as many datagrams as have arrived.
2. What a worker reads may be replaced at any moment, and freed once nobody reads it any more. So a
   worker is *quiet* (``seen`` is 0) while it receives and sends, and else tells the ``epoch`` it
   began its work in. Whoever has replaced something begins a new epoch with ``advance``; when every
   worker is quiet, or began in that epoch or a later one, nobody can see the old thing: ``passed``.
3. What the engine does not answer goes into a ring (``_ring``), and an eventfd tells the event loop.
   A full ring drops the datagram: its client asks again, and the worker never waits.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from nameserver._answer cimport (
    CLIENT_ONLY, FAILURE, INVALID, MALFORMED, NODATA, NXDOMAIN, POSITIVE, REFERRAL, VALID,
    AnswerSettingsCompiled,
)
from nameserver._counts cimport *
from nameserver._linux cimport *
from nameserver._ring cimport Note, drop_note, first_note
from nameserver._rrl cimport LOCKS, Limiter, Limits, RateLimitsCompiled, new_accounts
from nameserver._table cimport Zones
from nameserver._threads cimport begin_thread, have_passed
from nameserver._worker cimport (
    Shared, Worker, free_worker, new_worker, run, store_settings, zeroed,
)

from zones.rdata import type_text


cdef class HandedOver:
    """A datagram that Python answers: ``message`` from ``host``, ``port``."""

    cdef readonly bytes message
    cdef readonly str host
    cdef readonly int port
    cdef Note note

    def reply(self, bytes answer not None):
        """Send the answer from the address that was asked; tell whether the system took it.

        The workers have to be running still: the socket is theirs.
        """
        cdef iovec part
        cdef msghdr header
        part.iov_base, part.iov_len = <uint8_t*>answer, len(answer)
        memset(&header, 0, sizeof(msghdr))
        header.msg_name, header.msg_namelen = self.note.client, self.note.client_size
        header.msg_iov, header.msg_iovlen = &part, 1
        header.msg_control, header.msg_controllen = self.note.control, self.note.control_size
        return sendmsg(self.note.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0


cdef HandedOver handed_over(const Note* note):
    cdef HandedOver one = HandedOver.__new__(HandedOver)
    cdef char host[64]
    cdef char port[8]
    one.note = note[0]
    one.message = PyBytes_FromStringAndSize(<const char*>note + sizeof(Note), note.length)
    if getnameinfo(<const sockaddr*>note.client, note.client_size, host, sizeof(host), port,
                   sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV):
        return None
    one.host, one.port = host.decode(), int(port)
    return one


cdef int look_up_at_times(int fd) except -1:
    """Let a thread that waits for a datagram see now and then whether it is to stop."""
    cdef timeval second
    second.tv_sec, second.tv_usec = 1, 0
    if setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(timeval)):
        raise OSError(errno, "a worker's socket cannot be set up")
    return 0


cdef int share_limits(Limiter* limiter, const Limits* limits, size_t workers) except -1:
    """Make the accounts that all workers book to; one alone needs no locks."""
    limiter.limits, limiter.accounts = limits, new_accounts(limits)
    if limiter.accounts == NULL:
        raise MemoryError
    if workers > 1:
        limiter.locks = <uint8_t*>zeroed(LOCKS)
        if limiter.locks == NULL:
            raise MemoryError
    return 0


cdef class Workers:
    """Threads that answer from a compiled zone table: start once, stop once.

    ``sockets`` has the file descriptors of one worker after the other, one or more for each; they
    stay open until ``stop`` has returned. Without ``limits`` responses are not limited; else all
    workers together keep to them.
    """

    cdef Zones table
    cdef AnswerSettingsCompiled settings
    cdef RateLimitsCompiled limits
    cdef Shared* shared
    cdef Worker** workers
    cdef uint32_t count

    def __cinit__(self, Zones table not None, AnswerSettingsCompiled settings not None, sockets,
                  RateLimitsCompiled limits=None):
        cdef Worker* worker
        cdef uint32_t i
        self.table, self.settings, self.limits = table, settings, limits
        self.shared = <Shared*>zeroed(sizeof(Shared))
        self.workers = <Worker**>zeroed(len(sockets) * sizeof(Worker*))
        if self.shared == NULL or self.workers == NULL:
            raise MemoryError
        self.shared.epoch = 1
        self.shared.table, self.shared.settings = &table.table, &settings.settings
        if limits is not None:
            share_limits(&self.shared.limiter, &limits.limits, len(sockets))
        self.shared.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.shared.event < 0:
            raise OSError(errno, "no eventfd is to be had")
        for own in sockets:
            worker = new_worker(self.shared, len(own))
            if worker == NULL:
                raise MemoryError
            self.workers[self.count] = worker
            self.count += 1
            for i, fd in enumerate(own):
                worker.sockets[i].fd, worker.sockets[i].events = fd, POLLIN
                look_up_at_times(fd)

    def __dealloc__(self):
        cdef uint32_t i
        if self.shared == NULL:
            return
        self.halt()
        for i in range(self.count):
            free_worker(self.workers[i])
        free(self.workers)
        free(self.shared.limiter.accounts)
        free(self.shared.limiter.locks)
        if self.shared.event > 0:
            close(self.shared.event)
        free(self.shared)

    def start(self):
        """Begin to answer; raises ``OSError`` where the system gives no threads."""
        cdef uint32_t i
        cdef int failed = 0
        for i in range(self.count):
            failed = begin_thread(&self.workers[i].thread, run, self.workers[i], b"nsctl-udp")
            if failed:
                break
            self.workers[i].running = True
        if failed:
            self.halt()
            raise OSError(failed, "a worker thread cannot be started")

    def stop(self):
        """End the threads; what they have received is answered first."""
        self.halt()

    cdef void halt(self):
        cdef uint32_t i, j
        store_release(&self.shared.stopping, 1)
        with nogil:
            for i in range(self.count):
                if self.workers[i].running:
                    for j in range(self.workers[i].socket_count):
                        shutdown(self.workers[i].sockets[j].fd, SHUT_RD)  # wakes who waits there
            for i in range(self.count):
                if self.workers[i].running:
                    pthread_join(self.workers[i].thread, NULL)
                    self.workers[i].running = False

    # -- replacing what is read

    def use(self, AnswerSettingsCompiled settings not None):
        """Answer by other settings; return the old ones, which workers may still see.

        They have the same ``udp_limit``: the room for answers was made for it.
        """
        before, self.settings = self.settings, settings
        store_settings(&self.shared.settings, &settings.settings)
        return before

    def advance(self):
        """Begin a new epoch and return it: ask ``passed`` before freeing what was replaced."""
        return next_number(&self.shared.epoch)

    def passed(self, uint64_t epoch):
        """Tell whether nobody sees any more what was replaced before ``epoch`` began."""
        return have_passed(<const uint64_t**>self.workers, self.count, epoch)

    # -- what Python answers

    def fileno(self):
        """Return what becomes readable when something was handed over."""
        return self.shared.event

    def take(self, uint32_t most):
        """Return up to so many datagrams that were handed over, oldest first for each worker.

        Where there are more, ``fileno`` is readable again.
        """
        cdef uint64_t woken
        cdef uint32_t i
        cdef const Note* note
        eventfd_read(self.shared.event, &woken)
        taken = []
        for i in range(self.count):
            while True:
                note = first_note(&self.workers[i].ring)
                if note == NULL:
                    break
                if len(taken) == most:
                    eventfd_write(self.shared.event, 1)
                    return taken
                one = handed_over(note)
                drop_note(&self.workers[i].ring, note)
                if one is not None:
                    taken.append(one)
        return taken

    # -- counts

    def counts(self):
        """Return what all workers have counted, by name; what did not happen is left out."""
        cdef Counts total = sum_up(self.workers, self.count)
        return named_counts(PyBytes_FromStringAndSize(<const char*>&total, sizeof(Counts)), "udp")


def named_counts(bytes total not None, str transport not None):
    """Return by name what a ``Counts`` has; what did not happen is left out."""
    cdef const Counts* counts = <const Counts*><const char*>total
    cdef int i
    if len(total) != sizeof(Counts):
        raise ValueError("these are no counts")
    found = {}
    for i, name in EVENT_NAMES.items():
        found[f"{transport}.{name}"] = counts.events[i]
    for i, name in KIND_NAMES.items():
        found[f"{transport}.{name}"] = counts.kinds[i]
    for i, name in VERDICT_NAMES.items():
        found[f"cookies.{name}"] = counts.verdicts[i]
    found["rrl.dropped"] = counts.events[RATE_DROPPED]
    found["rrl.slipped"] = counts.events[RATE_SLIPPED]
    for i in range(16):
        found[f"{transport}.rcode.{i}"] = counts.rcodes[i]
    for i in range(256):
        found[f"{transport}.type.{type_text(i) if i else 'other'}"] = counts.types[i]
    for i in range(DURATIONS):
        found[f"{transport}.within-ns.{(<uint64_t>2) << i}"] = counts.durations[i]
    return {name: number for name, number in found.items() if number}


EVENT_NAMES = {
    QUERIES: "queries",
    SILENT: "silence",
    TRUNCATED: "truncated",
    HANDED_OVER: "handed-over",
    HAND_OVER_DROPPED: "hand-over-dropped",
    SEND_FAILED: "send-failed",
    RECEIVE_FAILED: "receive-failed",
    BATCHES: "batches",
    OCTETS_OUT: "octets-out",
    BUSY_NANOSECONDS: "busy-nanoseconds",
}
VERDICT_NAMES = {
    MALFORMED: "malformed",
    CLIENT_ONLY: "client-only",
    INVALID: "invalid",
    VALID: "valid",
}
KIND_NAMES = {
    POSITIVE: "positive",
    NODATA: "nodata",
    REFERRAL: "referral",
    NXDOMAIN: "nxdomain",
    FAILURE: "failure",
}


cdef Counts sum_up(Worker** workers, uint32_t count) noexcept nogil:
    """Return the sums of the counts; each is read while its worker may be counting."""
    cdef Counts total
    cdef uint64_t* sums = <uint64_t*>&total
    cdef const uint64_t* own
    cdef uint32_t i, j
    memset(&total, 0, sizeof(Counts))
    for i in range(count):
        own = <const uint64_t*>&workers[i].counts
        for j in range(sizeof(Counts) // sizeof(uint64_t)):
            sums[j] += load_relaxed(&own[j])
    return total
