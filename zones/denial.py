"""The orders in which signed zones deny: NSEC's of names, NSEC3's of their hashes.

Both answer one question: which record stands at a place of the circle of names, or next before it.
"""

from __future__ import annotations

import hashlib
from base64 import b32hexdecode, b32hexencode
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zones.name import Name, below, canonical_key

SHA1: Final = 1  # RFC 5155 11: the only algorithm there is
# RFC 9276 3.2: validators may treat a zone as unsigned above a limit of theirs; the common one was
# 150 once and is less now. Hashes above it are looked at by nobody, so they need not be made, and
# no zone can make its answers dear.
MAX_ITERATIONS: Final = 150
_HASH_LABEL: Final = 33  # octets of the label that is a hash in base32 (RFC 5155 3.3)
_SOA_BIT: Final = 0x02  # of the first octet of a type bitmap's window 0 (RFC 4034 4.1.2)


class NsecChain:
    """The owners of a zone's NSEC records in canonical order (RFC 4034 6.1)."""

    def __init__(self, owners: Iterable[Name]) -> None:
        self._owners = sorted(owners, key=canonical_key)
        self._keys = [canonical_key(owner) for owner in self._owners]

    def at_or_before(self, name: Name) -> Name:
        """Return the owner of the NSEC record that matches or covers ``name``."""
        # -1, before the first, is the last: it covers to the end and around (RFC 4034 4.1.1).
        return self._owners[bisect_right(self._keys, canonical_key(name)) - 1]


@dataclass(frozen=True, slots=True)
class Nsec3Parameters:
    """How names are hashed (RFC 5155 3.1, 4.1)."""

    iterations: int
    salt: bytes

    def hash(self, name: Name) -> bytes:
        """Return the hash of a name (RFC 5155 5)."""
        digest = hashlib.sha1(name + self.salt, usedforsecurity=False).digest()
        for _ in range(self.iterations):
            digest = hashlib.sha1(digest + self.salt, usedforsecurity=False).digest()
        return digest


def read_parameters(rdata: bytes) -> Nsec3Parameters | None:
    """Return what NSEC3 or NSEC3PARAM rdata begins with; ``None`` for an unknown algorithm."""
    if len(rdata) < 5 or rdata[0] != SHA1 or len(rdata) < 5 + rdata[4]:
        return None
    return Nsec3Parameters(int.from_bytes(rdata[2:4], "big"), rdata[5 : 5 + rdata[4]])


def choose_nsec3_parameters(rdatas: Iterable[bytes]) -> Nsec3Parameters | None:
    """Return one of the chains that NSEC3PARAM rdatas announce: any will do (RFC 5155 7.3).

    Records with flags are passed over (RFC 5155 4.1.2); the fewest iterations win.
    """
    known = [read_parameters(rdata) for rdata in rdatas if rdata[1:2] == b"\x00"]
    return min(
        (parameters for parameters in known if parameters is not None),
        key=lambda parameters: (parameters.iterations, parameters.salt),
        default=None,
    )


class Nsec3Chain:
    """The NSEC3 records of one set of parameters, in the order of their hashes."""

    def __init__(
        self, apex: Name, parameters: Nsec3Parameters, hashes: Iterable[bytes], apex_owner: Name
    ) -> None:
        self.apex = apex
        self.apex_owner = apex_owner
        self._parameters = parameters
        self._hashes = sorted(hashes)

    @classmethod
    def of(
        cls, apex: Name, parameters: Nsec3Parameters, records: Iterable[tuple[Name, bytes]]
    ) -> Nsec3Chain | None:
        """Return the chain of those (owner, rdata) that have the parameters; ``None`` for none.

        The record of the apex is known by the SOA bit of its types.
        """
        hashes = []
        apex_owner = None
        for owner, rdata in records:
            if read_parameters(rdata) != parameters or owner[_HASH_LABEL:] != apex:
                continue
            try:
                hashes.append(b32hexdecode(owner[1:_HASH_LABEL].upper()))
            except ValueError:  # not a hashed owner name
                continue
            if _has_soa_bit(rdata):
                apex_owner = owner
        return cls(apex, parameters, hashes, apex_owner) if apex_owner else None

    def find(self, name: Name) -> tuple[Name, bool]:
        """Return the owner of the NSEC3 record for ``name``, and whether it matches.

        One that does not match covers (RFC 5155 1.3). Above ``MAX_ITERATIONS`` the apex's record
        is given for any name: it shows validators that they may treat the zone as unsigned.
        """
        if self._parameters.iterations > MAX_ITERATIONS:
            return self.apex_owner, True
        wanted = self._parameters.hash(name)
        found = self._hashes[bisect_right(self._hashes, wanted) - 1]
        return below(b32hexencode(found).lower(), self.apex), found == wanted


def _has_soa_bit(rdata: bytes) -> bool:
    salt_end = 5 + rdata[4]
    bitmap = rdata[salt_end + 1 + rdata[salt_end] :] if len(rdata) > salt_end else b""
    return len(bitmap) > 2 and bitmap[0] == 0 and bool(bitmap[2] & _SOA_BIT)
