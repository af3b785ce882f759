"""How the packed form of a version is stored: as it is, compressed, or as changes to another one.

What changed in a large zone is a few octets in many: to compress and write all of it again would
take most of a second. Such a version is stored as a patch (``zones.patch``) of its root, a version
that is stored whole; patches of patches there are none.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from storage.errors import StorageError
from zones.patch import Op, PatchError
from zones.patch import decode as decode_patch
from zones.patch import encode as encode_patch
from zones.splice import patched

PLAIN: Final = 0
ZLIB: Final = 1
PATCH: Final = 2
COMPRESS_ABOVE: Final = 4096  # octets; a smaller one fits a page or two whatever is done
LEVEL: Final = 1  # 80 % of what level 6 saves in a fifth of its time
PATCH_ABOVE: Final = 1 << 20  # octets of content; up to here it is stored whole
MOST_OF_PATCH: Final = 16  # a patch is at most this part of the content

_ROOT: Final = struct.Struct("!Q")  # the id of the root, in front of a compressed patch


@dataclass(frozen=True, slots=True)
class Patch:
    """What makes content of that of ``root``, given that the version ``served`` is served."""

    root: int
    served: int
    ops: Sequence[Op]


def is_worth_a_patch(octets: int, ops: Sequence[Op]) -> bool:
    """Tell whether to store content of so many octets as a patch."""
    if octets < PATCH_ABOVE:
        return False
    return sum(16 + len(op) if isinstance(op, bytes) else 16 for op in ops) < (
        octets // MOST_OF_PATCH
    )


def encode_ops(patch: Patch) -> tuple[int, bytes]:
    """Return the codec and the octets that are stored of a patch."""
    return PATCH, _ROOT.pack(patch.root) + zlib.compress(encode_patch(patch.ops), LEVEL)


def decode_ops(stored: bytes) -> tuple[int, list[Op]]:
    """Return the id of the root, and what makes the content of it; raises ``StorageError``."""
    try:
        (root,) = _ROOT.unpack_from(stored)
        return root, decode_patch(zlib.decompress(stored[_ROOT.size :]))
    except (zlib.error, struct.error, PatchError) as error:
        raise damaged(error) from error


def damaged(error: Exception) -> StorageError:
    """Return what tells that stored octets are not what was stored."""
    return StorageError(f"a stored version is damaged ({error}); restore a backup")


def encode(blob: bytes) -> tuple[int, bytes]:
    """Return the codec and the octets that are stored of whole content."""
    if len(blob) > COMPRESS_ABOVE:
        return ZLIB, zlib.compress(blob, LEVEL)
    return PLAIN, blob


def no_root(root: int) -> bytes:
    """Raise ``StorageError``: where no roots are to be had."""
    raise StorageError(f"a stored version is damaged (no root {root}); restore a backup")


def decode(codec: int, stored: bytes, whole: Callable[[int], bytes] = no_root) -> bytes:
    """Return the packed form; ``whole`` returns that of a root by its id.

    Raises ``StorageError`` where the stored octets are damaged.
    """
    if codec == PLAIN:
        return bytes(stored)
    if codec not in (ZLIB, PATCH):
        raise StorageError(f"a version is stored with codec {codec}; a newer nsctl wrote it")
    try:
        if codec == ZLIB:
            return zlib.decompress(stored)
        root, ops = decode_ops(stored)
        return patched(whole(root), ops)
    except (zlib.error, PatchError) as error:
        raise damaged(error) from error
