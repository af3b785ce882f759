# cython: language_level=3
"""What the server tells of itself in class CHAOS, as ``nameserver.chaos``."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp

from nameserver._answer cimport Prepared
from nameserver._query cimport MESSAGE_HEADER, REFUSED
from nameserver._sections cimport Work
from nameserver._writer cimport Writer, write_head, write_owner
from zones._wire cimport put

cdef enum:
    TYPE_TXT = 16
    TYPE_ANY = 255
    LONGEST_STRING = 255


cdef inline bint is_one_of(const Prepared* p, const char* one, uint32_t one_size,
                           const char* other, uint32_t other_size) noexcept nogil:
    return (p.qname_size == one_size and not memcmp(p.qname, one, one_size)) \
        or (p.qname_size == other_size and not memcmp(p.qname, other, other_size))


cdef inline bint answer_chaos(Work* work, uint16_t* counts) noexcept nogil:
    """Write what this server tells of itself; ``False`` where it does not fit."""
    cdef const Prepared* p = work.prepared
    cdef Writer* w = &work.writer
    cdef const uint8_t* text = NULL
    cdef uint32_t size = 0, at = w.at, pointer = MESSAGE_HEADER
    if is_one_of(p, b"\x07version\x04bind", 14, b"\x07version\x06server", 16):
        text, size = work.settings.version, work.settings.version_size
    elif is_one_of(p, b"\x02id\x06server", 11, b"\x08hostname\x04bind", 15):
        text, size = work.settings.identity, work.settings.identity_size
    if not size:
        work.rcode = REFUSED
        return True
    work.authoritative = True
    if p.qtype != TYPE_TXT and p.qtype != TYPE_ANY:
        return True
    work.counts[0] = 1
    size = min(size, <uint32_t>LONGEST_STRING)
    if not write_owner(w, p.qname, p.qname_size, &pointer) \
            or not write_head(w, TYPE_TXT, 0, 1 + size) or w.limit - w.at < 1 + size:
        w.at = at
        return False
    w.out[w.at] = size
    put(w.out + w.at + 1, text, size)
    w.at += 1 + size
    counts[0] = 1
    return True
