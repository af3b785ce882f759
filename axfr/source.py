"""The address of ours that a primary is asked from, and what to say where it is not ours."""

from __future__ import annotations

import errno
from typing import Final, TypeAlias

Address: TypeAlias = tuple[str, int]

SOURCE: Final = "source-address"  # the rule


def is_not_ours(error: OSError, source: Address | None) -> bool:
    """Tell whether a socket could not be bound because this machine does not have the address."""
    return source is not None and error.errno == errno.EADDRNOTAVAIL


def not_ours(source: Address | None) -> str:
    """Return the reason, with the address."""
    host = source[0] if source else "any address"
    return f"it is to be asked from {host}, which is not an address of this server"
