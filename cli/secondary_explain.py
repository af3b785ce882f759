"""``nsctl secondary explain``: what is wrong, which record, what to change, what is served."""

from __future__ import annotations

import textwrap
import time
from dataclasses import dataclass
from typing import Any

import click

from axfr import refusal
from axfr.refresh import status as status_of
from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.findings import as_data as finding_data
from cli.output import (
    WIDTH,
    ago,
    count,
    duration,
    emit,
    iso,
    print_changes,
    sentences,
    stamp,
    wrapped,
)
from cli.secondary_status import load
from cli.words import explained
from zones import guard_rules
from zones import rules as content_rules
from zones.diff import diff
from zones.finding import Severity
from zones.name import Name, display
from zones.quarantine import Quarantined, Standing
from zones.rule import Rule
from zones.secondary import Result, SecondaryState, SecondaryStatus
from zones.version import ZoneVersion
from zones.zone import Zone

FEW = 20  # lines of a difference that are shown unless all are asked for


@dataclass(frozen=True, slots=True)
class Matter:
    """All that explaining a zone needs; ``served`` and ``kept.content`` are what is compared."""

    zone: Zone
    state: SecondaryState
    kept: Quarantined | None
    served: ZoneVersion | None
    found: refusal.Refusal | None
    now: float

    @property
    def standing(self) -> SecondaryStatus:
        """How the zone stands, in a word."""
        return status_of(self.state, self.now, suspended=bool(self.zone.suspended))

    @property
    def rule(self) -> Rule | None:
        """The rule that the last attempt broke."""
        return rule_of(self.found.rule) if self.found else None

    @property
    def about(self) -> Quarantined | None:
        """What is kept of the transfer that the last attempt is about, if anything is."""
        kept = self.kept
        return kept if kept and kept.serial == self.state.primary_serial and self.found else None


def rule_of(rule: str) -> Rule | None:
    """Return a rule of any kind by its id."""
    tables = (refusal.RULES, content_rules.RULES, guard_rules.RULES)
    return next((table[rule] for table in tables if rule in table), None)


@click.command(
    cls=Command,
    example="""nsctl secondary explain example.org
    nsctl secondary explain example.org --diff""",
)
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.option("--diff", "whole", is_flag=True, help="Show every record that differs.")
@click.pass_obj
def explain(app: App, *, apex: Name, whole: bool) -> None:
    """Explain why ZONE is not taken over: the rule, the record, the remedy, what is served.

    Where a version arrived and is held or refused, it also tells what differs from the one served.
    """
    matter = read(app, apex, time.time())
    lines = difference(matter)
    emit(app, as_data(matter, lines), lambda: tell(matter, lines, whole=whole))


def read(app: App, apex: Name, now: float) -> Matter:
    """Return what the store knows of a zone; raises ``UnknownZone`` and ``NoSecondary``."""
    from storage import quarantine, versions

    with app.read() as session:
        zone, state, _primaries = load(session, apex)
        kept = quarantine.find(session, apex, with_content=True)
        served = versions.served(session, apex) if kept and kept.content else None
    return Matter(zone, state, kept, served, refusal.from_state(state, now), now)


def difference(matter: Matter) -> list[str] | None:
    """Return what differs from the version served, ``None`` where nothing can be compared."""
    about = matter.about
    if about is None or about.content is None or matter.served is None:
        return None
    return diff(matter.served, about.content).lines()


def as_data(matter: Matter, lines: list[str] | None) -> dict[str, Any]:
    """Return the explanation for JSON."""
    state, found, rule, kept = matter.state, matter.found, matter.rule, matter.about
    well = matter.standing in (SecondaryStatus.OK, SecondaryStatus.PENDING)
    return {
        "zone": display(state.apex),
        "state": matter.standing.value,
        "ok": found is None and well,
        "result": state.last_result.value if state.last_result else None,
        "rule": found.rule if found else None,
        "headline": rule.headline if rule else None,
        "record": (found.record or None) if found else None,
        "sentence": found.sentence if found else None,
        "why": rule.explanation if rule else None,
        "fix": found.fix if found else None,
        "source": rule.source if rule else None,
        "primary": state.last_primary or None,
        "primary_serial": state.primary_serial,
        "refused_serial": state.refused_serial,
        "held_serial": kept.serial if kept and kept.standing is Standing.HELD else None,
        "held_since": iso(kept.at) if kept and kept.standing is Standing.HELD else None,
        "findings": [finding_data(finding) for finding in kept.findings] if kept else [],
        "difference": lines,
        "served_serial": state.serial,
        "served_meanwhile": refusal.served_meanwhile(state, matter.now),
        "next_refresh": iso(state.next_refresh),
        "expires_at": iso(state.expires_at),
        "expires_in": None if state.expires_at is None else round(state.expires_at - matter.now),
    }


def tell(matter: Matter, lines: list[str] | None, *, whole: bool) -> None:
    """Write the explanation for a person."""
    found, rule = matter.found, matter.rule
    if found is None:
        click.echo(wrapped(all_is_well(matter)))
        return
    held = matter.state.last_result is Result.HELD
    title = f"{display(matter.state.apex)}: {rule.headline if rule else found.rule}"
    click.secho(title, fg="yellow" if held else "red", bold=True)
    print_sections(
        [
            ("What is wrong", sentences(found.sentence)),
            ("Where", where(matter)),
            ("Why it matters", rule.explanation if rule else ""),
            ("What to change", found.fix),
            ("What is served meanwhile", f"{found.served_meanwhile}{time_left(matter)}"),
            ("Then", then(matter)),
        ]
    )
    print_difference(matter, lines, whole=whole)
    print_warnings(matter)
    said = (found.sentence, found.fix, found.served_meanwhile, rule.headline if rule else "")
    print_sections(
        [
            ("Words", "\n".join(explained(" ".join(said)))),
            ("Rule", f"{found.rule} ({rule.source})" if rule else found.rule),
        ]
    )


