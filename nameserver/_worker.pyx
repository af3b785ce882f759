# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What a worker thread does: recvmmsg, ``answer_batch``, sendmmsg; and what it needs for that."""

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from nameserver._answer cimport (
    FAILURE, SILENCE, SLACK, UDP, VALID, Prepared, Settings, answer_batch, answer_briefly,
    free_workspace, new_workspace, response_limit,
)
from nameserver._counts cimport (
    HAND_OVER_DROPPED, HANDED_OVER, RATE_DROPPED, RATE_SLIPPED, RECEIVE_FAILED, SEND_FAILED, count_answer, count_batch,
)
from nameserver._linux cimport *
from nameserver._names cimport prefetch
from nameserver._ring cimport CLIENT_SIZE, CONTROL_SIZE, Note, put_note
from nameserver._rrl cimport (
    DROP, SEND, Limiter, Limits, account_of, book, is_exempt, set_of,
)

cdef enum:
    RING_SIZE = 1 << 22  # some twenty thousand NOTIFYs; takes memory only once they come
    PAUSE = 1000  # microseconds after a failure to receive, so that it does not fill a core
    LOOK_UP = 1000  # milliseconds until an idle worker looks whether it is to stop


# ---- the thread

cdef void* run(void* argument) noexcept nogil:
    """Answer until told to stop."""
    cdef Worker* worker = <Worker*>argument
    cdef uint32_t i
    cdef int most = 0
    if worker.socket_count == 1:
        while not load_relaxed(&worker.shared.stopping):
            turn(worker, worker.sockets[0].fd, MSG_WAITFORONE)
        return NULL
    while not load_relaxed(&worker.shared.stopping):
        if most < BATCH:  # else there is more
            poll(worker.sockets, worker.socket_count, LOOK_UP)
        most = 0
        for i in range(worker.socket_count):
            most = max(most, turn(worker, worker.sockets[i].fd, MSG_DONTWAIT))
    return NULL


