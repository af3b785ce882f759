"""A zone: whose it is, where its content comes from and how it is treated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zones.name import Name
from zones.serial import SerialPolicy


class Mode(StrEnum):
    """Where the content of a zone comes from (contract N 2.2.7)."""

    HOSTED = "hosted"  # our editor
    PRIMARY = "primary"  # the customer's visible primary; we are further secondaries
    HIDDEN_PRIMARY = "hidden-primary"  # the customer's server is the source, in no NS record
    EXTERNAL = "external"  # only the customer's servers answer; nothing is served here

    @property
    def is_secondary(self) -> bool:
        """Tell whether content arrives by zone transfer."""
        return self in SECONDARY


SECONDARY: Final = frozenset({Mode.PRIMARY, Mode.HIDDEN_PRIMARY})


@dataclass(frozen=True, slots=True)
class Zone:
    """What is known of a zone besides its content.

    ``suspended`` is the reason why the zone is not answered, empty while it is (contract N 5.2);
    ``pinned`` keeps the served version from being replaced by a transfer.
    """

    apex: Name
    mode: Mode = Mode.HOSTED
    customer: str = ""
    serial_policy: SerialPolicy = SerialPolicy.DATE
    pinned: bool = False
    suspended: str = ""
    keep_versions: int = 20
