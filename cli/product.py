"""``nsctl product``: what products let customers do, and which records come with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command, Group, did_you_mean
from cli.output import emit, print_table, put, wrapped
from zones.errors import DNSError

if TYPE_CHECKING:
    from registrar.policy import Catalogue, Product

product = Group("product", help="Products: rights on the zone, and records that come with them.")

RIGHTS = ("own_records", "own_name_server", "server_alias", "http_redirect")
WORDS = {
    "own_records": "Own records",
    "own_name_server": "Own name server",
    "server_alias": "Server alias",
    "http_redirect": "http redirect",
}


def catalogue(app: App, number: str | None = None) -> Catalogue:
    """Return a catalogue, that of the settings by default; raises ``DNSError``."""
    from cli.policy import load

    wanted = number or app.settings(quiet=True).desk.catalogue
    known = load(app).catalogues
    if wanted not in known:
        raise DNSError(f"there is no catalogue {wanted!r}{did_you_mean(wanted, known)}")
    return known[wanted]


@product.command("list", cls=Command, example="nsctl product list")
@click.option("--catalogue", "number", metavar="ID", help="Of this catalogue.")
@click.pass_obj
def list_(app: App, number: str | None) -> None:
    """List the products with the rights that they give (N section 7)."""
    found = catalogue(app, number)
    data = [
        {
            "product": name,
            "title": one.title,
            **{right: getattr(one, right).value for right in RIGHTS},
        }
        for name, one in found.products.items()
    ]
    rows = [
        (one["product"], one["title"], *("yes" if one[right] else "no" for right in RIGHTS))
        for one in data
    ]
    emit(app, data, lambda: print_table(("Product", "Title", *WORDS.values()), rows))


@product.command(
    "show",
    cls=Command,
    example="""nsctl product show solodomain
    nsctl product show solodomain --zone example.org""",
)
@click.argument("name", metavar="PRODUCT")
@click.option("--catalogue", "number", metavar="ID", help="Of this catalogue.")
@click.option(
    "--zone",
    "zone",
    default="example.org",
    show_default=True,
    metavar="ZONE",
    help="The zone that the records are shown for.",
)
@click.pass_obj
def show(app: App, name: str, number: str | None, zone: str) -> None:
    """Show the rights of PRODUCT, what can be booked with it, and the records that come."""
    found = catalogue(app, number)
    if name not in found.products:
        raise DNSError(f"there is no product {name!r}{did_you_mean(name, found.products)}")
    data = as_data(found, name, found.products[name], zone)
    emit(app, data, lambda: _print(data))


def as_data(found: Catalogue, name: str, one: Product, zone: str) -> dict[str, Any]:
    """Return a product for JSON."""
    return {
        "product": name,
        "title": one.title,
        "rights": {
            right: {"value": getattr(one, right).value, "source": getattr(one, right).source}
            for right in RIGHTS
        },
        "record_types": list(found.record_types.value) if one.own_records.value else [],
        "records": _records(found, one.presets, zone),
        "options": [
            {
                "option": key,
                "title": found.options[key].title,
                "source": found.options[key].source,
                "needs": list(found.options[key].needs),
                "excludes": list(found.options[key].excludes),
                "includes": list(found.options[key].includes),
                "records": _records(found, [found.options[key].preset or ""], zone),
            }
            for key in one.options
        ],
    }


def _records(found: Catalogue, presets: list[str], zone: str) -> list[dict[str, Any]]:
    from zones.name import display, from_text

    apex = from_text(zone)
    return [
        {
            "owner": display(from_text(record.owner, apex)),
            "ttl": record.ttl,
            "type": record.type,
            "rdata": record.rdata,
            "preset": preset,
        }
        for preset in presets
        if preset
        for record in found.presets[preset].records
    ]


def _print(data: dict[str, Any]) -> None:
    from rich.text import Text

    put(Text(f"{data['product']}  {data['title']}", style="bold"))
    rows = [
        (WORDS[key], "yes" if right["value"] else "no", right["source"])
        for key, right in data["rights"].items()
    ]
    print_table(("Right", "", "Source"), rows)
    if data["record_types"]:
        click.echo(f"\nRecords that can be edited: {', '.join(data['record_types'])}")
    if data["records"]:
        click.echo("\nComes with these records, which nobody edits:")
        print_table(("Owner", "TTL", "Type", "Data"), _cells(data["records"]), right=("TTL",))
    click.echo("\nCan be booked with it:")
    for one in data["options"]:
        click.echo(
            f"  {one['option']}  " + click.style(f"{one['title']} ({one['source']})", dim=True)
        )
        for key in ("needs", "excludes", "includes"):
            if one[key]:
                text = wrapped(f"{key} {', '.join(one[key])}", 90)
                click.echo("\n".join(f"      {line}" for line in text.splitlines()))
        for record in one["records"]:
            click.echo(f"      {record['owner']} {record['type']} {record['rdata']}")


def _cells(records: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [(one["owner"], one["ttl"], one["type"], one["rdata"]) for one in records]
