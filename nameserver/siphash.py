"""SipHash-2-4: a keyed hash for short texts, fast and hard to predict (Aumasson, Bernstein 2012)."""

from __future__ import annotations

import struct
from typing import Final

KEY_SIZE: Final = 16
_MASK: Final = 2**64 - 1
_WORD: Final = struct.Struct("<Q")
_KEY: Final = struct.Struct("<QQ")


def siphash(key: bytes, text: bytes) -> int:
    """Return the 64-bit hash of a text under a key of 16 octets."""
    k0, k1 = _KEY.unpack(key)
    state = (
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    )
    whole = len(text) & ~7
    for position in range(0, whole, 8):
        state = _absorb(state, *_WORD.unpack_from(text, position))
    # The last word has what is left over, and the length of all in its highest octet.
    last = int.from_bytes(text[whole:], "little") | (len(text) & 0xFF) << 56
    v0, v1, v2, v3 = _absorb(state, last)
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


State = tuple[int, int, int, int]


def _absorb(state: State, word: int) -> State:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
    return v0 ^ word, v1, v2, v3


def _round(v0: int, v1: int, v2: int, v3: int) -> State:
    v0 = (v0 + v1) & _MASK
    v1 = _turned(v1, 13) ^ v0
    v0 = _turned(v0, 32)
    v2 = (v2 + v3) & _MASK
    v3 = _turned(v3, 16) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = _turned(v3, 21) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = _turned(v1, 17) ^ v2
    v2 = _turned(v2, 32)
    return v0, v1, v2, v3


def _turned(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _MASK
