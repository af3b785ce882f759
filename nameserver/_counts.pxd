# cython: language_level=3
"""What a worker counts. It alone writes; any thread may read, at any time, without locks."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from nameserver._answer cimport KINDS, SILENCE, VERDICTS, Prepared
from nameserver._linux cimport bump, log2

cdef enum:  # events
    QUERIES  # answered or met with silence; not what was handed over
    SILENT
    TRUNCATED
    HANDED_OVER
    HAND_OVER_DROPPED
    SEND_FAILED
    RECEIVE_FAILED
    BATCHES
    OCTETS_OUT
    RATE_DROPPED
    RATE_SLIPPED
    BUSY_NANOSECONDS
    EVENTS

cdef enum:
    DURATIONS = 32  # powers of two of nanoseconds: up to four seconds


cdef struct Counts:
    uint64_t events[EVENTS]
    uint64_t rcodes[16]
    uint64_t kinds[KINDS]
    uint64_t verdicts[VERDICTS]
    uint64_t types[256]  # 0: all types from 256 on; there is no type 0 (RFC 6895 3.1)
    uint64_t durations[DURATIONS]  # datagrams by the time their batch took, to the last one sent


cdef inline void count_answer(Counts* counts, const Prepared* query) noexcept nogil:
    """Count what ``answer_batch`` made of one query, unless it has to be handed over."""
    bump(&counts.events[QUERIES], 1)
    bump(&counts.verdicts[query.verdict], 1)
    if query.result == SILENCE:
        bump(&counts.events[SILENT], 1)
        return
    bump(&counts.types[query.qtype if query.qtype < 256 else 0], 1)
    bump(&counts.rcodes[query.out[3] & 0xF], 1)
    bump(&counts.kinds[query.kind], 1)
    bump(&counts.events[OCTETS_OUT], query.result)
    if query.out[2] & 2:
        bump(&counts.events[TRUNCATED], 1)


cdef inline void count_batch(Counts* counts, uint32_t received, uint64_t duration) noexcept nogil:
    cdef int power = log2(duration)
    bump(&counts.events[BATCHES], 1)
    bump(&counts.events[BUSY_NANOSECONDS], duration)
    bump(&counts.durations[power if power < DURATIONS else DURATIONS - 1], received)
