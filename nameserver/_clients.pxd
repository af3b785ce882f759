# cython: language_level=3
"""The books of who holds how many connections: one for all workers, behind a lock.

A client is an IPv4 address or an IPv6 /64. Each has a place in ``clients`` while it holds a
connection; chains of places hang in ``heads`` by a hash that nobody outside can foretell. The lock
is taken when a connection comes and when it goes, never for a query.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from nameserver._epoll cimport (
    pthread_mutex_destroy, pthread_mutex_init, pthread_mutex_lock, pthread_mutex_t,
    pthread_mutex_unlock,
)
from nameserver._linux cimport (
    AF_INET, bump, load_relaxed, sockaddr, sockaddr_in, sockaddr_in6,
)

cdef enum:
    NOWHERE = 0xFFFFFFFF


cdef struct Client:
    uint64_t net
    uint32_t count  # of connections; 0: the place is free
    uint32_t behind  # the next one in the chain, or the next free place


cdef struct Books:
    pthread_mutex_t lock
    uint64_t seed
    uint64_t open  # connections of all clients
    uint32_t most
    uint32_t per_client
    uint32_t mask  # of the chains
    uint32_t spare  # the first free place
    uint32_t* heads
    Client* clients


cdef inline bint open_books(Books* books, uint32_t most, uint32_t per_client,
                            uint64_t seed) noexcept nogil:
    """Begin with nobody; tell whether there was memory."""
    cdef uint32_t i, chains = 16
    while chains < most and chains < 1 << 20:
        chains *= 2
    books.most, books.per_client, books.seed, books.mask = most, per_client, seed | 1, chains - 1
    books.heads = <uint32_t*>malloc(chains * sizeof(uint32_t))
    books.clients = <Client*>calloc(most, sizeof(Client))
    if books.heads == NULL or books.clients == NULL:
        return False
    for i in range(chains):
        books.heads[i] = NOWHERE
    for i in range(most):
        books.clients[i].behind = i + 1 if i + 1 < most else <uint32_t>NOWHERE
    pthread_mutex_init(&books.lock, NULL)
    return True


cdef inline void close_books(Books* books) noexcept nogil:
    if books.heads != NULL and books.clients != NULL:
        pthread_mutex_destroy(&books.lock)
    free(books.heads)
    free(books.clients)


cdef inline uint64_t net_of(const sockaddr* address) noexcept nogil:
    """Return what one client can have: all of an IPv4 address, half of an IPv6 one."""
    cdef uint64_t net = ~<uint64_t>0  # what is left of it is no network that IPv6 has
    if address.sa_family == AF_INET:
        memcpy(&net, &(<const sockaddr_in*>address).sin_addr, 4)
    else:
        memcpy(&net, &(<const sockaddr_in6*>address).sin6_addr, 8)
    return net


cdef inline uint32_t* chain_of(Books* books, uint64_t net) noexcept nogil:
    cdef uint64_t hashed = (net ^ net >> 32 ^ books.seed >> 7) * books.seed
    hashed = (hashed ^ hashed >> 29) * <uint64_t>0xBF58476D1CE4E5B9
    return &books.heads[<uint32_t>(hashed >> 33) & books.mask]


cdef inline uint32_t admit(Books* books, const sockaddr* address) noexcept nogil:
    """Book a connection; return its client's place, ``NOWHERE`` where a limit forbids it."""
    cdef uint64_t net = net_of(address)
    cdef uint32_t place
    cdef uint32_t* head
    pthread_mutex_lock(&books.lock)
    if books.open >= books.most:
        pthread_mutex_unlock(&books.lock)
        return NOWHERE
    head = chain_of(books, net)
    place = head[0]
    while place != NOWHERE and books.clients[place].net != net:
        place = books.clients[place].behind
    if place == NOWHERE:  # there are as many places as connections
        place = books.spare
        books.spare = books.clients[place].behind
        books.clients[place].net, books.clients[place].behind = net, head[0]
        head[0] = place
    elif books.clients[place].count >= books.per_client:
        place = NOWHERE
    if place != NOWHERE:
        books.clients[place].count += 1
        bump(&books.open, 1)
    pthread_mutex_unlock(&books.lock)
    return place


cdef inline void leave(Books* books, uint32_t place) noexcept nogil:
    """Strike a connection of a client."""
    cdef Client* client = &books.clients[place]
    cdef uint32_t* link
    pthread_mutex_lock(&books.lock)
    bump(&books.open, <uint64_t>-1)
    client.count -= 1
    if not client.count:
        link = chain_of(books, client.net)
        while link[0] != place:
            link = &books.clients[link[0]].behind
        link[0] = client.behind
        client.behind, books.spare = books.spare, place
    pthread_mutex_unlock(&books.lock)


cdef inline uint64_t open_now(const Books* books) noexcept nogil:
    return load_relaxed(&books.open)
