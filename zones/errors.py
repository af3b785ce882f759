"""The root of every error that this system raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence


class DNSError(Exception):
    """Something went wrong in a way that can be told to a person in one line."""


class WireError(DNSError):
    """A message or a piece of one is not what the protocol allows.

    ``rcode`` is what the peer is answered, where it is answered at all (RFC 1035 4.1.1).
    """

    def __init__(self, reason: str, rcode: int = 1) -> None:
        super().__init__(reason)
        self.rcode = rcode


class ZoneError(DNSError):
    """Zone content, or a change of it, is refused; ``reasons`` has every reason, never only one."""

    def __init__(self, reasons: Sequence[str] | str) -> None:
        self.reasons: tuple[str, ...] = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        super().__init__("\n".join(self.reasons))
