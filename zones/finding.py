"""A finding: one rule that zone content breaks, told so that its owner can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zones.name import Name


class Severity(StrEnum):
    """What a finding does to the change that has it."""

    ERROR = "error"  # the change is refused
    HOLD = "hold"  # a transferred version waits for somebody to approve it (zones.guards)
    WARNING = "warning"  # the change is made, and the finding told


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    ``sentence`` is plain and has the offending record in it; ``fix`` says what to change.
    """

    rule: str  # id of the rule, as in docs/refusals.md
    severity: Severity
    owner: Name
    rtype: int  # 0 where no type is meant
    sentence: str
    fix: str


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that refuse a change."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def holds(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that hold a version back."""
    return [finding for finding in findings if finding.severity is Severity.HOLD]


def listed(words: Sequence[str], most: int = 4) -> str:
    """Return words as a sentence lists them: ``a, b and c``, or ``a, b, c, d and 3 more``."""
    shown = list(words[:most])
    if len(words) > most:
        return f"{', '.join(shown)} and {len(words) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
