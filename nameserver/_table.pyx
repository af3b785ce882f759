# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The writing side of the zone table; the reading side is inline in ``_table.pxd``.

A slot that was taken once keeps its hash, so that readers who walk past it find what lies behind;
only a new root leaves such slots out. A root is made when half of the slots are used up.
"""

cimport cython
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from nameserver._image cimport CHANGEABLE, Content
from nameserver._names cimport Labels, check_name, split

from threading import Lock
from time import monotonic, sleep
from weakref import WeakKeyDictionary
from weakref import ref as weakref

from nameserver.table import ZoneState

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
        free(self.table.root)

    def __len__(self):
        return len(self.held)

    def __contains__(self, apex):
        return apex in self.held

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

    def replace(self, served):
        """Put a zone in, in place of what stood at its apex; raises ``PackedError``."""
        cdef Handle before = self.held.get(served.apex)
        cdef Handle handle = new_handle(served, before, self)
        cdef Line line
        if before is not None:
            handle.zone.number = before.zone.number
            self.retired.append(before)
        elif self.free_numbers:
            handle.zone.number = self.free_numbers.pop()
        else:
            handle.zone.number = self.numbers
            self.numbers += 1
        self.held[served.apex] = handle
        line = self.lines.get(served.apex)
        if line is not None and line.version() is not handle.version:
            self.lines.pop(served.apex, None)
        if before is None and 2 * (self.table.root.used + 1) > self.table.root.size:
            self.grow()
        put_zone(self.table.root, handle.zone)

    def remove(self, bytes apex not None):
        """Take a zone out; one that is not there is no error."""
        cdef Handle before = self.held.pop(apex, None)
        cdef Root* root = self.table.root
        cdef uint32_t i
        self.lines.pop(apex, None)
        if before is None:
            return
        i = <uint32_t>(before.zone.hash >> 32) & (root.size - 1)
        while root.slots[i].zone != before.zone:
            i = (i + 1) & (root.size - 1)
        store_zone(&root.slots[i].zone, NULL)
        self.free_numbers.append(before.zone.number)
        self.retired.append(before)

    def take_retired(self):
        """Return what was replaced since the last call: to be dropped when no reader sees it."""
        retired, self.retired = self.retired, []
        return retired

    cdef int grow(self) except -1:
        """Make a new root, with room for twice the zones; the last one held is put in later."""
        cdef uint32_t size = SMALLEST
        cdef RetiredRoot retired = RetiredRoot()
        cdef Root* root
        cdef Handle handle
        while size < 4 * len(self.held):
            size *= 2
        root = new_root(size)
        for handle in self.held.values():
            put_zone(root, handle.zone)
        retired.root = self.table.root
        store_root(&self.table.root, root)
        self.retired.append(retired)
        return 0
