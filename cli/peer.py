"""``nsctl peer``: who may transfer zones from us, and is sent NOTIFY."""

from __future__ import annotations

import ipaddress
from typing import Any

import click

from cli.app import App
from cli.arguments import KEY, ZONE
from cli.command import Command, Group
from cli.output import emit, print_table
from nameserver.address import Address, BadAddress
from zones.name import Name, display

peer = Group("peer", help="Who may transfer zones from us, and is told when they change.")

WHOM = click.argument("whom", metavar="ADDR[/LEN][@PORT]")
OF_ZONE = click.option(
    "--zone", "apex", type=ZONE, metavar="ZONE", help="Of this zone; default: all."
)
BY_KEY = click.option("--key", type=KEY, metavar="NAME", help="Signed by this TSIG key.")


def address_and_port(text: str) -> tuple[str, int]:
    """Return a peer's address or network, and its port."""
    host, _at, port = text.partition("@")
    if "/" in host:
        try:
            network = str(ipaddress.ip_network(host.strip("[]")))
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: {error}") from error
        if port and not port.isdigit():
            raise click.BadParameter(f"{text!r}: {port!r} is not a port")
        return network, int(port or 53)
    try:
        found = Address.parse(text)
    except BadAddress as error:
        raise click.BadParameter(str(error)) from error
    return found.host, found.port


@peer.command(
    "add",
    cls=Command,
    example="""nsctl peer add 192.0.2.53
    nsctl peer add 192.0.2.0/24 --zone example.org --key transfer.example.org
    nsctl peer add 192.0.2.53 --tls-only --certificate secondary.example.net""",
)
@WHOM
@OF_ZONE
@BY_KEY
@click.option("--transfer/--no-transfer", default=True, help="May transfer (default), or not.")
@click.option(
    "--notify/--no-notify", default=None, help="Is sent NOTIFY (default for an address), or not."
)
@click.option("--tls-only", is_flag=True, help="Transfers over TLS alone (RFC 9103).")
@click.option(
    "--certificate",
    metavar="NAME",
    default="",
    help="Only who shows a certificate with this name, over TLS; [tls] client_ca issued it.",
)
@click.pass_obj
def add(
    app: App,
    *,
    whom: str,
    apex: Name | None,
    key: Name | None,
    transfer: bool,
    notify: bool | None,
    tls_only: bool,
    certificate: str,
) -> None:
    """Let a server, or a network, transfer zones from us; send it NOTIFY when they change."""
    from storage import peers

    host, port = address_and_port(whom)
    notify = "/" not in host if notify is None else notify
    name = certificate.rstrip(".").lower()
    made = peers.Peer(host, port, key, apex, transfer, notify, tls_only or bool(name), name)
    with app.write() as session:
        peers.add_peer(session, made, actor=app.actor)
    emit(app, as_data(made), lambda: click.echo(f"peer {made}: added, {rights(made)}"))


@peer.command("list", cls=Command, example="nsctl peer list --zone example.org")
@OF_ZONE
@click.pass_obj
def list_(app: App, *, apex: Name | None) -> None:
    """List the peers: of one zone, or all."""
    from storage import peers

    with app.read() as session:
        known = peers.peers_of(session, apex) if apex else peers.list_peers(session)
    rows = [
        (
            f"{one.address_or_net}@{one.port}"
            if ":" not in one.address_or_net
            else f"[{one.address_or_net}]@{one.port}",
            display(one.apex) if one.apex else "all zones",
            display(one.key) if one.key else "-",
            may_transfer(one),
            "yes" if one.notify else "no",
        )
        for one in known
    ]
    emit(
        app,
        [as_data(one) for one in known],
        lambda: (
            print_table(("Peer", "Zone", "Key", "May transfer", "Is notified"), rows)
            if rows
            else click.echo("no peers: nobody may transfer zones from here")
        ),
    )


@peer.command("delete", cls=Command, example="nsctl peer delete 192.0.2.53")
@WHOM
@OF_ZONE
@BY_KEY
@click.pass_obj
def delete(app: App, *, whom: str, apex: Name | None, key: Name | None) -> None:
    """Take back what was added with the same address, zone and key."""
    from storage import peers

    host, port = address_and_port(whom)
    gone = peers.Peer(host, port, key, apex, notify="/" not in host)
    with app.write() as session:
        peers.delete_peer(session, gone, actor=app.actor)
    emit(app, as_data(gone), lambda: click.echo(f"peer {gone}: deleted"))


def rights(made: Any) -> str:
    """Return what a peer may do, in words."""
    told = ["may transfer" + (" over TLS" if made.tls_only else "")] if made.may_transfer else []
    told += ["is notified"] if made.notify else []
    signed = f", signed by {display(made.key)}" if made.key else ""
    signed += f", with a certificate of {made.certificate}" if made.certificate else ""
    return (" and ".join(told) or "without any right") + signed


def may_transfer(one: Any) -> str:
    """Return whether and how a peer may transfer, in a word or two."""
    if not one.may_transfer:
        return "no"
    return (
        ("over TLS" + (f" as {one.certificate}" * bool(one.certificate))) if one.tls_only else "yes"
    )


def as_data(one: Any) -> dict[str, Any]:
    """Return a peer for JSON."""
    return {
        "address": one.address_or_net,
        "port": one.port,
        "zone": display(one.apex) if one.apex else None,
        "key": display(one.key) if one.key else None,
        "may_transfer": one.may_transfer,
        "notify": one.notify,
        "tls_only": one.tls_only,
        "certificate": one.certificate or None,
    }
