"""Why a message could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed, for the reason in words.

    ``lasting``: another attempt would end in the same way. ``everybody``: it has nothing to do with
    this message, so that the others on the same way need not be tried now.
    """

    reason: str
    lasting: bool = False
    everybody: bool = False
