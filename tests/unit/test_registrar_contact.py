"""Contacts: complete, reachable, and persons where they have to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registrar.contact import Contact, ContactKind, check_admin, check_contact, epp_phone

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


def rules(contact: Contact) -> set[str]:
    """Return the rules that a contact breaks."""
    return {reason.rule for reason in check_contact(contact)}


def test_a_good_contact_has_no_reasons() -> None:
    """A complete person is a contact and an administrator."""
    assert check_contact(PERSON) == []
    assert check_admin(PERSON) == []


def test_all_reasons_are_told_at_once() -> None:
    """An empty contact is told everything that it lacks."""
    empty = Contact("C2", ContactKind.ORGANISATION, "")
    expected = {"organisation-missing", "street-missing", "city-missing", "country-unknown"}
    assert rules(empty) == expected | {"phone-malformed", "email-malformed"}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"phone": "0221 123456"}, "phone-malformed"),
        ({"phone": "+49 221 123456"}, "phone-malformed"),
        ({"phone": "+4922"}, "phone-malformed"),
        ({"email": "given@example"}, "email-malformed"),
        ({"email": "given example.org"}, "email-malformed"),
        ({"country": "XX"}, "country-unknown"),
        ({"citizenship": "Germany"}, "citizenship-unknown"),
        ({"postal_code": "5066"}, "postal-code-malformed"),
        ({"street": ("1", "2", "3", "4")}, "street-lines"),
        ({"city": "K" * 256}, "too-long"),
        ({"city": "Köln\n"}, "control-character"),
        ({"language": "la"}, "language-unknown"),
        ({"name": " "}, "name-missing"),
    ],
)
def test_single_faults_are_found(changed: dict[str, object], rule: str) -> None:
    """Each fault alone leads to its own rule and no other."""
    assert rules(replace(PERSON, **changed)) == {rule}  # type: ignore[arg-type]


@pytest.mark.requirement("REG-6")
@pytest.mark.parametrize(
    "name",
    ["Domain Admin", "Hostmaster", "Example GmbH", "IT-Abteilung", "Example e.V.", "NOC Team"],
)
def test_an_administrator_is_a_person_by_name(name: str) -> None:
    """Roles and firms are refused as administrators, whatever kind they claim to be."""
    assert check_admin(replace(PERSON, name=name))


@pytest.mark.requirement("REG-6")
def test_an_organisation_is_no_administrator() -> None:
    """An organisation can be the holder, and never the administrator."""
    firm = replace(PERSON, kind=ContactKind.ORGANISATION, organisation="Example GmbH")
    assert check_contact(firm) == []
    assert [reason.source for reason in check_admin(firm)] == ["N 2.2.3"]
    assert {reason.rule for reason in check_admin(replace(PERSON, name="Given"))} == {
        "admin-not-named-in-full"
    }


@pytest.mark.parametrize(
    "name", ["Agnes Agthe", "Ag Supporta", "Noconda Itzig", "Jean-Luc Dns-Huber"]
)
def test_names_that_only_look_like_roles(name: str) -> None:
    """Parts of words do not make a role out of a person; whole words do."""
    refused = {"Ag Supporta", "Jean-Luc Dns-Huber"}
    assert bool(check_admin(replace(PERSON, name=name))) == (name in refused)


def test_phones_in_the_form_of_epp() -> None:
    """EPP puts a dot after the country code."""
    assert epp_phone("+49221123456") == "+49.221123456"
    assert epp_phone("+390612345678") == "+39.0612345678"
