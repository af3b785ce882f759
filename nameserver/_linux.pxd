# cython: language_level=3
"""What the worker threads ask of Linux, and of the compiler's atomics."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "<sys/socket.h>" nogil:
    enum: MSG_DONTWAIT
    enum: MSG_NOSIGNAL
    enum: MSG_WAITFORONE
    enum: SHUT_RD
    enum: SOL_SOCKET
    enum: AF_INET
    enum: AF_INET6
    enum: SO_RCVTIMEO

    struct sockaddr:
        unsigned short sa_family
    struct sockaddr_storage:
        pass
    struct iovec:
        void* iov_base
        size_t iov_len
    struct msghdr:
        void* msg_name
        uint32_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    struct timespec:
        pass

    cmsghdr* CMSG_FIRSTHDR(msghdr* message) noexcept
    unsigned char* CMSG_DATA(cmsghdr* header) noexcept
    ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept
    int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags,
                 timespec* timeout) noexcept
    int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags) noexcept
    int shutdown(int fd, int how) noexcept
    int setsockopt(int fd, int level, int name, const void* value, uint32_t size) noexcept

cdef extern from "<sys/time.h>" nogil:
    struct timeval:
        long tv_sec
        long tv_usec

cdef extern from "<netinet/in.h>" nogil:
    enum: IPPROTO_IP
    enum: IPPROTO_IPV6
    enum: IP_PKTINFO
    enum: IPV6_PKTINFO

    struct in6_addr:
        pass
    struct in_addr:
        pass
    struct sockaddr_in:
        in_addr sin_addr
    struct sockaddr_in6:
        in6_addr sin6_addr
    struct in_pktinfo:
        int ipi_ifindex
    struct in6_pktinfo:
        in6_addr ipi6_addr
        unsigned int ipi6_ifindex

    bint IN6_IS_ADDR_LINKLOCAL(const in6_addr* address) noexcept

cdef extern from "<netdb.h>" nogil:
    enum: NI_NUMERICHOST
    enum: NI_NUMERICSERV
    int getnameinfo(const sockaddr* address, uint32_t size, char* host, uint32_t host_size,
                    char* port, uint32_t port_size, int flags) noexcept

cdef extern from "<poll.h>" nogil:
    enum: POLLIN
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd* polled, unsigned long count, int timeout) noexcept

cdef extern from "<sys/eventfd.h>" nogil:
    enum: EFD_NONBLOCK
    enum: EFD_CLOEXEC
    int eventfd(unsigned int value, int flags) noexcept
    int eventfd_read(int fd, uint64_t* value) noexcept
    int eventfd_write(int fd, uint64_t value) noexcept

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_t:
        pass
    int pthread_create(pthread_t* thread, void* attributes, void* (*run)(void*) noexcept nogil,
                       void* argument) noexcept
    int pthread_join(pthread_t thread, void** result) noexcept
    int pthread_setname_np(pthread_t thread, const char* name) noexcept

cdef extern from "<signal.h>" nogil:
    ctypedef struct sigset_t:
        pass
    enum: SIG_SETMASK
    int sigfillset(sigset_t* signals) noexcept
    int pthread_sigmask(int how, const sigset_t* signals, sigset_t* before) noexcept

cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size) noexcept

cdef extern from "<unistd.h>" nogil:
    int close(int fd) noexcept
    int usleep(unsigned int microseconds) noexcept

cdef extern from * nogil:
    """
    #include <time.h>
    static inline uint64_t nsctl_nanoseconds(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    static inline uint32_t nsctl_seconds(void) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        return (uint32_t)now.tv_sec;
    }
    #define nsctl_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
    #define nsctl_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define nsctl_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    #define nsctl_ordered(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
    #define nsctl_exchange(p, v) ((void)__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
    #define nsctl_next(p) __atomic_add_fetch((p), 1, __ATOMIC_SEQ_CST)
    #define nsctl_bump(p, n) __atomic_store_n((p), *(p) + (n), __ATOMIC_RELAXED)
    #define nsctl_log2(n) (63 - __builtin_clzll((n) | 1))
    """
    uint64_t nanoseconds "nsctl_nanoseconds"() noexcept
    uint32_t seconds "nsctl_seconds"() noexcept  # since 1970
    uint64_t load_relaxed "nsctl_relaxed"(const uint64_t* place) noexcept
    uint64_t load_acquire "nsctl_acquire"(const uint64_t* place) noexcept
    void store_release "nsctl_release"(uint64_t* place, uint64_t value) noexcept
    uint64_t load_ordered "nsctl_ordered"(const uint64_t* place) noexcept
    void exchange "nsctl_exchange"(uint64_t* place, uint64_t value) noexcept
    uint64_t next_number "nsctl_next"(uint64_t* place) noexcept
    void bump "nsctl_bump"(uint64_t* place, uint64_t by) noexcept  # by its only writer
    int log2 "nsctl_log2"(uint64_t number) noexcept
