# cython: language_level=3
"""The OPT record of a response, as ``nameserver.edns.record`` with ``respond``'s options.

Its size is known before the records are written, so that room is kept for it.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from nameserver._answer cimport COOKIE_SIZE, MALFORMED, MINIMUM_UDP, Prepared
from nameserver._image cimport NONE, Image
from nameserver._query cimport (
    OPTION_COOKIE, OPTION_KEEPALIVE, OPTION_NSID, OPTION_PADDING, OPTION_ZONEVERSION,
    TYPE_OPT,
)
from nameserver._sections cimport Work
from nameserver._writer cimport SET_HEAD
from zones._wire cimport get16, put, put16

cdef enum:
    OPT_SIZE = 11
    VERSION_SIZE = 6  # RFC 9660 2: labels, type, serial
    OPTION_ERROR = 15
    BLOCK = 468  # nameserver.edns.BLOCK


cdef inline uint32_t text_size(const char* text) noexcept nogil:
    cdef uint32_t size = 0
    while text[size]:
        size += 1
    return size


cdef inline bint takes(Work* work, uint32_t room, uint32_t size) noexcept nogil:
    """Take room for an option, if it is there."""
    if work.opt_size + size > room:
        return False
    work.opt_size += size
    return True


cdef inline bint tells_version(const Work* work) noexcept nogil:
    """Tell whether the version of a zone is asked for, and there is one (``respond._zone_version``).

    A brief answer is from no zone.
    """
    cdef const Prepared* p = work.prepared
    return p.wants_version and work.root != NULL and p.zone != NULL \
        and p.zone.image.nodes != NULL and p.zone.image.apex_soa != <uint32_t>NONE


cdef inline uint8_t* put_version(uint8_t* out, const Image* image) noexcept nogil:
    cdef const uint8_t* rdata = image.blob + image.sets[image.apex_soa].head + SET_HEAD
    out[0], out[1] = image.apex_labels, 0  # the type: SOA-SERIAL
    return put(out + 2, rdata + 2 + get16(rdata) - 20, 4)


cdef inline void plan_opt(Work* work, uint32_t at) noexcept nogil:
    """Choose the options of the OPT record: as many as 512 octets have room for."""
    cdef uint32_t room = MINIMUM_UDP - work.settings.reserve - at
    work.opt_size = OPT_SIZE
    work.has_cookie = work.prepared.verdict > MALFORMED and takes(work, room, 4 + COOKIE_SIZE)
    work.has_nsid = work.prepared.wants_nsid and work.settings.identity_size \
        and takes(work, room, 4 + work.settings.identity_size)
    work.has_keepalive = work.prepared.wants_keepalive and work.settings.keepalive \
        and not work.datagram and takes(work, room, 6)
    work.has_version = tells_version(work) and takes(work, room, 4 + VERSION_SIZE)
    work.has_error = work.error >= 0 and takes(work, room, 6 + text_size(work.error_text))


cdef inline uint32_t padding_size(const Work* work, uint32_t limit) noexcept nogil:
    """Return the octets of the padding option, 0 where there is none (``edns.padding``)."""
    cdef uint32_t size = work.writer.at + work.opt_size + 4
    cdef uint32_t over = (size + work.settings.reserve) % BLOCK
    if not work.encrypted or not work.prepared.wants_padding or size > limit:
        return 0
    return 4 + min(BLOCK - over if over else 0, limit - size)


cdef inline void write_opt(Work* work) noexcept nogil:
    """Write the OPT record that was planned; the room for it was kept."""
    cdef uint8_t* out = work.writer.out + work.writer.at
    cdef uint32_t padding = padding_size(work, work.writer.limit)
    work.opt_size += padding
    work.writer.at += work.opt_size
    out[0] = 0
    put16(put16(out + 1, TYPE_OPT), work.settings.udp_limit)
    out[5], out[6], out[7], out[8] = work.rcode >> 4, 0, 0x80 if work.prepared.dnssec else 0, 0
    out = put16(out + 9, work.opt_size - OPT_SIZE)
    if work.has_cookie:
        out = put16(put16(out, OPTION_COOKIE), COOKIE_SIZE)
        out = put(out, work.prepared.answer_cookie, COOKIE_SIZE)
    if work.has_nsid:
        out = put16(put16(out, OPTION_NSID), work.settings.identity_size)
        out = put(out, work.settings.identity, work.settings.identity_size)
    if work.has_keepalive:
        out = put16(put16(put16(out, OPTION_KEEPALIVE), 2), work.settings.keepalive)
    if work.has_version:
        out = put_version(put16(put16(out, OPTION_ZONEVERSION), VERSION_SIZE),
                          &work.prepared.zone.image)
    if work.has_error:
        out = put16(put16(put16(out, OPTION_ERROR), 2 + text_size(work.error_text)), work.error)
        out = put(out, work.error_text, text_size(work.error_text))
    if padding:
        out = put16(put16(out, OPTION_PADDING), padding - 4)
        memset(out, 0, padding - 4)
