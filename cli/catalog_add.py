"""``nsctl catalog add``, ``produce`` and ``group``."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from cli.app import App
from cli.arguments import KEY, ZONE
from cli.command import Command
from cli.output import emit
from cli.primary_options import Means, told_of, with_means
from zones.name import Name, display
from zones.zone import Mode, Zone

CATZONE = click.argument("apex", metavar="CATZONE", type=ZONE)


@click.command(
    cls=Command,
    example="""nsctl catalog add catalog.example --primary 192.0.2.1 --key k --customer 4711
    nsctl catalog add catalog.example --primary 192.0.2.1 --member-primary 192.0.2.2
    nsctl catalog add catalog.example --primary 192.0.2.1 --tls --tls-ca customer-ca.pem""",
)
@CATZONE
@click.option(
    "--primary",
    "addresses",
    multiple=True,
    required=True,
    type=str,
    metavar="ADDR[@PORT]",
    help="Whom the catalog is transferred from; repeat for several.",
)
@with_means
@click.option(
    "--member-primary",
    "member_addresses",
    multiple=True,
    type=str,
    metavar="ADDR[@PORT]",
    help="Whom its zones are transferred from; default: the same.",
)
@click.option(
    "--member-key", type=KEY, metavar="NAME", help="TSIG key for its zones; default: the same."
)
@click.option("--customer", metavar="ID", help="Whose the zones are.")
@click.option(
    "--max-members",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="A catalog with more zones is not applied.",
)
@click.option(
    "--max-lost",
    type=click.IntRange(0, 100),
    default=20,
    show_default=True,
    metavar="PERCENT",
    help="When it loses more of its zones at once, nothing is done until you approve.",
)
@click.pass_obj
def add(
    app: App,
    *,
    apex: Name,
    addresses: tuple[str, ...],
    means: Means,
    member_addresses: tuple[str, ...],
    member_key: Name | None,
    customer: str | None,
    max_members: int,
    max_lost: int,
) -> None:
    """Follow the catalog CATZONE: each zone that it lists is followed too, as long as it does.

    What the options say of TLS, --source and --transfers counts for the primaries of its zones too.
    """
    from storage import catalogs, secondaries, zones
    from zones.catalog import Guard

    own = means.primaries(addresses)
    theirs = means.primaries(
        member_addresses or addresses, option="--member-primary", key=member_key
    )
    means.check_sources((*own, *theirs))
    owner = customer if customer is not None else app.settings().customer
    made = catalogs.Catalog(
        apex,
        catalogs.Role.CONSUMER,
        owner,
        theirs,
        guard=Guard(members=max_members, share=max_lost / 100),
    )
    now = time.time()
    with app.write() as session:
        zone = Zone(apex, Mode.HIDDEN_PRIMARY, owner)
        zones.add_zone(session, zone, now=now, actor=app.actor)
        secondaries.set_primaries(session, apex, own, now=now, actor=app.actor)
        for one in {primary.key for primary in theirs} - {None, means.key}:
            assert one is not None
            catalogs.check_key(session, one)
        catalogs.add_catalog(session, made, now=now, actor=app.actor)
    whom = ", ".join(map(told_of, own))

    def tell() -> None:
        click.echo(f"catalog {display(apex)}: followed from {whom}")
        click.echo(f"see how it goes: nsctl catalog show {display(apex)}")

    emit(app, as_data(made), tell)


@click.command(
    cls=Command,
    example="""nsctl catalog produce catalog.example
    nsctl catalog produce portfolio.example --customer 4711
    nsctl peer add 192.0.2.53 --zone catalog.example --key transfer.example.org""",
)
@CATZONE
@click.option("--customer", metavar="ID", default="", help="Whose zones are listed; default: all.")
@click.pass_obj
def produce(app: App, *, apex: Name, customer: str) -> None:
    """List our zones in the catalog CATZONE, for further secondaries to follow.

    It changes when zones are added or deleted. Who may transfer it, and is told, is a matter of
    nsctl peer.
    """
    from storage import catalogs, zones

    made = catalogs.Catalog(apex, catalogs.Role.PRODUCER, customer)
    now = time.time()
    with app.write() as session:
        zones.add_zone(session, Zone(apex, Mode.HOSTED), now=now, actor=app.actor)
        catalogs.add_catalog(session, made, now=now, actor=app.actor)
        catalogs.produce(session, apex, now=now)
    whose = f"those of customer {customer}" if customer else "all"
    emit(
        app,
        as_data(made),
        lambda: click.echo(f"catalog {display(apex)}: lists our zones, {whose}"),
    )


@click.command(
    cls=Command,
    example="""nsctl catalog group catalog.example signed --primary 192.0.2.7 --key k
    nsctl catalog group catalog.example signed --delete""",
)
@CATZONE
@click.argument("name", metavar="GROUP")
@click.option(
    "--primary",
    "addresses",
    multiple=True,
    type=str,
    metavar="ADDR[@PORT]",
    help="Whom the zones of the group are transferred from; repeat for several.",
)
@with_means
@click.option("--delete", "gone", is_flag=True, help="Let the group be like all others again.")
@click.pass_obj
def group(
    app: App,
    *,
    apex: Name,
    name: str,
    addresses: tuple[str, ...],
    means: Means,
    gone: bool,
) -> None:
    """Give the zones that CATZONE puts into GROUP (RFC 9432 4.4.2) primaries of their own."""
    from storage import catalogs

    if gone == bool(addresses):
        raise click.UsageError("give either --primary or --delete")
    now = time.time()
    with app.write() as session:
        before = catalogs.get_catalog(session, apex)
        groups = {one: known for one, known in before.groups.items() if one != name}
        if not gone:
            if means.key is not None:
                catalogs.check_key(session, means.key)
            groups[name] = means.primaries(addresses)
            means.check_sources(groups[name])
        after = replace(before, groups=groups)
        catalogs.change_catalog(session, after, now=now, actor=app.actor)
    what = "has the primaries of all others" if gone else "has primaries of its own"
    emit(
        app,
        as_data(after),
        lambda: click.echo(f"catalog {display(apex)}: group {name} {what}"),
    )


def as_data(one: object) -> dict[str, object]:
    """Return a catalog for JSON."""
    from storage.catalogs import Catalog

    assert isinstance(one, Catalog)
    return {
        "catalog": display(one.apex),
        "role": one.role.value,
        "customer": one.customer or None,
        "primaries": [str(primary) for primary in one.primaries],
        "groups": {name: [str(primary) for primary in group] for name, group in one.groups.items()},
        "max_members": one.guard.members,
        "max_lost_percent": round(100 * one.guard.share),
        "held": bool(one.held),
        "trouble": one.trouble or None,
    }