def print_sections(sections: list[tuple[str, str]]) -> None:
    """Write headings with their text, at most 100 columns wide."""
    for heading, text in sections:
        if text:
            click.echo()
            click.secho(heading, bold=True)
            click.echo(textwrap.indent(wrapped(text, WIDTH - 2), "  "))


def where(matter: Matter) -> str:
    """Return which record it is about, and on which server."""
    state, found = matter.state, matter.found
    assert found is not None
    lines = [f"The record {found.record}" if found.record else ""]
    if state.last_primary:
        serial = "" if state.primary_serial is None else f", serial {state.primary_serial}"
        lines.append(f"The primary {state.last_primary}{serial}")
    return "\n".join(line for line in lines if line)


def time_left(matter: Matter) -> str:
    """Return how long the served version still has, where that is running out."""
    state = matter.state
    if state.expires_at is None or state.serial is None or not state.failures:
        return ""
    left = state.expires_at - matter.now
    return f" That is {duration(left)} from now." if left > 0 else ""


def then(matter: Matter) -> str:
    """Return what brings the next attempt about, or what can be decided."""
    state, found, name = matter.state, matter.found, display(matter.state.apex)
    assert found is not None
    if found.rule == "pinned":
        return f"nsctl zone unpin {name} lets the other version be judged and served."
    if state.last_result is Result.HELD:
        return (
            f"nsctl secondary approve {name} serves it; nsctl secondary discard {name} drops it."
            " A newer version at the primary takes its place."
        )
    if found.rule in content_rules.RULES:
        return (
            "Raise the serial number and send a NOTIFY: the zone is fetched and checked again at"
            " once."
        )
    when = ago(state.next_refresh, matter.now) if state.next_refresh > matter.now else "soon"
    if not state.failures:
        return "The next version at the primary is fetched as usual."
    return (
        f"The primary is asked again {when}; a NOTIFY from it, or nsctl secondary refresh {name},"
        " asks it at once."
    )


def print_difference(matter: Matter, lines: list[str] | None, *, whole: bool) -> None:
    """Write what differs between what is served and what arrived."""
    about = matter.about
    if about is None or matter.served is None:
        return
    click.echo()
    click.secho("What differs from the version in service", bold=True)
    if lines is None:
        click.echo(f"  Serial {about.serial} has {count(about.records, 'record')}.")
        if about.standing is Standing.REFUSED:
            click.echo("  It is too large to be kept, as it was refused.")
        return
    gone = sum(line.startswith("-") for line in lines)
    head = f"{matter.served.serial} to {about.serial}"
    click.echo(f"  From serial {head}: {count(gone, 'record')} gone, {len(lines) - gone:,} new.")
    plain = lines if whole else [line for line in lines if not is_of_dnssec(line)]
    shown = plain if whole else plain[:FEW]
    for line in shown:
        print_changes(folded(line).splitlines())
    left = [f"{len(plain) - len(shown):,} more"] if len(plain) > len(shown) else []
    if len(lines) > len(plain):
        left.append(
            f"{count(len(lines) - len(plain), 'signature or proof', 'signatures and proofs')}"
        )
    if left:
        click.echo(f"  and {', and '.join(left)}; --diff shows all of them")


def is_of_dnssec(line: str) -> bool:
    """Tell whether a line of a difference is about what a signer makes by itself."""
    return line.split(maxsplit=5)[4:5][0] in ("RRSIG", "NSEC", "NSEC3")


def folded(line: str) -> str:
    """Return a line of a difference in as many lines as it needs, the first few of them."""
    lines = textwrap.wrap(
        line,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_on_hyphens=False,
        max_lines=4,
    )
    return "\n".join(lines)


def print_warnings(matter: Matter) -> None:
    """Write what else was found in what arrived; it refuses nothing."""
    about = matter.about
    warnings = [one for one in about.findings if one.severity is Severity.WARNING] if about else []
    if not warnings:
        return
    told = "\n".join(finding.sentence for finding in warnings[:5])
    more = f"\nand {len(warnings) - 5} more" if len(warnings) > 5 else ""
    print_sections([("Also worth a look", told + more)])


def all_is_well(matter: Matter) -> str:
    """Return what to say of a zone whose last attempt was no failure."""
    zone, state = matter.zone, matter.state
    name = display(zone.apex)
    match matter.standing:
        case SecondaryStatus.SUSPENDED:
            return f"{name} is suspended and not answered: {zone.suspended}"
        case SecondaryStatus.PENDING:
            return f"{name} was not transferred yet; a running server asks its primary soon"
        case SecondaryStatus.EXPIRED:
            return f"{name} has expired. {refusal.served_meanwhile(state, matter.now)}"
        case _:
            return (
                f"{name}: nothing is wrong. Serial {state.serial} is served; the primary was last"
                f" reached at {stamp(state.last_success)}."
            )
