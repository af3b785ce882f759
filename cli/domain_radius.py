"""The blast radius: which zones here use hosts below a domain that is to go away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from cli.app import App
from cli.output import count
from zones.name import Name, display, from_text, is_subdomain

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from zones.version import ZoneVersion

SHOWN: Final = 20  # uses that are listed for people


class Use(NamedTuple):
    """A record of another zone that leads below the domain."""

    zone: str
    owner: str
    type: str
    target: str


def uses(session: Session, name: str) -> list[Use]:
    """Return the records of other zones, served here, whose target is the domain or below it.

    Counted are NS, MX and CNAME. A zone whose octets do not have the name at all is passed over
    without reading its records.
    """
    from storage import versions

    domain = from_text(name)
    wanted = domain[:-1]  # targets are stored whole: the labels stand in the octets as they are
    found: list[Use] = []
    for zone, _id, version in versions.iter_served(session):
        if zone.apex == domain or is_subdomain(zone.apex, domain) or version is None:
            continue
        if wanted in version.blob:
            found += _uses_of(version, domain)
    return found


def _uses_of(version: ZoneVersion, domain: Name) -> list[Use]:
    from zones.rdata import embedded_names, type_text
    from zones.rrset import CNAME, MX, NS

    found = []
    for rrset in version:
        if rrset.rtype not in (NS, MX, CNAME):
            continue
        for octets in rrset.rdatas:
            for _offset, target in embedded_names(rrset.rtype, octets):
                if is_subdomain(target, domain):
                    kind = type_text(rrset.rtype)
                    found.append(
                        Use(display(version.apex), display(rrset.owner), kind, display(target))
                    )
    return found


def radius(session: Session, name: str) -> tuple[list[Use], list[str]]:
    """Return the uses, and the registrations that have name servers below the domain."""
    from registrar.desk import registrations

    return uses(session, name), registrations.delegated_to(session, name)


def warn(app: App, name: str) -> str:
    """Tell on stderr what would no longer work; return a few words of it for a question."""
    with app.read() as session:
        found, delegated = radius(session, name)
    zones = {use.zone for use in found}
    if not found and not delegated:
        return ""
    told = f"{count(len(zones), 'zone')} and {count(len(delegated), 'registration')}"
    click.secho(f"hosts below {name} are used by {told}:", fg="yellow", err=True)
    for use in found[:SHOWN]:
        click.echo(f"    {use.owner} {use.type} {use.target}  (zone {use.zone})", err=True)
    if len(found) > SHOWN:
        click.echo(f"    and {len(found) - SHOWN} more", err=True)
    for other in delegated[:SHOWN]:
        click.echo(f"    {other} is delegated to it", err=True)
    return f", which {told} use"


def as_data(found: list[Use], delegated: list[str]) -> dict[str, Any]:
    """Return the radius for JSON."""
    return {"records": [use._asdict() for use in found], "registrations": delegated}
