"""Changing what a registration is made of: name servers, contacts, product; and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.command import Command
from cli.desk import DRY_RUN, NAME, change, now
from zones.zone import Mode

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.desk import Desk
    from registrar.desk.outcome import Outcome
    from registrar.fact import Fact


@click.command(
    "name-servers",
    cls=Command,
    example="""nsctl domain name-servers example.org ns1.example.net ns2.example.net
    nsctl domain name-servers example.org ns1.example.org=192.0.2.1 ns2.example.net --dry-run""",
)
@NAME
@click.argument("servers", metavar="SERVER[=ADDR,...]...", nargs=-1)
@click.option("--none", "nothing", is_flag=True, help="Have the domain without name servers.")
@click.option("--dnskey", "keys", multiple=True, metavar="KEY", help="For the registry; repeat.")
@click.option("--ds", "digests", multiple=True, metavar="DS", help="For the registry; repeat.")
@click.option("--no-dnssec", is_flag=True, help="Take DNSSEC data away from the registry.")
@DRY_RUN
@click.pass_obj
def name_servers(
    app: App,
    *,
    name: str,
    servers: tuple[str, ...],
    nothing: bool,
    keys: tuple[str, ...],
    digests: tuple[str, ...],
    no_dnssec: bool,
    dry_run: bool,
) -> None:
    """Have NAME delegated to these SERVERs; DNSSEC data stay unless they are named."""
    from cli.domain_check import named_servers, security
    from registrar.desk import changing
    from registrar.objects import NO_SEC_DNS

    if bool(servers) == nothing:
        raise click.UsageError("name the servers, or say --none")
    sec_dns = security(keys, digests) if keys or digests else NO_SEC_DNS if no_dnssec else None

    def act(session: Session, desk: Desk) -> Outcome:
        return changing.set_name_servers(
            session,
            desk,
            name,
            named_servers(servers),
            sec_dns,
            now=now(),
            actor=app.actor,
            dry_run=dry_run,
        )

    change(app, act, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain contacts example.org --admin C-2
    nsctl domain contacts example.org --holder C-3 --manager C-4 --dry-run""",
)
@NAME
@click.option("--holder", default="", metavar="CONTACT", help="Who the domain is for.")
@click.option("--admin", default="", metavar="CONTACT", help="A natural person (Admin-C).")
@click.option("--tech", default="", metavar="CONTACT", help="Who keeps the servers.")
@click.option("--manager", "managers", multiple=True, metavar="CONTACT", help="Repeat; I 3.")
@click.option("--opted-out", is_flag=True, help="The holder wants no transfer lock for it.")
@DRY_RUN
@click.pass_obj
def contacts(
    app: App, /, *, name: str, managers: tuple[str, ...], dry_run: bool, **roles: Any
) -> None:
    """Give NAME another holder, Admin-C or technical contact; what is not named stays."""
    from cli.contact import stored_contact
    from registrar.desk import changing

    if not managers and not any(roles[role] for role in ("holder", "admin", "tech")):
        raise click.UsageError("name at least one contact to change; see --help")

    def act(session: Session, desk: Desk) -> Outcome:
        for number in (roles["holder"], roles["admin"], roles["tech"], *managers):
            if number:
                stored_contact(session, number)  # tells what may have been meant
        return changing.change_contacts(
            session,
            desk,
            name,
            **roles,
            managers=managers or None,
            now=now(),
            actor=app.actor,
            dry_run=dry_run,
        )

    change(app, act, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain product example.org webhosting-plus
    nsctl domain product example.org solodomain --option provider-mail --dry-run""",
)
@NAME
@click.argument("product", metavar="PRODUCT")
@click.option("--option", "options", multiple=True, metavar="OPTION", help="Booked too; repeat.")
@click.option("--own-mx", multiple=True, metavar="'PREF HOST'", help="Repeat.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), help="Of name service.")
@DRY_RUN
@click.pass_obj
def product(
    app: App,
    *,
    name: str,
    product: str,
    options: tuple[str, ...],
    own_mx: tuple[str, ...],
    mode: str | None,
    dry_run: bool,
) -> None:
    """Book another PRODUCT for NAME; the records that come with it follow in its zone."""
    from cli.zone_product import mail_servers, make_booking
    from registrar.desk import changing, registrations
    from registrar.desk.registrations import StoredBooking

    booking = make_booking(app, product, options, mail_servers(own_mx))

    def act(session: Session, desk: Desk) -> Outcome:
        wanted = Mode(mode) if mode else registrations.get(session, name).mode
        made = StoredBooking(booking.catalogue.id, product, options, booking.own_mx)
        return changing.change_product(
            session, desk, name, made, wanted, now=now(), actor=app.actor, dry_run=dry_run
        )

    change(app, act, dry_run=dry_run)


def note(app: App, name: str, fact: Fact, *, dry_run: bool) -> None:
    """Write down what happened, and show what follows."""
    from registrar.desk import acting

    def act(session: Session, desk: Desk) -> Outcome:
        return acting.record(
            session, desk, name, fact, now=fact.at, actor=app.actor, dry_run=dry_run
        )

    change(app, act, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain dispute example.de --open 'DISPUTE 2026-17'
    nsctl domain dispute example.de --close 'DISPUTE 2026-17'""",
)
@NAME
@click.option("--open", "opened", metavar="CASE", help="Somebody claims the domain.")
@click.option("--close", "closed", metavar="CASE", help="The claim is settled.")
@DRY_RUN
@click.pass_obj
def dispute(app: App, *, name: str, opened: str | None, closed: str | None, dry_run: bool) -> None:
    """Say that NAME is claimed, or no longer: while it is, it stays as it is."""
    from registrar.facts import DisputeClosed, DisputeOpened

    if (opened is None) == (closed is None):
        raise click.UsageError("say --open CASE or --close CASE")
    moment = now()
    fact = DisputeOpened(moment, opened) if opened else DisputeClosed(moment, closed or "")
    note(app, name, fact, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain disclose example.org --asked 'Claimant Ltd'
    nsctl domain disclose example.org --told
    nsctl domain disclose example.org --given""",
)
@NAME
@click.option("--asked", metavar="CLAIMANT", help="Somebody asks for the holder's data.")
@click.option("--told", is_flag=True, help="The customer was told, and can answer.")
@click.option("--given", is_flag=True, help="The claimant gets the data now.")
@DRY_RUN
@click.pass_obj
def disclose(
    app: App, *, name: str, asked: str | None, told: bool, given: bool, dry_run: bool
) -> None:
    """Contact data for somebody with a claim: the customer is told first (H 9(2))."""
    from registrar.actions import Action
    from registrar.facts import DisclosureAsked, HolderTold

    if (asked is not None) + told + given != 1:
        raise click.UsageError("say one of --asked CLAIMANT, --told, --given")
    moment = now()
    if given:
        from cli.domain_act import run

        run(app, name, Action.DISCLOSE, dry_run=dry_run)
        return
    fact = HolderTold(moment) if told else DisclosureAsked(moment, asked or "")
    note(app, name, fact, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain proof example.org --asked 'mail came back'
    nsctl domain proof example.org --received""",
)
@NAME
@click.option("--asked", metavar="REASON", help="Contact data have to be proved.")
@click.option("--registry", is_flag=True, help="The registry asks; its period counts.")
@click.option("--received", is_flag=True, help="They are proved.")
@DRY_RUN
@click.pass_obj
def proof(
    app: App, *, name: str, asked: str | None, registry: bool, received: bool, dry_run: bool
) -> None:
    """Proof of contact data, or of the right to act: due in 7 calendar days (N 2.2.5)."""
    from registrar.facts import ProofReceived, RiskFlagged

    if (asked is not None) == received:
        raise click.UsageError("say --asked REASON or --received")
    moment = now()
    fact = ProofReceived(moment) if received else RiskFlagged(moment, asked or "", registry)
    note(app, name, fact, dry_run=dry_run)
