"""``nsctl secondary explain``: what is wrong, which record, what to change, what is served."""

from __future__ import annotations

import textwrap
import time

import click

from axfr import refusal
from axfr.refresh import status as status_of
from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import WIDTH, ago, emit, iso, sentences, stamp, wrapped
from cli.secondary_status import load
from zones import rules as content_rules
from zones.name import Name, display
from zones.secondary import SecondaryState, SecondaryStatus
from zones.zone import Zone


@click.command(cls=Command, example="nsctl secondary explain example.org")
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.pass_obj
def explain(app: App, *, apex: Name) -> None:
    """Explain why ZONE is not taken over: the rule, the record, the remedy, what is served."""
    now = time.time()
    with app.read() as session:
        zone, state, _primaries = load(session, apex)
    standing = status_of(state, now, suspended=bool(zone.suspended))
    found = refusal.from_state(state, now)
    rule = None
    if found:
        rule = refusal.RULES.get(found.rule) or content_rules.RULES.get(found.rule)
    data = {
        "zone": display(apex),
        "state": standing.value,
        "ok": found is None and standing in (SecondaryStatus.OK, SecondaryStatus.PENDING),
        "rule": found.rule if found else None,
        "headline": rule.headline if rule else None,
        "record": (found.record or None) if found else None,
        "sentence": found.sentence if found else None,
        "why": rule.explanation if rule else None,
        "fix": found.fix if found else None,
        "source": rule.source if rule else None,
        "refused_serial": state.refused_serial,
        "served_serial": state.serial,
        "served_meanwhile": refusal.served_meanwhile(state, now),
        "expires_at": iso(state.expires_at),
    }

    def tell() -> None:
        if found is None:
            click.echo(all_is_well(zone, state, standing, now))
            return
        click.secho(
            f"{display(apex)}: {rule.headline if rule else found.rule}", fg="red", bold=True
        )
        sections = [
            ("What is wrong", sentences(found.sentence)),
            ("Which record", found.record),
            ("Why it matters", rule.explanation if rule else ""),
            ("What to change", found.fix),
            ("What is served meanwhile", found.served_meanwhile),
            ("Then", then(found.rule, state, now)),
            ("Rule", f"{found.rule} ({rule.source})" if rule else found.rule),
        ]
        print_sections(sections)

    emit(app, data, tell)


def print_sections(sections: list[tuple[str, str]]) -> None:
    """Write headings with their text, at most 100 columns wide."""
    for heading, text in sections:
        if text:
            click.echo()
            click.secho(heading, bold=True)
            click.echo(textwrap.indent(wrapped(text, WIDTH - 2), "  "))


def then(rule: str, state: SecondaryState, now: float) -> str:
    """Return what brings the next attempt about."""
    if rule in content_rules.RULES:
        return "Raise the serial and send a NOTIFY: the zone is fetched and checked again at once."
    when = ago(state.next_refresh, now) if state.next_refresh > now else "soon"
    return f"The primary is asked again {when}; a NOTIFY from it, or nsctl secondary refresh, asks it at once."


def all_is_well(zone: Zone, state: SecondaryState, standing: SecondaryStatus, now: float) -> str:
    """Return what to say of a zone whose last attempt was no failure."""
    name = display(zone.apex)
    if standing is SecondaryStatus.SUSPENDED:
        return f"{name} is suspended and not answered: {zone.suspended}"
    if standing is SecondaryStatus.PENDING:
        return f"{name} was not transferred yet; a running server asks its primary soon"
    if standing is SecondaryStatus.EXPIRED:
        return f"{name} has expired. {refusal.served_meanwhile(state, now)}"
    return (
        f"{name}: nothing is wrong. Serial {state.serial} is served; the primary was last reached"
        f" at {stamp(state.last_success)}."
    )
