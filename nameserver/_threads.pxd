# cython: language_level=3
"""What all worker threads have in common: how they begin, and whether they still see something."""

from libc.stdint cimport uint32_t, uint64_t

from nameserver._linux cimport (
    SIG_SETMASK, load_ordered, pthread_create, pthread_setname_np, pthread_sigmask, pthread_t,
    sigfillset, sigset_t,
)


cdef inline int begin_thread(pthread_t* thread, void* (*work)(void*) noexcept nogil,
                             void* worker, const char* name) noexcept nogil:
    """Begin a thread; return 0, or what the system says where it gives none."""
    cdef sigset_t all_signals, before
    cdef int failed
    sigfillset(&all_signals)
    # Threads inherit the mask: signals are the event loop's.
    pthread_sigmask(SIG_SETMASK, &all_signals, &before)
    failed = pthread_create(thread, NULL, work, worker)
    pthread_sigmask(SIG_SETMASK, &before, NULL)
    if not failed:
        pthread_setname_np(thread[0], name)
    return failed


cdef inline bint have_passed(const uint64_t** seen, uint32_t count, uint64_t epoch) noexcept nogil:
    """Tell whether all workers, which begin with what they see, are quiet or began in ``epoch``."""
    cdef uint64_t one
    cdef uint32_t i
    for i in range(count):
        one = load_ordered(seen[i])
        if one and one < epoch:
            return False
    return True
