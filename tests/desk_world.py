"""A desk to test against: contacts, a product, orders, and a registry whose clock is driven."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from registrar.contact import Contact, ContactKind
from registrar.desk import contacts, ordering
from registrar.desk.desk import Desk, Hosting
from registrar.desk.ordering import NewOrder
from registrar.desk.outcome import Outcome
from registrar.order import Order
from registrar.products import Booking
from storage.database import Database
from tests.registrations import policies
from tests.registry_world import Clock
from zones.zone import Mode

NAME: Final = "example.org"
CUSTOMER: Final = "4711"
FRIDAY: Final = datetime(2026, 4, 30, 14, 0, tzinfo=UTC)
NAME_SERVERS: Final = ("ns1.example.net", "ns2.example.net")

HOLDER: Final = Contact(
    id="HOLDER-1",
    kind=ContactKind.ORGANISATION,
    name="",
    organisation="Beispiel GmbH",
    street=("Hauptstraße 1",),
    postal_code="50667",
    city="Köln",
    country="DE",
    phone="+492211234567",
    email="holder@example.org",
)
ADMIN: Final = Contact(
    id="ADMIN-1",
    kind=ContactKind.PERSON,
    name="Erika Mustermann",
    street=("Hauptstraße 1",),
    postal_code="50667",
    city="Köln",
    country="DE",
    phone="+492211234567",
    email="admin@example.org",
)


def desk() -> Desk:
    """Return a desk with the shipped policies and name servers of the provider's."""
    return Desk(policies(), Hosting(name_servers=NAME_SERVERS))


def order(name: str = NAME, **changes: Any) -> NewOrder:
    """Return an order; what is not of ``NewOrder`` is of its ``Order``."""
    own = {key: changes.pop(key) for key in list(changes) if key in NewOrder.__slots__}
    wanted: dict[str, Any] = {
        "name": name,
        "contract": "h",
        "holder": HOLDER,
        "admin": ADMIN,
        "booking": Booking(policies().catalogues["n"], "solodomain"),
        "mode": Mode.HOSTED,
        "terms_accepted": True,
    }
    return NewOrder(Order(**{**wanted, **changes}), **{"customer": CUSTOMER, **own})


class DeskWorld:
    """A store with contacts in it, and a clock."""

    def __init__(self, database: Database, now: datetime = FRIDAY) -> None:
        self.database = database
        self.desk = desk()
        self.clock = Clock(now)

    def set_up(self) -> DeskWorld:
        """Add the contacts of the orders."""
        with self.database.write() as session:
            for contact in (HOLDER, ADMIN):
                contacts.add(session, contact, customer=CUSTOMER, now=self.clock.now, actor="erika")
        return self

    def place(self, name: str = NAME, **changes: Any) -> Outcome:
        """Place an order now."""
        with self.database.write() as session:
            return ordering.place(
                session, self.desk, order(name, **changes), now=self.clock.now, actor="erika"
            )