cdef int turn(Worker* worker, int fd, int flags) noexcept nogil:
    """Answer what has arrived at one socket; return how many datagrams that were."""
    cdef Batch* batch = worker.batch
    cdef uint64_t began
    cdef int received, ready
    received = recvmmsg(fd, batch.incoming, BATCH, flags, NULL)
    if received <= 0:
        if errno != EAGAIN and errno != EINTR:
            bump(&worker.counts.events[RECEIVE_FAILED], 1)
            usleep(PAUSE)
        return 0
    began = nanoseconds()
    answer(worker, received, <uint32_t>(began // 1000000))
    ready = line_up(worker, fd, received)
    send(worker, fd, ready)
    count_batch(&worker.counts, received, nanoseconds() - began)
    return received


cdef void answer(Worker* worker, int received, uint32_t milliseconds) noexcept nogil:
    """Answer a batch; only here anything is read that the control thread may replace."""
    cdef Batch* batch = worker.batch
    cdef const Settings* settings
    cdef uint32_t now = seconds()
    cdef int i
    for i in range(received):
        batch.prepared[i].size = batch.incoming[i].msg_len
        tell_client(&batch.prepared[i], <const sockaddr*>&batch.clients[i][0], now)
    # The store has to be seen before anything is read that it protects: a full barrier.
    exchange(&worker.seen, load_ordered(&worker.shared.epoch))
    settings = load_settings(&worker.shared.settings)
    answer_batch(worker.shared.table, settings, worker.workspace, batch.prepared, received, UDP)
    if worker.shared.limiter.accounts != NULL:
        limit(worker, settings, received, milliseconds)
    store_release(&worker.seen, 0)


cdef inline void tell_client(Prepared* query, const sockaddr* client, uint32_t now) noexcept nogil:
    """Say who asks, and when."""
    query.now = now
    if client.sa_family == AF_INET:
        query.client = <const uint8_t*>&(<const sockaddr_in*>client).sin_addr
        query.client_size = 4
    else:
        query.client = <const uint8_t*>&(<const sockaddr_in6*>client).sin6_addr
        query.client_size = 16


cdef void limit(Worker* worker, const Settings* settings, int received,
                uint32_t milliseconds) noexcept nogil:
    """Book the answers of a batch; drop or shorten those that are too many (``nameserver.rrl``)."""
    cdef const Limiter* limiter = &worker.shared.limiter
    cdef const Limits* limits = limiter.limits
    cdef Prepared* query
    cdef uint64_t numbers[BATCH]
    cdef int booked[BATCH]
    cdef int i, action, count = 0
    for i in range(received):
        query = &worker.batch.prepared[i]
        if query.result > 0 and query.verdict != VALID \
                and not is_exempt(limits, query.client, query.client_size):
            numbers[count], booked[count] = account_of(limits, query), i
            prefetch(set_of(limiter, numbers[count]))
            count += 1
    for i in range(count):
        query = &worker.batch.prepared[booked[i]]
        action = book(limiter, numbers[i], milliseconds)
        if action == SEND:
            continue
        if action == DROP:
            query.result = SILENCE
            bump(&worker.counts.events[RATE_DROPPED], 1)
            continue
        if query.kind != FAILURE:  # a failure has no records anyway
            answer_briefly(settings, worker.workspace, query, limits.badcookie)
        bump(&worker.counts.events[RATE_SLIPPED], 1)


cdef int line_up(Worker* worker, int fd, int received) noexcept nogil:
    """Put the answers into the queue of sendmmsg; return how many there are."""
    cdef Batch* batch = worker.batch
    cdef const Prepared* query
    cdef msghdr* asked
    cdef int i, ready = 0
    cdef bint wakes = False
    for i in range(received):
        query = &batch.prepared[i]
        asked = &batch.incoming[i].msg_hdr
        route_back(asked)
        if query.result < 0:
            wakes |= hand_over(worker, fd, query, asked)
        else:
            count_answer(&worker.counts, query)
        if query.result > 0:
            address(&batch.outgoing[ready].msg_hdr, asked, query)
            ready += 1
        asked.msg_namelen, asked.msg_controllen = CLIENT_SIZE, CONTROL_SIZE  # for the next turn
    if wakes:
        eventfd_write(worker.shared.event, 1)
    return ready


cdef inline void address(msghdr* out, const msghdr* asked, const Prepared* query) noexcept nogil:
    """Send an answer where its query came from."""
    out.msg_name, out.msg_namelen = asked.msg_name, asked.msg_namelen
    out.msg_control, out.msg_controllen = asked.msg_control, asked.msg_controllen
    out.msg_iov.iov_base, out.msg_iov.iov_len = query.out, query.result


cdef inline void route_back(msghdr* asked) noexcept nogil:
    """Turn "arrived here" into "send from here": the routing table chooses the interface.

    Only sockets that are bound to a wildcard address have such a message.
    """
    cdef cmsghdr* control = CMSG_FIRSTHDR(asked)
    cdef in6_pktinfo* arrival
    if control == NULL:
        return
    if control.cmsg_level == IPPROTO_IP and control.cmsg_type == IP_PKTINFO:
        (<in_pktinfo*>CMSG_DATA(control)).ipi_ifindex = 0
    elif control.cmsg_level == IPPROTO_IPV6 and control.cmsg_type == IPV6_PKTINFO:
        arrival = <in6_pktinfo*>CMSG_DATA(control)
        if not IN6_IS_ADDR_LINKLOCAL(&arrival.ipi6_addr):
            arrival.ipi6_ifindex = 0


cdef bint hand_over(Worker* worker, int fd, const Prepared* query,
                    const msghdr* asked) noexcept nogil:
    """Leave a datagram to Python; tell whether there was room for it."""
    cdef Note note
    note.fd, note.length = fd, query.size
    note.client_size, note.control_size = asked.msg_namelen, asked.msg_controllen
    memcpy(note.client, asked.msg_name, CLIENT_SIZE)
    memcpy(note.control, asked.msg_control, CONTROL_SIZE)
    if put_note(&worker.ring, &note, query.query):
        bump(&worker.counts.events[HANDED_OVER], 1)
        return True
    bump(&worker.counts.events[HAND_OVER_DROPPED], 1)
    return False


cdef void send(Worker* worker, int fd, int ready) noexcept nogil:
    """Send all answers; one that cannot be sent is counted and passed over."""
    cdef int sent = 0, done
    while sent < ready:
        done = sendmmsg(fd, worker.batch.outgoing + sent, ready - sent, MSG_NOSIGNAL)
        if done > 0:
            sent += done
        elif errno != EINTR:
            bump(&worker.counts.events[SEND_FAILED], 1)
            sent += 1


# ---- setting up a worker

cdef void* zeroed(size_t size) noexcept nogil:
    """Return zeroed memory that begins a cache line, NULL where there is none."""
    cdef size_t whole = (size + LINE - 1) & ~<size_t>(LINE - 1)
    cdef void* memory = aligned_alloc(LINE, whole)
    if memory != NULL:
        memset(memory, 0, whole)
    return memory


cdef Worker* new_worker(Shared* shared, uint32_t socket_count) noexcept nogil:
    """Return a worker whose sockets are to be filled in, NULL where memory is short."""
    cdef Worker* worker = <Worker*>zeroed(sizeof(Worker))
    if worker == NULL:
        return NULL
    worker.shared = shared
    worker.socket_count = socket_count
    worker.workspace = new_workspace()
    worker.batch = <Batch*>zeroed(sizeof(Batch))
    worker.sockets = <pollfd*>zeroed(socket_count * sizeof(pollfd))
    worker.ring.size = RING_SIZE
    worker.ring.octets = <uint8_t*>malloc(RING_SIZE)
    if (worker.workspace == NULL or worker.batch == NULL or worker.sockets == NULL
            or worker.ring.octets == NULL or not wire_up(worker)):
        free_worker(worker)
        return NULL
    return worker


cdef bint wire_up(Worker* worker) noexcept nogil:
    """Point the headers of the batch at its buffers, once and for all."""
    cdef Batch* batch = worker.batch
    cdef msghdr* header
    cdef size_t room = (response_limit(worker.shared.settings, UDP) + SLACK) / LINE + 1
    cdef int i
    room = (room | 1) * LINE
    worker.answers = <uint8_t*>malloc(BATCH * room)
    for i in range(BATCH):
        batch.parts_in[i].iov_base = &batch.queries[i][0]
        batch.parts_in[i].iov_len = LARGEST_QUERY
        header = &batch.incoming[i].msg_hdr
        header.msg_name, header.msg_namelen = &batch.clients[i][0], CLIENT_SIZE
        header.msg_iov, header.msg_iovlen = &batch.parts_in[i], 1
        header.msg_control, header.msg_controllen = &batch.controls[i][0], CONTROL_SIZE
        batch.prepared[i].query = &batch.queries[i][0]
        batch.prepared[i].out = worker.answers + i * room
        header = &batch.outgoing[i].msg_hdr
        header.msg_iov, header.msg_iovlen = &batch.parts_out[i], 1
    return worker.answers != NULL


cdef void free_worker(Worker* worker) noexcept nogil:
    """Free a worker whose thread has ended, or was never started."""
    if worker.workspace != NULL:
        free_workspace(worker.workspace)
    free(worker.batch)
    free(worker.answers)
    free(worker.sockets)
    free(worker.ring.octets)
    free(worker)
