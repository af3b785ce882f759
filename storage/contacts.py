"""Contacts of registrations: what their owners entered, until it is erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from storage import customers, events
from storage.desk_models import ContactRow, RegistrationRow
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact: ``data`` as it was entered, empty once it is erased."""

    id: str
    customer: str
    data: Mapping[str, Any]
    verified_at: float | None
    created_at: float
    updated_at: float
    erased_at: float | None


def add_contact(
    session: Session,
    number: str,
    customer: str,
    data: Mapping[str, Any],
    *,
    words: str,
    now: float,
    actor: str,
) -> None:
    """Add a contact; ``words`` is what it is looked for by. Raises ``AlreadyExists``."""
    if session.get(ContactRow, number) is not None:
        raise AlreadyExists(f"contact {number} exists already")
    customers.ensure_customer(session, customer, now=now, actor=actor)
    session.execute(
        insert(ContactRow).values(
            id=number,
            customer=customer,
            data=dict(data),
            words=words.lower(),
            created_at=now,
            updated_at=now,
        )
    )
    _tell(session, "contact-added", f"contact {number} added", now, actor)


def find_contact(session: Session, number: str) -> StoredContact | None:
    """Return a contact, ``None`` where there is none of that id."""
    row = session.get(ContactRow, number)
    return None if row is None else _of(row)


def get_contact(session: Session, number: str) -> StoredContact:
    """Return a contact; raises ``StorageError``."""
    found = find_contact(session, number)
    if found is None:
        raise StorageError(f"there is no contact {number}")
    return found


def list_contacts(
    session: Session, *, customer: str | None = None, search: str = ""
) -> list[StoredContact]:
    """Return contacts by id: all, a customer's, or those with a text in name, firm or mail."""
    query = select(ContactRow).order_by(ContactRow.id)
    if customer is not None:
        query = query.where(ContactRow.customer == customer)
    if search:
        wanted = search.lower()
        query = query.where(
            or_(
                ContactRow.words.contains(wanted, autoescape=True),
                func.lower(ContactRow.id).contains(wanted, autoescape=True),
            )
        )
    return [_of(row) for row in session.scalars(query)]


def update_contact(
    session: Session, number: str, data: Mapping[str, Any], *, words: str, now: float, actor: str
) -> None:
    """Replace what a contact says; it counts as not verified then. Raises ``StorageError``."""
    get_contact(session, number)
    _set(session, number, data=dict(data), words=words.lower(), verified_at=None, updated_at=now)
    _tell(session, "contact-changed", f"contact {number} changed", now, actor)


def verify_contact(session: Session, number: str, *, now: float, actor: str) -> None:
    """Note that a contact's data were proved. Raises ``StorageError``."""
    get_contact(session, number)
    _set(session, number, verified_at=now)
    _tell(session, "contact-verified", f"contact {number} verified", now, actor)


def erase_contact(session: Session, number: str, *, now: float, actor: str) -> None:
    """Empty a contact; its id stays, since facts name it. Raises ``StorageError``."""
    get_contact(session, number)
    _set(session, number, data={}, words="", verified_at=None, updated_at=now, erased_at=now)
    _tell(session, "contact-erased", f"contact {number} erased", now, actor)


def users(session: Session, number: str, *, closed: bool = False) -> list[tuple[int, str]]:
    """Return id and name of the registrations that a contact serves; ``closed``: the ended too."""
    roles = (RegistrationRow.holder, RegistrationRow.admin, RegistrationRow.tech)
    query = select(RegistrationRow.id, RegistrationRow.name).where(
        or_(*(role == number for role in roles))
    )
    if not closed:
        query = query.where(RegistrationRow.closed_at.is_(None))
    return [(row[0], row[1]) for row in session.execute(query.order_by(RegistrationRow.name))]


def _set(session: Session, number: str, **values: Any) -> None:
    session.execute(update(ContactRow).where(ContactRow.id == number).values(**values))


def _tell(session: Session, kind: str, text: str, now: float, actor: str) -> None:
    events.record(session, kind, EventSeverity.INFO, None, text, actor=actor, at=now)


def _of(row: ContactRow) -> StoredContact:
    return StoredContact(
        row.id,
        row.customer,
        row.data,
        row.verified_at,
        row.created_at,
        row.updated_at,
        row.erased_at,
    )
