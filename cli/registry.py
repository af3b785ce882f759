"""``nsctl registry``: accounts at registries, the work that is due there, and their messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import click

from cli.app import App
from cli.arguments import ROW, limited
from cli.command import Command, Group
from cli.desk import DOMAIN, desk_of, instant, letters_of, now, stamp
from cli.output import count, emit, iso, print_facts, print_table

if TYPE_CHECKING:
    from datetime import datetime

    from registrar.desk.accounts import Account
    from registrar.desk.desk import Desk
    from registrar.desk.jobs import Job
    from registrar.desk.runner import Runner
    from storage.database import Database

registry = Group("registry", help="Registries: accounts, the work that is due, messages.")
accounts = Group("accounts", help="Accounts at registries: add, list, show, delete.")
registry.add_command(accounts)

NUMBER = click.argument("number", metavar="ACCOUNT")


@accounts.command(
    "add",
    cls=Command,
    example="""nsctl registry accounts add rehearsal --kind file --path registry.json --tld org --tld de
    nsctl registry accounts add verein --kind epp --host epp.example.net --client OURS --tld org
    --password-file secret --certificate ours.pem --key ours.key""",
)
@NUMBER
@click.option(
    "--kind", type=click.Choice(["file", "epp"]), required=True, help="How it is spoken to."
)
@click.option("--tld", "tlds", multiple=True, metavar="TLD", required=True, help="Repeat.")
@click.option(
    "--client", default="nsctl", show_default=True, metavar="ID", help="Who we are there."
)
@click.option("--path", default="", metavar="FILE", help="The registry in a file.")
@click.option("--host", default="", metavar="HOST", help="Of the EPP server.")
@click.option(
    "--port",
    default=700,
    show_default=True,
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Of its EPP server.",
)
@click.option("--authorities", default="", metavar="FILE", help="Who signs its certificate.")
@click.option("--certificate", default="", metavar="FILE", help="Ours.")
@click.option("--key", default="", metavar="FILE", help="Of our certificate.")
@click.option("--password-file", type=click.File(), metavar="FILE", help="- reads it from stdin.")
@click.option("--disabled", is_flag=True, help="Do not use it yet.")
@click.option("--replace", is_flag=True, help="Replace the account of this name.")
@click.pass_obj
def add(
    app: App,
    /,
    *,
    number: str,
    kind: Literal["file", "epp"],
    password_file: Any,
    disabled: bool,
    replace: bool,
    **fields: Any,
) -> None:
    """Add an ACCOUNT: a registry in a file, for rehearsals, or one that speaks EPP over TLS."""
    from pathlib import Path

    from registrar.desk import accounts as known

    for name in ("path", "authorities", "certificate", "key"):
        if fields[name]:
            fields[name] = str(Path(fields[name]).absolute())
    fields["tlds"] = tuple(tld.strip(".").lower() for tld in fields["tlds"])
    password = password_file.read().strip() if password_file else ""
    made = known.Account(number, kind, password=password, enabled=not disabled, **fields)
    with app.write() as session:
        put = known.update if replace else known.add
        put(session, made, now=now(), actor=app.actor)
    said = "replaced" if replace else "added"
    emit(app, account_data(made), lambda: click.echo(f"registry account {number}: {said}"))


@accounts.command("list", cls=Command, example="nsctl registry accounts list")
@click.pass_obj
def list_(app: App) -> None:
    """List the accounts, with the TLDs that go through each."""
    from registrar.desk import accounts as known

    with app.read() as session:
        found = known.list_accounts(session)
    rows = [
        (
            one.id,
            one.kind,
            one.client,
            ", ".join(one.tlds),
            one.path or f"{one.host}:{one.port}",
            "yes" if one.enabled else "no",
        )
        for one in found
    ]
    nothing = "no accounts yet; add one with: nsctl registry accounts add"
    emit(
        app,
        [account_data(one) for one in found],
        lambda: (
            print_table(("Account", "Kind", "Client", "TLDs", "Place", "Used"), rows)
            if rows
            else click.echo(nothing)
        ),
    )


@accounts.command("show", cls=Command, example="nsctl registry accounts show rehearsal")
@NUMBER
@click.pass_obj
def show(app: App, number: str) -> None:
    """Show an ACCOUNT; its password is never shown."""
    from registrar.desk import accounts as known

    with app.read() as session:
        found = known.get(session, number)
    data = account_data(found)
    emit(app, data, lambda: print_facts(number, {k.capitalize(): v for k, v in data.items()}))


@accounts.command("delete", cls=Command, example="nsctl registry accounts delete rehearsal")
@NUMBER
@click.pass_obj
def delete(app: App, number: str) -> None:
    """Delete an ACCOUNT; the journal of what was sent there stays."""
    from registrar.desk import accounts as known

    with app.write() as session:
        known.get(session, number)
        known.delete(session, number, now=now(), actor=app.actor)
    data = {"account": number, "deleted": True}
    emit(app, data, lambda: click.echo(f"registry account {number}: deleted"))


def account_data(account: Account) -> dict[str, Any]:
    """Return an account for JSON, without its password."""
    return {
        "account": account.id,
        "kind": account.kind,
        "client": account.client,
        "tlds": ", ".join(account.tlds),
        "path": account.path or None,
        "host": account.host or None,
        "port": account.port if account.host else None,
        "enabled": account.enabled,
    }


@registry.command(
    "jobs",
    cls=Command,
    short_help="List the work at registries.",
    example="""nsctl registry jobs
    nsctl registry jobs --state failed
    nsctl registry jobs example.org""",
)
@click.argument("name", metavar="[NAME]", type=DOMAIN, required=False)
@click.option(
    "--state", type=click.Choice(["due", "done", "failed", "cancelled"]), help="In this state only."
)
@limited(50)
@click.pass_obj
def jobs(app: App, name: str | None, state: str | None, limit: int) -> None:
    """List the work at registries, newest first: what is due, done, or waits for somebody."""
    from registrar.desk import jobs as work

    with app.read() as session:
        found = work.list_jobs(session, name=name, state=state, limit=limit)
    rows = [
        (one.id, one.name, one.kind, one.state, stamp(one.due), one.account or "none", one.reason)
        for one in found
    ]
    columns = ("Job", "Domain", "What", "State", "Due", "Account", "Says")
    emit(
        app,
        [job_data(one) for one in found],
        lambda: print_table(columns, rows, right=("Job",)) if rows else click.echo("no work"),
    )


def job_data(job: Job) -> dict[str, Any]:
    """Return a piece of work for JSON."""
    return {
        "id": job.id,
        "domain": job.name,
        "account": job.account or None,
        "what": job.kind,
        "state": job.state.value,
        "due": instant(job.due),
        "attempts": job.attempts,
        "trid": job.trid,
        "reason": job.reason,
        "created": instant(job.created_at),
        "finished": instant(job.finished_at),
    }


@registry.command(
    "retry", cls=Command, short_help="Have work done now.", example="nsctl registry retry 17"
)
@click.argument("job", type=ROW)
@click.pass_obj
def retry(app: App, job: int) -> None:
    """Have JOB done now; one that failed is begun anew."""
    from registrar.desk import jobs as work

    with app.write() as session:
        found = work.retry(session, job, now=now(), actor=app.actor)
    emit(app, job_data(found), lambda: click.echo(f"job {job}: {found.kind} is due again"))


@registry.command(
    "give-up", cls=Command, short_help="Give work up.", example="nsctl registry give-up 17"
)
@click.argument("job", type=ROW)
@click.pass_obj
def give_up(app: App, job: int) -> None:
    """Give JOB up: it is not done any more, and what waits behind it goes on."""
    from registrar.desk import jobs as work

    with app.write() as session:
        found = work.cancel(session, job, now=now(), actor=app.actor)
    emit(app, job_data(found), lambda: click.echo(f"job {job}: {found.kind} is given up"))


@registry.command(
    "journal",
    cls=Command,
    short_help="List what was sent, and what came of it.",
    example="nsctl registry journal example.org --limit 5",
)
@click.argument("name", metavar="[OBJECT]", required=False)
@click.option("--account", metavar="ID", help="At this account.")
@limited(30)
@click.pass_obj
def journal(app: App, name: str | None, account: str | None, limit: int) -> None:
    """List the commands that went to registries, newest first, each with what came of it."""
    from storage import journal as lines

    with app.read() as session:
        found = lines.entries(session, name=name, account=account, limit=limit)
    data = [
        {
            "trid": one.trid,
            "account": one.account,
            "command": one.kind,
            "object": one.name,
            "at": iso(one.at),
            "outcome": outcome_of(one.outcome),
            "settled": iso(one.settled_at),
        }
        for one in found
    ]
    rows = [
        (one["at"], one["account"], one["command"], one["object"], one["outcome"]) for one in data
    ]
    columns = ("At", "Account", "Command", "Object", "Outcome")
    emit(app, data, lambda: print_table(columns, rows) if rows else click.echo("nothing was sent"))


def outcome_of(text: str | None) -> str:
    """Return the word for what came of a command."""
    import json

    if text is None:
        return "unknown yet"
    data = json.loads(text)
    for word in ("done", "pending"):
        if word in data:
            return word
    reasons = data.get("refused") or []
    return "refused: " + "; ".join(f"{one['code']} {one['text']}" for one in reasons)


def notify(app: App) -> Callable[[Database, Desk, datetime], int]:
    """Return what renders the notices that are pending and hands them on."""
    from registrar.notices import deliver_pending

    letters = letters_of(app)

    def deliver(database: Database, _desk: Desk, at: datetime) -> int:
        with database.write() as session:
            return deliver_pending(session, letters, now=at)

    return deliver


async def _with_runner(app: App, database: Database, act: Callable[[Runner], Any]) -> Any:
    from registrar.desk.runner import Runner

    runner = Runner(database, desk_of(app), clock=now)
    try:
        return await act(runner)
    finally:
        await runner.close()


@registry.command(
    "run", cls=Command, short_help="Do what is due now.", example="nsctl registry run"
)
@click.pass_obj
def run(app: App) -> None:
    """Do what is due now: the daily run, the work at registries, messages, and notices.

    The serving process does the same by itself; this is for those who do not wait for it.
    """
    from registrar.desk.daily import daily_run

    with app.opened() as database:
        moment = now()
        daily = daily_run(database, desk_of(app), moment)
        ran = asyncio.run(_with_runner(app, database, lambda runner: runner.run_due()))
        polled = asyncio.run(_with_runner(app, database, lambda runner: runner.poll()))
        again = asyncio.run(_with_runner(app, database, lambda runner: runner.run_due()))
        told = notify(app)(database, desk_of(app), moment)
    data = {
        "looked_at": daily.touched,
        "alarms": daily.alarms,
        "done": ran.done + again.done,
        "waiting": again.waiting,
        "failed": ran.failed + again.failed,
        "reasons": list(dict.fromkeys([*ran.reasons, *again.reasons])),
        "messages": len(polled),
        "notices": told,  # messages, one for each recipient
    }

    def tell() -> None:
        click.echo(
            f"{count(data['looked_at'], 'registration')} looked at, {count(data['alarms'], 'alarm')}"
        )
        click.echo(
            f"at registries: {data['done']} done, {data['waiting']} waiting,"
            f" {data['failed']} failed; {count(data['messages'], 'message')}"
        )
        for reason in data["reasons"]:
            click.secho(f"    {reason}", fg="yellow")
        click.echo(f"{count(data['notices'], 'message')} to customers handed on")

    emit(app, data, tell)
    if data["failed"]:
        raise click.exceptions.Exit(1)


@registry.command(
    "poll",
    cls=Command,
    short_help="Take in what registries tell.",
    example="nsctl registry poll --account rehearsal",
)
@click.option("--account", metavar="ID", help="Of this account only.")
@click.pass_obj
def poll(app: App, account: str | None) -> None:
    """Take in what registries tell: messages become facts, and are acknowledged then."""
    if account is not None:
        from registrar.desk import accounts as known

        with app.read() as session:
            known.get(session, account)
    with app.opened() as database:
        found = asyncio.run(_with_runner(app, database, lambda runner: runner.poll(account)))
    data = [
        {
            "account": one.account,
            "message": one.message,
            "text": one.text,
            "domain": one.name or None,
            "facts": [str(fact.event) for fact in one.facts],
        }
        for one in found
    ]

    def tell() -> None:
        for one in data:
            facts = f" ({', '.join(one['facts'])})" if one["facts"] else ""
            click.echo(
                f"{one['account']}: {one['domain'] or 'nobody of ours'}: {one['text']}{facts}"
            )
        if not data:
            click.echo("no messages")

    emit(app, data, tell)
