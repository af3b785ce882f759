"""``nsctl customer set`` and ``show``: where a customer is told what happens to his zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command
from cli.output import emit, print_facts, print_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from storage.deliveries import Channel
    from storage.recipients import Recipient


def as_data(one: Recipient) -> dict[str, Any]:
    """Return an address for JSON, without its secret."""
    return {
        "channel": one.channel.value,
        "address": one.address,
        "severity": one.severity.value,
        "kinds": list(one.kinds),
    }


@click.command(
    cls=Command,
    example="""nsctl customer set 4711 --mail noc@example.net
    nsctl customer set 4711 --webhook https://example.net/hook --severity info
    nsctl customer set 4711 --mail noc@example.net --kind zone-refused --kind zone-held
    nsctl customer set 4711 --new-secret https://example.net/hook --remove old@example.net""",
)
@click.argument("customer_id", metavar="ID")
@click.option("--name", default=None, metavar="TEXT", help="A name for people.")
@click.option("--mail", "mails", multiple=True, metavar="ADDRESS", help="Tell this address.")
@click.option("--webhook", "webhooks", multiple=True, metavar="URL", help="Call this URL.")
@click.option("--remove", "gone", multiple=True, metavar="ADDRESS", help="Tell it no more.")
@click.option("--new-secret", "renewed", multiple=True, metavar="URL", help="Sign with another.")
@click.option(
    "--severity",
    type=click.Choice(["info", "warning", "error"]),
    default=None,
    help="The least that is told.  [default: warning]",
)
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of events; default: all.")
@click.option("--all-kinds", is_flag=True, help="All kinds again.")
@click.pass_obj
def set_(
    app: App,
    *,
    customer_id: str,
    name: str | None,
    mails: tuple[str, ...],
    webhooks: tuple[str, ...],
    gone: tuple[str, ...],
    renewed: tuple[str, ...],
    severity: str | None,
    kinds: tuple[str, ...],
    all_kinds: bool,
) -> None:
    """Say where a customer is told of refused updates, of zones that will expire, and the like.

    --severity and --kind count for the addresses named with them, and for all of the customer's
    where none is named. The secret of a webhook, which its receiver verifies our signature with, is
    shown this once.
    """
    from storage import customers, recipients

    if kinds and all_kinds:
        raise click.UsageError("--kind and --all-kinds exclude each other")
    check_schemes(app, webhooks)
    choice = Choice(app.actor, customer_id, severity, () if all_kinds else kinds or None)
    with app.write() as session:
        if name is not None:
            customers.rename_customer(session, customer_id, name, actor=app.actor)
        secrets = choice.enter(session, (*mails, *webhooks))
        if not mails and not webhooks:
            choice.change_all(session)
        secrets |= choice.renew(session, renewed)
        choice.remove(session, gone)
        customer = customers.get_customer(session, customer_id)
        found = recipients.list_recipients(session, [customer_id])
    data = {
        "id": customer.id,
        "name": customer.name,
        "recipients": [
            as_data(one) | ({"secret": secrets[one.address]} if one.address in secrets else {})
            for one in found
        ],
    }

    def tell() -> None:
        print_customer(customer.id, customer.name, found)
        for url, secret in secrets.items():
            click.echo(f"\nsecret of {url}, shown this once:\n{secret}")

    emit(app, data, tell)


def check_schemes(app: App, urls: tuple[str, ...]) -> None:
    """Refuse webhooks without TLS, unless the settings allow them."""
    plain = [url for url in urls if url.lower().startswith("http:")]
    if plain and not app.settings().webhooks.allow_http:
        raise click.UsageError(f"{plain[0]}: only https is allowed (allow_http of [webhooks])")


@dataclass(frozen=True)
class Choice:
    """What addresses of a customer are told; ``None`` leaves it as it is."""

    actor: str
    customer: str
    severity: str | None
    kinds: tuple[str, ...] | None

    def enter(self, session: Session, addresses: tuple[str, ...]) -> dict[str, str]:
        """Add addresses, or change what is told there; return the secrets of new webhooks."""
        from storage import recipients

        secrets = {}
        for text in addresses:
            channel = channel_of(text)
            checked = recipients.checked_address(channel, text)
            if recipients.find(session, self.customer, channel, checked) is not None:
                self.change(session, checked)
                continue
            made = recipients.add_recipient(session, self.new(checked), actor=self.actor)
            if made.secret:
                secrets[made.address] = made.secret
        return secrets

    def new(self, address: str) -> Recipient:
        """Return the recipient to add."""
        from storage.events import EventSeverity
        from storage.recipients import Recipient

        severity = EventSeverity(self.severity or "warning")
        return Recipient(channel_of(address), address, self.customer, severity, self.kinds or ())

    def change(self, session: Session, address: str) -> None:
        """Change what an address is told, where that was asked for."""
        from storage import recipients
        from storage.events import EventSeverity

        if self.severity is None and self.kinds is None:
            return
        recipients.change_recipient(
            session,
            self.customer,
            channel_of(address),
            address,
            severity=EventSeverity(self.severity) if self.severity else None,
            kinds=self.kinds,
            actor=self.actor,
        )

    def change_all(self, session: Session) -> None:
        """Change what all addresses of the customer are told."""
        from storage import recipients

        for one in recipients.list_recipients(session, [self.customer]):
            self.change(session, one.address)

    def renew(self, session: Session, urls: tuple[str, ...]) -> dict[str, str]:
        """Make new secrets and return them."""
        from storage import recipients

        made = [
            recipients.change_recipient(
                session,
                self.customer,
                channel_of(url),
                url,
                new_secret_wanted=True,
                actor=self.actor,
            )
            for url in urls
        ]
        return {one.address: one.secret for one in made}

    def remove(self, session: Session, addresses: tuple[str, ...]) -> None:
        """Tell addresses nothing any more."""
        from storage import recipients

        for one in addresses:
            recipients.delete_recipient(
                session, self.customer, channel_of(one), one, actor=self.actor
            )


def channel_of(address: str) -> Channel:
    """Return how an address is told."""
    from storage.deliveries import Channel

    return Channel.WEBHOOK if "://" in address else Channel.MAIL


@click.command(cls=Command, example="nsctl customer show 4711")
@click.argument("customer_id", metavar="ID")
@click.pass_obj
def show(app: App, *, customer_id: str) -> None:
    """Show a customer, and where he is told things."""
    from storage import customers, recipients

    with app.read() as session:
        customer = customers.get_customer(session, customer_id)
        found = recipients.list_recipients(session, [customer_id])
    data = {
        "id": customer.id,
        "name": customer.name,
        "recipients": [as_data(one) for one in found],
    }
    emit(app, data, lambda: print_customer(customer.id, customer.name, found))


def print_customer(number: str, name: str, found: list[Recipient]) -> None:
    """Write a customer and his addresses."""
    print_facts(f"customer {number}", {"Name": name, "Told": "" if found else "nowhere"})
    if found:
        click.echo()
        rows = [
            (one.channel.value, one.address, one.severity.value, ", ".join(one.kinds) or "all")
            for one in found
        ]
        print_table(("Told by", "Address", "From", "Kinds"), rows)
