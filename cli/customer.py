"""``nsctl customer``: whose the zones are."""

from __future__ import annotations

import click

from cli.app import App
from cli.command import Command, Group
from cli.output import emit, print_table

customer = Group(
    "customer",
    help="Whose the zones and domains are, what they owe, and where they are told things.",
    lazy={
        "set": ("cli.customer_set:set_", "Where a customer is told what happens to the zones."),
        "show": ("cli.customer_set:show", "One customer, and where they are told things."),
        "arrears": ("cli.billing:arrears", "Take in what is overdue, from billing."),
        "paid": ("cli.billing:paid", "Say up to which day a domain is paid."),
        "fees": ("cli.billing:fees", "Export what is due."),
    },
)


@customer.command("add", cls=Command, example="nsctl customer add 4711 --name 'Example Ltd'")
@click.argument("customer_id", metavar="ID")
@click.option("--name", default="", metavar="TEXT", help="A name for people.")
@click.pass_obj
def add(app: App, *, customer_id: str, name: str) -> None:
    """Add a customer; ID is the customer number, or any text of one's own."""
    from storage import customers

    with app.write() as session:
        customers.add_customer(session, customers.Customer(customer_id, name), actor=app.actor)
    data = {"id": customer_id, "name": name}
    emit(app, data, lambda: click.echo(f"customer {customer_id}: added"))


@customer.command("list", cls=Command, example="nsctl customer list")
@click.pass_obj
def list_(app: App) -> None:
    """List the customers."""
    from storage import customers, zones

    with app.read() as session:
        known = customers.list_customers(session)
        owners = [summary.zone.customer for summary in zones.list_zones(session)]
    data = [{"id": one.id, "name": one.name, "zones": owners.count(one.id)} for one in known]
    rows = [(one["id"], one["name"], one["zones"]) for one in data]
    emit(
        app,
        data,
        lambda: (
            print_table(("Customer", "Name", "Zones"), rows, right=("Zones",))
            if rows
            else click.echo("no customers yet")
        ),
    )
