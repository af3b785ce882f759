"""Contacts, from the registrar's side (RFC 5733)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from registrar.commands import (
    CheckContacts,
    CreateContact,
    DeleteContact,
    InfoContact,
    UpdateContact,
)
from registrar.epp.document import (
    attribute,
    child,
    children,
    instant,
    needed_text,
    text,
    texts,
)
from registrar.epp.errors import SyntaxFault
from registrar.epp.markup import Markup, declared, element, optional, together
from registrar.epp.response import Response
from registrar.epp.sponsorship import read_availability, read_sponsorship, read_statuses
from registrar.objects import (
    Availability,
    ContactData,
    ContactInfo,
    Created,
    PostalInfo,
    PostalType,
)
from registrar.statuses import Status


def write_check(command: CheckContacts) -> Markup:
    """Return a check (RFC 5733 3.1.1)."""
    ids = together([element("contact:id", contact) for contact in command.ids])
    return element("check", declared("contact:check", ids))


def write_info(command: InfoContact) -> Markup:
    """Return an info (RFC 5733 3.1.2)."""
    auth = None if command.auth is None else _auth(command.auth)
    return element("info", declared("contact:info", element("contact:id", command.id), auth))


def write_create(command: CreateContact) -> Markup:
    """Return a create (RFC 5733 3.2.1)."""
    create = declared(
        "contact:create",
        element("contact:id", command.id),
        write_data(command.data),
        _auth(command.auth),
    )
    return element("create", create)


def write_update(command: UpdateContact) -> Markup:
    """Return an update (RFC 5733 3.2.5).

    Phone and fax that the contact no longer has are sent empty: what is left out would stay.
    """
    changed = None
    if command.data is not None:
        changed = element("contact:chg", write_data(command.data, empty_phones=True))
    update = declared(
        "contact:update",
        element("contact:id", command.id),
        _statuses("contact:add", command.add_statuses),
        _statuses("contact:rem", command.remove_statuses),
        changed,
    )
    return element("update", update)


def write_delete(command: DeleteContact) -> Markup:
    """Return a delete (RFC 5733 3.2.2)."""
    return element("delete", declared("contact:delete", element("contact:id", command.id)))


def write_data(data: ContactData, *, empty_phones: bool = False) -> Markup:
    """Return what a contact says of itself, in the order of the schema."""
    missing = "" if empty_phones else None
    return together(
        (
            together([_postal(postal) for postal in data.postal]),
            _phone("contact:voice", data.voice or missing),
            _phone("contact:fax", data.fax or missing),
            element("contact:email", data.email),
        )
    )


def _postal(postal: PostalInfo) -> Markup:
    where = element(
        "contact:addr",
        together([element("contact:street", line) for line in postal.street]),
        element("contact:city", postal.city),
        optional("contact:sp", postal.state),
        optional("contact:pc", postal.postal_code),
        element("contact:cc", postal.country),
    )
    return element(
        "contact:postalInfo",
        element("contact:name", postal.name),
        optional("contact:org", postal.organisation),
        where,
        type=postal.type,
    )


def _phone(name: str, value: str | None) -> Markup | None:
    """Return a phone number; an extension behind an ``x`` is the attribute of RFC 5733 2.5."""
    if value is None:
        return None
    phone, _, extension = value.partition("x")
    return element(name, phone, x=extension or None)


def _auth(auth: str) -> Markup:
    return element("contact:authInfo", element("contact:pw", auth))


def _statuses(name: str, statuses: frozenset[Status]) -> Markup | None:
    if not statuses:
        return None
    return element(name, together([element("contact:status", s=mark) for mark in sorted(statuses)]))


def read_check(response: Response) -> tuple[Availability, ...]:
    """Read what a check found."""
    return read_availability(response.needed_data("contact:chkData"), "contact", "id")


def read_info(response: Response) -> ContactInfo:
    """Read all about a contact."""
    found = response.needed_data("contact:infData")
    return ContactInfo(
        id=needed_text(found, "contact:id"),
        sponsorship=read_sponsorship(found, "contact"),
        data=read_data(found),
        statuses=read_statuses(found, "contact"),
        auth=text(found, "contact:authInfo/contact:pw"),
    )


def read_created(response: Response) -> Created:
    """Read when a contact was created, and under which id."""
    found = response.needed_data("contact:creData")
    created_at = instant(needed_text(found, "contact:crDate"))
    return Created(needed_text(found, "contact:id"), created_at)


def read_data(parent: Element) -> ContactData:
    """Read what a contact says of itself; raises ``SyntaxFault``."""
    return ContactData(
        postal=tuple(_read_postal(found) for found in children(parent, "contact:postalInfo")),
        email=text(parent, "contact:email") or "",
        voice=_read_phone(parent, "contact:voice"),
        fax=_read_phone(parent, "contact:fax"),
    )


def _read_postal(found: Element) -> PostalInfo:
    kind = attribute(found, "type")
    if kind not in set(PostalType):
        raise SyntaxFault(f"postal info type {kind[:40]!r}")
    where = child(found, "contact:addr")
    return PostalInfo(
        type=PostalType(kind),
        name=text(found, "contact:name") or "",
        organisation=text(found, "contact:org"),
        street=texts(where, "contact:street"),
        city=needed_text(where, "contact:city"),
        state=text(where, "contact:sp"),
        postal_code=text(where, "contact:pc"),
        country=needed_text(where, "contact:cc"),
    )


def _read_phone(parent: Element, path: str) -> str | None:
    found = text(parent, path)
    if not found:
        return None
    extension = child(parent, path).get("x")
    return f"{found}x{extension}" if extension else found
