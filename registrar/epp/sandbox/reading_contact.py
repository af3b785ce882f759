"""Commands on contacts, from the registry's side (RFC 5733)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from registrar.commands import (
    CheckContacts,
    CreateContact,
    DeleteContact,
    InfoContact,
    UpdateContact,
)
from registrar.epp.contact import read_data
from registrar.epp.document import find, needed_text, text, texts
from registrar.epp.sandbox.reading_domain import refuse_extensions
from registrar.epp.sponsorship import read_statuses
from registrar.file_registry.refusal import UNIMPLEMENTED_OPTION, Refusal
from registrar.statuses import Status


def _id(target: Element) -> str:
    return needed_text(target, "contact:id")


def read_check(target: Element, extension: Element | None) -> CheckContacts:
    """Read a check."""
    refuse_extensions(extension)
    return CheckContacts(texts(target, "contact:id"))


def read_info(target: Element, extension: Element | None) -> InfoContact:
    """Read an info."""
    refuse_extensions(extension)
    return InfoContact(_id(target), text(target, "contact:authInfo/contact:pw"))


def read_create(target: Element, extension: Element | None) -> CreateContact:
    """Read a create; what is to be disclosed is not kept."""
    refuse_extensions(extension)
    auth = text(target, "contact:authInfo/contact:pw") or ""
    return CreateContact(_id(target), read_data(target), auth)


def read_update(target: Element, extension: Element | None) -> UpdateContact:
    """Read an update; a change has all that the contact says of itself."""
    refuse_extensions(extension)
    changed = find(target, "contact:chg")
    if changed is not None and find(changed, "contact:authInfo") is not None:
        raise Refusal(UNIMPLEMENTED_OPTION, "the authInfo of a contact stays")
    return UpdateContact(
        id=_id(target),
        data=None if changed is None or not len(changed) else read_data(changed),
        add_statuses=_statuses(find(target, "contact:add")),
        remove_statuses=_statuses(find(target, "contact:rem")),
    )


def _statuses(change: Element | None) -> frozenset[Status]:
    return frozenset() if change is None else read_statuses(change, "contact")


def read_delete(target: Element, extension: Element | None) -> DeleteContact:
    """Read a delete."""
    refuse_extensions(extension)
    return DeleteContact(_id(target))
