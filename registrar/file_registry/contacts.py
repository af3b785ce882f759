"""Contacts at the registry (RFC 5733)."""

from __future__ import annotations

import re
from typing import Final

from registrar.commands import (
    CheckContacts,
    CreateContact,
    DeleteContact,
    InfoContact,
    UpdateContact,
)
from registrar.connector import Done, Outcome
from registrar.file_registry.call import (
    Call,
    changed_statuses,
    check_count,
    fits,
    hashed,
    refuse_prohibited,
    sponsorship,
)
from registrar.file_registry.domains import MAX_CHECKED
from registrar.file_registry.refusal import (
    ABSENT,
    ASSOCIATED,
    EXISTS,
    MISSING,
    SYNTAX,
    WRONG_AUTH,
    Refusal,
)
from registrar.file_registry.state import ContactRecord
from registrar.objects import Availability, ContactData, ContactInfo, Created
from registrar.statuses import Status, Verb, prohibiting

PHONE: Final = re.compile(r"\+[0-9]{1,3}\.[0-9]{1,14}(x[0-9]+)?")  # RFC 5733 2.5
COUNTRY: Final = re.compile(r"[A-Z]{2}")
ALLOWED: Final = frozenset(
    {
        Status.CLIENT_DELETE_PROHIBITED,
        Status.CLIENT_TRANSFER_PROHIBITED,
        Status.CLIENT_UPDATE_PROHIBITED,
    }
)


def check_contacts(call: Call, command: CheckContacts) -> Outcome[tuple[Availability, ...]]:
    """Tell which ids are free."""
    check_count(len(command.ids), MAX_CHECKED, "ids in a check")
    return Done(tuple(_availability(call, contact) for contact in command.ids))


def _availability(call: Call, contact: str) -> Availability:
    taken = contact in call.state.contacts
    return Availability(contact, available=not taken, reason="In use" if taken else None)


def _contact(call: Call, contact: str) -> ContactRecord:
    try:
        return call.state.contacts[contact]
    except KeyError:
        raise Refusal(ABSENT, value=contact) from None


def _in_use(call: Call, contact: str) -> bool:
    return any(
        contact == domain.registrant or contact in {other.id for other in domain.contacts}
        for domain in call.state.domains.values()
    )


def info_contact(call: Call, command: InfoContact) -> Outcome[ContactInfo]:
    """Tell all about a contact; to others than its sponsor with its authorisation alone."""
    contact = _contact(call, command.id)
    if command.auth is not None and not fits(command.auth, contact.auth, contact.id):
        raise Refusal(WRONG_AUTH, value=contact.id)
    if command.auth is None:
        call.need_sponsor(contact.held, contact.id)
    found = set(contact.held.statuses)
    if _in_use(call, contact.id):
        found.add(Status.LINKED)
    statuses = frozenset(found if contact.held.statuses else {Status.OK, *found})
    return Done(ContactInfo(contact.id, sponsorship(contact.held), contact.data, statuses))


def create_contact(call: Call, command: CreateContact) -> Outcome[Created]:
    """Make a contact."""
    if not 3 <= len(command.id) <= 16:
        raise Refusal(SYNTAX, "an id of 3 to 16 characters", command.id)
    if command.id in call.state.contacts:
        raise Refusal(EXISTS, value=command.id)
    _check(command.data)
    auth = hashed(command.auth, command.id) if command.auth else None
    contact = ContactRecord(command.id, call.record("C"), command.data, auth)
    call.state.contacts[contact.id] = contact
    return Done(Created(contact.id, call.now))


def _check(data: ContactData) -> None:
    if not data.postal or not data.email:
        raise Refusal(MISSING, "postal data and an e-mail address")
    if len({postal.type for postal in data.postal}) < len(data.postal):
        raise Refusal(SYNTAX, "postal data of one type twice")
    if "@" not in data.email:
        raise Refusal(SYNTAX, "not an e-mail address", data.email)
    for phone in filter(None, (data.voice, data.fax)):
        if not PHONE.fullmatch(phone):
            raise Refusal(SYNTAX, "a phone number is written +49.301234567", phone)
    for postal in data.postal:
        if not COUNTRY.fullmatch(postal.country):
            raise Refusal(SYNTAX, "not a country of ISO 3166", postal.country)
        if not postal.name or not postal.city:
            raise Refusal(MISSING, "a name and a city")


def update_contact(call: Call, command: UpdateContact) -> Outcome[None]:
    """Change a contact."""
    contact = _contact(call, command.id)
    call.need_sponsor(contact.held, contact.id)
    against = set(prohibiting(contact.held.statuses, Verb.UPDATE)) - command.remove_statuses
    refuse_prohibited(against, contact.id)
    statuses = changed_statuses(
        contact.held.statuses, command.add_statuses, command.remove_statuses, ALLOWED
    )
    if command.data is not None:
        _check(command.data)
        contact.data = command.data
    contact.held.statuses = statuses
    call.touch(contact.held)
    return Done(None)


def delete_contact(call: Call, command: DeleteContact) -> Outcome[None]:
    """Delete a contact that no domain uses."""
    contact = _contact(call, command.id)
    call.need_sponsor(contact.held, contact.id)
    refuse_prohibited(prohibiting(contact.held.statuses, Verb.DELETE), contact.id)
    if _in_use(call, contact.id):
        raise Refusal(ASSOCIATED, "domains use it", contact.id)
    del call.state.contacts[contact.id]
    return Done(None)
