"""What is done with one registration: renewed, cancelled, deleted, restored, handed on, ..."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from cli.app import App
from cli.command import Command
from cli.desk import DRY_RUN, MOMENT, NAME, YES, change, confirmed, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.actions import Action
    from registrar.desk.desk import Desk
    from registrar.desk.outcome import Outcome
    from registrar.fact import Fact


def run(
    app: App,
    name: str,
    action: Action,
    *,
    wish: Fact | None = None,
    auth: str = "",
    dry_run: bool,
) -> None:
    """Do what an action says, and show what came of it."""
    from registrar.desk import acting

    def act(session: Session, desk: Desk) -> Outcome:
        return acting.act(
            session,
            desk,
            name,
            action,
            now=now(),
            actor=app.actor,
            wish=wish,
            auth=auth,
            dry_run=dry_run,
        )

    change(app, act, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain renew example.org --dry-run")
@NAME
@DRY_RUN
@click.pass_obj
def renew(app: App, name: str, dry_run: bool) -> None:
    """Have the registration of NAME lengthened at the registry, by its usual period."""
    from registrar.actions import Action

    run(app, name, Action.RENEW, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain forward example.org")
@NAME
@click.option("--auth", default="", metavar="CODE", help="Of a transfer to us.")
@DRY_RUN
@click.pass_obj
def forward(app: App, name: str, auth: str, dry_run: bool) -> None:
    """Send an order that was held back to the registry."""
    from registrar.actions import Action

    with app.read() as session:
        from registrar.desk import registrations

        transfer = registrations.get(session, name).order == "transfer"
    action = Action.TRANSFER_IN if transfer else Action.CREATE
    run(app, name, action, auth=auth, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain decline example.org --reason 'no capacity'")
@NAME
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept.")
@DRY_RUN
@click.pass_obj
def decline(app: App, name: str, reason: str, dry_run: bool) -> None:
    """Decline an order that staff entered for the customer (N 2.2.6)."""
    from registrar import facts
    from registrar.actions import Action

    run(app, name, Action.DECLINE, wish=facts.Declined(now(), reason), dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain cancel example.de --document close-request
    nsctl domain cancel example.org --moment 2026-12-31 --dry-run""",
)
@NAME
@click.option(
    "--form",
    type=click.Choice(["letter", "fax", "text", "self-service", "phone"]),
    default="letter",
    show_default=True,
    help="How it came.",
)
@click.option(
    "--by",
    type=click.Choice(["holder", "admin-c", "customer"]),
    default="holder",
    show_default=True,
    help="Who signed.",
)
@click.option("--document", "documents", multiple=True, metavar="DOCUMENT", help="In it; repeat.")
@click.option("--moment", type=MOMENT, help="When the domain is to go, where one may choose.")
@DRY_RUN
@click.pass_obj
def cancel(
    app: App,
    *,
    name: str,
    form: str,
    by: str,
    documents: tuple[str, ...],
    moment: datetime | None,
    dry_run: bool,
) -> None:
    """Take a cancellation in. Without the registry's documents it counts as not declared."""
    from registrar.actions import Action
    from registrar.desk import acting
    from registrar.fact import Party
    from registrar.facts import CancellationReceived
    from registrar.policy import Form

    wish = CancellationReceived(now(), Form(form), Party(by), frozenset(documents), moment)

    def act(session: Session, desk: Desk) -> Outcome:
        outcome = acting.act(
            session,
            desk,
            name,
            Action.CANCEL,
            now=wish.at,
            actor=app.actor,
            wish=wish,
            dry_run=dry_run,
        )
        if outcome.kept and not dry_run:
            tell_missing(session, outcome, wish.at)
        return outcome

    change(app, act, dry_run=dry_run)


def tell_missing(session: Session, outcome: Outcome, at: datetime) -> None:
    """Have the customer told which documents a cancellation lacks (H 19(3))."""
    from registrar.desk import registrations
    from storage import notices

    entry = registrations.get(session, outcome.name)
    state = outcome.state
    last_day = state.contract_last_day if state else None
    data = {
        "missing_documents": list(state.missing_documents) if state else [],
        "last_day": last_day.isoformat() if last_day else None,
    }
    kind = "cancellation-incomplete"
    key = f"{entry.id}:{kind}:{at.isoformat()}"
    notices.add(session, key, entry.id, kind, data, at=at.timestamp())


