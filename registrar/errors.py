"""What can go wrong at the desk."""

from __future__ import annotations

from collections.abc import Iterable

from zones.errors import DNSError


class RegistrarError(DNSError):
    """A wish concerning a registration is refused; ``reasons`` has every reason, as sentences."""

    def __init__(self, reasons: Iterable[str] | str) -> None:
        self.reasons: tuple[str, ...] = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        super().__init__("\n".join(self.reasons))


class PolicyError(RegistrarError):
    """Policy files are wrong; each reason has the file and the key before it."""
