"""``nsctl domain rdap``: what others see of a domain."""

from __future__ import annotations

from typing import Any

import click

from cli.app import App
from cli.command import Command
from cli.desk import NAME, desk_of, now


@click.command(
    cls=Command,
    example="""nsctl domain rdap example.org
    nsctl domain rdap example.org --full""",
)
@NAME
@click.option("--full", is_flag=True, help="With all data, for who may see them.")
@click.pass_obj
def rdap(app: App, name: str, full: bool) -> None:
    """Write the RDAP view of NAME (RFC 9083): what everybody sees, unless --full is said."""
    import json

    from registrar.desk import registrations
    from registrar.lifecycle import project
    from registrar.rdap import Audience, Role, Subject, contacts_by_role, domain_object

    moment = now()
    with app.read() as session:
        entry = registrations.get(session, name)
        known = registrations.registration(session, desk_of(app), entry)
        roles = contacts_by_role(
            (role, _contact(session, number))
            for role, number in (
                (Role.REGISTRANT, entry.holder),
                (Role.ADMINISTRATIVE, entry.admin),
                (Role.TECHNICAL, entry.tech),
            )
        )
    told = Subject(
        name,
        project(known, moment),
        known.facts,
        roles,
        entry.name_servers,
        entry.sec_dns,
        app.settings(quiet=True).desk.provider,
    )
    found = domain_object(told, Audience.FULL if full else Audience.PUBLIC)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _contact(session: Any, number: str) -> Any:
    from registrar.desk import contacts
    from storage.errors import StorageError

    try:
        return contacts.get(session, number).contact if number else None
    except StorageError:
        return None
