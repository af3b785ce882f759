"""What the commands of the desk share: its rules, the time, names as typed, and outcomes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from cli.app import App
from cli.arguments import now as real_time
from cli.command import Command
from cli.output import emit
from zones.errors import DNSError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from registrar.desk.desk import Desk
    from registrar.desk.outcome import Outcome
    from registrar.notice_text import Letters
    from registrar.reason import Reason

REHEARSAL = "NSCTL_REHEARSAL"  # a moment that the desk takes for now, with the file registry


class DomainType(click.ParamType[str]):
    """A second-level name, as typed; its A-label without a final dot."""

    name = "domain"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as registries have it."""
        from registrar.errors import RegistrarError
        from registrar.names import parse

        try:
            return parse(value).name
        except RegistrarError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the domains that start with what was typed."""
        from cli.complete import domain_names

        return [CompletionItem(name) for name in domain_names(ctx, incomplete)]


class MomentType(click.ParamType[datetime]):
    """``2026-05-01``, or ``2026-05-01T10:00``; a day alone is its end, where the provider is."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment, in UTC."""
        from registrar.days import ZONE, end_of

        if isinstance(value, datetime):
            return value
        try:
            if len(value) <= len("2026-05-01"):
                return end_of(date.fromisoformat(value))
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date like 2026-05-01 or 2026-05-01T10:00", param, ctx)
        return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC)


DOMAIN = DomainType()
MOMENT = MomentType()
NAME = click.argument("name", metavar="NAME", type=DOMAIN)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Tell what would happen; change nothing.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")

__all__ = ["DOMAIN", "DRY_RUN", "MOMENT", "NAME", "YES", "Command"]


def now() -> datetime:
    """Return the time; in a rehearsal the moment that it plays at."""
    played = os.environ.get(REHEARSAL)
    if not played:
        return real_time()
    at = datetime.fromisoformat(played)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def desk_of(app: App) -> Desk:
    """Return what the desk goes by: the policies, and how zones begin."""
    from cli.policy import load
    from registrar.desk.desk import Desk, Hosting

    hosted = app.settings(quiet=True).hosted
    hosting = Hosting(
        name_servers=tuple(name.rstrip(".") for name in hosted.nameservers),
        mailbox=hosted.mailbox,
        ttl=hosted.ttl,
        refresh=hosted.refresh,
        retry=hosted.retry,
        expire=hosted.expire,
        minimum=hosted.minimum,
    )
    return Desk(load(app), hosting)


def letters_of(app: App) -> Letters:
    """Return the templates of notices, and who writes them."""
    from registrar import notice_files
    from registrar.notice_text import Letters

    settings = app.settings(quiet=True).desk
    texts = notice_files.load(settings.notices)
    return Letters(texts, settings.provider, settings.mailbox, settings.portal)


def change(
    app: App,
    act: Callable[[Session, Desk], Outcome],
    *,
    dry_run: bool = False,
    told: Callable[[Outcome], None] | None = None,
) -> None:
    """Do something with a registration in one transaction, and show what came of it."""
    desk = desk_of(app)
    with app.read() if dry_run else app.write() as session:
        outcome = act(session, desk)
    show(app, outcome, told)


def show(app: App, outcome: Outcome, told: Callable[[Outcome], None] | None = None) -> None:
    """Show an outcome; leaves with exit code 1 where it was refused."""
    emit(app, outcome_data(outcome), lambda: tell(outcome, told))
    if outcome.reasons and not outcome.kept:
        raise click.exceptions.Exit(1)


def tell(outcome: Outcome, told: Callable[[Outcome], None] | None = None) -> None:
    """Write an outcome: what moved and what follows, or every reason against it."""
    head = f"{outcome.name}: {outcome.action}"
    if outcome.reasons and not outcome.kept:
        click.secho(f"{head}: refused", fg="red", err=True)
        tell_reasons(outcome.reasons, err=True)
        return
    if outcome.kept:
        kept = "would be kept, and not count" if outcome.dry_run else "kept, and does not count"
        click.secho(f"{head}: {kept} as declared yet, for this:", fg="yellow")
        tell_reasons(outcome.reasons)
    else:
        click.secho(f"{head}: {'would be done' if outcome.dry_run else 'done'}", fg="green")
    for line in (*outcome.steps, *outcome.effects):
        click.echo(f"    {line}")
    if told is not None:
        told(outcome)


def tell_reasons(reasons: Sequence[Reason], *, err: bool = False) -> None:
    """Write reasons: the sentence, the rule and where it stands, and when it lifts."""
    for reason in reasons:
        click.echo(f"    {reason.sentence}", err=err)
        lifts = f"; lifts {stamp(reason.lifts)}" if reason.lifts else ""
        click.secho(f"        [{reason.rule}]  {reason.source}{lifts}", dim=True, err=err)


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for JSON."""
    return {
        "domain": outcome.name,
        "action": str(outcome.action),
        "done": outcome.done,
        "kept": outcome.kept,
        "dry_run": outcome.dry_run,
        "reasons": [reason_data(reason) for reason in outcome.reasons],
        "steps": list(outcome.steps),
        "effects": list(outcome.effects),
        "life": outcome.state.life.value if outcome.state else None,
        "auth": outcome.auth or None,
    }


def reason_data(reason: Reason) -> dict[str, Any]:
    """Return a reason for JSON."""
    return {
        "rule": reason.rule,
        "sentence": reason.sentence,
        "source": reason.source,
        "lifts": instant(reason.lifts),
    }


def instant(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def stamp(at: datetime | date | None) -> str:
    """Return a moment, or a day, as people read it."""
    if isinstance(at, datetime):
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return str(at) if at else ""


def confirmed(question: str, *, yes: bool) -> None:
    """Ask, where somebody can answer; raises ``click.Abort`` for no.

    Where nobody can, as in scripts, ``--yes`` has to be said.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise DNSError(f"{question} Nobody is here to answer: say --yes")
    click.confirm(question, abort=True)
