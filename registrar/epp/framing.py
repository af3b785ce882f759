"""Data units of EPP over TCP: four octets of total length, then XML (RFC 5734 section 4)."""

from __future__ import annotations

from typing import Final

from registrar.epp.errors import SyntaxFault

HEADER: Final = 4
MAX_OCTETS: Final = 1 << 20  # far above any response that a registry sends


def frame(document: bytes) -> bytes:
    """Return the document with its length, which counts the header too."""
    return (len(document) + HEADER).to_bytes(HEADER, "big") + document


class Frames:
    """Takes octets as they arrive and gives back whole documents.

    A length that is too short or too long is a ``SyntaxFault``: what follows cannot be trusted.
    """

    def __init__(self, max_octets: int = MAX_OCTETS) -> None:
        self._max_octets = max_octets
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a document has begun and not ended."""
        return bool(self._buffer)

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the documents that are complete now."""
        self._buffer += octets
        documents = []
        while (total := self._total()) is not None and len(self._buffer) >= total:
            documents.append(bytes(self._buffer[HEADER:total]))
            del self._buffer[:total]
        return documents

    def _total(self) -> int | None:
        if len(self._buffer) < HEADER:
            return None
        total = int.from_bytes(self._buffer[:HEADER], "big")
        if not HEADER < total <= self._max_octets:
            raise SyntaxFault(f"a data unit of {total} octets, allowed are {self._max_octets}")
        return total
