"""Transfers away, locks and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.app import App
from cli.command import Command
from cli.desk import DRY_RUN, NAME, YES, change, now
from cli.output import emit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.desk import Desk
    from registrar.desk.outcome import Outcome


@click.command(
    cls=Command,
    example="""nsctl domain authcode example.org
    nsctl domain authcode example.org --asked""",
)
@NAME
@click.option("--asked", is_flag=True, help="Note that the customer asks; make none yet.")
@DRY_RUN
@click.pass_obj
def authcode(app: App, name: str, asked: bool, dry_run: bool) -> None:
    """Make the code that a transfer away needs. It is told once, and stored as a hash alone."""
    from registrar.actions import Action
    from registrar.desk import acting
    from registrar.facts import CodeAsked

    def act(session: Session, desk: Desk) -> Outcome:
        moment = now()
        if asked:
            fact = CodeAsked(moment)
            return acting.record(
                session, desk, name, fact, now=moment, actor=app.actor, dry_run=dry_run
            )
        return acting.act(
            session,
            desk,
            name,
            Action.TRANSFER_OUT,
            now=moment,
            actor=app.actor,
            dry_run=dry_run,
        )

    def tell_code(outcome: Outcome) -> None:
        if outcome.auth:
            click.echo(f"    auth code: {outcome.auth}")
            click.secho("    it is not told again; give it to the customer safely", dim=True)

    change(app, act, dry_run=dry_run, told=tell_code)


@click.command(
    "transfer-out",
    cls=Command,
    example="""nsctl domain transfer-out example.org
    nsctl domain transfer-out example.org --approve --dry-run
    nsctl domain transfer-out example.org --reject 'fraud; see case 17'""",
)
@NAME
@click.option("--approve", is_flag=True, help="Consent to one now; else it takes its days.")
@click.option("--reject", metavar="REASON", help="Refuse a transfer that another registrar asks.")
@YES
@DRY_RUN
@click.pass_obj
def transfer_out(
    app: App, *, name: str, approve: bool, reject: str | None, yes: bool, dry_run: bool
) -> None:
    """Tell how a transfer away stands, and what stands against one; or answer it.

    A transfer that nobody answers is approved by the registry after some days.
    """
    if approve and reject is not None:
        raise click.UsageError("a transfer is either approved or refused")
    if approve:
        _approve(app, name, yes=yes, dry_run=dry_run)
    elif reject is not None:
        _reject(app, name, reject, dry_run=dry_run)
    else:
        _tell_transfer(app, name)


def _approve(app: App, name: str, *, yes: bool, dry_run: bool) -> None:
    from cli.domain_act import run, settled
    from registrar.actions import Action

    settled(app, name, f"let {name} go to another registrar now", yes=yes, dry_run=dry_run)
    run(app, name, Action.APPROVE_TRANSFER, dry_run=dry_run)


def _reject(app: App, name: str, reason: str, *, dry_run: bool) -> None:
    from cli.domain_act import run
    from registrar.actions import Action
    from registrar.facts import TransferRejected

    wish = TransferRejected(now(), reason)
    run(app, name, Action.REJECT_TRANSFER, wish=wish, dry_run=dry_run)


def _tell_transfer(app: App, name: str) -> None:
    from cli.desk import desk_of, instant, reason_data, stamp, tell_reasons
    from registrar.actions import Action, why_not
    from registrar.desk import registrations
    from registrar.events import Event
    from registrar.lifecycle import project

    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
    moment = now()
    state, reasons = project(known, moment), why_not(known, Action.TRANSFER_OUT, moment)
    timers = dict(state.timers)
    answer = timers.get(Event.TRANSFER_ANSWER_DUE)
    data = {
        "domain": name,
        "transfer": state.transfer.value,
        "code_ends": instant(timers.get(Event.CODE_OVER)),
        "answer_due": instant(answer),
        "locked_until": instant(state.lock_until),
        "possible": not reasons,
        "reasons": [reason_data(reason) for reason in reasons],
    }

    def tell() -> None:
        click.echo(f"{name}: transfer away: {state.transfer}")
        if answer:
            click.echo(f"    approved by itself at {stamp(answer)}, unless it is answered before:")
            click.echo(f"    nsctl domain transfer-out {name} --approve, or --reject REASON")
        if timers.get(Event.CODE_OVER):
            click.echo(f"    the auth code is valid until {stamp(timers[Event.CODE_OVER])}")
        if reasons:
            click.echo("    an auth code cannot be made now:")
            tell_reasons(reasons)
        else:
            click.echo(f"    nothing stands against it: nsctl domain authcode {name}")

    emit(app, data, tell)


@click.command(
    cls=Command,
    example="""nsctl domain lock example.org
    nsctl domain lock example.org --update
    nsctl domain lock example.org --lift""",
)
@NAME
@click.option("--update", is_flag=True, help="Against changes too.")
@click.option("--lift", is_flag=True, help="Unlock it.")
@DRY_RUN
@click.pass_obj
def lock(app: App, *, name: str, update: bool, lift: bool, dry_run: bool) -> None:
    """Lock NAME at the registry against being transferred and deleted."""
    from registrar.statuses import Status

    wanted = {Status.CLIENT_TRANSFER_PROHIBITED, Status.CLIENT_DELETE_PROHIBITED}
    if update or lift:
        wanted.add(Status.CLIENT_UPDATE_PROHIBITED)
    _statuses(app, name, frozenset(wanted), lift=lift, dry_run=dry_run)


@click.command(
    cls=Command,
    example="""nsctl domain hold example.org --dry-run
    nsctl domain hold example.org --lift""",
)
@NAME
@click.option("--lift", is_flag=True, help="Let it be delegated again.")
@YES
@DRY_RUN
@click.pass_obj
def hold(app: App, *, name: str, lift: bool, yes: bool, dry_run: bool) -> None:
    """Switch the delegation of NAME off at the registry: clientHold.

    First the zones here are shown that use hosts below NAME: they would no longer work.
    """
    from cli.domain_act import settled
    from registrar.statuses import Status

    if not lift:
        settled(app, name, f"put {name} on hold", yes=yes, dry_run=dry_run)
    _statuses(app, name, frozenset({Status.CLIENT_HOLD}), lift=lift, dry_run=dry_run)


def _statuses(app: App, name: str, wanted: frozenset[object], *, lift: bool, dry_run: bool) -> None:
    """Set or lift statuses, as far as they are not so already."""
    from registrar.desk import changing, registrations
    from registrar.lifecycle import project

    def act(session: Session, desk: Desk) -> Outcome:
        moment = now()
        known = registrations.registration(session, desk, registrations.get(session, name))
        there = project(known, moment).statuses
        changes = wanted & there if lift else wanted - there
        return changing.set_statuses(
            session,
            desk,
            name,
            **{"remove" if lift else "add": frozenset(changes) or frozenset(wanted)},  # type: ignore[arg-type]
            now=moment,
            actor=app.actor,
            dry_run=dry_run,
        )

    change(app, act, dry_run=dry_run)
