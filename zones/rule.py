"""A rule: one thing that is checked, with all that is told of it; and how rules are documented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zones.finding import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is checked; ``source`` is the RFC section, or the practice, behind it."""

    id: str
    severity: Severity
    headline: str
    explanation: str
    fix: str
    source: str


def chapter(heading: str, rules: Iterable[Rule]) -> str:
    """Return the documentation of rules, in Markdown, below a heading."""
    parts = [heading]
    parts += [
        f"## {rule.id}\n\n**{rule.severity}**: {rule.headline}.\n\n{rule.explanation}\n\n"
        f"What to do: {rule.fix}\n\nSource: {rule.source}\n"
        for rule in rules
    ]
    return "\n".join(parts)
