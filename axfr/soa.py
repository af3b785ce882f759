"""The numbers of a SOA record (RFC 1035 3.3.13)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from zones.errors import WireError

NUMBERS = struct.Struct("!IIIII")


@dataclass(frozen=True, slots=True)
class Soa:
    """Serial and timers; all but the serial in seconds."""

    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int

    @classmethod
    def of(cls, rdata: bytes) -> Soa:
        """Return the numbers that close uncompressed ``rdata``; raises ``WireError``."""
        if len(rdata) < NUMBERS.size + 2:  # two names of at least one octet
            raise WireError("SOA rdata is cut short")
        return cls(*NUMBERS.unpack_from(rdata, len(rdata) - NUMBERS.size))
