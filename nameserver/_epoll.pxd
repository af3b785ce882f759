# cython: language_level=3
"""What the threads that serve connections ask of Linux, beyond ``_linux``."""

from libc.stdint cimport uint32_t, uint64_t

from nameserver._linux cimport sockaddr

cdef extern from "<sys/epoll.h>" nogil:
    enum: EPOLLIN
    enum: EPOLLOUT
    enum: EPOLL_CLOEXEC
    enum: EPOLL_CTL_ADD
    enum: EPOLL_CTL_DEL
    enum: EPOLL_CTL_MOD

    ctypedef union epoll_data_t:
        uint64_t u64
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags) noexcept
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout) noexcept

cdef extern from * nogil:
    """
    #include <stddef.h>
    #include <sys/socket.h>
    /* Of the GNU library only where it is asked for; the kernel has it. */
    #ifndef SOCK_NONBLOCK
    #define SOCK_NONBLOCK 04000
    #define SOCK_CLOEXEC 02000000
    #endif
    extern int accept4(int, struct sockaddr *, socklen_t *, int);
    """
    enum: SOCK_NONBLOCK
    enum: SOCK_CLOEXEC
    int accept4(int fd, sockaddr* address, uint32_t* size, int flags) noexcept
    ssize_t recv(int fd, void* octets, size_t size, int flags) noexcept
    ssize_t send_octets "send"(int fd, const void* octets, size_t size, int flags) noexcept

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_init(pthread_mutex_t* mutex, void* attributes) noexcept
    int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept
    int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept
    int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept
