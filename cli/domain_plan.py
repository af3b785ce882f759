"""``nsctl domain plan``: our data, the registry's, and the parent's NS and DS, side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import ADDRESS, server_timeout
from cli.command import Command
from cli.desk import NAME, desk_of, now
from cli.output import emit, print_table
from nameserver.address import Address

if TYPE_CHECKING:
    from registrar.desk.registrations import Entry
    from registrar.drift import Drift, View
    from registrar.model import State
    from registrar.objects import SecDns


@click.command(
    cls=Command,
    example="""nsctl domain plan example.org
    nsctl domain plan example.org --parent 192.0.2.1@53 --no-registry""",
)
@NAME
@click.option(
    "--parent",
    "parents",
    multiple=True,
    type=ADDRESS,
    help="A server of the parent zone; default: those that the DNS names. Repeat.",
)
@click.option("--no-registry", is_flag=True, help="Do not ask the registry.")
@click.option("--no-parent", is_flag=True, help="Do not ask the parent's servers.")
@server_timeout
@click.pass_obj
def plan(
    app: App,
    *,
    name: str,
    parents: tuple[Address, ...],
    no_registry: bool,
    no_parent: bool,
    timeout: float,
) -> None:
    """Compare what we have of NAME with the registry and with the parent's NS and DS records.

    Where they differ, what would put it right is proposed. Exit code 1 where anything differs.
    """
    from registrar.desk import registrations
    from registrar.drift import View, compare, of_desk
    from registrar.lifecycle import project

    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
    state = project(known, now())
    ours = of_desk(
        entry.name_servers,
        entry.sec_dns,
        state.statuses,
        state.registry_expires,
        tags_of(entry.sec_dns),
    )
    registry = View(problem="not asked") if no_registry else ask_registry(app, entry)
    parent = View(problem="not asked") if no_parent else ask_parent(name, parents, timeout)
    drifts = compare(name, state.life, ours, registry, parent)
    data = {
        "domain": name,
        "life": state.life.value,
        "in_step": not drifts,
        "ours": view_data(ours),
        "registry": view_data(registry),
        "parent": view_data(parent),
        "drift": [
            {
                "what": drift.what,
                "party": drift.party,
                "ours": drift.ours,
                "theirs": drift.theirs,
                "repair": drift.repair,
            }
            for drift in drifts
        ],
    }
    emit(app, data, lambda: tell(name, state, (ours, registry, parent), drifts))
    if drifts:
        raise click.exceptions.Exit(1)


def tags_of(data: SecDns) -> frozenset[int]:
    """Return the key tags of DNSSEC data, of keys and of digests."""
    import base64
    import binascii

    import dns.dnssec
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    from dns.rdtypes.ANY.DNSKEY import DNSKEY

    found = {ds.key_tag for ds in data.ds}
    for key in data.keys:
        head = key.flags.to_bytes(2, "big") + bytes((key.protocol, key.algorithm))
        try:
            wire = head + base64.b64decode(key.public_key)
        except binascii.Error:
            continue
        kind, rdclass = dns.rdatatype.DNSKEY, dns.rdataclass.IN
        rdata = dns.rdata.from_wire(rdclass, kind, wire, 0, len(wire))
        assert isinstance(rdata, DNSKEY)
        found.add(dns.dnssec.key_id(rdata))
    return frozenset(found)


def ask_registry(app: App, entry: Entry) -> View:
    """Return the registry's view, or why there is none."""
    from registrar.connector import Done
    from registrar.desk import accounts
    from registrar.drift import View, of_registry
    from registrar.epp.client import EppClient
    from registrar.errors import RegistrarError

    if not entry.account:
        return View(problem="the registration has no registry account")

    async def info(account: Any, database: Any) -> Any:
        connector = accounts.connect(account, database, now)
        try:
            return await connector.info(entry.name, trid=_trid())
        finally:
            if isinstance(connector, EppClient):
                await connector.close()

    try:
        with app.opened() as database:
            with database.read() as session:
                account = accounts.get(session, entry.account)
            outcome = asyncio.run(info(account, database))
    except RegistrarError as error:
        return View(problem=str(error))
    if not isinstance(outcome, Done):
        return View(problem=f"{entry.account}: {outcome}")
    return of_registry(outcome.value, tags_of(outcome.value.sec_dns))


def _trid() -> str:
    from registrar.desk.recording import new_trid

    return new_trid()


def ask_parent(name: str, parents: tuple[Address, ...], timeout: float) -> View:
    """Return what the parent's servers say: the referral's NS, glue, and the DS records."""
    from registrar.drift import View
    from registrar.predelegation.asker import Asker, Patience
    from registrar.predelegation.request import Endpoint

    targets = [Endpoint(one.host, one.port) for one in parents] or parent_servers(name, timeout)
    problem = f"no server of {name.partition('.')[2]} is known"
    for target in targets:
        asker = Asker(target, Patience(timeout, 2))
        reply = asker.ask(name, "NS")
        if reply.message is None:
            problem = f"{target}: {reply.problem}"
            continue
        ds = asker.ask(name, "DS", dnssec=True)
        return View(
            _names(name, reply.message), _glue_of(name, reply.message), _ds(name, ds.message)
        )
    return View(problem=problem)


def parent_servers(name: str, timeout: float) -> list[Any]:
    """Return the addresses of the parent's name servers, as the system's resolver has them."""
    import dns.exception
    import dns.resolver

    from registrar.predelegation.asker import system_resolver
    from registrar.predelegation.request import Endpoint

    zone = name.partition(".")[2]
    try:
        hosts = [
            str(rdata.target) for rdata in dns.resolver.resolve(f"{zone}.", "NS", lifetime=timeout)
        ]
    except (dns.exception.DNSException, OSError):
        return []
    resolve = system_resolver()
    return [Endpoint(address) for host in hosts[:3] for address in resolve(host.rstrip("."))]


def _names(name: str, message: Any) -> frozenset[str]:
    import dns.name
    import dns.rdatatype

    owner = dns.name.from_text(name)
    return frozenset(
        rdata.target.to_text(omit_final_dot=True).lower()
        for section in (message.answer, message.authority)
        for rrset in section
        if rrset.name == owner and rrset.rdtype == dns.rdatatype.NS
        for rdata in rrset
    )


def _glue_of(name: str, message: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    import dns.rdatatype

    found: dict[str, list[str]] = {}
    for rrset in message.additional:
        host = rrset.name.to_text(omit_final_dot=True).lower()
        if host.endswith(f".{name}") and rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            found.setdefault(host, []).extend(str(rdata) for rdata in rrset)
    return tuple(sorted((host, tuple(addresses)) for host, addresses in found.items()))


def _ds(name: str, message: Any) -> frozenset[int] | None:
    import dns.name
    import dns.rdatatype

    if message is None:
        return None
    owner = dns.name.from_text(name)
    return frozenset(
        rdata.key_tag
        for rrset in message.answer
        if rrset.name == owner and rrset.rdtype == dns.rdatatype.DS
        for rdata in rrset
    )


def view_data(view: View) -> dict[str, Any]:
    """Return a view for JSON."""
    return {
        "name_servers": sorted(view.servers) if view.servers is not None else None,
        "glue": {host: list(addresses) for host, addresses in view.glue},
        "key_tags": sorted(view.keys) if view.keys is not None else None,
        "statuses": sorted(view.statuses) if view.statuses is not None else None,
        "problem": view.problem or None,
    }


def tell(name: str, state: State, views: tuple[View, ...], drifts: list[Drift]) -> None:
    """Write the three views, and each difference with what would put it right."""

    def cell(values: Any, view: View) -> str:
        if view.problem:
            return f"({view.problem})"
        return ", ".join(map(str, sorted(values))) if values else "none"

    click.secho(f"{name}  {state.life}", bold=True)
    ours, registry, parent = views
    rows = [
        ("name servers", *(cell(view.servers, view) for view in views)),
        ("key tags", *(cell(view.keys, view) for view in views)),
        ("statuses", cell(ours.statuses, ours), cell(registry.statuses, registry), ""),
    ]
    print_table(("", "Ours", "Registry", "Parent"), rows)
    for drift in drifts:
        click.secho(
            f"\n{drift.what}: {drift.ours} here, {drift.theirs} at the {drift.party}", fg="yellow"
        )
        click.echo(f"    {drift.repair}")
    if not drifts:
        unknown = [view.problem for view in (registry, parent) if view.problem]
        said = "; the rest could not be compared" if unknown else ""
        click.secho(f"what is known is in step{said}", fg="green")
