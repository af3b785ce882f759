"""The RRset: all records of one owner and type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zones import rdata as rdata_codec
from zones.name import Name, canonical_key, fold, to_text

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 15, 16, 28, 33
DNAME, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM = 39, 43, 46, 47, 48, 50, 51
SVCB, HTTPS, ZONEMD, SPF, CAA, ANY = 64, 65, 63, 99, 257, 255


@dataclass(frozen=True, slots=True)
class RRset:
    """All records that share an owner, a type and, for RRSIG, the type covered.

    ``owner`` is folded, ``rdatas`` are canonical (RFC 4034 6.2), sorted and distinct; ``of`` makes
    them so. ``ttl`` is in seconds; a set has one (RFC 2181 5.2).
    """

    owner: Name
    rtype: int
    ttl: int
    rdatas: tuple[bytes, ...]

    @classmethod
    def of(cls, owner: Name, rtype: int, ttl: int, rdatas: Iterable[bytes]) -> RRset:
        """Return the RRset of records in any order and case, possibly repeated."""
        distinct = {rdata_codec.canonical(rtype, rdata) for rdata in rdatas}
        return cls(fold(owner), rtype, ttl, tuple(sorted(distinct)))

    @property
    def covers(self) -> int:
        """Return the type that RRSIGs of this set sign, 0 for any other type."""
        return int.from_bytes(self.rdatas[0][:2], "big") if self.rtype == RRSIG else 0

    @property
    def key(self) -> tuple[Name, int, int]:
        """Return what identifies the set within a zone."""
        return self.owner, self.rtype, self.covers

    @property
    def sort_key(self) -> tuple[tuple[bytes, ...], int, int]:
        """Return what puts the sets of a zone in the packed form's order."""
        return canonical_key(self.owner), self.rtype, self.covers

    def lines(self) -> list[str]:
        """Return the records as zone file lines."""
        head = f"{to_text(self.owner)} {self.ttl} IN {rdata_codec.type_text(self.rtype)}"
        return [f"{head} {rdata_codec.to_text(self.rtype, rdata)}" for rdata in self.rdatas]
