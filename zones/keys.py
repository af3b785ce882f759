"""DNSKEY and DS records as wire octets: tags, flags, and which key a DS record names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from zones.name import Name

ZONE_KEY: Final = 0x0100  # RFC 4034 2.1.1
SEP: Final = 0x0001
KSK_FLAGS: Final = ZONE_KEY | SEP
REVOKED: Final = 0x0080  # RFC 5011 7
RSA_MD5: Final = 1
# RFC 8624 3.3: SHA-1, SHA-256, SHA-384.
DIGESTS: Final[dict[int, Callable[[bytes], Any]]] = {
    1: lambda octets: hashlib.sha1(octets, usedforsecurity=False),
    2: hashlib.sha256,
    4: hashlib.sha384,
}


def flags_of(key: bytes) -> int:
    """Return the flags of DNSKEY rdata."""
    return int.from_bytes(key[:2], "big")


def key_tag(key: bytes) -> int:
    """Return the key tag of DNSKEY rdata (RFC 4034 appendix B)."""
    if len(key) > 6 and key[3] == RSA_MD5:
        return int.from_bytes(key[-3:-1], "big")
    total = sum(key[0::2]) * 256 + sum(key[1::2])
    return (total + (total >> 16)) & 0xFFFF


def matching_key(owner: Name, ds: bytes, keys: Iterable[bytes]) -> bytes | None:
    """Return the key that DS rdata names, ``None`` where it is not among the keys.

    A DS record with a digest that is not known here names no key.
    """
    make = DIGESTS.get(ds[3]) if len(ds) > 4 else None
    if make is None:
        return None
    for key in keys:
        if (key_tag(key), key[3]) == (int.from_bytes(ds[:2], "big"), ds[2]) and make(
            owner + key
        ).digest() == ds[4:]:
            return key
    return None


def digest(owner: Name, key: bytes, kind: int = 2) -> bytes:
    """Return the rdata of the DS record that names a key (RFC 4034 5.1.4)."""
    made: bytes = DIGESTS[kind](owner + key).digest()
    return key_tag(key).to_bytes(2, "big") + key[3:4] + bytes((kind,)) + made
