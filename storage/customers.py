"""Customers: a stub row each, so that zones can be told apart by whose they are."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from storage import events
from storage.errors import AlreadyExists, StorageError
from storage.events import EventSeverity
from storage.models import CustomerRow


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer; ``id`` is the provider's customer number or any other text of its own."""

    id: str
    name: str = ""


def add_customer(
    session: Session, customer: Customer, *, now: float | None = None, actor: str = ""
) -> None:
    """Add a customer; raises ``AlreadyExists``."""
    now = time.time() if now is None else now
    if session.get(CustomerRow, customer.id) is not None:
        raise AlreadyExists(f"customer {customer.id} exists already")
    session.execute(insert(CustomerRow).values(id=customer.id, name=customer.name, created_at=now))
    text = f"customer {customer.id} added"
    events.record(session, "customer-added", EventSeverity.INFO, None, text, actor=actor, at=now)


def ensure_customer(session: Session, customer_id: str, *, now: float, actor: str) -> None:
    """Add a stub for a customer that a zone names first."""
    if customer_id and session.get(CustomerRow, customer_id) is None:
        add_customer(session, Customer(customer_id), now=now, actor=actor)


def get_customer(session: Session, customer_id: str) -> Customer:
    """Return a customer; raises ``StorageError``."""
    row = session.get(CustomerRow, customer_id, populate_existing=True)
    if row is None:
        raise StorageError(f"no such customer {customer_id}; see: nsctl customer list")
    return Customer(row.id, row.name)


def rename_customer(
    session: Session, customer_id: str, name: str, *, now: float | None = None, actor: str = ""
) -> None:
    """Give a customer another name; raises ``StorageError``."""
    now = time.time() if now is None else now
    get_customer(session, customer_id)
    session.execute(update(CustomerRow).where(CustomerRow.id == customer_id).values(name=name))
    text = f"customer {customer_id} is named {name}"
    data = {"customer": customer_id}
    events.record(
        session, "customer-changed", EventSeverity.INFO, None, text, data, actor=actor, at=now
    )


def list_customers(session: Session) -> list[Customer]:
    """Return all customers by their id."""
    rows = session.execute(select(CustomerRow.id, CustomerRow.name).order_by(CustomerRow.id))
    return [Customer(number, name) for number, name in rows]
