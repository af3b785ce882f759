# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The writing side of the zone table; the reading side is inline in ``_table.pxd``.

A slot that was taken once keeps its hash, so that readers who walk past it find what lies behind;
only a new root leaves such slots out. A root is made when half of the slots are used up.
"""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from nameserver._arrays cimport round8
from nameserver._image cimport CHANGEABLE, NONE, Content, Image, make_block
from nameserver._names cimport Labels, check_name, split

from threading import Lock
from time import monotonic, sleep
from weakref import WeakKeyDictionary
from weakref import ref as weakref

from nameserver.table import ZoneState
from zones.packed import PackedError

cdef enum:
    SMALLEST = 16

WAIT = 0.001  # seconds, between two looks whether an image is still read
LONGEST_WAIT = 0.05  # then a copy is made, which takes no less

cdef object STATE_SERVING = ZoneState.SERVING
cdef dict OTHER_STATES = {
    ZoneState.EXPIRED: EXPIRED,
    ZoneState.PENDING: PENDING,
    ZoneState.SUSPENDED: SUSPENDED,
}


@cython.no_gc
cdef class Handle:
    """Holds a zone of the table as long as readers may see it."""
    cdef Zone* zone
    cdef readonly Content content
    cdef readonly object version  # what the content was made from

    def __dealloc__(self):
        if self.content is not None:
            self.content.users -= 1
        free(self.zone)


@cython.no_gc
cdef class Line:
    """See ``_table.pxd``."""


cdef class RetiredRoot:
    """Holds an array of slots that readers may still walk."""
    cdef Root* root

    def __dealloc__(self):
        free(self.root)


cdef Handle new_handle(object served, Handle before, Zones zones):
    cdef Handle handle = Handle()
    cdef bytes apex = served.apex
    cdef Labels labels
    cdef Zone* zone
    if check_name(<const uint8_t*>apex, len(apex)) != len(apex) or apex != apex.lower():
        raise ValueError(f"not a folded name: {apex!r}")
    state = served.state
    version = served.version if state is STATE_SERVING else None
    if version is not None:
        if version.apex != apex:
            raise ValueError("a zone version of another apex")
        handle.version = version
        if before is not None and before.version is version:
            handle.content = before.content
        else:
            handle.content = zones.ahead.pop(version, None)
            if handle.content is None:
                handle.content = Content(version.blob, zones.changeable)
            else:
                handle.content.users -= 1  # that was ``ahead``
        handle.content.users += 1
    split(<const uint8_t*>apex, &labels)
    zone = handle.zone = <Zone*>malloc(sizeof(Zone) - 255 + len(apex))
    if zone == NULL:
        raise MemoryError
    memset(zone, 0, sizeof(Zone) - 255)
    zone.hash = key_of(labels.hashes[0])
    if state is STATE_SERVING:
        zone.state = SERVING if version is not None else PENDING
    else:
        zone.state = OTHER_STATES[state]
    zone.labels, zone.size = labels.count, len(apex)
    memcpy(zone.apex, <const uint8_t*>apex, len(apex))
    if handle.content is not None:
        zone.image = handle.content.image
    return handle


cdef Root* new_root(uint32_t size) except NULL:
    cdef Root* root = <Root*>calloc(1, sizeof(Root) + size * sizeof(Entry))
    if root == NULL:
        raise MemoryError
    root.size = size
    return root


cdef void put_zone(Root* root, const Zone* zone) noexcept nogil:
    """Store a zone in its slot, or in the first free one: zone first, then hash."""
    cdef uint32_t i = <uint32_t>(zone.hash >> 32) & (root.size - 1)
    cdef const Zone* there
    while root.slots[i].hash:
        there = root.slots[i].zone
        if root.slots[i].hash == zone.hash and (
            there == NULL or same_name(there.apex, there.size, zone.apex, zone.size)
        ):
            store_zone(&root.slots[i].zone, zone)
            return
        i = (i + 1) & (root.size - 1)
    root.depths[zone.labels >> 6] |= <uint64_t>1 << (zone.labels & 63)
    root.used += 1
    store_zone(&root.slots[i].zone, zone)
    store_hash(&root.slots[i].hash, zone.hash)


@cython.no_gc_clear  # what is freed with it has to be there until then
cdef class Zones:
    """The zones by apex; see ``_table.pxd``. What is replaced goes to ``retired``."""

    def __cinit__(self):
        self.changeable = CHANGEABLE
        self.held = {}
        self.retired = []
        self.ahead = WeakKeyDictionary()
        self.lines = {}
        self.lines_lock = Lock()
        self.free_numbers = []
        self.table.root = new_root(SMALLEST)

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.table.root.size):
            if self.table.root.slots[i].zone != NULL and self.table.root.slots[i].zone.octets:
                free(<void*>self.table.root.slots[i].zone)
        free(self.table.root)

    def __len__(self):
        return len(self.held) + self.loaded_count

    def __contains__(self, apex):
        return apex in self.held or self.block(apex) != NULL

    def prepare(self, version):
        """Make the image of a version ahead of ``replace``; from any thread.

        Where the version came by changes from the one in service, and that is large, so does its
        image; this waits a moment for the image before to be out of use. Returns whether that
        could be done.
        """
        cdef Content content
        with self.lines_lock:
            content = self.changed(version)
            if content is None:
                self.lines.pop(version.apex, None)
        is_changed = content is not None
        if content is None:
            content = Content(version.blob, self.changeable)
        content.users += 1
        self.ahead[version] = content
        return is_changed

    cdef Content changed(self, version):
        """Return the image of a version made by changing that of its parent; ``None``: it cannot be."""
        cdef Line line = self.lines.get(version.apex)
        cdef Content content
        cdef size_t start
        step = version.step
        parent = None if step is None else step.parent()
        if parent is None:
            return None
        if line is None or line.version() is not parent:
            line = self.new_line(parent)
            if line is None:
                return None
        content = self.spare(line)
        start = line.newest.records.size
        if content is None or not line.newest.records.append(step.delta):
            return None
        line.owed.append((start, line.newest.records.size))
        if not content.take_over(start, line.newest.records.size):
            return None
        line.behind, line.newest, line.version = line.newest, content, weakref(version)
        del line.owed[:-1]
        return content

    cdef Line new_line(self, version):
        """Begin to change the image of a version in service."""
        cdef Handle handle = self.held.get(version.apex)
        cdef Line line
        if handle is None or handle.version is not version or not handle.content.can_change:
            return None
        line = self.lines[version.apex] = Line()
        line.newest, line.version, line.owed = handle.content, weakref(version), []
        line.behind = handle.content.copy()
        if line.newest.records is None:  # the octets that are read are those of the version
            line.newest.rest_on(line.behind.records)
        return line

    cdef Content spare(self, Line line):
        """Return an image that nobody reads and that is the same as the newest."""
        cdef Content content = line.behind
        deadline = monotonic() + LONGEST_WAIT
        while content.users and monotonic() < deadline:
            sleep(WAIT)
        if content.users or not content.can_change:
            content = line.newest.copy()
        else:
            for start, end in line.owed:
                if not content.take_over(start, end):
                    return None
        line.owed.clear()
        return content

    def load_many(self, rows not None):
        """Put in many small zones that are in service, (id in the store, packed form), quickly.

        They must not be in the table. Nothing is kept of them but what answering needs; ``loaded``
        and ``loaded_id`` tell it. Returns those that are damaged, as (row, reason).
        """
        cdef bytes blob
        cdef Image image
        cdef size_t size, front
        cdef Zone* zone
        cdef Labels labels
        damaged = []
        self.make_room(len(self) + len(rows))
        for row in rows:
            number, blob = row
            try:
                size = int.from_bytes(blob[6:8], "big")  # of the apex: zones.packed.HEADER
                front = round8(sizeof(Zone) - 255 + size)
                zone = <Zone*>make_block(blob, front, &image)
            except PackedError as error:
                damaged.append((row, str(error)))
                continue
            memset(zone, 0, front)
            zone.image, zone.id, zone.octets, zone.state = image, number, len(blob), SERVING
            zone.size = size
            memcpy(zone.apex, image.blob + image.nodes[0].name, size)
            split(zone.apex, &labels)
            zone.hash, zone.labels = key_of(labels.hashes[0]), labels.count
            zone.number = self.next_number()
            self.loaded_count += 1
            put_zone(self.table.root, zone)
        return damaged

    cdef Zone* block(self, bytes apex) except? NULL:
        """Return the zone that was loaded in bulk, or NULL."""
        cdef Labels labels
        cdef const Zone* zone
        if not self.loaded_count or check_name(<const uint8_t*>apex, len(apex)) != len(apex):
            return NULL
        split(<const uint8_t*>apex, &labels)
        zone = zone_at(self.table.root, labels.hashes[0], <const uint8_t*>apex, len(apex))
        return <Zone*>zone if zone != NULL and zone.octets else NULL

    def loaded(self, bytes apex not None):
        """Return the packed form of a zone that was loaded in bulk and is still there, or ``None``."""
        cdef Zone* zone = self.block(apex)
        return None if zone == NULL else <bytes>zone.image.blob[:zone.octets]

    def loaded_id(self, bytes apex not None):
        """Return the id of its version in the store, 0 for any other zone."""
        cdef Zone* zone = self.block(apex)
        return 0 if zone == NULL else zone.id

    def loaded_apexes(self, *, bint signed=False):
        """Return the apexes of the zones that were loaded in bulk and are still there.

        With ``signed`` only of those whose SOA has signatures.
        """
        cdef uint32_t i
        cdef const Zone* zone
        cdef const Image* image
        found = []
        for i in range(self.table.root.size):
            zone = self.table.root.slots[i].zone
            if zone == NULL or not zone.octets:
                continue
            image = &zone.image
            if not signed or (image.apex_soa != <uint32_t>NONE
                              and image.sets[image.apex_soa].signature != <uint32_t>NONE):
                found.append(<bytes>zone.apex[:zone.size])
        return found

    cdef uint32_t next_number(self) except? 0:
        if self.free_numbers:
            return self.free_numbers.pop()
        self.numbers += 1
        return self.numbers - 1

    def replace(self, served):
        """Put a zone in, in place of what stood at its apex; raises ``PackedError``."""
        cdef Handle before = self.held.get(served.apex)
        cdef Zone* block = NULL if before is not None else self.block(served.apex)
        cdef Handle handle = new_handle(served, before, self)
        cdef Line line
        if before is not None:
            handle.zone.number = before.zone.number
            self.retired.append(before)
        elif block != NULL:
            handle.zone.number = block.number
            self.retire_block(block)
        else:
            self.make_room(len(self) + 1)
            handle.zone.number = self.next_number()
        self.held[served.apex] = handle
        line = self.lines.get(served.apex)
        if line is not None and line.version() is not handle.version:
            self.lines.pop(served.apex, None)
        put_zone(self.table.root, handle.zone)

    def remove(self, bytes apex not None):
        """Take a zone out; one that is not there is no error."""
        cdef Handle before = self.held.pop(apex, None)
        cdef Zone* gone = before.zone if before is not None else self.block(apex)
        cdef Root* root = self.table.root
        cdef uint32_t i
        self.lines.pop(apex, None)
        if gone == NULL:
            return
        i = <uint32_t>(gone.hash >> 32) & (root.size - 1)
        while root.slots[i].zone != gone:
            i = (i + 1) & (root.size - 1)
        store_zone(&root.slots[i].zone, NULL)
        self.free_numbers.append(gone.number)
        if before is not None:
            self.retired.append(before)
        else:
            self.retire_block(gone)

    cdef int retire_block(self, Zone* zone) except -1:
        """Keep what was loaded in bulk as long as readers may see it."""
        cdef Handle handle = Handle()
        handle.zone = zone
        self.loaded_count -= 1
        self.retired.append(handle)
        return 0

    def take_retired(self):
        """Return what was replaced since the last call: to be dropped when no reader sees it."""
        retired, self.retired = self.retired, []
        return retired

    cdef int make_room(self, size_t count) except -1:
        """Make a new root, with room for twice the zones, where this one is too full for so many."""
        cdef uint32_t size = SMALLEST, i
        cdef Root* before = self.table.root
        cdef RetiredRoot retired
        cdef Root* root
        cdef size_t more = count - len(self)
        if 2 * (before.used + more) <= before.size:
            return 0
        while size < 4 * count:
            size *= 2
        root = new_root(size)
        for i in range(before.size):
            if before.slots[i].zone != NULL:
                put_zone(root, before.slots[i].zone)
        retired = RetiredRoot()
        retired.root = before
        store_root(&self.table.root, root)
        self.retired.append(retired)
        return 0
