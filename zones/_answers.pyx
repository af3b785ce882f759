# cython: language_level=3, boundscheck=False, wraparound=False
"""Reading the answer section of a message record by record: ``zones.answers``, compiled."""

from libc.stdint cimport uint8_t

from zones._wire cimport (
    FINE, MALFORMED, MAX_NAME, MAX_RDATA, MESSAGE_HEADER, Outcome, Reader, WireName, fold, get16,
    get32, read_name, read_rdata,
)


cdef enum:
    ROOM = MAX_RDATA + 2 * MAX_NAME  # what read_rdata may write


def read_answers(bytes message not None, int most):
    """Return the first records of the answer section, ``None`` where they are malformed."""
    cdef Reader reader = Reader(<const uint8_t*>message, len(message), 0, True)
    cdef WireName name
    cdef uint8_t rdata[ROOM]
    cdef const uint8_t* head
    cdef size_t length, size
    cdef int number, answers
    if reader.size < MESSAGE_HEADER:
        return None
    answers = min(<int>get16(reader.octets + 6), most)
    reader.position = MESSAGE_HEADER
    for number in range(get16(reader.octets + 4)):
        if read_name(&reader, reader.size, &name) != FINE or reader.size - reader.position < 4:
            return None
        reader.position += 4
    found = []
    for number in range(answers):
        if read_name(&reader, reader.size, &name) != FINE or reader.size - reader.position < 10:
            return None
        head = reader.octets + reader.position
        length = get16(head + 8)
        reader.position += 10
        if reader.size - reader.position < length or get16(head + 2) != 1:
            return None
        fold(name.octets, name.size)
        if read_rdata(&reader, reader.position + length, get16(head), rdata, &size) != FINE:
            return None
        found.append((
            (<const char*>name.octets)[:name.size],
            get16(head),
            get32(head + 4),
            (<const char*>rdata)[:size],
        ))
    return found
