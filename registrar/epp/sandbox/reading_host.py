"""Commands on hosts, from the registry's side (RFC 5732)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from registrar.commands import CheckHosts, CreateHost, DeleteHost, InfoHost, UpdateHost
from registrar.epp.document import find, needed_text, text, texts
from registrar.epp.sandbox.reading_domain import refuse_extensions
from registrar.epp.sponsorship import read_statuses
from registrar.statuses import Status


def _name(target: Element) -> str:
    return needed_text(target, "host:name").lower()


def read_check(target: Element, extension: Element | None) -> CheckHosts:
    """Read a check."""
    refuse_extensions(extension)
    return CheckHosts(tuple(name.lower() for name in texts(target, "host:name")))


def read_info(target: Element, extension: Element | None) -> InfoHost:
    """Read an info."""
    refuse_extensions(extension)
    return InfoHost(_name(target))


def read_create(target: Element, extension: Element | None) -> CreateHost:
    """Read a create."""
    refuse_extensions(extension)
    return CreateHost(_name(target), texts(target, "host:addr"))


def read_update(target: Element, extension: Element | None) -> UpdateHost:
    """Read an update."""
    refuse_extensions(extension)
    added, removed = find(target, "host:add"), find(target, "host:rem")
    renamed = text(target, "host:chg/host:name")
    return UpdateHost(
        name=_name(target),
        add_addresses=_addresses(added),
        remove_addresses=_addresses(removed),
        add_statuses=_statuses(added),
        remove_statuses=_statuses(removed),
        new_name=renamed.lower() if renamed else None,
    )


def _addresses(change: Element | None) -> tuple[str, ...]:
    return () if change is None else texts(change, "host:addr")


def _statuses(change: Element | None) -> frozenset[Status]:
    return frozenset() if change is None else read_statuses(change, "host")


def read_delete(target: Element, extension: Element | None) -> DeleteHost:
    """Read a delete."""
    refuse_extensions(extension)
    return DeleteHost(_name(target))
