"""``nsctl zone check``: every rule, on a zone of the store or on a file before it is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.app import App
from cli.arguments import NAME, ZONE
from cli.command import Command
from cli.findings import as_data, print_findings
from cli.output import count, emit
from zones.errors import DNSError, ZoneError
from zones.finding import Finding, Severity
from zones.name import Name, display

if TYPE_CHECKING:
    from zones.packing import Packed
    from zones.version import ZoneVersion


@click.command(
    cls=Command,
    example="""nsctl zone check example.org
    nsctl zone check ./example.org.zone
    nsctl zone check --rules""",
)
@click.argument("targets", metavar="ZONE|FILE...", nargs=-1)
@click.option("--zone", "apex", type=NAME, metavar="ZONE", help="The zone of a file of any name.")
@click.option("--rules", is_flag=True, help="List the rules instead.")
@click.pass_obj
def check(app: App, *, targets: tuple[str, ...], apex: Name | None, rules: bool) -> None:
    """Check zones of the store, or zone files, against every rule.

    What has a / in it, or ends in .zone, is a file. Exit code 1 where a rule of severity error is
    broken.
    """
    if rules:
        list_rules(app)
        return
    if not targets:
        raise click.UsageError("name a zone or a zone file")
    results = [result(app, target, apex) for target in targets]
    data = [
        {
            "target": target,
            "ok": not bad(findings) and not reasons,
            "reasons": reasons,
            "findings": [as_data(finding) for finding in findings],
        }
        for target, findings, reasons in results
    ]

    def tell_all() -> None:
        for one in results:
            tell(*one)

    emit(app, data, tell_all)
    if not all(one["ok"] for one in data):
        raise click.exceptions.Exit(1)


def bad(findings: list[Finding]) -> int:
    """Count the findings that refuse a change."""
    return sum(finding.severity is Severity.ERROR for finding in findings)


def result(app: App, target: str, apex: Name | None) -> tuple[str, list[Finding], list[str]]:
    """Return what was found, or why nothing could be."""
    from zones.check import check as run

    try:
        return target, run(content(app, target, apex)), []
    except ZoneError as error:
        return target, [], list(error.reasons)


def content(app: App, target: str, apex: Name | None) -> Packed | ZoneVersion:
    """Return the content to check."""
    if "/" in target or target.endswith(".zone") or apex is not None:
        from cli.zone_import import apex_of, read_text
        from zones.zonefile import read_zone_file

        path = Path(target)
        return read_zone_file(
            read_text(path),
            filename=target,
            apex=apex or apex_of(path),
            include=lambda name: read_text(path.parent / name),
        )
    from storage import versions

    name = ZONE.convert(target, None, None)
    with app.read() as session:
        version = versions.served(session, name)
    if version is None:
        raise DNSError(f"zone {display(name)} has no content yet")
    return version


def tell(target: str, findings: list[Finding], reasons: list[str]) -> None:
    """Write the findings of one target, and the sum of it."""
    for reason in reasons:
        click.secho(reason, fg="red")
    print_findings(findings, err=False)
    if reasons:
        click.echo(f"{target}: cannot be read; {count(len(reasons), 'reason')}")
        return
    errors = bad(findings)
    warnings = len(findings) - errors
    told = f"{count(errors, 'error')}, {count(warnings, 'warning')}" if findings else "all is well"
    click.secho(f"{target}: {told}", fg="red" if errors else "yellow" if warnings else "green")


def list_rules(app: App) -> None:
    """Write every rule that content is checked against."""
    from cli.output import print_table
    from zones.rules import RULES

    data = [
        {
            "rule": rule.id,
            "severity": rule.severity.value,
            "headline": rule.headline,
            "explanation": rule.explanation,
            "fix": rule.fix,
            "source": rule.source,
        }
        for rule in RULES.values()
    ]
    rows = [(one["rule"], one["severity"], one["headline"]) for one in data]
    emit(app, data, lambda: print_table(("Rule", "Severity", "Says"), rows))
