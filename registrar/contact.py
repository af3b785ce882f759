"""Contacts: the holder of a domain and those who act for the holder.

The administrator (Admin-C) decides bindingly about a domain and is a natural person, by name
(contract N 2.2.3). Registries pass contacts on in the form of RFC 5733.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from registrar.reason import Reason


class ContactKind(StrEnum):
    """Whom a contact stands for."""

    PERSON = "person"  # a natural person
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact, as its owner entered it.

    ``name`` is that of a person, for an organisation who acts for it and may be empty. ``country``
    and ``citizenship`` are ISO 3166-1 codes of two letters; ``phone`` is E.164: ``+49221123456``.
    """

    id: str
    kind: ContactKind
    name: str
    organisation: str = ""
    street: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    citizenship: str = ""
    language: str = "de"


MAX_LINE: Final = 255  # characters of postal lines (RFC 5733 4: normalizedString 1 to 255)
MAX_STREET: Final = 3  # lines (RFC 5733 4: addrType)
MAX_POSTAL_CODE: Final = 16  # characters (RFC 5733 4: pcType)
LANGUAGES: Final = ("de", "en")  # that notices are written in

# Where ISO 3166-1 has a country that has no telephones of its own.
WITHOUT_PHONES: Final = frozenset(("AQ", "BV", "GS", "HM", "PN", "TF", "UM"))
COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS) | WITHOUT_PHONES

POSTAL_CODES: Final = {  # of the countries where most customers are
    "AT": re.compile(r"\d{4}"),
    "BE": re.compile(r"\d{4}"),
    "CH": re.compile(r"\d{4}"),
    "DE": re.compile(r"\d{5}"),
    "FR": re.compile(r"\d{5}"),
    "LU": re.compile(r"\d{4}"),
    "NL": re.compile(r"\d{4} ?[A-Z]{2}"),
    "PL": re.compile(r"\d{2}-\d{3}"),
}

# Words that a natural person is not called by, and that roles and firms are.
NOT_A_PERSON: Final = re.compile(
    r"\b(?:abteilung|admin|administration|administrator|department|domains?|dns|hostmaster|"
    r"registry|it|noc|postmaster|registrar|role|service|sales|support|team|technik|verwaltung|"
    r"webmaster|ag|e\.? ?g\.?|e\.? ?k\.?|e\.? ?v\.?|gbr|gmbh|inc|kg|kgaa|llc|ltd|mbh|ohg|plc|"
    r"s\.?à\.?r\.?l|stiftung|ug|verein)(?:\b|$)",
    re.IGNORECASE,
)

POSTAL: Final = "RFC 5733 2.4"


def check_contact(contact: Contact) -> list[Reason]:
    """Return every reason why a contact cannot be used; none is good."""
    return [*_check_names(contact), *_check_address(contact), *_check_reach(contact)]


def check_admin(contact: Contact) -> list[Reason]:
    """Return every reason why a contact cannot be the administrator (Admin-C) of a domain."""
    reasons = check_contact(contact)
    source = "N 2.2.3"
    if contact.kind is not ContactKind.PERSON:
        sentence = f"The administrator has to be a natural person; {contact.id} is an organisation."
        reasons.append(Reason("admin-not-a-person", sentence, source))
    elif found := NOT_A_PERSON.search(contact.name):
        sentence = (
            f"The administrator has to be a natural person, by name; {contact.name!r} with"
            f" {found[0]!r} in it names a role or a firm."
        )
        reasons.append(Reason("admin-not-a-person", sentence, source))
    elif len(contact.name.split()) == 1:
        sentence = f"The administrator is named in full; {contact.name!r} is one name alone."
        reasons.append(Reason("admin-not-named-in-full", sentence, source))
    return reasons


def epp_phone(phone: str) -> str:
    """Return a number in the form of EPP, with a dot after the country code (RFC 5733 2.5)."""
    number = phonenumbers.parse(phone, None)
    return f"+{number.country_code}.{phonenumbers.national_significant_number(number)}"


def _check_names(contact: Contact) -> Iterator[Reason]:
    if contact.kind is ContactKind.PERSON and not contact.name.strip():
        yield Reason("name-missing", "A natural person is entered with a name.", POSTAL)
    if contact.kind is ContactKind.ORGANISATION and not contact.organisation.strip():
        yield Reason("organisation-missing", "An organisation is entered with its name.", POSTAL)
    if contact.language not in LANGUAGES:
        sentence = f"Notices are written in {' and '.join(LANGUAGES)}, not in {contact.language!r}."
        yield Reason("language-unknown", sentence, "H 9(2)")
    lines = {
        "name": contact.name,
        "organisation": contact.organisation,
        "city": contact.city,
        "region": contact.region,
        **{f"street line {number}": line for number, line in enumerate(contact.street, 1)},
    }
    for what, line in lines.items():
        if len(line) > MAX_LINE:
            yield Reason("too-long", f"The {what} has more than {MAX_LINE} characters.", POSTAL)
        if any(unicodedata.category(character) == "Cc" for character in line):
            yield Reason("control-character", f"The {what} has a control character in it.", POSTAL)


def _check_address(contact: Contact) -> Iterator[Reason]:
    if not any(line.strip() for line in contact.street):
        yield Reason("street-missing", "The street and house number are missing.", POSTAL)
    if len(contact.street) > MAX_STREET:
        yield Reason("street-lines", f"The street has more than {MAX_STREET} lines.", POSTAL)
    if not contact.city.strip():
        yield Reason("city-missing", "The city is missing.", POSTAL)
    for what, code in (("country", contact.country), ("citizenship", contact.citizenship)):
        if code not in COUNTRIES and (code or what == "country"):
            sentence = f"The {what} {code!r} is no country code of ISO 3166-1, like DE."
            yield Reason(f"{what}-unknown", sentence, "RFC 5733 2.4.3")
    pattern = POSTAL_CODES.get(contact.country)
    fits = len(contact.postal_code) <= MAX_POSTAL_CODE
    if (pattern and not pattern.fullmatch(contact.postal_code)) or not fits:
        sentence = f"{contact.postal_code!r} is no postal code of {contact.country}."
        yield Reason("postal-code-malformed", sentence, POSTAL)


def _check_reach(contact: Contact) -> Iterator[Reason]:
    if problem := phone_problem(contact.phone):
        yield Reason("phone-malformed", problem, "RFC 5733 2.5; ITU-T E.164")
    if problem := email_problem(contact.email):
        yield Reason("email-malformed", problem, "RFC 5733 2.6; RFC 5322 3.4.1")


def phone_problem(phone: str) -> str:
    """Return what is wrong with a telephone number, empty if nothing is."""
    wanted = "it is written like +49221123456, with the country code"
    if not phone:
        return f"The telephone number is missing; {wanted}."
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return f"{phone!r} is no telephone number; {wanted}."
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != phone:
        return f"{phone!r} is not in the international form; {wanted}."
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:  # nor only within its own area
        return f"{phone!r} has too many or too few digits for its country."
    return ""


def email_problem(email: str) -> str:
    """Return what is wrong with a mail address, empty if nothing is; nobody is asked for it."""
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return f"{email!r} is no mail address: {error}"
    return ""
