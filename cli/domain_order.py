"""``nsctl domain order`` and ``transfer-in``: one name, several, or a list as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cli.app import App
from cli.command import Command
from cli.desk import DOMAIN, DRY_RUN, desk_of, now, outcome_data, tell
from cli.output import emit
from zones.errors import DNSError
from zones.zone import Mode

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.desk import Desk
    from registrar.desk.ordering import NewOrder
    from registrar.desk.outcome import Outcome

F = TypeVar("F", bound=Callable[..., Any])
# What a row of a list, or the options of a command, say of an order.
FIELDS: Final = (
    "name", "customer", "holder", "admin", "tech", "contract", "product", "options", "own_mx",
    "mode", "servers", "dnskeys", "ds", "auth", "account",
)  # fmt: skip


def order_options(function: F) -> F:
    """Give a command the options of an order."""
    for option in reversed(
        (
            click.option(
                "--customer", metavar="ID", help="Who orders; default: the setting customer."
            ),
            click.option("--holder", metavar="CONTACT", help="Who the domain is for."),
            click.option("--admin", metavar="CONTACT", help="A natural person (Admin-C)."),
            click.option("--tech", default="", metavar="CONTACT", help="Who keeps the servers."),
            click.option("--contract", metavar="ID", help="The terms; default: [desk] contract."),
            click.option(
                "--product",
                default="solodomain",
                show_default=True,
                metavar="PRODUCT",
                help="See: nsctl product list.",
            ),
            click.option("--option", "options", multiple=True, metavar="OPTION", help="Repeat."),
            click.option("--own-mx", multiple=True, metavar="'PREF HOST'", help="Repeat."),
            click.option(
                "--mode",
                type=click.Choice([mode.value for mode in Mode]),
                default=Mode.HOSTED.value,
                show_default=True,
                help="Where the zone comes from.",
            ),
            click.option(
                "--server",
                "servers",
                multiple=True,
                metavar="NAME[=ADDR,...]",
                help="A name server, with glue; default: [hosted]. Repeat.",
            ),
            click.option("--dnskey", "dnskeys", multiple=True, metavar="KEY", help="Repeat."),
            click.option("--ds", multiple=True, metavar="DS", help="Repeat."),
            click.option("--account", default="", metavar="ID", help="Of the registry."),
            click.option("--accept-terms", is_flag=True, help="The TLD's terms are accepted."),
            click.option("--manual", is_flag=True, help="Entered by staff for the customer."),
            click.option("--hold-back", is_flag=True, help="Do not send it to the registry yet."),
            DRY_RUN,
        )
    ):
        function = option(function)
    return function


@click.command(
    cls=Command,
    example="""nsctl domain order example.de --customer 4711 --holder C-1 --admin C-1 --accept-terms
    nsctl domain order --file orders.csv --accept-terms --dry-run
    nsctl domain order --file orders.csv --accept-terms""",
)
@click.argument("names", metavar="[NAME]...", nargs=-1, type=DOMAIN)
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file with a column name, and any of these options as columns.",
)
@order_options
@click.pass_obj
def order(app: App, /, *, names: tuple[str, ...], file: Path | None, **given: Any) -> None:
    """Order each NAME; everything is checked first, and the zone prepared.

    A list is resumed by running it again: rows that were ordered are left as they are.
    """
    if bool(names) == bool(file):
        raise click.UsageError("name domains, or a --file of orders")
    if file is not None:
        from cli.domain_bulk import run

        run(app, file, given)
        return
    place_all(app, [{**fields(app, given), "name": name} for name in names], given)


@click.command(
    "transfer-in",
    cls=Command,
    example="""nsctl domain transfer-in example.org --auth 'code' --customer 4711 --holder C-1
    --admin C-1 --accept-terms""",
)
@click.argument("name", metavar="NAME", type=DOMAIN)
@click.option("--auth", default="", metavar="CODE", help="From the present registrar.")
@order_options
@click.pass_obj
def transfer_in(app: App, /, *, name: str, auth: str, **given: Any) -> None:
    """Have NAME transferred to us, with the auth code of its present registrar."""
    row = {**fields(app, given), "name": name, "auth": auth, "kind": "transfer"}
    place_all(app, [row], given)


def fields(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the options say of an order, with the defaults of the settings."""
    settings = app.settings(quiet=True)
    found = {key: given[key] for key in FIELDS if given.get(key)}
    found.setdefault("customer", settings.customer)
    found.setdefault("contract", settings.desk.contract)
    found["options"] = tuple(given["options"])
    return found


def place_all(app: App, rows: list[dict[str, Any]], given: dict[str, Any]) -> None:
    """Place orders, each in a transaction of its own, and show what came of them."""
    desk, outcomes = desk_of(app), []
    for row in rows:
        with app.read() if given["dry_run"] else app.write() as session:
            outcomes.append(place(app, session, desk, row, given))
    data = [outcome_data(outcome) for outcome in outcomes]

    def tell_all() -> None:
        for outcome in outcomes:
            tell(outcome)

    emit(app, data[0] if len(data) == 1 else data, tell_all)
    if any(outcome.reasons for outcome in outcomes):
        raise click.exceptions.Exit(1)


def place(
    app: App, session: Session, desk: Desk, row: dict[str, Any], given: dict[str, Any]
) -> Outcome:
    """Place one order; raises ``DNSError`` for what names nothing that is known."""
    from registrar.desk import ordering

    new = made_order(app, session, row, given)
    return ordering.place(
        session, desk, new, now=now(), actor=app.actor, dry_run=bool(given["dry_run"])
    )


def made_order(app: App, session: Session, row: dict[str, Any], given: dict[str, Any]) -> NewOrder:
    """Return the order that a row describes; raises ``DNSError`` with every reason."""
    from cli.contact import stored_contact
    from cli.domain_check import named_servers, security
    from cli.zone_product import mail_servers, make_booking
    from registrar.desk.ordering import NewOrder
    from registrar.order import Order

    missing = [key for key in ("customer", "holder", "admin") if not row.get(key)]
    if missing:
        raise DNSError(
            "\n".join(f"{row['name']}: {key} is missing; say --{key}" for key in missing)
        )
    servers = named_servers(tuple(row.get("servers", ())))
    booking = make_booking(
        app,
        row.get("product") or "solodomain",
        tuple(row.get("options", ())),
        mail_servers(tuple(row.get("own_mx", ()))),
    )
    wanted = Order(
        name=row["name"],
        contract=row["contract"],
        holder=stored_contact(session, row["holder"]).contact,
        admin=stored_contact(session, row["admin"]).contact,
        booking=booking,
        mode=Mode(row.get("mode") or Mode.HOSTED.value),
        name_servers=tuple(server.name for server in servers),
        terms_accepted=bool(given["accept_terms"]),
        manual=bool(given["manual"]),
    )
    return NewOrder(
        wanted,
        customer=row["customer"],
        account=row.get("account") or "",
        kind="transfer" if row.get("kind") == "transfer" else "create",
        auth=row.get("auth") or "",
        name_servers=servers,
        sec_dns=security(tuple(row.get("dnskeys", ())), tuple(row.get("ds", ()))),
        forward=not given["hold_back"],
        tech=row.get("tech") or "",
    )
