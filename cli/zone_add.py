"""``nsctl zone add``: a hosted zone begins with a SOA and its NS records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.app import App
from cli.arguments import KEY, MAILBOX, NAME, ZONE, now
from cli.command import Command
from cli.findings import as_data, print_findings
from cli.output import count, emit
from zones.name import Name, display
from zones.serial import SerialPolicy
from zones.zone import Mode, Zone

if TYPE_CHECKING:
    from datetime import datetime

    from nameserver.settings_hosting import HostedSettings
    from zones.version import ZoneVersion


@click.command(
    cls=Command,
    example="""nsctl zone add example.org
    nsctl zone add example.org example.net --ns ns1.example.net --ns ns2.example.net
    nsctl zone add example.com --mode external""",
)
@click.argument("apexes", metavar="ZONE...", nargs=-1, required=True, type=ZONE)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.HOSTED.value,
    show_default=True,
    help="Where the content comes from.",
)
@click.option(
    "--ns", "nameservers", multiple=True, type=NAME, metavar="NAME", help="A name server; repeat."
)
@click.option(
    "--mailbox",
    type=MAILBOX,
    metavar="MAIL",
    help="Who is responsible: hostmaster@example.org.",
)
@click.option("--ttl", type=click.IntRange(0, 2**31 - 1), help="TTL of the SOA and NS records.")
@click.option("--customer", metavar="ID", help="Whose the zone is.")
@click.option(
    "--serial-policy",
    type=click.Choice([policy.value for policy in SerialPolicy]),
    default=SerialPolicy.DATE.value,
    show_default=True,
    help="How edits choose the next serial.",
)
@click.option(
    "--keep-versions",
    type=click.IntRange(1, 2**31 - 1),
    default=20,
    show_default=True,
    help="How many versions stay, to be served again.",
)
@click.option("--primary", "primaries", multiple=True, type=str, help="For a secondary zone.")
@click.option("--key", type=KEY, metavar="NAME", help="TSIG key towards the primaries.")
@click.pass_obj
def add(
    app: App,
    *,
    apexes: tuple[Name, ...],
    mode: str,
    nameservers: tuple[Name, ...],
    mailbox: str | None,
    ttl: int | None,
    customer: str | None,
    serial_policy: str,
    keep_versions: int,
    primaries: tuple[str, ...],
    key: Name | None,
) -> None:
    """Create each ZONE with a SOA and NS records.

    Name servers and mailbox come from the settings ([hosted]) where they are not given here.
    """
    settings = app.settings()
    made = [
        Zone(
            apex,
            mode=Mode(mode),
            customer=customer if customer is not None else settings.customer,
            serial_policy=SerialPolicy(serial_policy),
            keep_versions=keep_versions,
        )
        for apex in dict.fromkeys(apexes)
    ]
    if Mode(mode).is_secondary:
        if not primaries:
            raise click.UsageError("a secondary zone needs its --primary ADDRESS[@PORT]")
        from cli.primary_options import Means
        from cli.secondary_add import add_secondaries

        add_secondaries(app, made, Means(key).primaries(primaries))
        return
    if primaries or key:
        raise click.UsageError(f"a zone of mode {mode} has no primaries")
    hosted = settings.hosted
    given = {"mailbox": mailbox, "ttl": ttl, "nameservers": tuple(map(display, nameservers))}
    hosted = type(hosted).model_validate(
        {**hosted.model_dump(), **{key: value for key, value in given.items() if value}}
    )
    _store(app, made, hosted)


def _store(app: App, made: list[Zone], hosted: HostedSettings) -> None:
    from storage import versions, zones
    from zones.check import check

    moment = now()
    first = {
        zone.apex: first_version(zone, hosted, moment) for zone in made if zone.mode is Mode.HOSTED
    }
    with app.write() as session:
        for zone in made:
            zones.add_zone(session, zone, now=moment.timestamp(), actor=app.actor)
        for version in first.values():
            versions.publish(
                session,
                version,
                origin=versions.Origin.EDIT,
                actor=app.actor,
                reason="zone added",
                now=moment.timestamp(),
            )
    findings = {apex: check(version) for apex, version in first.items()}
    data = [
        {
            "zone": display(zone.apex),
            "mode": zone.mode.value,
            "serial": first[zone.apex].serial if zone.apex in first else None,
            "findings": [as_data(finding) for finding in findings.get(zone.apex, ())],
        }
        for zone in made
    ]
    emit(app, data, lambda: _tell(made, first))
    for apex, found in findings.items():
        print_findings(found, where=display(apex))


def _tell(made: list[Zone], first: dict[Name, ZoneVersion]) -> None:
    for zone in made:
        version = first.get(zone.apex)
        if version is None:
            click.echo(f"zone {display(zone.apex)}: added, {zone.mode.value}")
            continue
        click.echo(
            f"zone {display(zone.apex)}: added with serial {version.serial},"
            f" {count(version.record_count, 'record')}"
        )
        for rrset in version:
            for line in rrset.lines():
                click.echo(f"    {line}")


def first_version(zone: Zone, hosted: HostedSettings, moment: datetime) -> ZoneVersion:
    """Return the content that a hosted zone begins with.

    Where no name servers are known, one within the zone is named: the check then tells what is
    missing.
    """
    from zones import rdata
    from zones.name import from_text
    from zones.rrset import NS, SOA, RRset
    from zones.version import ZoneVersion

    servers = [from_text(name) for name in hosted.nameservers]
    servers = servers or [from_text("ns1", zone.apex)]
    mailbox = from_text(hosted.mailbox) if hosted.mailbox else from_text("hostmaster", zone.apex)
    serial = zone.serial_policy.successor(0, moment)
    timers = (serial, hosted.refresh, hosted.retry, hosted.expire, hosted.minimum)
    soa = servers[0] + mailbox + b"".join(value.to_bytes(4, "big") for value in timers)
    return ZoneVersion.of(
        zone.apex,
        [
            RRset.of(zone.apex, SOA, hosted.ttl, [rdata.canonical(SOA, soa)]),
            RRset.of(zone.apex, NS, hosted.ttl, servers),
        ],
    )
