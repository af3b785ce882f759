"""``nsctl secondary guard``: what a transferred version of a zone has to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, TypeVar

import click

from cli.app import App
from cli.arguments import ZONE
from cli.command import Command
from cli.output import emit, print_facts
from cli.secondary_status import load
from zones import rdata
from zones.errors import ZoneError
from zones.guards import OFF, GuardSettings
from zones.name import Name, display
from zones.quarantine import TransferSettings, Validation
from zones.rrset import DS

SHARE = click.IntRange(0, 100)
FLAGS = ("emptied", "apex_ns", "apex_mx", "dnskey", "check_ds")


def ds_of(text: str) -> bytes:
    """Return DS rdata from its text; raises ``BadParameter``."""
    try:
        return rdata.from_text(DS, text)
    except ZoneError as error:
        raise click.BadParameter(
            f"{error}; write KEYTAG ALGORITHM DIGEST-TYPE DIGEST", param_hint="--ds"
        ) from error


F = TypeVar("F", bound=Callable[..., object])


def flag(name: str, what: str) -> Callable[[F], F]:
    """Return an option that switches one guard on or off."""
    return click.option(f"--{name}/--no-{name}", default=None, help=what)


@click.command(
    cls=Command,
    example="""nsctl secondary guard example.org
    nsctl secondary guard example.org --names-lost 20 --no-apex-mx
    nsctl secondary guard example.org --ds '12345 13 2 0F1E...' --validate ds""",
)
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.option("--names-lost", type=SHARE, help="Hold when more % of the names go; 0: never.")
@click.option("--records-lost", type=SHARE, help="Hold when more % of the records go; 0: never.")
@click.option("--at-least", type=click.IntRange(1), help="So many have to go for a share to count.")
@flag("emptied", "Hold a zone of which only the apex is left.")
@flag("apex-ns", "Hold when all name servers of the apex are replaced.")
@flag("apex-mx", "Hold when the mail servers of the apex are gone.")
@flag("dnskey", "Hold when the keys, or all key signing keys, are gone.")
@flag("check-ds", "Hold when no key fits the DS record at the parent any more.")
@click.option("--serial-jump", type=click.IntRange(0, 2**31 - 1), help="Highest rise; 0: any.")
@click.option("--off", is_flag=True, help="Switch all guards off.")
@click.option("--default", "standard", is_flag=True, help="Set all guards as they are by default.")
@click.option("--ds", "records", multiple=True, metavar="RDATA", help="A DS record at the parent.")
@click.option("--no-ds", is_flag=True, help="Forget the DS records at the parent.")
@click.option(
    "--validate",
    type=click.Choice([one.value for one in Validation]),
    help="Verify all DNSSEC signatures: by the zone's own keys, or from the DS records.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.pass_obj
def guard(app: App, /, *, apex: Name, reason: str, **given: Any) -> None:
    """Show or change what holds a transferred version of ZONE back, and what validates it.

    What is held already is judged anew at once.
    """
    from storage import transfer_settings

    changes = changes_of(given)
    moment = time.time()
    if changes:
        with app.write() as session:
            load(session, apex)
            before = transfer_settings.get(session, apex)
            settings = changed(before, changes)
            if settings != before:
                transfer_settings.put(
                    session,
                    apex,
                    settings,
                    told=told(changes, reason),
                    actor=app.actor,
                    now=moment,
                )
    else:
        with app.read() as session:
            load(session, apex)
            settings = transfer_settings.get(session, apex)
    emit(app, as_data(apex, settings), lambda: show(apex, settings))


def changes_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return those options that were given; raises ``UsageError`` where two contradict."""
    if given["off"] and given["standard"]:
        raise click.UsageError("--off and --default contradict each other")
    if given["records"] and given["no_ds"]:
        raise click.UsageError("--ds and --no-ds contradict each other")
    unset = (None, False)  # an option with a number may be 0
    changes = {
        name: value
        for name, value in given.items()
        if not (value == () or any(value is one for one in unset))
    }
    changes |= {name: False for name in FLAGS if given[name] is False}
    if changes.get("validate") == Validation.DS.value and given["no_ds"]:
        raise click.UsageError("validation from DS records needs DS records")
    return changes


def changed(before: TransferSettings, changes: dict[str, Any]) -> TransferSettings:
    """Return the settings with the changes made."""
    guards = before.guards
    if changes.get("off"):
        guards = OFF
    elif changes.get("standard"):
        guards = GuardSettings()
    names = {"check_ds": "ds"}
    known = asdict(guards)
    values = {names.get(name, name): value for name, value in changes.items()}
    guards = replace(guards, **{name: values[name] for name in known if name in values})
    parent_ds = before.parent_ds
    if changes.get("no_ds"):
        parent_ds = ()
    elif "records" in changes:
        parent_ds = tuple(sorted({ds_of(text) for text in changes["records"]}))
    validation = Validation(changes.get("validate", before.validation))
    if validation is Validation.DS and not parent_ds:
        raise click.UsageError("validation from DS records needs them: --ds RDATA")
    return replace(before, guards=guards, parent_ds=parent_ds, validation=validation)


def told(changes: dict[str, Any], reason: str) -> str:
    """Return what the event log says."""
    said = ", ".join(
        f"{name.replace('_', '-')} {value if not isinstance(value, tuple) else '; '.join(value)}"
        for name, value in changes.items()
    )
    return f"guards changed: {said}" + (f" ({reason})" if reason else "")


def as_data(apex: Name, settings: TransferSettings) -> dict[str, Any]:
    """Return the settings for JSON."""
    return {
        "zone": display(apex),
        "guards": asdict(settings.guards),
        "validation": settings.validation.value,
        "parent_ds": [rdata.to_text(DS, ds) for ds in settings.parent_ds],
        "accepted_serial": settings.accepted_serial,
    }


def show(apex: Name, settings: TransferSettings) -> None:
    """Write the settings for a person."""
    guards = settings.guards

    def share(percent: int, what: str) -> str:
        least = f", at least {guards.at_least}"
        return f"when more than {percent} % of the {what} go{least}" if percent else "never"

    def held(on: bool, when: str) -> str:
        return when if on else "never"

    facts = {
        "Names lost": share(guards.names_lost, "names"),
        "Records lost": share(guards.records_lost, "records"),
        "Emptied": held(guards.emptied, "when only the apex is left"),
        "Name servers": held(guards.apex_ns, "when all NS records of the apex are replaced"),
        "Mail servers": held(guards.apex_mx, "when the MX records of the apex are gone"),
        "DNSSEC keys": held(guards.dnskey, "when the keys, or all key signing keys, are gone"),
        "DS at the parent": held(
            guards.ds and bool(settings.parent_ds),
            "when no key fits it any more",
        )
        if settings.parent_ds
        else "no DS record is known; enter it with --ds",
        "Serial": f"when it rises by more than {guards.serial_jump:,}"
        if guards.serial_jump
        else "never",
    }
    print_facts(f"{display(apex)}: a new version is held", facts)
    more = {
        "Signatures": {
            Validation.OFF: "not verified",
            Validation.SIGNATURES: "verified by the zone's own keys; refused if wrong",
            Validation.DS: "verified from the DS records at the parent; refused if wrong",
        }[settings.validation],
        "DS records": "\n".join(rdata.to_text(DS, ds) for ds in settings.parent_ds),
        "Accepted once": f"serial {settings.accepted_serial}"
        if settings.accepted_serial is not None
        else "",
    }
    print_facts("Besides", more)
