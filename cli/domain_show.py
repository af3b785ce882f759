"""``nsctl domain list``, ``show``, ``timeline`` and ``why-not``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.app import App
from cli.arguments import limited
from cli.command import Command, did_you_mean
from cli.desk import (
    MOMENT,
    NAME,
    desk_of,
    instant,
    now,
    reason_data,
    stamp,
    tell_reasons,
)
from cli.output import emit, print_facts, print_table

if TYPE_CHECKING:
    from registrar.deadlines import Deadline
    from registrar.desk.registrations import Entry
    from registrar.model import State

A_YEAR = timedelta(days=366)


@click.command(
    "list",
    cls=Command,
    example="""nsctl domain list --customer 4711
    nsctl domain list --life redemptionPeriod --tld de --json""",
)
@click.argument("search", default="", required=False)
@click.option("--customer", metavar="ID", help="Of this customer.")
@click.option("--life", metavar="STAGE", help="In this stage: ordered, registered, closing, ...")
@click.option("--tld", metavar="TLD", help="Below this TLD.")
@click.option("--contact", metavar="ID", help="With this contact in any role.")
@click.option("--ended", is_flag=True, help="Those that have ended too.")
@limited(None)
@click.pass_obj
def list_(
    app: App,
    *,
    search: str,
    customer: str | None,
    life: str | None,
    tld: str | None,
    contact: str | None,
    ended: bool,
    limit: int | None,
) -> None:
    """List the registrations, those with SEARCH in the name, by name."""
    from registrar.desk import registrations
    from registrar.model import Life

    if life is not None and life not in set(Life):
        raise click.UsageError(f"there is no stage {life!r}{did_you_mean(life, list(Life))}")
    with app.read() as session:
        entries = registrations.list_entries(
            session,
            customer=customer,
            life=life,
            tld=tld,
            contact=contact,
            search=search,
            closed=ended or life is not None,
            limit=limit,
        )
    rows = [
        (
            entry.name,
            entry.life,
            entry.customer,
            entry.booking.product,
            entry.mode,
            stamp(entry.next_due),
        )
        for entry in entries
    ]
    columns = ("Domain", "Stage", "Customer", "Product", "Mode", "Next due")
    nothing = "no such registrations; order one with: nsctl domain order"
    emit(
        app,
        [entry_data(entry) for entry in entries],
        lambda: print_table(columns, rows) if rows else click.echo(nothing),
    )


def entry_data(entry: Entry) -> dict[str, Any]:
    """Return what is written down about a registration, for JSON."""
    return {
        "domain": entry.name,
        "life": entry.life,
        "customer": entry.customer,
        "contract": entry.contract,
        "profile": entry.profile,
        "account": entry.account or None,
        "product": entry.booking.product,
        "options": list(entry.booking.options),
        "mode": entry.mode.value,
        "holder": entry.holder,
        "admin": entry.admin,
        "tech": entry.tech or None,
        "managers": list(entry.managers),
        "name_servers": [
            {"name": server.name, "addresses": list(server.addresses)}
            for server in entry.name_servers
        ],
        "dnssec": bool(entry.sec_dns),
        "next_due": instant(entry.next_due),
        "created": instant(entry.created_at),
        "created_by": entry.created_by,
        "closed": instant(entry.closed_at),
    }


def state_data(state: State) -> dict[str, Any]:
    """Return a state for JSON."""
    return {
        "at": instant(state.at),
        "life": state.life.value,
        "since": instant(state.life_since),
        "contract": state.contract.value,
        "delegation": state.delegation.value,
        "transfer": state.transfer.value,
        "verification": state.verification.value,
        "payment": state.payment.value,
        "zone": state.dns.value,
        "statuses": sorted(state.statuses),
        "rgp": sorted(state.rgp),
        "contract_last_day": str(state.contract_last_day) if state.contract_last_day else None,
        "paid_through": str(state.paid_through) if state.paid_through else None,
        "registry_expires": instant(state.registry_expires),
        "domain_due": instant(state.domain_due),
        "notice_until": str(state.notice_until) if state.notice_until else None,
        "grace_ends": {period: instant(end) for period, end in state.grace_ends},
        "locked_until": instant(state.lock_until),
        "missing_documents": list(state.missing_documents),
        "manual": state.manual,
        "dispute": state.dispute or None,
        "refusal": state.refusal or None,
        "arrears_cents": state.arrears_cents,
        "left_despite_lien": state.left_despite_lien,
        "assumed": {event: instant(at) for event, at in state.assumed},
    }


@click.command(
    cls=Command,
    example="""nsctl domain show example.org
    nsctl domain show example.org --json""",
)
@NAME
@click.pass_obj
def show(app: App, name: str) -> None:
    """Show all about NAME: the stage, the three clocks, statuses, contacts, and what is due."""
    from registrar.actions import possible
    from registrar.deadlines import next_deadlines
    from registrar.desk import registrations
    from registrar.lifecycle import project
    from storage import jobs

    moment = now()
    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
        open_jobs = [
            job
            for job in jobs.listed(session, registration=entry.id)
            if job.state in (jobs.JobState.DUE, jobs.JobState.FAILED)
        ]
    state, due = project(known, moment), next_deadlines(known, moment)
    actions = possible(known, moment)
    data = entry_data(entry) | {
        "state": state_data(state),
        "due": [deadline_data(deadline, moment) for deadline in due],
        "possible": [str(action) for action in actions],
        "jobs": [
            {"id": job.id, "kind": job.kind, "state": job.state.value, "reason": job.reason}
            for job in open_jobs
        ],
    }

    def tell() -> None:
        print_facts(name, _facts(entry, state), state=state.life)
        if due:
            click.echo()
            print_table(
                ("Due", "What", "Says"), [(stamp(one.due), one.kind, one.sentence) for one in due]
            )
        for job in open_jobs:
            why = f": {job.reason}" if job.reason else ""
            click.echo(f"\nat the registry: {job.kind}, {job.state.value}{why}")
        if actions:
            click.echo(f"\npossible now: {', '.join(actions)}")

    emit(app, data, tell)


def deadline_data(deadline: Deadline, moment: datetime) -> dict[str, Any]:
    """Return a deadline for JSON."""
    return {
        "due": instant(deadline.due),
        "kind": deadline.kind.value,
        "alarm": instant(deadline.alarm),
        "alarming": deadline.is_alarming(moment),
        "sentence": deadline.sentence,
        "source": deadline.source,
    }


def _facts(entry: Entry, state: State) -> dict[str, object]:
    booked = f" with {', '.join(entry.booking.options)}" if entry.booking.options else ""
    servers = ", ".join(
        server.name + (f" ({', '.join(server.addresses)})" if server.addresses else "")
        for server in entry.name_servers
    )
    return {
        "Since": stamp(state.life_since),
        "Refused": state.refusal,
        "Customer": entry.customer,
        "Contract": f"{entry.contract}, {state.contract}",
        "Contract ends": f"{state.contract_last_day}" if state.contract_last_day else "",
        "Notice until": f"{state.notice_until}" if state.notice_until else "",
        "Paid through": f"{state.paid_through}" if state.paid_through else "",
        "Registry expires": stamp(state.registry_expires),
        "Given back": stamp(state.domain_due),
        "Statuses": ", ".join(sorted([*state.statuses, *state.rgp])),
        "Locked until": stamp(state.lock_until),
        "Transfer": state.transfer if state.transfer != "none" else "",
        "Verification": state.verification if state.verification != "clear" else "",
        "Payment": _payment(state),
        "Missing documents": ", ".join(state.missing_documents),
        "Dispute": state.dispute,
        "Zone": state.dns,
        "Product": f"{entry.booking.product}{booked}, {entry.mode}",
        "Name servers": servers,
        "DNSSEC": "signed at the registry" if entry.sec_dns else "",
        "Holder": entry.holder,
        "Admin-C": entry.admin,
        "Tech-C": entry.tech,
        "Managed by": ", ".join(entry.managers),
        "Registry account": entry.account or "none: nsctl registry accounts add",
    }


def _payment(state: State) -> str:
    if state.payment == "clear":
        return ""
    return f"{state.payment}, {state.arrears_cents / 100:.2f} EUR overdue"


@click.command(
    cls=Command,
    example="""nsctl domain timeline example.org
    nsctl domain timeline example.org --until 2030-01-01""",
)
@NAME
@click.option("--until", type=MOMENT, help="As far as this; default: a year ahead.")
@click.pass_obj
def timeline(app: App, name: str, until: datetime | None) -> None:
    """Tell what happened to NAME, and what will if nothing else does."""
    from registrar.desk import registrations
    from registrar.timeline import timeline as walk

    moment = now()
    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
    lines = walk(known, moment, until or moment + A_YEAR)
    data = [
        {
            "at": instant(line.at),
            "what": line.what,
            "source": line.source,
            "expected": line.expected,
            "future": line.at > moment,
        }
        for line in lines
    ]

    def tell() -> None:
        past = True
        for line in lines:
            if past and line.at > moment:
                click.secho(f"{stamp(moment)}  now", bold=True)
                past = False
            mark = " (expected)" if line.expected and line.at > moment else ""
            source = click.style(f"  [{line.source}]", dim=True)
            click.echo(f"{stamp(line.at)}  {line.what}{mark}{source}")
        if past:
            click.secho(f"{stamp(moment)}  now", bold=True)

    emit(app, data, tell)


@click.command(
    "why-not",
    cls=Command,
    example="""nsctl domain why-not example.org transfer-out
    nsctl domain why-not example.org""",
)
@NAME
@click.argument("action", metavar="[ACTION]", required=False)
@click.pass_obj
def why_not(app: App, name: str, action: str | None) -> None:
    """Tell every reason why ACTION is not possible now, where it stands, and when it lifts.

    Without ACTION, of all of them. Exit code 1 where the action is not possible.
    """
    from registrar.actions import Action
    from registrar.actions import why_not as ask
    from registrar.desk import registrations

    if action is not None and action not in set(Action):
        known_actions = ", ".join(Action)
        hint = did_you_mean(action, list(Action))
        raise click.UsageError(f"there is no action {action!r}{hint}; there are: {known_actions}")
    moment = now()
    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
    wanted = [Action(action)] if action else list(Action)
    found = {one: ask(known, one, moment) for one in wanted}
    data = [
        {
            "domain": name,
            "action": str(one),
            "possible": not reasons,
            "reasons": [reason_data(reason) for reason in reasons],
        }
        for one, reasons in found.items()
    ]

    def tell() -> None:
        for one, reasons in found.items():
            colour = "red" if reasons else "green"
            verdict = "not now" if reasons else "nothing stands against it"
            click.echo(f"{name}: {one}: " + click.style(verdict, fg=colour))
            tell_reasons(reasons)

    emit(app, data[0] if action else data, tell)
    if action and not data[0]["possible"]:
        raise click.exceptions.Exit(1)
