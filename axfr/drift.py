"""Whether primaries still have what is served: content may change without a new serial.

A secondary that trusts the serial (RFC 1034 4.3.5) never learns of such a change. Here the zone is
transferred whole and compared, and nothing of it is ever published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from axfr.answer_stream import Limits
from axfr.client import INLINE_RECORDS, Client, off_the_loop
from axfr.errors import TransferError
from zones.diff import Difference, diff
from zones.name import Name
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion


@dataclass(frozen=True, slots=True)
class Compared:
    """What one primary has: its serial, or why it did not tell.

    ``difference`` leads from what is served to what it has under the same serial; ``None`` where
    that was not compared. ``hash`` is that of its content.
    """

    primary: str
    serial: int | None = None
    reason: str = ""
    difference: Difference | None = None
    hash: str = ""

    @property
    def is_drift(self) -> bool:
        """Tell whether the content differs although the serial does not."""
        return self.difference is not None and not self.difference.is_empty


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the primaries of a zone have, compared with the version in service."""

    apex: Name
    serial: int
    primaries: tuple[Compared, ...] = ()

    @property
    def drift(self) -> Compared | None:
        """Return the first primary whose content differs under the same serial."""
        return next((one for one in self.primaries if one.is_drift), None)

    @property
    def is_compared(self) -> bool:
        """Tell whether the content of any primary was compared."""
        return any(one.difference is not None for one in self.primaries)

    @property
    def serials(self) -> dict[str, int]:
        """Return the serials of the primaries that told theirs."""
        return {one.primary: one.serial for one in self.primaries if one.serial is not None}

    @property
    def is_apart(self) -> bool:
        """Tell whether primaries have different serials."""
        return len(set(self.serials.values())) > 1


@dataclass(frozen=True, slots=True)
class Comparing:
    """What a comparison needs; at most ``whole`` primaries are asked for the whole zone."""

    client: Client
    keys: Mapping[Name, TsigKey]
    limits: Limits = field(default_factory=Limits)
    whole: int = 1

    async def run(self, version: ZoneVersion, primaries: Iterable[Primary]) -> Comparison:
        """Ask all primaries for their serial, and some that have that in service for the zone."""
        found: list[Compared] = []
        for primary in primaries:
            left = self.whole - sum(one.difference is not None for one in found)
            found.append(await self._ask(version, primary, whole=left > 0))
        return Comparison(version.apex, version.serial, tuple(found))

    async def _ask(self, version: ZoneVersion, primary: Primary, *, whole: bool) -> Compared:
        name = str(primary)
        key = self.keys.get(primary.key) if primary.key is not None else None
        if primary.key is not None and key is None:
            return Compared(name, reason="the key for it is not known here")
        serial: int | None = None
        try:
            serial = (await self.client.query_soa(primary, version.apex, key)).serial
            if serial != version.serial or not whole:
                return Compared(name, serial)
            fetched = await self.client.fetch(primary, version.apex, key, self.limits)
        except TransferError as error:
            return Compared(name, serial, error.reason)
        assert fetched.packed is not None
        theirs = ZoneVersion(fetched.packed.blob)
        if theirs.serial != version.serial:
            return Compared(name, theirs.serial)
        many = theirs.record_count > INLINE_RECORDS
        difference = await off_the_loop(lambda: diff(version, theirs), many=many)
        return Compared(name, theirs.serial, "", difference, theirs.content_hash)