@click.command(
    cls=Command, example="nsctl domain document example.de close-request --note 'letter of 3 May'"
)
@NAME
@click.argument("document", metavar="DOCUMENT")
@click.option("--note", default="", metavar="TEXT", help="Where it is kept, say.")
@click.pass_obj
def document(app: App, name: str, document: str, note: str) -> None:
    """Say that DOCUMENT has arrived, signed; it may complete a cancellation."""
    from registrar.desk import acting

    def act(session: Session, desk: Desk) -> Outcome:
        return acting.document(session, desk, name, document, note=note, now=now(), actor=app.actor)

    change(app, act)


@click.command(cls=Command, example="nsctl domain withdraw example.org")
@NAME
@DRY_RUN
@click.pass_obj
def withdraw(app: App, name: str, dry_run: bool) -> None:
    """Take back what was declared: an order not yet sent, or a cancellation before it bites."""
    from registrar.actions import Action
    from registrar.desk import registrations

    with app.read() as session:
        ordered = registrations.get(session, name).life in ("draft", "ordered")
    action = Action.WITHDRAW_ORDER if ordered else Action.WITHDRAW
    run(app, name, action, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain delete example.org --dry-run
    nsctl domain delete example.org --by admin-c""",
)
@NAME
@click.option(
    "--by",
    type=click.Choice(["holder", "admin-c", "customer"]),
    default="holder",
    show_default=True,
    help="Who wants it.",
)
@YES
@DRY_RUN
@click.pass_obj
def delete(app: App, name: str, by: str, yes: bool, dry_run: bool) -> None:
    """Order that NAME is deleted while the contract runs; a second person confirms it.

    First the zones here are shown that use hosts below NAME: they would no longer work.
    """
    from registrar.actions import Action
    from registrar.fact import Party
    from registrar.facts import DeletionOrdered

    settled(app, name, f"delete {name}", yes=yes, dry_run=dry_run)
    wish = DeletionOrdered(now(), Party(by))
    run(app, name, Action.DELETE, wish=wish, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain confirm example.org --actor second.person")
@NAME
@YES
@DRY_RUN
@click.pass_obj
def confirm(app: App, name: str, yes: bool, dry_run: bool) -> None:
    """Agree, as a second person, that NAME is given back to the registry."""
    from registrar.actions import Action

    settled(app, name, f"give {name} back to the registry", yes=yes, dry_run=dry_run)
    run(app, name, Action.GIVE_BACK, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain restore example.org")
@NAME
@DRY_RUN
@click.pass_obj
def restore(app: App, name: str, dry_run: bool) -> None:
    """Have a deleted NAME restored while it is in redemption; its zone is served again."""
    from registrar.actions import Action

    run(app, name, Action.RESTORE, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain suspend example.org --dry-run")
@NAME
@YES
@DRY_RUN
@click.pass_obj
def suspend(app: App, name: str, yes: bool, dry_run: bool) -> None:
    """Suspend NAME for arrears (H 6(2)); settling them lifts it."""
    from registrar.actions import Action

    settled(app, name, f"suspend {name}", yes=yes, dry_run=dry_run)
    run(app, name, Action.SUSPEND, dry_run=dry_run)


@click.command(
    cls=Command, example="nsctl domain terminate example.org --cause abuse --note 'report 17'"
)
@NAME
@click.option("--cause", type=click.Choice(["arrears", "abuse"]), required=True, help="The reason.")
@click.option("--note", default="", metavar="TEXT", help="What happened; it is kept.")
@YES
@DRY_RUN
@click.pass_obj
def terminate(app: App, *, name: str, cause: str, note: str, yes: bool, dry_run: bool) -> None:
    """End the contract for NAME without notice, for an important reason (H 6(2), 20)."""
    from registrar.actions import Action
    from registrar.fact import Cause
    from registrar.facts import Terminated

    settled(app, name, f"end the contract for {name}", yes=yes, dry_run=dry_run)
    wish = Terminated(now(), Cause(cause), note)
    run(app, name, Action.TERMINATE, wish=wish, dry_run=dry_run)


@click.command(cls=Command, example="nsctl domain rescind example.org")
@NAME
@DRY_RUN
@click.pass_obj
def rescind(app: App, name: str, dry_run: bool) -> None:
    """Take a termination back: what was owed is paid, say."""
    from registrar.actions import Action

    run(app, name, Action.RESCIND, dry_run=dry_run)


def settled(app: App, name: str, question: str, *, yes: bool, dry_run: bool) -> None:
    """Show the zones here that would no longer work without NAME, and have it confirmed.

    Raises ``UnknownRegistration`` before anything is asked.
    """
    from cli.domain_radius import warn
    from registrar.desk import registrations

    with app.read() as session:
        registrations.get(session, name)
    used = warn(app, name)
    if not dry_run:
        confirmed(f"{question}{used}?", yes=yes)
