"""The difference of two versions of a zone, record by record, and applying it (RFC 1995 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zones import packed
from zones.errors import ZoneError
from zones.rrset import RRset
from zones.splice import Key, Layout, key_at, sort_key, starts
from zones.version import ZoneVersion

LONGEST: Final = 1 << 20  # octets that are compared at once
SHORTEST: Final = 64


@dataclass(frozen=True, slots=True)
class Difference:
    """The records that went and those that came, in canonical order.

    An RRset here has only the records that differ; where its TTL changed, all of them.
    """

    removed: tuple[RRset, ...]
    added: tuple[RRset, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether the versions have the same content."""
        return not self.removed and not self.added

    def lines(self) -> list[str]:
        """Return the records as lines, ``- `` or ``+ `` in front, those of one set together."""
        marked = [(rrset, "-") for rrset in self.removed] + [(rrset, "+") for rrset in self.added]
        marked.sort(key=lambda pair: pair[0].sort_key)  # stable: what went stays first
        return [f"{sign} {line}" for rrset, sign in marked for line in rrset.lines()]


def diff(old: ZoneVersion, new: ZoneVersion) -> Difference:
    """Return what to remove from ``old`` and to add so that it becomes ``new``."""
    removed: list[RRset] = []
    added: list[RRset] = []
    for before, after in _differing(old.blob, new.blob):
        went, came = _records(before, after)
        if went is not None:
            removed.append(went)
        if came is not None:
            added.append(came)
    return Difference(tuple(removed), tuple(added))


def _records(before: RRset | None, after: RRset | None) -> tuple[RRset | None, RRset | None]:
    if before is None or after is None or before.ttl != after.ttl:
        return before, after
    went = [rdata for rdata in before.rdatas if rdata not in set(after.rdatas)]
    came = [rdata for rdata in after.rdatas if rdata not in set(before.rdatas)]
    return _part(before, went), _part(after, came)


def _part(rrset: RRset, rdatas: list[bytes]) -> RRset | None:
    return RRset(rrset.owner, rrset.rtype, rrset.ttl, tuple(rdatas)) if rdatas else None


def _differing(old: bytes, new: bytes) -> Iterator[tuple[RRset | None, RRset | None]]:
    """Merge two sorted blobs and yield the RRsets that are not equal.

    Most of two versions is equal, and compared in long stretches; near a difference they get short.
    """
    before, after = packed.read_header(old).start, packed.read_header(new).start
    stretch = LONGEST
    while before < len(old) or after < len(new):
        equal = _equal_octets(old, before, new, after, stretch)
        if equal:
            before, after, stretch = before + equal, after + equal, min(stretch * 2, LONGEST)
            continue
        stretch = max(stretch // 4, SHORTEST)
        order = _order(old, before, new, after)
        went = came = None
        if order <= 0:
            went, before = packed.read_rrset(old, before)
        if order >= 0:
            came, after = packed.read_rrset(new, after)
        if went != came:
            yield went, came


def _equal_octets(old: bytes, before: int, new: bytes, after: int, stretch: int) -> int:
    """Return how many octets of whole RRsets are equal within a stretch, 0 where it is not."""
    if old[before : before + stretch] != new[after : after + stretch]:
        return 0
    end = before
    for end in starts(old, before, min(before + stretch, len(old))):  # noqa: B007
        pass
    return end - before


def _order(old: bytes, before: int, new: bytes, after: int) -> int:
    """Return -1, 0 or 1 as the RRset in ``old`` stands before, at or behind that in ``new``."""
    if before == len(old) or after == len(new):
        return 1 if before == len(old) else -1
    left, right = key_at(old, before), key_at(new, after)
    if left == right:
        return 0
    return -1 if sort_key(left) < sort_key(right) else 1


def apply(base: ZoneVersion, difference: Difference) -> ZoneVersion:
    """Return ``base`` with the difference made.

    A TTL that comes with added records becomes that of the set. Raises ``ZoneError``, with every
    reason, where a record to remove is absent or one to add is there: the difference is then not
    one to this base.
    """
    layout = Layout(base.blob)
    changes: dict[Key, RRset | None] = {}
    reasons: list[str] = []
    for gone in difference.removed:
        there = _current(layout, changes, gone.key)
        rdatas = set(there.rdatas) if there else set[bytes]()
        reasons += _told(gone, set(gone.rdatas) - rdatas, "to be removed is not there")
        kept = rdatas - set(gone.rdatas)
        ttl = there.ttl if there else gone.ttl
        changes[gone.key] = RRset.of(gone.owner, gone.rtype, ttl, kept) if kept else None
    for new in difference.added:
        there = _current(layout, changes, new.key)
        rdatas = set(there.rdatas) if there else set()
        reasons += _told(new, set(new.rdatas) & rdatas, "to be added is there already")
        changes[new.key] = RRset.of(new.owner, new.rtype, new.ttl, rdatas | set(new.rdatas))
    if reasons:
        raise ZoneError(reasons)
    return ZoneVersion(layout.splice(changes))


def _current(layout: Layout, changes: dict[Key, RRset | None], key: Key) -> RRset | None:
    return changes[key] if key in changes else layout.get(key)


def _told(rrset: RRset, rdatas: set[bytes], why: str) -> list[str]:
    part = _part(rrset, sorted(rdatas))
    return [f"the record {line} {why}" for line in part.lines()] if part else []
