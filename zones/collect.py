"""Findings as they are collected: all of them, but a bounded number for each rule."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Final

from zones.finding import Finding, Severity
from zones.name import Name, display
from zones.rules import RULES

PER_RULE: Final = 50
# So many of one rule that refuses are counted; then the rest of the zone need not be looked at.
MOST_ERRORS: Final = 1000
# So many records are given to a slow decoder, to warn of them; a hostile zone has millions.
MOST_DOUBTS: Final = 5000


class Findings:
    """The findings about one zone; those of a rule beyond ``PER_RULE`` are only counted."""

    def __init__(self, apex: Name) -> None:
        self.apex = apex
        self._found: list[Finding] = []
        self._counts: Counter[str] = Counter()
        self._doubts = MOST_DOUBTS
        self.is_hopeless = False  # refused so often that nobody needs the rest
        self.is_partial = False  # so many names may be warned of that some were passed over

    @cached_property
    def zone(self) -> str:
        """The name of the zone as people write it."""
        return display(self.apex)

    def add(self, rule: str, owner: Name, rtype: int, sentence: str) -> None:
        """Note that ``rule`` is broken by the record that ``sentence`` tells of."""
        self._counts[rule] += 1
        if self._counts[rule] <= PER_RULE:
            self._append(rule, owner, rtype, sentence)
        elif self._counts[rule] > MOST_ERRORS and RULES[rule].severity is Severity.ERROR:
            self.is_hopeless = True

    def pass_over(self, names: int) -> None:
        """Note that so many names were not looked at, about which there are warnings at most."""
        self.is_partial = self.is_partial or names > 0

    def may_doubt(self) -> bool:
        """Tell whether one more record may be decoded only to warn of it, and count it."""
        self._doubts -= 1
        return self._doubts >= 0

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
                refuses = RULES[rule].severity is Severity.ERROR
                if refuses:
                    more = self.is_hopeless and count > MOST_ERRORS
                else:
                    more = self.is_hopeless or self.is_partial
                least = "at least " if more else ""
                sentence = f"{least}{count - listed} more: {RULES[rule].headline[0].lower()}"
                sentence += f"{RULES[rule].headline[1:]}."
                self._append(rule, self.apex, 0, sentence)
        return sorted(self._found, key=lambda finding: finding.severity is not Severity.ERROR)
