# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What a thread does that serves connections: accept, read, ``answer_batch``, send; and time out."""

from libc.errno cimport EAGAIN, EINTR, EMFILE, ENFILE, errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from nameserver._answer cimport (
    LARGEST, SILENCE, SLACK, TCP, Prepared, Settings, answer_batch, free_workspace, new_workspace,
)
from nameserver._clients cimport NOWHERE, admit, leave
from nameserver._counts cimport count_answer, count_batch
from nameserver._epoll cimport *
from nameserver._linux cimport *
from nameserver._ring cimport CLIENT_SIZE
from nameserver._worker cimport load_settings, zeroed
from zones._wire cimport get16, put16

cdef enum:
    TURN = 64  # connections that are looked after before the clock is read again
    ACCEPTED_AT_ONCE = 64
    ANSWER_ROOM = (LARGEST + SLACK) // 128 * 128 + 192  # an odd number of cache lines
    PAUSE = 1000  # microseconds, where there is no file descriptor to be had
    LOOK = 1000  # milliseconds until it is looked at least whether somebody has run out of time
    MOST_KEEPALIVE = 65534  # RFC 7828 3.1: tenths of a second
    LISTENER = 1  # this bit marks a listener among what epoll tells


# ---- the thread

cdef void* run_streams(void* argument) noexcept nogil:
    """Serve until told to stop."""
    cdef StreamWorker* worker = <StreamWorker*>argument
    cdef epoll_event events[TURN]
    cdef int ready, i
    while not load_relaxed(&worker.shared.common.stopping):
        ready = epoll_wait(worker.epoll, events, TURN, wait_for(worker))
        worker.now = nanoseconds() // 1000000
        for i in range(ready):
            if events[i].data.u64 and not events[i].data.u64 & LISTENER:
                attend(worker, <Stream*>events[i].data.u64)
        # Only now, for these may end connections that are among the events.
        for i in range(ready):
            if events[i].data.u64 & LISTENER:
                welcome(worker, <int>(events[i].data.u64 >> 1))
        end_late_ones(worker)
    return NULL


