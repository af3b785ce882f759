"""Contacts in the store: checked when they come in, passed on when they change, erased at last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from registrar.contact import Contact, check_contact
from registrar.desk import recording, registrations
from registrar.desk.desk import Desk, moment, moment_or_none, seconds
from registrar.errors import RegistrarError
from registrar.facts import ContactChangeReceived, ProofReceived
from registrar.lifecycle import project
from registrar.model import Command, Verification
from registrar.reason import Reason
from storage import contacts as stored
from storage import journal
from storage.session import Session

ADAPTER: Final = TypeAdapter(Contact)


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact; that of an erased one has nothing but its id."""

    contact: Contact
    customer: str
    verified_at: datetime | None
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None


def add(session: Session, contact: Contact, *, customer: str, now: datetime, actor: str) -> None:
    """Add a contact; raises ``RegistrarError`` with every fault, and ``AlreadyExists``."""
    _refuse_faults(contact)
    data = ADAPTER.dump_python(contact, mode="json")
    stored.add_contact(
        session,
        contact.id,
        customer,
        data,
        words=_words(contact),
        now=seconds(now),
        actor=actor,
    )


def get(session: Session, number: str) -> StoredContact:
    """Return a contact; raises ``StorageError``."""
    return _of(stored.get_contact(session, number))


def list_contacts(
    session: Session, *, customer: str | None = None, search: str = ""
) -> list[StoredContact]:
    """Return contacts by id: all, a customer's, or those with a text in name, firm or mail."""
    return [_of(found) for found in stored.list_contacts(session, customer=customer, search=search)]


def update(
    session: Session, desk: Desk, contact: Contact, *, now: datetime, actor: str
) -> list[str]:
    """Replace a contact; return the domains for which that now goes to the registry.

    It is due there within the days of the contract (N 2.2.3). The same again does nothing. Raises
    ``RegistrarError`` with every fault, and for a contact that was erased.
    """
    old = get(session, contact.id)
    if old.erased_at is not None:
        raise RegistrarError(f"contact {contact.id} was erased")
    _refuse_faults(contact)
    if old.contact == contact:
        return []
    data = ADAPTER.dump_python(contact, mode="json")
    stored.update_contact(
        session, contact.id, data, words=_words(contact), now=seconds(now), actor=actor
    )
    return pass_on(session, desk, contact.id, now=now, actor=actor)


def pass_on(session: Session, desk: Desk, number: str, *, now: datetime, actor: str) -> list[str]:
    """Have the data of a contact go to the registries that know it; return the domains."""
    told = []
    for registration, name in stored.users(session, number):
        entry = registrations.get_by_id(session, registration)
        if entry.life not in recording.WITH_US:
            continue
        fact = ContactChangeReceived(now, number)
        recording.record(session, desk, entry, [fact], now=now, actor=actor)
        key = f"{Command.UPDATE_CONTACTS}:{number}:{now.isoformat()}"
        recording.add_job(session, entry, Command.UPDATE_CONTACTS, key, now=now)
        told.append(name)
    return told


def verify(session: Session, desk: Desk, number: str, *, now: datetime, actor: str) -> list[str]:
    """Note that a contact's data are proved; return the domains that waited for it."""
    stored.verify_contact(session, number, now=seconds(now), actor=actor)
    freed = []
    for registration, name in stored.users(session, number):
        entry = registrations.get_by_id(session, registration)
        state = project(registrations.registration(session, desk, entry), now)
        if state.verification is Verification.CLEAR:
            continue
        recording.record(session, desk, entry, [ProofReceived(now)], now=now, actor=actor)
        freed.append(name)
    return freed


def erase(session: Session, number: str, *, now: datetime, actor: str) -> list[Reason]:
    """Empty a contact, or return every reason why it has to stay (contract N 6).

    Its id stays, since facts name it: they have no personal data themselves. What the journal has
    of it goes as well.
    """
    stored.get_contact(session, number)
    reasons = [
        Reason("contact-in-use", f"{name} has it, and is with us still.", "N 6; H 9(1)")
        for _number, name in stored.users(session, number)
    ]
    if not reasons:
        stored.erase_contact(session, number, now=seconds(now), actor=actor)
        journal.forget(session, [number])  # what registries were told of it
    return reasons


def _refuse_faults(contact: Contact) -> None:
    if reasons := check_contact(contact):
        raise RegistrarError(f"contact {contact.id}: {reason.sentence}" for reason in reasons)


def _words(contact: Contact) -> str:
    return f"{contact.name} {contact.organisation} {contact.email}"


def _of(found: stored.StoredContact) -> StoredContact:
    data: dict[str, Any] = dict(found.data) or {
        "id": found.id,
        "kind": "person",
        "name": "",
    }
    return StoredContact(
        ADAPTER.validate_python(data),
        found.customer,
        moment_or_none(found.verified_at),
        moment(found.created_at),
        moment(found.updated_at),
        moment_or_none(found.erased_at),
    )
