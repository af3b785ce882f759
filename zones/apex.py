"""What stands at the apex of a version, found without an index of the zone and read when asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from zones import packed
from zones.packed import RRSET_HEAD, PackedError
from zones.packing import use_compiled
from zones.rrset import RRset

if TYPE_CHECKING:
    from zones.version import ZoneVersion

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones import _splice

Kind: TypeAlias = tuple[int, int]  # type, and type covered


class PackedApex(Mapping[Kind, RRset]):
    """The RRsets at the apex of packed content, which stand first in it.

    Making one walks their heads only, for every transfer looks several things up here. Raises
    ``PackedError``.
    """

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._places = _splice.apex_places(blob) if use_compiled() else places(blob)

    def __getitem__(self, kind: Kind) -> RRset:
        """Read one of them."""
        return packed.read_rrset(self._blob, self._places[kind])[0]

    def __contains__(self, kind: object) -> bool:
        """Tell without reading it."""
        return kind in self._places

    def __iter__(self) -> Iterator[Kind]:
        """Yield the kinds in order."""
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def apex_rrsets(version: ZoneVersion) -> Mapping[Kind, RRset]:
    """Return what stands at the apex, by type and type covered."""
    if version.descent is not None:
        return {key[1:]: rrset for key, rrset in version.layout.at(version.apex).items()}
    return PackedApex(version.blob)


def places(blob: bytes) -> dict[Kind, int]:
    """Return where each RRset of the apex starts; raises ``PackedError``."""
    header = packed.read_header(blob)
    owner = bytes((len(header.apex),)) + header.apex
    found: dict[Kind, int] = {}
    position = header.start
    while blob.startswith(owner, position):
        head = position + len(owner)
        end = head + RRSET_HEAD.size
        if end <= len(blob):
            rtype, covers, _ttl, _records, size = RRSET_HEAD.unpack_from(blob, head)
            end += size
        if end > len(blob):
            raise PackedError(f"a packed zone is cut short at octet {position}")
        found[rtype, covers] = position
        position = end
    return found