cdef void attend(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Go on with a connection that can be written to, if that is what it waits for, or read."""
    if stream.unsent == NULL:
        take(worker, stream)
    elif send_rest(worker, stream):
        work_off(worker, stream, fetch_kept(worker, stream))


# ---- the clock

cdef int wait_for(const StreamWorker* worker) noexcept nogil:
    """Return how many milliseconds there are until somebody has run out of time."""
    cdef uint64_t end
    if worker.oldest == NULL:
        return LOOK
    end = worker.oldest.active + patience(worker.shared) + 1
    return 0 if end <= worker.now else <int>min(end - worker.now, <uint64_t>LOOK)


cdef void end_late_ones(StreamWorker* worker) noexcept nogil:
    """Close what has been idle too long (RFC 7766 6.2.3), whatever trickles in or out of it."""
    cdef uint64_t idle = patience(worker.shared)
    cdef Stream* stream
    while worker.oldest != NULL and worker.now - worker.oldest.active > idle:
        stream = worker.oldest
        end(worker, stream, SLOW_CLOSED if stream.unsent != NULL else IDLE_CLOSED)


# ---- coming and going

cdef void welcome(StreamWorker* worker, int listener) noexcept nogil:
    """Accept who has come; those above a limit are sent away."""
    cdef sockaddr_storage room  # aligned as a socket address has to be
    cdef uint8_t* address = <uint8_t*>&room
    cdef uint32_t size, place
    cdef int i, fd
    for i in range(ACCEPTED_AT_ONCE):
        size = CLIENT_SIZE
        fd = accept4(listener, <sockaddr*>address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno != EAGAIN and errno != EINTR:
                make_room(worker, errno)
            return
        place = admit(&worker.shared.books, <const sockaddr*>address)
        if place == NOWHERE or not begin(worker, fd, place, address, size):
            bump(&worker.events[REFUSED_CONNECTIONS], 1)
            if place != NOWHERE:
                leave(&worker.shared.books, place)
            close(fd)


cdef void make_room(StreamWorker* worker, int error) noexcept nogil:
    """Give up who has been idle the longest where no file descriptor is left."""
    bump(&worker.events[ACCEPT_FAILED], 1)
    if (error == EMFILE or error == ENFILE) and worker.oldest != NULL:
        end(worker, worker.oldest, IDLE_CLOSED)
    else:
        usleep(PAUSE)


cdef bint begin(StreamWorker* worker, int fd, uint32_t place, const uint8_t* address,
                uint32_t size) noexcept nogil:
    """Take a connection in; tell whether there was memory."""
    cdef Stream* stream = <Stream*>malloc(sizeof(Stream))
    if stream == NULL:
        return False
    stream.fd, stream.client, stream.active = fd, place, worker.now
    stream.kept = stream.unsent = NULL
    stream.kept_size = stream.unsent_size = stream.unsent_at = 0
    stream.address_size = <uint8_t>size
    memcpy(stream.address, address, CLIENT_SIZE)
    if not watch(worker, stream, EPOLL_CTL_ADD, EPOLLIN):
        free(stream)
        return False
    append(worker, stream)
    bump(&worker.events[CONNECTIONS], 1)
    return True


cdef bint watch(StreamWorker* worker, Stream* stream, int operation, uint32_t events) noexcept nogil:
    cdef epoll_event event
    event.events, event.data.u64 = events, <uint64_t>stream
    return epoll_ctl(worker.epoll, operation, stream.fd, &event) == 0


cdef void end(StreamWorker* worker, Stream* stream, int reason) noexcept nogil:
    """Hang up; ``reason`` is an event to count, ``STREAM_EVENTS`` where there is none."""
    if reason != STREAM_EVENTS:
        bump(&worker.events[reason], 1)
    unlink(worker, stream)
    worker.held -= stream.kept_size + stream.unsent_size
    leave(&worker.shared.books, stream.client)
    close(stream.fd)
    free_stream(stream)


cdef void free_stream(Stream* stream) noexcept nogil:
    """Free a connection that stands in no list any more; its socket is the caller's."""
    free(stream.kept)
    free(stream.unsent)
    free(stream)


cdef void hand_over(StreamWorker* worker, Stream* stream, const uint8_t* unread,
                    uint32_t size) noexcept nogil:
    """Leave a connection to Python, with what was read of it and not answered yet."""
    cdef StreamShared* shared = worker.shared
    watch(worker, stream, EPOLL_CTL_DEL, 0)
    if not keep(worker, stream, unread, size):
        end(worker, stream, SLOW_CLOSED)
        return
    unlink(worker, stream)
    worker.held -= stream.kept_size + stream.unsent_size
    bump(&worker.events[STREAMS_HANDED_OVER], 1)
    stream.newer = NULL
    pthread_mutex_lock(&shared.lock)
    if shared.last_handed != NULL:
        shared.last_handed.newer = stream
    else:
        shared.first_handed = stream
    shared.last_handed = stream
    pthread_mutex_unlock(&shared.lock)
    eventfd_write(shared.common.event, 1)


# ---- reading

cdef void take(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Read once, and answer what is whole by then."""
    cdef uint32_t size = stream.kept_size
    cdef ssize_t received = recv(stream.fd, worker.input + size, READ_SIZE, MSG_DONTWAIT)
    if received <= 0:
        if received == 0 or (errno != EAGAIN and errno != EINTR):
            end(worker, stream, BROKEN_CLOSED if received or size else STREAM_EVENTS)
        return
    work_off(worker, stream, fetch_kept(worker, stream) + <uint32_t>received)


cdef inline uint32_t gather(StreamWorker* worker, const Stream* stream, uint32_t size, uint32_t at,
                            uint32_t seconds_now) noexcept nogil:
    """Line up the whole queries from ``at`` on; return how many there are."""
    cdef uint32_t count = 0, length
    cdef bint is_ipv4 = (<const sockaddr*>stream.address).sa_family == AF_INET
    cdef Prepared* query
    while count < STREAM_BATCH and size - at >= LENGTH_SIZE:
        length = get16(worker.input + at)
        if size - at - LENGTH_SIZE < length:
            break
        query = &worker.prepared[count]
        query.query, query.size, query.now = worker.input + at + LENGTH_SIZE, length, seconds_now
        if is_ipv4:
            query.client = <const uint8_t*>&(<const sockaddr_in*>stream.address).sin_addr
            query.client_size = 4
        else:
            query.client = <const uint8_t*>&(<const sockaddr_in6*>stream.address).sin6_addr
            query.client_size = 16
        at += LENGTH_SIZE + length
        count += 1
    return count


cdef void work_off(StreamWorker* worker, Stream* stream, uint32_t size) noexcept nogil:
    """Answer the whole queries among so many octets of the input; keep the rest."""
    cdef uint32_t at = 0, count, out = 0, i
    cdef uint64_t began
    cdef const Prepared* query
    while True:
        count = gather(worker, stream, size, at, seconds())
        if not count:
            break
        began = nanoseconds()
        touch(worker, stream)
        answer(worker, count)
        for i in range(count):
            query = &worker.prepared[i]
            if query.result < 0:
                if send(worker, stream, out):
                    hand_over(worker, stream, worker.input + at, size - at)
                return
            if out + LENGTH_SIZE + query.result > OUTPUT_SIZE:
                if not send(worker, stream, out):
                    return
                if stream.unsent != NULL:  # the rest is answered once this is read
                    wait_for_reader(worker, stream, worker.input + at, size - at)
                    return
                out = 0
            count_answer(&worker.counts, query)
            if query.result == SILENCE:
                if send(worker, stream, out):
                    end(worker, stream, NONSENSE_CLOSED)
                return
            put16(worker.output + out, query.result)
            memcpy(worker.output + out + LENGTH_SIZE, query.out, query.result)
            out += LENGTH_SIZE + query.result
            at += LENGTH_SIZE + query.size
        count_batch(&worker.counts, count, nanoseconds() - began)
    if not send(worker, stream, out):
        return
    if stream.unsent != NULL:
        wait_for_reader(worker, stream, worker.input + at, size - at)
    elif not keep(worker, stream, worker.input + at, size - at):
        end(worker, stream, SLOW_CLOSED)


cdef void answer(StreamWorker* worker, uint32_t count) noexcept nogil:
    """Answer a batch; only here anything is read that the control thread may replace."""
    cdef const Settings* settings
    cdef uint64_t idle = patience(worker.shared)
    # The store has to be seen before anything is read that it protects: a full barrier.
    exchange(&worker.seen, load_ordered(&worker.shared.common.epoch))
    settings = load_settings(&worker.shared.common.settings)
    if settings.keepalive and idle < worker.shared.idle:
        worker.settings = settings[0]
        worker.settings.keepalive = <uint16_t>min(max(idle // 100, <uint64_t>1),
                                                  <uint64_t>MOST_KEEPALIVE)
        settings = &worker.settings
    answer_batch(worker.shared.common.table, settings, worker.workspace, worker.prepared, count,
                 TCP)
    store_release(&worker.seen, 0)


# ---- sending

cdef bint send(StreamWorker* worker, Stream* stream, uint32_t size) noexcept nogil:
    """Send so much of the output; what the client has no room for is kept in ``unsent``.

    ``False`` where the connection came to its end.
    """
    cdef ssize_t sent
    cdef uint32_t rest
    if not size:
        return True
    sent = send_octets(stream.fd, worker.output, size, MSG_DONTWAIT | MSG_NOSIGNAL)
    if sent == size:
        return True
    if sent < 0:
        if errno != EAGAIN and errno != EINTR:
            end(worker, stream, BROKEN_CLOSED)
            return False
        sent = 0
    rest = size - <uint32_t>sent
    if worker.held + rest <= worker.shared.held_most:
        stream.unsent = <uint8_t*>malloc(rest)
    if stream.unsent == NULL:
        end(worker, stream, SLOW_CLOSED)
        return False
    memcpy(stream.unsent, worker.output + sent, rest)
    stream.unsent_size, stream.unsent_at = rest, 0
    worker.held += rest
    return True


cdef void wait_for_reader(StreamWorker* worker, Stream* stream, const uint8_t* unread,
                          uint32_t size) noexcept nogil:
    """Read no further before the client has read."""
    if not keep(worker, stream, unread, size) \
            or not watch(worker, stream, EPOLL_CTL_MOD, EPOLLOUT):
        end(worker, stream, SLOW_CLOSED)


cdef bint send_rest(StreamWorker* worker, Stream* stream) noexcept nogil:
    """Send more of what is waiting; tell whether that was the last of it."""
    cdef ssize_t sent = send_octets(stream.fd, stream.unsent + stream.unsent_at,
                                    stream.unsent_size - stream.unsent_at,
                                    MSG_DONTWAIT | MSG_NOSIGNAL)
    if sent < 0:
        if errno != EAGAIN and errno != EINTR:
            end(worker, stream, BROKEN_CLOSED)
        return False
    stream.unsent_at += <uint32_t>sent
    if stream.unsent_at < stream.unsent_size:
        return False
    worker.held -= stream.unsent_size
    free(stream.unsent)
    stream.unsent, stream.unsent_size = NULL, 0
    if not watch(worker, stream, EPOLL_CTL_MOD, EPOLLIN):
        end(worker, stream, BROKEN_CLOSED)
        return False
    touch(worker, stream)  # some octets now and then are no sign of life, all of them are
    return True


# ---- setting up a worker

cdef StreamWorker* new_stream_worker(StreamShared* shared, uint32_t listener_count) noexcept nogil:
    """Return a worker whose listeners are to be filled in, NULL where something is short."""
    cdef StreamWorker* worker = <StreamWorker*>zeroed(sizeof(StreamWorker))
    cdef int i
    if worker == NULL:
        return NULL
    worker.shared, worker.listener_count = shared, listener_count
    worker.epoll = epoll_create1(EPOLL_CLOEXEC)
    worker.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
    worker.listeners = <int*>zeroed((listener_count + 1) * sizeof(int))
    worker.workspace = new_workspace()
    worker.input = <uint8_t*>malloc(INPUT_SIZE)
    worker.output = <uint8_t*>malloc(OUTPUT_SIZE)
    worker.answers = <uint8_t*>malloc(STREAM_BATCH * <size_t>ANSWER_ROOM)
    if (worker.epoll < 0 or worker.wake < 0 or worker.listeners == NULL
            or worker.workspace == NULL or worker.input == NULL or worker.output == NULL
            or worker.answers == NULL):
        free_stream_worker(worker)
        return NULL
    for i in range(STREAM_BATCH):
        worker.prepared[i].out = worker.answers + i * <size_t>ANSWER_ROOM
    return worker


cdef bint watch_listeners(StreamWorker* worker) noexcept nogil:
    """Have epoll tell of new connections, and of the end."""
    cdef epoll_event event
    cdef uint32_t i
    event.events, event.data.u64 = EPOLLIN, 0
    if epoll_ctl(worker.epoll, EPOLL_CTL_ADD, worker.wake, &event):
        return False
    for i in range(worker.listener_count):
        event.data.u64 = <uint64_t>worker.listeners[i] << 1 | LISTENER
        if epoll_ctl(worker.epoll, EPOLL_CTL_ADD, worker.listeners[i], &event):
            return False
    return True


cdef void end_all(StreamWorker* worker) noexcept nogil:
    """Close all connections of a worker whose thread has ended."""
    while worker.oldest != NULL:
        end(worker, worker.oldest, STREAM_EVENTS)


cdef void free_stream_worker(StreamWorker* worker) noexcept nogil:
    """Free a worker whose thread has ended, or was never started, with its connections."""
    end_all(worker)
    if worker.workspace != NULL:
        free_workspace(worker.workspace)
    if worker.epoll >= 0:
        close(worker.epoll)
    if worker.wake >= 0:
        close(worker.wake)
    free(worker.listeners)
    free(worker.input)
    free(worker.output)
    free(worker.answers)
    free(worker)
