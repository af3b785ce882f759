"""A desk to test against: contacts, a product, orders, and a registry whose clock is driven."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import dns.rcode

from nameserver.loading import load_zone
from nameserver.table import ZoneTable
from registrar.actions import Action
from registrar.contact import Contact, ContactKind
from registrar.desk import acting, contacts, ordering, registrations
from registrar.desk.desk import Desk, Hosting
from registrar.desk.ordering import NewOrder
from registrar.desk.outcome import Outcome
from registrar.fact import Fact
from registrar.lifecycle import project
from registrar.model import State
from registrar.order import Order
from registrar.products import Booking
from storage import jobs
from storage.database import Database
from tests.answering.asking import ask, table_of
from tests.registrations import policies
from tests.registry_world import Clock
from zones.name import from_text
from zones.zone import Mode

NAME: Final = "example.org"
CUSTOMER: Final = "4711"
FRIDAY: Final = datetime(2026, 5, 22, 14, 0, tzinfo=UTC)  # before Whitsun
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

    def act(self, action: Action, name: str = NAME, **rest: Any) -> Outcome:
        """Do something now."""
        with self.database.write() as session:
            return acting.act(
                session, self.desk, name, action, now=self.clock.now, **{"actor": "erika", **rest}
            )

    def record(self, fact: Fact, name: str = NAME, actor: str = "erika") -> Outcome:
        """Write a fact down now."""
        with self.database.write() as session:
            return acting.record(session, self.desk, name, fact, now=self.clock.now, actor=actor)

    def state(self, name: str = NAME) -> State:
        """Return how a registration stands now."""
        with self.database.read() as session:
            entry = registrations.get(session, name)
            known = registrations.registration(session, self.desk, entry)
        return project(known, self.clock.now)

    def work(self, state: str | None = None) -> list[str]:
        """Return what there is to do at registries, in order, or what is in a state."""
        with self.database.read() as session:
            found = jobs.listed(session)[::-1]
        return [job.kind for job in found if state in (None, job.state.value)]

    def answer(self, question: str = NAME, rtype: str = "SOA") -> str:
        """Return what our name server says to a question: its rdata, or else the rcode."""
        with self.database.read() as session:
            loaded = load_zone(session, from_text(NAME))
        served = loaded.served(self.clock.now.timestamp()) if loaded else None
        response = ask(table_of(served) if served else ZoneTable(), question + ".", rtype)
        found = [str(rdata) for rrset in response.answer for rdata in rrset]
        return " ".join(found) or dns.rcode.to_text(response.rcode())
