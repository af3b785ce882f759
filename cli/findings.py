"""How findings of a check are shown: the sentence, what to do, and the rule's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from zones.finding import Finding, Severity
from zones.name import display
from zones.rdata import type_text

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def as_data(finding: Finding) -> dict[str, Any]:
    """Return a finding for JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "owner": display(finding.owner),
        "type": type_text(finding.rtype) if finding.rtype else None,
        "sentence": finding.sentence,
        "fix": finding.fix,
    }


def print_findings(findings: Sequence[Finding], *, where: str = "", err: bool = True) -> None:
    """Write findings, two lines each; by default to stderr, where they do not disturb results."""
    for finding in findings:
        head = click.style(finding.severity.value, fg=COLOURS[finding.severity])
        place = f"{where}: " if where else ""
        click.echo(f"{head}: {place}{finding.sentence}  [{finding.rule}]", err=err)
        if finding.fix:
            click.echo(f"    {finding.fix}", err=err)


def as_reason(finding: Finding) -> str:
    """Return a finding as one line of a refusal."""
    return f"{finding.sentence}  [{finding.rule}]  {finding.fix}".rstrip()
