"""ZONEMD: a checksum of the whole zone, verified before it is served (RFC 8976)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from zones import packed
from zones.apex import apex_rrsets
from zones.finding import Finding
from zones.name import Name, display
from zones.packing import use_compiled
from zones.rrset import ZONEMD
from zones.rules import RULES
from zones.version import ZoneVersion

with contextlib.suppress(ImportError):  # no compiler where this was installed
    from zones._splice import canonical_wire

SIMPLE: Final = 1  # the scheme: RFC 8976 2.2.2
HASHES: Final[dict[int, tuple[str, Callable[[], Any]]]] = {  # RFC 8976 5.3
    1: ("SHA-384", hashlib.sha384),
    2: ("SHA-512", hashlib.sha512),
}
LEAST_DIGEST: Final = 12  # octets: RFC 8976 2.2.4
AT_ONCE: Final = 1 << 20  # octets that are hashed at once


def check_zonemd(version: ZoneVersion) -> list[Finding]:
    """Return what is wrong with the ZONEMD records of the apex; nothing where there are none.

    One record that fits is enough; unknown schemes and algorithms are passed over (RFC 8976 4).
    """
    rrset = apex_rrsets(version).get((ZONEMD, 0))
    if rrset is None:
        return []
    wrong: list[str] = []
    usable = list(_usable(rrset.rdatas))
    for number, rdata in usable:
        why = _mismatch(version, number, rdata)
        if why is None:
            return []
        wrong.append(why)
    if wrong:
        return [_finding(version.apex, "zonemd-wrong", reason) for reason in wrong]
    sentence = (
        f"No ZONEMD record of {display(version.apex)} can be checked here: {_kinds(rrset.rdatas)}."
    )
    return [_finding(version.apex, "zonemd-unusable", sentence)]


def digest(version: ZoneVersion, algorithm: int) -> bytes:
    """Return the digest of the SIMPLE scheme by hash algorithm 1 or 2 (RFC 8976 3)."""
    made = HASHES[algorithm][1]()
    for piece in _wire(version) if use_compiled() else _plain_wire(version):
        made.update(piece)
    return bytes(made.digest())


def _usable(rdatas: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    """Yield algorithm and rdata of those that can be checked; a pair that is there twice cannot."""
    kinds = [rdata[4:6] for rdata in rdatas]
    for rdata in rdatas:
        if (
            len(rdata) >= 6 + LEAST_DIGEST
            and rdata[4] == SIMPLE
            and rdata[5] in HASHES
            and kinds.count(rdata[4:6]) == 1
        ):
            yield rdata[5], rdata


def _mismatch(version: ZoneVersion, algorithm: int, rdata: bytes) -> str | None:
    zone, serial = display(version.apex), int.from_bytes(rdata[:4], "big")
    name = HASHES[algorithm][0]
    if serial != version.serial:
        return (
            f"The ZONEMD record of {zone} ({name}) was made for serial {serial},"
            f" and the zone has serial {version.serial}."
        )
    made = digest(version, algorithm)
    if made == rdata[6:]:
        return None
    return (
        f"The ZONEMD record of {zone} ({name}) holds a checksum that begins with"
        f" {rdata[6:12].hex()}; that of the records that arrived begins with {made[:6].hex()}."
    )


def _kinds(rdatas: tuple[bytes, ...]) -> str:
    return ", ".join(
        f"scheme {rdata[4]}, hash algorithm {rdata[5]}" if len(rdata) > 5 else "cut short"
        for rdata in rdatas[:4]
    )


def _finding(apex: Name, rule: str, sentence: str) -> Finding:
    known = RULES[rule]
    return Finding(rule, known.severity, apex, ZONEMD, sentence, known.fix)


def _wire(version: ZoneVersion) -> Iterator[bytearray]:
    position = packed.read_header(version.blob).start
    while position < len(version.blob):
        piece, position = canonical_wire(version.blob, position, AT_ONCE)
        yield piece


def _plain_wire(version: ZoneVersion) -> Iterator[bytes]:
    """Yield the records in canonical wire form (RFC 8976 3.3)."""
    for rrset in version:
        if ZONEMD in (rrset.rtype, rrset.covers) and rrset.owner == version.apex:
            continue
        head = rrset.owner + rrset.rtype.to_bytes(2, "big") + b"\0\1" + rrset.ttl.to_bytes(4, "big")
        for rdata in rrset.rdatas:
            yield head + len(rdata).to_bytes(2, "big") + rdata
