"""``nsctl contact``: holders of domains, and those who act for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.app import App
from cli.command import Command, Group, did_you_mean
from cli.desk import desk_of, instant, now, reason_data, stamp, tell_reasons
from cli.output import count, emit, print_facts, print_table
from zones.errors import DNSError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.contacts import StoredContact

F = TypeVar("F", bound=Callable[..., Any])

contact = Group("contact", help="Contacts: holders of domains, and those who act for them.")

NUMBER = click.argument("number", metavar="ID")
FIELDS = (
    ("--name", "Of the person; for an organisation, who acts for it."),
    ("--organisation", "The organisation's name."),
    ("--postal-code", "As 50667."),
    ("--city", "The town, without its code."),
    ("--region", "State or province, where addresses have one."),
    ("--country", "Two letters: DE."),
    ("--phone", "With the country code: +49221123456."),
    ("--email", "As in info@example.org; no display name."),
    ("--citizenship", "Two letters, for registries that ask for it (.eu)."),
)


def with_fields(function: F) -> F:
    """Give a command the options for what a contact says of itself."""
    for name, words in reversed(FIELDS):
        function = click.option(name, default=None, metavar="TEXT", help=words)(function)
    for option in (
        click.option("--language", type=click.Choice(["de", "en"]), help="Of notices."),
        click.option("--street", multiple=True, metavar="TEXT", help="A line of it; repeat."),
        click.option(
            "--kind",
            type=click.Choice(["person", "organisation"]),
            help="By default what the names say.",
        ),
    ):
        function = option(function)
    return function


@contact.command(
    "add",
    cls=Command,
    example="""nsctl contact add C-1 --customer 4711 --name 'Erika Beispiel' --street 'Ring 1'
    --postal-code 50667 --city Köln --country DE --phone +49221123456 --email erika@example.org""",
)
@NUMBER
@click.option("--customer", required=True, metavar="ID", help="Whose contact it is.")
@with_fields
@click.pass_obj
def add(app: App, /, *, number: str, customer: str, **fields: Any) -> None:
    """Add a contact with the ID that facts and registries know it by; it is checked first."""
    from registrar.contact import Contact, ContactKind
    from registrar.desk import contacts

    given = _given(fields)
    kind = "organisation" if given.get("organisation") and not given.get("name") else "person"
    given["kind"] = ContactKind(given.get("kind", kind))
    made = Contact(**{"id": number, "name": "", **given})
    with app.write() as session:
        contacts.add(session, made, customer=customer, now=now(), actor=app.actor)
        stored = contacts.get(session, number)
    emit(app, as_data(stored), lambda: click.echo(f"contact {number}: added"))


@contact.command(
    "update",
    cls=Command,
    example="nsctl contact update C-1 --street 'Neue Straße 2' --postal-code 50668",
)
@NUMBER
@with_fields
@click.pass_obj
def update(app: App, /, *, number: str, **fields: Any) -> None:
    """Change what contact ID says of itself; it goes to the registries within 7 calendar days."""
    import dataclasses

    from registrar.contact import ContactKind
    from registrar.desk import contacts

    given = _given(fields)
    if not given:
        raise click.UsageError("name at least one thing to change; see --help")
    if "kind" in given:
        given["kind"] = ContactKind(given["kind"])
    with app.write() as session:
        old = stored_contact(session, number)
        made = dataclasses.replace(old.contact, **given)
        names = contacts.update(session, desk_of(app), made, now=now(), actor=app.actor)
        stored = contacts.get(session, number)
    data = as_data(stored) | {"changed": made != old.contact, "forwarded_for": names}

    def tell() -> None:
        changed = "changed" if data["changed"] else "it is so already"
        click.echo(f"contact {number}: {changed}")
        if names:
            click.echo(f"    goes to the registry for {', '.join(names)} (N 2.2.3: 7 days)")

    emit(app, data, tell)


@contact.command(
    "list",
    cls=Command,
    example="""nsctl contact list --customer 4711
    nsctl contact list --search beispiel""",
)
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.option("--search", default="", metavar="TEXT", help="With this in name, firm or mail.")
@click.pass_obj
def list_(app: App, customer: str | None, search: str) -> None:
    """List the contacts."""
    from registrar.desk import contacts

    with app.read() as session:
        found = contacts.list_contacts(session, customer=customer, search=search)
    rows = [
        (
            one.contact.id,
            one.contact.kind,
            one.contact.name or one.contact.organisation or "(erased)",
            one.contact.city,
            one.contact.email,
            one.customer,
        )
        for one in found
    ]
    columns = ("Contact", "Kind", "Name", "City", "Mail", "Customer")
    emit(
        app,
        [as_data(one) for one in found],
        lambda: print_table(columns, rows) if rows else click.echo("no such contacts"),
    )


@contact.command("show", cls=Command, example="nsctl contact show C-1")
@NUMBER
@click.pass_obj
def show(app: App, number: str) -> None:
    """Show contact ID, and the domains that it is entered for."""
    from registrar.desk import registrations

    with app.read() as session:
        found = stored_contact(session, number)
        entries = registrations.list_entries(session, contact=number, closed=False)
    data = as_data(found) | {"domains": [entry.name for entry in entries]}
    one = found.contact

    def tell() -> None:
        place = f"{one.country} {one.postal_code} {one.city} {one.region}".strip()
        facts = {
            "Kind": one.kind,
            "Name": one.name,
            "Organisation": one.organisation,
            "Street": ", ".join(one.street),
            "Place": place,
            "Phone": one.phone,
            "Mail": one.email,
            "Citizenship": one.citizenship,
            "Notices": "in German" if one.language == "de" else "in English",
            "Customer": found.customer,
            "Verified": stamp(found.verified_at) or "not yet",
            "Changed": stamp(found.updated_at),
            "Domains": ", ".join(data["domains"]) or "none",
        }
        erased = {"Erased": stamp(found.erased_at), "Customer": found.customer}
        print_facts(f"contact {number}", erased if found.erased_at else facts)

    emit(app, data, tell)


@contact.command("verify", cls=Command, example="nsctl contact verify C-1")
@NUMBER
@click.pass_obj
def verify(app: App, number: str) -> None:
    """Say that the data of contact ID are proved; domains in quarantine for it are let go."""
    from registrar.desk import contacts

    with app.write() as session:
        stored_contact(session, number)
        names = contacts.verify(session, desk_of(app), number, now=now(), actor=app.actor)
    data = {"contact": number, "verified": True, "domains": names}
    freed = f"; proof is in for {', '.join(names)}" if names else ""
    emit(app, data, lambda: click.echo(f"contact {number}: verified{freed}"))


@contact.command("erase", cls=Command, example="nsctl contact erase C-1 --yes")
@NUMBER
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(app: App, number: str, yes: bool) -> None:
    """Erase the data of contact ID; the id stays, since facts name it (N 6)."""
    from cli.desk import confirmed
    from registrar.desk import contacts

    with app.read() as session:
        stored_contact(session, number)
    confirmed(f"erase all data of contact {number}?", yes=yes)
    with app.write() as session:
        reasons = contacts.erase(session, number, now=now(), actor=app.actor)
    data = {
        "contact": number,
        "erased": not reasons,
        "reasons": [reason_data(reason) for reason in reasons],
    }

    def tell() -> None:
        if not reasons:
            click.echo(f"contact {number}: erased")
            return
        click.secho(
            f"contact {number}: {count(len(reasons), 'reason')} to keep it", fg="red", err=True
        )
        tell_reasons(reasons, err=True)

    emit(app, data, tell)
    if reasons:
        raise click.exceptions.Exit(1)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as fields of a contact."""
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def stored_contact(session: Session, number: str) -> StoredContact:
    """Return a contact; raises ``DNSError`` with what may have been meant."""
    from registrar.desk import contacts
    from storage.errors import StorageError

    try:
        return contacts.get(session, number)
    except StorageError as error:
        known = [one.contact.id for one in contacts.list_contacts(session)]
        raise DNSError(f"{error}{did_you_mean(number, known)}") from error


def as_data(found: StoredContact) -> dict[str, Any]:
    """Return a contact for JSON."""
    import dataclasses

    return {
        **dataclasses.asdict(found.contact),
        "customer": found.customer,
        "verified": instant(found.verified_at),
        "created": instant(found.created_at),
        "updated": instant(found.updated_at),
        "erased": instant(found.erased_at),
    }
