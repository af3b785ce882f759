"""Orders: every reason at once, and what of it goes into the facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registrar.contact import Contact, ContactKind
from registrar.errors import RegistrarError
from registrar.lifecycle import project
from registrar.model import Life
from registrar.order import Order, check_order, submit
from registrar.products import Booking
from tests.registrations import START, policies
from zones.zone import Mode

PERSON = Contact(
    "C1",
    ContactKind.PERSON,
    "Given Family",
    street=("Street 1",),
    postal_code="50667",
    city="Köln",
    country="DE",
    phone="+49221123456",
    email="given@example.org",
)
ABROAD = replace(PERSON, country="US", postal_code="12345")
BOOKING = Booking(policies().catalogues["n"], "solodomain")
ORDER = Order("example.org", "n", PERSON, PERSON, BOOKING, terms_accepted=True)


def rules(order: Order) -> list[str]:
    """Return the rules against an order."""
    return [reason.rule for reason in check_order(order, policies())]


@pytest.mark.requirement("REG-1", "REG-7")
def test_a_good_order_is_taken() -> None:
    """With name, contacts, product and terms in order there is nothing against it."""
    assert rules(ORDER) == []
    begun = submit(ORDER, policies(), START)
    assert begun.name == "example.org"
    assert project(begun, START).life is Life.ORDERED


@pytest.mark.requirement("REG-6")
def test_all_reasons_at_once() -> None:
    """Name, contacts, product, mode and terms are all told, and whom a reason is about."""
    bad = Order(
        "nic.eu",
        "x",
        replace(ABROAD, city=""),
        replace(PERSON, name="Hostmaster"),
        Booking(policies().catalogues["n"], "webhosting-basic", ("server-alias",)),
        Mode.HIDDEN_PRIMARY,
    )
    assert rules(bad) == [
        "reserved",
        "contract-unknown",
        "city-missing",
        "admin-not-a-person",
        "option-not-offered",
        "product-without-name-server",
        "terms-not-accepted",
        "residence",
    ]
    sentences = [reason.sentence for reason in check_order(bad, policies())]
    assert "holder: The city is missing." in sentences


@pytest.mark.requirement("REG-1")
def test_residence_below_eu() -> None:
    """The holder of an .eu name lives in the Union or is a citizen of it, wherever he lives."""
    assert rules(replace(ORDER, name="example.eu", holder=ABROAD)) == ["residence"]
    citizen = replace(ABROAD, citizenship="FR")
    assert rules(replace(ORDER, name="example.eu", holder=citizen)) == []
    assert rules(replace(ORDER, holder=ABROAD)) == []


@pytest.mark.parametrize(
    ("name", "servers", "expected"),
    [
        ("example.de", (), ["too-few-name-servers"]),
        ("example.de", ("ns1.example.net",) * 2, ["too-few-name-servers"]),
        ("example.org", (), []),
        ("example.eu", ("ns1.example.net",), []),
        ("example.de", tuple(f"ns{n}.example.net" for n in range(9)), ["too-many-name-servers"]),
    ],
)
def test_name_servers_by_registry(name: str, servers: tuple[str, ...], expected: list[str]) -> None:
    """How many name servers there have to be is the registry's rule; two alike are one."""
    order = replace(ORDER, name=name, mode=Mode.EXTERNAL, name_servers=servers)
    assert rules(order) == expected


@pytest.mark.requirement("REG-6", "REG-8")
def test_what_is_wrong_goes_into_the_facts() -> None:
    """An order with faults stays a draft; the facts say what kind of fault, and name no person."""
    firm = replace(PERSON, kind=ContactKind.ORGANISATION, organisation="Example GmbH")
    begun = submit(replace(ORDER, admin=firm, manual=True), policies(), START)
    state = project(begun, START)
    assert state.life is Life.DRAFT
    assert [reason.rule for reason in state.denials[0].reasons] == ["admin-not-a-person"]
    assert "Given" not in repr(begun.facts)
    taken = submit(replace(ORDER, manual=True), policies(), START)
    assert project(taken, START).manual


def test_what_cannot_even_be_a_draft() -> None:
    """Without a name, a profile or a contract there are no rules to put an order under."""
    assert rules(replace(ORDER, name="no name")) == ["name-malformed"]
    for wrong in (replace(ORDER, name="example.tv"), replace(ORDER, contract="x")):
        with pytest.raises(RegistrarError):
            submit(wrong, policies(), START)
