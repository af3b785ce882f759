# cython: language_level=3
"""An answer while it is put together: ``nameserver.answer`` in arrays of fixed size."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memset

from nameserver._answer cimport Prepared, Settings
from nameserver._image cimport NONE, Image, Node
from nameserver._names cimport Labels, mix, read64
from nameserver._table cimport Root, Zone
from nameserver._writer cimport LAST, Writer
from zones._wire cimport get16, get32

cdef enum:
    MOST_ITEMS = 4096  # what has more is the oracle's to answer
    FEW_ITEMS = 12  # that are compared one by one
    ITEM_BUCKETS = 1024
    LONGEST_CHAIN = 16  # nameserver.compose.LONGEST_CHAIN
    GROWING_CHAIN = 5  # nameserver.compose.GROWING_CHAIN

cdef enum Section:
    ANSWER
    AUTHORITY
    ADDITIONAL


cdef struct Item:  # nameserver.answer.Entry
    const uint8_t* owner
    const Image* image  # NULL: a CNAME made up, whose target is in rdata
    const uint8_t* rdata
    uint32_t set
    uint32_t signature
    uint32_t ttl
    uint16_t rtype
    uint16_t covers
    uint16_t pointer  # where the owner stands in the message, if that is known; or 0
    uint16_t next  # in the same bucket
    uint8_t owner_size
    uint8_t rdata_size
    bint required
    bint capped  # the signatures have the TTL of the set: SOA in negative answers


cdef struct Work:
    # The question:
    const Root* root
    const Prepared* prepared
    const Settings* settings
    bint datagram
    bint encrypted
    # The name that is being answered:
    const uint8_t* name
    int name_size
    const Labels* labels
    int length  # of the chain so far
    const Image* image
    const Image* target_image  # whose node target is: that of the name, or NONE
    uint32_t target
    # The answer:
    int rcode
    bint authoritative
    bint synthesised
    bint overflow
    int error  # extended, RFC 8914; -1: none
    const char* error_text
    uint32_t opt_size
    bint has_cookie  # the OPT record has it; and so on
    bint has_nsid
    bint has_keepalive
    bint has_version
    bint has_error
    uint32_t item_count
    uint32_t counts[3]
    bint hashed  # the buckets are in use
    uint16_t order[3][MOST_ITEMS]
    Item items[MOST_ITEMS]
    uint16_t buckets[ITEM_BUCKETS]
    # Room for names that are made up, and the labels of those followed:
    uint8_t names[LONGEST_CHAIN + 1][256]
    Labels chain_labels
    Writer writer


cdef inline uint32_t item_bucket(const Item* item) noexcept nogil:
    cdef uint64_t result = <uint64_t>item.rtype << 16 | item.covers
    cdef uint32_t left = item.owner_size
    cdef const uint8_t* octets = item.owner
    while left >= 8:
        result = mix(result ^ <uint64_t>0x9E3779B97F4A7C15, read64(octets) ^ <uint64_t>0xD1B54A32D192ED03)
        octets += 8
        left -= 8
    while left:
        result = (result ^ octets[0]) * <uint64_t>0x9E3779B97F4A7C15
        octets += 1
        left -= 1
    return (result ^ result >> 32) & (ITEM_BUCKETS - 1)


cdef inline bint same_key(const Item* a, const Item* b) noexcept nogil:
    return a.rtype == b.rtype and a.owner_size == b.owner_size and a.covers == b.covers \
        and (a.owner == b.owner or not memcmp(a.owner, b.owner, a.owner_size))


cdef inline void put_in_bucket(Work* work, uint32_t number) noexcept nogil:
    cdef uint32_t bucket = item_bucket(&work.items[number])
    work.items[number].next = work.buckets[bucket]
    work.buckets[bucket] = number


cdef inline bint is_present(Work* work, const Item* item) noexcept nogil:
    cdef uint32_t i
    if work.item_count <= FEW_ITEMS:
        for i in range(work.item_count):
            if same_key(item, &work.items[i]):
                return True
        return False
    if not work.hashed:
        memset(work.buckets, 0xFF, sizeof(work.buckets))
        for i in range(work.item_count):
            put_in_bucket(work, i)
        work.hashed = True
    i = work.buckets[item_bucket(item)]
    while i != LAST:
        if same_key(item, &work.items[i]):
            return True
        i = work.items[i].next
    return False


cdef inline Item* new_item(Work* work) noexcept nogil:
    """Return room for one item more; it counts when it is added."""
    return &work.items[work.item_count]


cdef inline bint add_item(Work* work, int section) noexcept nogil:
    """Add what was put into ``new_item``; ``False`` if the message has it already."""
    cdef uint32_t number = work.item_count
    if is_present(work, &work.items[number]):
        return False
    if number + 1 >= MOST_ITEMS:
        work.overflow = True
        return True
    if work.hashed:
        put_in_bucket(work, number)
    work.order[section][work.counts[section]] = number
    work.counts[section] += 1
    work.item_count += 1
    return True


cdef inline void fill_item(Work* work, const uint8_t* owner, int owner_size, uint32_t number,
                           bint signed, bint required) noexcept nogil:
    """Put an RRset of the zone into ``new_item``, with its signatures if they are wanted."""
    cdef Item* item = new_item(work)
    cdef const Image* image = work.image
    item.owner, item.owner_size = owner, owner_size
    item.image, item.set = image, number
    item.rtype, item.covers = image.sets[number].rtype, image.sets[number].covers
    item.signature = image.sets[number].signature if signed else <uint32_t>NONE
    item.ttl = get32(image.blob + image.sets[number].head + 4)
    item.required, item.capped, item.pointer = required, False, 0


cdef inline void add_set(Work* work, int section, const Node* node, uint32_t number,
                         bint required) noexcept nogil:
    """Add an RRset of a node under the node's name."""
    fill_item(work, work.image.blob + node.name, node.size, number, work.prepared.dnssec, required)
    add_item(work, section)


cdef inline uint16_t pointer_above(const Work* work, int size) noexcept nogil:
    """Return where a name stands in the message that is known to be a suffix of the one answered.

    Only the name that was asked for is in the message; the root is never pointed at.
    """
    return 12 + work.name_size - size if not work.length and size > 1 else 0


cdef inline uint32_t set_octets(const Image* image, uint32_t number) noexcept nogil:
    """Return the octets of all rdata of a set."""
    cdef const uint8_t* head = image.blob + image.sets[number].head
    return get32(head + 12) - 2 * get32(head + 8)
