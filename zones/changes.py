"""Changes to a version, record by record, as an incremental transfer tells them (RFC 1995 2).

What is removed must be there and what is added must not: otherwise the changes are not meant for
this version. So must the TTLs fit, since the records of a set have one (RFC 2181 5.2): a primary
whose sets have several is followed by whole zones only.
"""

from __future__ import annotations

from collections.abc import Iterator

from zones.errors import ZoneError
from zones.name import Name, is_subdomain
from zones.rrset import RRSIG, RRset
from zones.splice import Key
from zones.version import ZoneVersion


class Unfitting(ZoneError):
    """A change that is not one to this version."""


class Changes:
    """Changes under way; nothing happens to the base, and ``finish`` returns the new version.

    After a change has raised ``Unfitting`` the rest is of no further use.
    """

    def __init__(self, base: ZoneVersion) -> None:
        self.base = base
        self._layout = base.layout
        self._sets: dict[Key, tuple[int, set[bytes]]] = {}  # of what changed: TTL and records

    def remove(self, owner: Name, rtype: int, ttl: int, rdata: bytes) -> None:
        """Remove a record, all of it canonical; one outside of the zone was never taken over."""
        if not is_subdomain(owner, self.base.apex):
            return
        known_ttl, rdatas = self._at(owner, rtype, rdata)
        if rdata not in rdatas:
            raise _unfitting(owner, rtype, ttl, rdata, "to be removed is not there")
        if ttl != known_ttl:
            raise _unfitting(owner, rtype, ttl, rdata, f"to be removed has the TTL {known_ttl}")
        rdatas.remove(rdata)

    def add(self, owner: Name, rtype: int, ttl: int, rdata: bytes) -> None:
        """Add a record, all of it canonical; one outside of the zone is left out."""
        if not is_subdomain(owner, self.base.apex):
            return
        known_ttl, rdatas = self._at(owner, rtype, rdata)
        if rdata in rdatas:
            raise _unfitting(owner, rtype, ttl, rdata, "to be added is there already")
        if rdatas and ttl != known_ttl:
            why = f"to be added stands beside others with the TTL {known_ttl}"
            raise _unfitting(owner, rtype, ttl, rdata, why)
        if not rdatas:
            self._sets[_key(owner, rtype, rdata)] = ttl, rdatas
        rdatas.add(rdata)

    def __len__(self) -> int:
        return len(self._sets)

    def at(self, owner: Name) -> dict[Key, RRset]:
        """Return what stands at a name in the base."""
        return self._layout.at(owner)

    def rdatas(self, owner: Name, rtype: int) -> set[bytes]:
        """Return the records of a set (not RRSIG) with the changes made so far."""
        return set(self._at(owner, rtype, b"")[1])

    def touched(self) -> Iterator[tuple[Name, dict[Key, RRset], dict[Key, RRset]]]:
        """Yield the names at which something changed, with all that stands there before and after.

        To be asked when all changes are made.
        """
        changed: dict[Name, list[tuple[Key, RRset | None]]] = {}
        for key, rrset in self.sets():
            changed.setdefault(key[0], []).append((key, rrset))
        for owner, sets in changed.items():
            before = self._layout.at(owner)
            gone = {key for key, _rrset in sets}
            after = {key: rrset for key, rrset in before.items() if key not in gone}
            after |= {key: rrset for key, rrset in sets if rrset is not None}
            yield owner, before, after

    def finish(self) -> ZoneVersion:
        """Return the new version."""
        return self.base.changed(dict(self.sets()))

    def _at(self, owner: Name, rtype: int, rdata: bytes) -> tuple[int, set[bytes]]:
        key = _key(owner, rtype, rdata)
        found = self._sets.get(key)
        if found is None:
            rrset = self._layout.get(key)
            found = (rrset.ttl, set(rrset.rdatas)) if rrset else (0, set())
            self._sets[key] = found
        return found

    def sets(self) -> Iterator[tuple[Key, RRset | None]]:
        """Yield the sets that changed, as they are now; ``None`` for what is gone."""
        for key, (ttl, rdatas) in self._sets.items():
            rrset = RRset(key[0], key[1], ttl, tuple(sorted(rdatas))) if rdatas else None
            yield key, rrset


def _key(owner: Name, rtype: int, rdata: bytes) -> Key:
    return owner, rtype, int.from_bytes(rdata[:2], "big") if rtype == RRSIG else 0


def _unfitting(owner: Name, rtype: int, ttl: int, rdata: bytes, why: str) -> Unfitting:
    (line,) = RRset(owner, rtype, ttl, (rdata,)).lines()
    return Unfitting([f"the record {line} {why}"])
