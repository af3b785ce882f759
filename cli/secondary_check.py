"""``nsctl secondary check``: trying a customer's primary out, before anything depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype

from axfr.client import ClientSettings
from axfr.onboarding import FEW_TRIES, Step, Trial, Verdict, compare_trials, try_primaries
from cli.app import App
from cli.arguments import ADDRESS, NAME, ZONE
from cli.command import Command
from cli.output import emit, wrapped
from cli.primary_options import Means, with_means
from nameserver.address import Address
from zones.apex import apex_rrsets
from zones.keys import matching_key
from zones.name import Name, display, to_text
from zones.quarantine import TransferSettings, Validation
from zones.rrset import DNSKEY, NS
from zones.secondary import Primary, TsigKey
from zones.version import ZoneVersion

RESOLVER_SECONDS = 4.0
COLOURS = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "red",
    Verdict.SKIPPED: "bright_black",
}
NAMES = {
    "tls": "TLS",
    "udp": "UDP",
    "tcp": "TCP",
    "transfer": "Transfer",
    "serial": "Serial",
    "rules": "Rules",
    "agreement": "Agreement",
    "delegation": "Delegation",
    "servers": "Our servers",
    "ds": "DS",
    "notify": "NOTIFY",
}


@click.command(
    cls=Command,
    example="""nsctl secondary check example.org --primary 192.0.2.1
    nsctl secondary check example.org --primary 192.0.2.1@5301 --key transfer --validate
    nsctl secondary check example.org --primary 192.0.2.1 --tls --tls-name ns.example.net
    nsctl secondary check example.org --primary 192.0.2.1 --resolver 192.0.2.53 --server ns1.us.net""",
)
@click.argument("apex", metavar="ZONE", type=ZONE)
@click.option(
    "--primary",
    "addresses",
    multiple=True,
    required=True,
    type=str,
    metavar="ADDR[@PORT]",
    help="The customer's server; repeat for several.",
)
@with_means
@click.option("--validate", is_flag=True, help="Verify all DNSSEC signatures of the zone, too.")
@click.option(
    "--resolver",
    type=ADDRESS,
    metavar="ADDR[@PORT]",
    help="Compare with the delegation, as seen there.",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    type=NAME,
    metavar="NAME",
    help="A name server of ours, to be found in the NS records; repeat for several.",
)
@click.pass_obj
def check(
    app: App,
    *,
    apex: Name,
    addresses: tuple[str, ...],
    means: Means,
    validate: bool,
    resolver: Address | None,
    servers: tuple[Name, ...],
) -> None:
    """Try out whether ZONE could be followed from its primaries; nothing is stored or served.

    Every step is told. The exit code is 1 where it would not work.
    """
    keys = the_keys(app, means.key)
    primaries = means.primaries(addresses)
    means.check_sources(primaries)
    settings = TransferSettings(validation=Validation.SIGNATURES if validate else Validation.OFF)
    trials = asyncio.run(
        try_primaries(apex, primaries, keys, settings, client=client_settings(app))
    )
    steps = [step for trial in trials for step in trial.steps] + compare_trials(apex, trials)
    version = next((trial.version for trial in trials if trial.version is not None), None)
    if version is not None:
        steps += check_servers(version, servers)
        if resolver is not None:
            steps += check_delegation(version, resolver)
    steps.append(notify_hint(primaries, means.key))
    works = would_work(trials) and not any(
        step.verdict is Verdict.FAILED for step in steps if not step.peer
    )
    emit(app, as_data(apex, steps, works), lambda: tell(apex, steps, works))
    if not works:
        raise click.exceptions.Exit(1)


def client_settings(app: App) -> ClientSettings:
    """Return how the server would ask: from which address, and with which certificate."""
    from nameserver import configured_transfers

    server = configured_transfers.client_settings(app.settings().transfers)
    return replace(FEW_TRIES, source=server.source, source6=server.source6, own=server.own)


def the_keys(app: App, key: Name | None) -> dict[Name, TsigKey]:
    """Return the key by its name; raises ``StorageError`` where it is not there."""
    if key is None:
        return {}
    from storage import keys

    with app.read() as session:
        return {key: keys.get_key(session, key)}


def would_work(trials: Sequence[Trial]) -> bool:
    """Tell whether a primary would be followed: one without a failure is enough."""
    return any(
        trial.version is not None
        and not any(step.verdict is Verdict.FAILED for step in trial.steps)
        for trial in trials
    )


def check_servers(version: ZoneVersion, servers: Sequence[Name]) -> list[Step]:
    """Tell which of our servers are in the NS records of the zone."""
    if not servers:
        return []
    there = ns_of(version)
    missing = [name for name in servers if name not in there]
    if not missing:
        told = "The NS records of the zone name our servers: " + shown(servers) + "."
        return [Step("servers", "", Verdict.OK, told)]
    told = f"The NS records of the zone do not name {shown(missing)}; they name {shown(there)}."
    fix = "Add NS records for our servers at the name of the zone, on the primary."
    return [Step("servers", "", Verdict.WARNING, told, fix)]


def check_delegation(version: ZoneVersion, resolver: Address) -> list[Step]:
    """Compare the zone with what the world sees: its name servers and DS records."""
    apex = version.apex
    try:
        seen = {rdata[0] for rdata in ask(resolver, apex, NS)}
        parent_ds = [rdata[1] for rdata in ask(resolver, apex, 43)]
    except (dns.exception.DNSException, OSError) as error:
        told = f"The resolver at {resolver} did not answer: {str(error) or type(error).__name__}."
        return [Step("delegation", "", Verdict.WARNING, told, "Name another --resolver.")]
    there = {to_text(name).lower() for name in ns_of(version)}
    steps = []
    if not seen:
        told = f"{display(apex)} is not delegated yet: the resolver knows no name servers of it."
        steps.append(
            Step("delegation", "", Verdict.WARNING, told, "Have it delegated at the registry.")
        )
    elif seen == there:
        told = f"The delegation names the servers of the zone: {', '.join(sorted(seen))}."
        steps.append(Step("delegation", "", Verdict.OK, told))
    else:
        told = (
            f"The world sees the name servers {', '.join(sorted(seen))}; the zone on the primary"
            f" names {', '.join(sorted(there))}."
        )
        fix = "Make the NS records of the zone and the delegation at the registry the same."
        steps.append(Step("delegation", "", Verdict.WARNING, told, fix))
    return steps + check_ds(version, parent_ds)


def check_ds(version: ZoneVersion, parent_ds: Sequence[bytes]) -> list[Step]:
    """Tell whether the DS records at the parent fit the keys of the zone."""
    keys = apex_rrsets(version).get((DNSKEY, 0))
    name = display(version.apex)
    if not parent_ds:
        if keys is None:
            return [Step("ds", "", Verdict.OK, f"{name} is not signed, and has no DS record.")]
        told = f"{name} is signed, but has no DS record at the parent: nobody validates it."
        fix = "Have the DS record of the key signing key entered at the registry."
        return [Step("ds", "", Verdict.WARNING, told, fix)]
    rdatas = keys.rdatas if keys else ()
    if any(matching_key(version.apex, ds, rdatas) is not None for ds in parent_ds):
        told = "A DS record at the parent fits a key of the zone."
        return [Step("ds", "", Verdict.OK, told)]
    told = (
        f"{name} has a DS record at the parent, and no key in the zone fits it: validating"
        " resolvers would treat the whole domain as forged."
    )
    fix = "Sign the zone with the key that the DS record names, or replace it at the registry."
    return [Step("ds", "", Verdict.FAILED, told, fix)]


def notify_hint(primaries: Sequence[Primary], key: Name | None) -> Step:
    """Tell from where NOTIFY counts."""
    addresses = ", ".join(dict.fromkeys(primary.address for primary in primaries))
    signed = f", or signed with the key {display(key)} from anywhere" if key else ""
    told = (
        f"NOTIFY messages count when they come from {addresses}{signed}. Without them a change is"
        " found when REFRESH has run out."
    )
    return Step("notify", "", Verdict.OK, told)


def ask(resolver: Address, apex: Name, rtype: int) -> list[tuple[str, bytes]]:
    """Return text and wire of the records that a resolver gives; raises what dnspython does."""
    name = dns.name.from_wire(apex, 0)[0]
    query = dns.message.make_query(name, dns.rdatatype.RdataType.make(rtype), want_dnssec=True)
    answer, _tcp = dns.query.udp_with_fallback(
        query, resolver.host, RESOLVER_SECONDS, resolver.port
    )
    return [
        (rdata.to_text().lower(), rdata.to_wire() or b"")
        for rrset in answer.answer
        if rrset.rdtype == rtype and rrset.name == name
        for rdata in rrset
    ]


def ns_of(version: ZoneVersion) -> list[Name]:
    """Return the name servers of the zone."""
    rrset = apex_rrsets(version).get((NS, 0))
    return list(rrset.rdatas) if rrset else []


def shown(names: Sequence[Name]) -> str:
    """Return names in a row."""
    return ", ".join(display(name) for name in names)


def as_data(apex: Name, steps: Sequence[Step], works: bool) -> dict[str, Any]:
    """Return the report for JSON."""
    return {
        "zone": display(apex),
        "works": works,
        "steps": [
            {
                "step": step.name,
                "primary": step.peer or None,
                "result": step.verdict.value,
                "rule": step.rule or None,
                "sentence": step.told,
                "fix": step.fix or None,
            }
            for step in steps
        ],
    }


def tell(apex: Name, steps: Sequence[Step], works: bool) -> None:
    """Write the report for a person."""
    peer = ""
    for step in steps:
        if step.peer != peer:
            peer = step.peer
            click.echo()
            click.secho(f"Primary {peer}" if peer else "Besides", bold=True)
        click.secho(f"  {step.verdict.value:<8}", fg=COLOURS[step.verdict], nl=False)
        text = f"{NAMES[step.name]}: {step.told}"
        if step.rule:
            text += f" [{step.rule}]"
        lines = wrapped(text, 88).splitlines()
        click.echo("\n          ".join(lines))
        if step.fix and step.verdict is not Verdict.OK:
            for line in wrapped(f"What to do: {step.fix}", 88).splitlines():
                click.echo(f"          {line}")
    click.echo()
    if works:
        click.secho(f"{display(apex)} can be followed.", fg="green", bold=True)
    else:
        click.secho(f"{display(apex)} would not be served.", fg="red", bold=True)
