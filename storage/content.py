"""How the packed form of a version is stored: as it is, or compressed."""

from __future__ import annotations

import zlib
from typing import Final

from storage.errors import StorageError

PLAIN: Final = 0
ZLIB: Final = 1
COMPRESS_ABOVE: Final = 4096  # octets; a smaller one fits a page or two whatever is done
LEVEL: Final = 1  # 80 % of what level 6 saves in a fifth of its time


def encode(blob: bytes) -> tuple[int, bytes]:
    """Return the codec and the octets that are stored."""
    if len(blob) > COMPRESS_ABOVE:
        return ZLIB, zlib.compress(blob, LEVEL)
    return PLAIN, blob


def decode(codec: int, stored: bytes) -> bytes:
    """Return the packed form; raises ``StorageError`` where the stored octets are damaged."""
    if codec == PLAIN:
        return bytes(stored)
    if codec != ZLIB:
        raise StorageError(f"a version is stored with codec {codec}; a newer nsctl wrote it")
    try:
        return zlib.decompress(stored)
    except zlib.error as error:
        raise StorageError(f"a stored version is damaged ({error}); restore a backup") from error
