"""Unpredictable message ids (RFC 5452 9.2), drawn many at a time.

Asking the system for each of them costs more than the rest of a small message.
"""

from __future__ import annotations

import os
from typing import Final

BATCH: Final = 512  # octets, two for each id


class MessageIds:
    """Returns ids, each from octets of the system's that are used once."""

    def __init__(self) -> None:
        self._octets = b""
        self._used = 0

    def __call__(self) -> int:
        """Return the next id."""
        if self._used == len(self._octets):
            self._octets, self._used = os.urandom(BATCH), 0
        self._used += 2
        return int.from_bytes(self._octets[self._used - 2 : self._used], "big")


new_id: Final = MessageIds()
