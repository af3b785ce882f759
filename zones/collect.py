"""Findings as they are collected: all of them, but a bounded number for each rule."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Final

from zones.finding import Finding, Severity
from zones.name import Name, display
from zones.rules import RULES

PER_RULE: Final = 50


class Findings:
    """The findings about one zone; those of a rule beyond ``PER_RULE`` are only counted."""

    def __init__(self, apex: Name) -> None:
        self.apex = apex
        self._found: list[Finding] = []
        self._counts: Counter[str] = Counter()

    @cached_property
    def zone(self) -> str:
        """The name of the zone as people write it."""
        return display(self.apex)

    def add(self, rule: str, owner: Name, rtype: int, sentence: str) -> None:
        """Note that ``rule`` is broken by the record that ``sentence`` tells of."""
        self._counts[rule] += 1
        if self._counts[rule] <= PER_RULE:
            self._append(rule, owner, rtype, sentence)

    def add_uncounted(self, rule: str, listed: int, count: int) -> None:
        """Note that ``count`` broke ``rule``, of which ``listed`` were added one by one."""
        self._counts[rule] += count - listed

    def _append(self, rule: str, owner: Name, rtype: int, sentence: str) -> None:
        known = RULES[rule]
        self._found.append(Finding(rule, known.severity, owner, rtype, sentence, known.fix))

    def result(self) -> list[Finding]:
        """Return the findings, errors first, each rule's in zone order."""
        for rule, count in self._counts.items():
            listed = sum(finding.rule == rule for finding in self._found)
            if count > listed:
                sentence = f"{count - listed} more: {RULES[rule].headline[0].lower()}"
                sentence += f"{RULES[rule].headline[1:]}."
                self._append(rule, self.apex, 0, sentence)
        return sorted(self._found, key=lambda finding: finding.severity is not Severity.ERROR)
