"""``nsctl domain notices``: what customers were told."""

from __future__ import annotations

from typing import Any

import click

from cli.app import App
from cli.arguments import limited
from cli.command import Command
from cli.desk import DOMAIN, letters_of
from cli.output import emit, iso, print_table


@click.command(
    cls=Command,
    example="""nsctl domain notices
    nsctl domain notices example.org --text""",
)
@click.argument("name", metavar="[NAME]", type=DOMAIN, required=False)
@click.option("--text", is_flag=True, help="With the words that go out.")
@limited(50)
@click.pass_obj
def notices(app: App, name: str | None, text: bool, limit: int) -> None:
    """List what customers were told, or are about to be, newest first."""
    from registrar.errors import PolicyError
    from registrar.notices import preview
    from storage import notices as stored

    data: list[dict[str, Any]] = []
    letters = letters_of(app) if text else None
    with app.read() as session:
        for notice in stored.list_notices(session, name=name, limit=limit):
            one: dict[str, Any] = {
                "domain": notice.name,
                "notice": notice.kind,
                "at": iso(notice.at),
                "told": iso(notice.told_at),
            }
            if letters is not None:
                try:
                    recipients, message = preview(session, letters, notice)
                    one |= {"to": recipients, "subject": message.subject, "body": message.body}
                except PolicyError as error:
                    one |= {"to": [], "subject": "", "body": str(error)}
            data.append(one)

    def tell() -> None:
        if not data:
            click.echo("no notices")
        if not text:
            rows = [(one["at"], one["domain"], one["notice"], one["told"]) for one in data]
            if rows:
                print_table(("At", "Domain", "Notice", "Handed on"), rows)
            return
        for one in data:
            click.secho(f"{one['at']}  {one['domain']}  {one['notice']}", bold=True)
            click.echo(f"To: {', '.join(one['to']) or 'nobody'}\nSubject: {one['subject']}\n")
            click.echo(one["body"])

    emit(app, data, tell)
