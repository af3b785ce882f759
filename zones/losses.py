"""How much of a version is missing in another one: names and records, without those of DNSSEC."""

from __future__ import annotations

import contextlib
from typing import Final, NamedTuple

from zones.name import Name
from zones.packing import use_compiled
from zones.rrset import NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, ZONEMD
from zones.version import ZoneVersion

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones._splice import count_losses

# They come and go with every signing, or with every change.
UNCOUNTED: Final = frozenset({SOA, RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD})


class Losses(NamedTuple):
    """What there was, and how much of it is gone; ``names`` are those below the apex.

    ``names_left`` counts the names below the apex of the new version.
    """

    names: int
    names_lost: int
    records: int
    records_lost: int
    names_left: int


def losses(old: ZoneVersion, new: ZoneVersion) -> Losses:
    """Compare two versions of a zone; a changed TTL is no loss."""
    if use_compiled():
        return Losses(*count_losses(old.blob, new.blob))
    before, after = _content(old), _content(new)
    names = {owner for owner, _rtype in before if owner != old.apex}
    names_after = {owner for owner, _rtype in after if owner != old.apex}
    lost = sum(len(rdatas - after.get(key, set())) for key, rdatas in before.items())
    total = sum(map(len, before.values()))
    return Losses(len(names), len(names - names_after), total, lost, len(names_after))


def _content(version: ZoneVersion) -> dict[tuple[Name, int], set[bytes]]:
    return {
        (rrset.owner, rrset.rtype): set(rrset.rdatas)
        for rrset in version
        if rrset.rtype not in UNCOUNTED
    }
