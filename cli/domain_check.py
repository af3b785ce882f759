"""``nsctl domain check``: the registry's own check of name servers, before the registry makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from cli.app import App
from cli.arguments import ADDRESS, now, server_timeout
from cli.command import Command
from cli.output import count, emit, print_table
from nameserver.address import Address, BadAddress
from zones.errors import DNSError
from zones.finding import Severity

if TYPE_CHECKING:
    from registrar.objects import DsData, KeyData, NameServer, SecDns
    from registrar.predelegation.request import Endpoint, Gathered, Issue, Request

PROFILES: Final = ("denic", "gtld", "eu")
OF_TLD: Final = {"de": "denic", "eu": "eu"}


@click.command(
    cls=Command,
    example="""nsctl domain check example.de --server ns1.example.net --server ns2.example.net
    nsctl domain check example.de --server ns1.example.de=192.0.2.1 --server ns2.example.net
    nsctl domain check example.de --server ns1.example.net --at ns1.example.net=127.0.0.1@5300
    nsctl domain check --rules --profile denic""",
)
@click.argument("name", metavar="NAME", required=False)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Whose rules; by default those of the name's TLD.",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="NAME[=ADDR,...]",
    help="A name server as the registry would get it, with its glue; repeat.",
)
@click.option(
    "--at",
    "places",
    multiple=True,
    metavar="NAME=ADDR[@PORT]",
    help="Where a server is asked, before it is in service; repeat.",
)
@click.option(
    "--dnskey",
    "keys",
    multiple=True,
    metavar="KEY",
    help="A key for the registry: '257 3 13 mdsswUyr3DPW...'; repeat.",
)
@click.option(
    "--ds",
    "digests",
    multiple=True,
    metavar="DS",
    help="A DS record for the registry: '12345 13 2 3A5C...'; repeat.",
)
@click.option(
    "--resolver", "resolvers", multiple=True, type=ADDRESS, help="Who looks names up; repeat."
)
@server_timeout
@click.option("--rules", is_flag=True, help="List what is checked instead.")
@click.pass_obj
def check(
    app: App,
    *,
    name: str | None,
    profile: str | None,
    servers: tuple[str, ...],
    places: tuple[str, ...],
    keys: tuple[str, ...],
    digests: tuple[str, ...],
    resolvers: tuple[Address, ...],
    timeout: float,
    rules: bool,
) -> None:
    """Ask the name servers of NAME all that its registry will ask, over real DNS.

    Without --server, those of the registration, or of the hosted zone, are taken. Exit code 1
    where the registry would refuse.
    """
    if rules:
        list_rules(app, profile or "denic")
        return
    if name is None:
        raise click.UsageError("name a domain")
    from registrar import names
    from registrar.predelegation import checks
    from registrar.predelegation.asker import Patience, gather, system_resolver
    from registrar.predelegation.request import Endpoint, Request
    from registrar.predelegation.rules import PROFILES as KNOWN

    domain = names.parse(name)
    wanted = KNOWN[profile or OF_TLD.get(domain.tld, "gtld")]
    request = Request(
        domain.name,
        named_servers(servers),
        security(keys, digests),
        stand_ins(places),
    )
    if not servers:
        request = known_request(app, request)
    resolve = system_resolver(Endpoint(one.host, one.port) for one in resolvers)
    gathered = gather(request, resolve, Patience(timeout))
    issues = checks.check(gathered, wanted, now())
    data = as_data(gathered, issues, wanted.id)
    emit(app, data, lambda: tell(request, gathered, issues, wanted.title))
    if not data["ok"]:
        raise click.exceptions.Exit(1)


def named_servers(texts: tuple[str, ...]) -> tuple[NameServer, ...]:
    """Return the name servers that options name; raises ``UsageError``."""
    from registrar.objects import NameServer

    found = []
    for text in texts:
        host, _equals, addresses = text.partition("=")
        glue = tuple(_address(part).host for part in addresses.split(",") if part.strip())
        found.append(NameServer(host_name(host), glue))
    return tuple(found)


def stand_ins(texts: tuple[str, ...]) -> dict[str, tuple[Endpoint, ...]]:
    """Return where servers are asked in place of their addresses, by name."""
    from registrar.predelegation.request import Endpoint

    found: dict[str, tuple[Endpoint, ...]] = {}
    for text in texts:
        host, equals, place = text.partition("=")
        if not equals:
            raise click.UsageError(f"--at {text!r}: NAME=ADDRESS[@PORT] is meant")
        address = _address(place)
        name = host_name(host)
        found[name] = (*found.get(name, ()), Endpoint(address.host, address.port))
    return found


def host_name(text: str) -> str:
    """Return a host name as registries write it: A-labels, lower case, no final dot."""
    from zones.name import ROOT, BadName, display, from_text

    try:
        name = from_text(text.strip())
    except BadName as error:
        raise click.UsageError(str(error)) from error
    if name == ROOT:
        raise click.UsageError(f"{text!r} is not the name of a host")
    return display(name)


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise click.UsageError(str(error)) from error


def security(keys: tuple[str, ...], digests: tuple[str, ...]) -> SecDns:
    """Return the DNSSEC data that options name; raises ``UsageError``."""
    from registrar.objects import SecDns

    if keys and digests:
        raise click.UsageError("a registry takes --dnskey or --ds, not both (RFC 5910 4)")
    return SecDns(
        ds=tuple(_digest(text) for text in digests), keys=tuple(_key(text) for text in keys)
    )


def _key(text: str) -> KeyData:
    from registrar.objects import KeyData

    parts = text.split()
    if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
        raise click.UsageError(f"--dnskey {text!r}: flags, protocol, algorithm and key are meant")
    flags, protocol, algorithm = map(int, parts[:3])
    return KeyData(flags, protocol, algorithm, "".join(parts[3:]))


def _digest(text: str) -> DsData:
    from registrar.objects import DsData

    parts = text.split()
    if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
        raise click.UsageError(f"--ds {text!r}: key tag, algorithm, digest type and digest")
    tag, algorithm, kind = map(int, parts[:3])
    return DsData(tag, algorithm, kind, "".join(parts[3:]).upper())


def known_request(app: App, request: Request) -> Request:
    """Return a request with the name servers that are known here, and the keys that belong to them.

    Those of an open registration count first, then those of the hosted zone.
    """
    import dataclasses

    from registrar.desk import registrations

    with app.read() as session:
        entry = registrations.find(session, request.domain)
    if entry is not None and entry.closed_at is None and entry.name_servers:
        sec_dns = request.sec_dns or entry.sec_dns
        return dataclasses.replace(request, name_servers=entry.name_servers, sec_dns=sec_dns)
    return dataclasses.replace(request, name_servers=known_servers(app, request.domain))


def known_servers(app: App, name: str) -> tuple[NameServer, ...]:
    """Return the name servers of the hosted zone; raises ``DNSError`` where none are known."""
    from registrar.objects import NameServer
    from storage import versions
    from storage.errors import UnknownZone
    from zones.name import display, from_text
    from zones.rrset import NS

    apex = from_text(name)
    try:
        with app.read() as session:
            version = versions.served(session, apex)
    except UnknownZone:
        version = None
    rrsets = [rrset for rrset in version or () if rrset.owner == apex and rrset.rtype == NS]
    if version is None or not rrsets:
        raise DNSError(f"no name servers of {name} are known here; name them with --server")
    glue = _addresses(version)
    return tuple(
        NameServer(display(target), glue.get(target, ()) if target.endswith(apex) else ())
        for target in rrsets[0].rdatas
    )


def _addresses(version: Any) -> dict[bytes, tuple[str, ...]]:
    from zones.rdata import to_text
    from zones.rrset import AAAA, A

    found: dict[bytes, tuple[str, ...]] = {}
    for rrset in version:
        if rrset.rtype in (A, AAAA):
            texts = tuple(to_text(rrset.rtype, octets) for octets in rrset.rdatas)
            found[rrset.owner] = (*found.get(rrset.owner, ()), *texts)
    return found


def as_data(gathered: Gathered, issues: list[Issue], profile: str) -> dict[str, Any]:
    """Return what came of a check for JSON."""
    from registrar.predelegation.rules import RULES

    return {
        "domain": gathered.request.domain,
        "profile": profile,
        "ok": not any(issue.severity is Severity.ERROR for issue in issues),
        "servers": [
            {
                "name": answers.name,
                "address": str(answers.endpoint),
                "answers": answers.soa.message is not None,
            }
            for answers in gathered.answers
        ],
        "issues": [
            {
                "rule": issue.rule,
                "severity": issue.severity.value,
                "server": issue.server or None,
                "sentence": issue.sentence,
                "fix": RULES[issue.rule].fix,
                "source": RULES[issue.rule].source,
            }
            for issue in issues
        ],
    }


def tell(request: Request, gathered: Gathered, issues: list[Issue], title: str) -> None:
    """Write what was asked, each issue with what to do, and the sum of it."""
    from registrar.predelegation.rules import RULES

    click.echo(f"{request.domain}: {title}")
    asked = ", ".join(answers.where for answers in gathered.answers)
    click.echo(click.style(f"asked: {asked or 'nobody'}", dim=True))
    for issue in issues:
        severity = issue.severity
        colour = "red" if severity is Severity.ERROR else "yellow"
        click.echo(f"{click.style(severity.value, fg=colour)}: {issue.sentence}  [{issue.rule}]")
        click.echo(f"    {RULES[issue.rule].fix}")
    errors = sum(issue.severity is Severity.ERROR for issue in issues)
    warnings = len(issues) - errors
    told = f"{count(errors, 'error')}, {count(warnings, 'warning')}" if issues else "all is well"
    verdict = "would be refused" if errors else "would be delegated"
    colour = "red" if errors else "yellow" if warnings else "green"
    click.secho(f"{request.domain}: {told}; {verdict}", fg=colour)


def list_rules(app: App, profile: str) -> None:
    """Write every rule of a profile."""
    from registrar.predelegation.rules import PROFILES as KNOWN
    from registrar.predelegation.rules import RULES

    data = [
        {
            "rule": rule.id,
            "severity": rule.severity.value,
            "headline": rule.headline,
            "fix": rule.fix,
            "source": rule.source,
        }
        for rule in RULES.values()
        if rule.id in KNOWN[profile].rules
    ]
    rows = [(one["rule"], one["severity"], one["headline"]) for one in data]
    emit(app, data, lambda: print_table(("Rule", "Severity", "Says"), rows))
