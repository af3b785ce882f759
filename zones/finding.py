"""A finding: one rule that zone content breaks, told so that its owner can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from zones.name import Name


class Severity(StrEnum):
    """What a finding does to the change that has it."""

    ERROR = "error"  # the change is refused
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
