"""Serial number arithmetic (RFC 1982) and the ways to choose the next serial."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

MODULUS = 2**32
HALF = 2**31


def is_newer(candidate: int, than: int) -> bool:
    """Tell whether ``candidate`` is greater in the sense of RFC 1982 3.2.

    Two serials exactly 2^31 apart compare as not newer either way, as the RFC leaves undefined.
    """
    return 0 < (candidate - than) % MODULUS < HALF


class SerialPolicy(StrEnum):
    """How an edit chooses the new serial."""

    DATE = "date"  # YYYYMMDDnn
    INCREMENT = "increment"
    UNIXTIME = "unixtime"

    def successor(self, current: int, now: datetime) -> int:
        """Return a serial newer than ``current``; the plain successor where the policy's is not.

        ``now`` is timezone-aware.
        """
        wanted = current
        if self is SerialPolicy.DATE:
            wanted = int(now.strftime("%Y%m%d")) * 100
        elif self is SerialPolicy.UNIXTIME:
            wanted = int(now.timestamp()) % MODULUS
        return wanted if is_newer(wanted, current) else (current + 1) % MODULUS
