"""Contacts and hosts at a registry: had ready before a domain that needs them."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from registrar import commands as ask
from registrar.commands import Command
from registrar.connector import Refused
from registrar.contact import Contact, ContactKind, epp_phone
from registrar.objects import (
    ContactData,
    ContactRole,
    DomainContact,
    NameServer,
    PostalInfo,
    PostalType,
)
from registrar.work.task import ABSENT, Failed, Task


def contact_data(contact: Contact) -> ContactData:
    """Return a contact in the form of RFC 5733; what is not ASCII goes as localised."""
    name = contact.name or contact.organisation
    lines = (name, contact.organisation, contact.city, contact.region, *contact.street)
    ascii_only = all(line.isascii() for line in lines)
    return ContactData(
        (
            PostalInfo(
                name=name,
                city=contact.city,
                country=contact.country,
                organisation=contact.organisation or None,
                street=contact.street,
                state=contact.region or None,
                postal_code=contact.postal_code or None,
                type=PostalType.INTERNATIONALISED if ascii_only else PostalType.LOCALISED,
            ),
        ),
        contact.email,
        epp_phone(contact.phone) if contact.phone else None,
    )


def have_contact(task: Task, number: str) -> Generator[Command[Any], Any, Failed | None]:
    """Have a contact at the registry that says what ours says."""
    contact = task.contacts.get(number)
    if contact is None or (not contact.name and contact.kind is ContactKind.PERSON):
        return Failed(f"contact {number} has no data any more")
    data = contact_data(contact)
    found = yield ask.InfoContact(number)
    if isinstance(found, Refused):
        if found.code != ABSENT:
            return Failed(f"contact {number}: {found}")
        outcome = yield ask.CreateContact(number, data, task.auth)
    elif found.value.data == data:
        return None
    else:
        outcome = yield ask.UpdateContact(number, data)
    return Failed(f"contact {number}: {outcome}") if isinstance(outcome, Refused) else None


def have_hosts(
    task: Task, servers: Iterable[NameServer]
) -> Generator[Command[Any], Any, Failed | None]:
    """Have the host objects of name servers, where the registry has such."""
    if not task.host_objects:
        return None
    for server in servers:
        found = yield ask.InfoHost(server.name)
        if isinstance(found, Refused):
            if found.code != ABSENT:
                continue  # another's, and there
            outcome = yield ask.CreateHost(server.name, server.addresses)
        elif server.addresses and set(server.addresses) != set(found.value.addresses):
            have, want = set(found.value.addresses), set(server.addresses)
            outcome = yield ask.UpdateHost(
                server.name, tuple(sorted(want - have)), tuple(sorted(have - want))
            )
        else:
            continue
        if isinstance(outcome, Refused):
            return Failed(f"name server {server.name}: {outcome}")
    return None


def roles_of(task: Task) -> tuple[DomainContact, ...]:
    """Return the contacts of the domain beside its holder, by role."""
    roles = [DomainContact(ContactRole.ADMIN, task.admin)] if task.admin else []
    if task.tech:
        roles.append(DomainContact(ContactRole.TECH, task.tech))
    return tuple(roles)


def distinct(*numbers: str) -> list[str]:
    """Return each id once, in order, less those that are empty."""
    return [number for number in dict.fromkeys(numbers) if number]
