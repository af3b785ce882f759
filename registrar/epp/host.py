"""Host objects, from the registrar's side (RFC 5732)."""

from __future__ import annotations

from collections.abc import Iterable

from registrar.commands import CheckHosts, CreateHost, DeleteHost, InfoHost, UpdateHost
from registrar.epp.document import instant, needed_text, texts
from registrar.epp.domain import address
from registrar.epp.markup import Markup, declared, element, together
from registrar.epp.response import Response
from registrar.epp.sponsorship import read_availability, read_sponsorship, read_statuses
from registrar.objects import Availability, Created, HostInfo
from registrar.statuses import Status


def write_check(command: CheckHosts) -> Markup:
    """Return a check (RFC 5732 3.1.1)."""
    names = together([element("host:name", name) for name in command.names])
    return element("check", declared("host:check", names))


def write_info(command: InfoHost) -> Markup:
    """Return an info (RFC 5732 3.1.2)."""
    return element("info", declared("host:info", element("host:name", command.name)))


def write_create(command: CreateHost) -> Markup:
    """Return a create (RFC 5732 3.2.1)."""
    name = element("host:name", command.name)
    return element("create", declared("host:create", name, _addresses(command.addresses)))


def write_update(command: UpdateHost) -> Markup:
    """Return an update (RFC 5732 3.2.5)."""
    renamed = None
    if command.new_name is not None:
        renamed = element("host:chg", element("host:name", command.new_name))
    update = declared(
        "host:update",
        element("host:name", command.name),
        _change("host:add", command.add_addresses, command.add_statuses),
        _change("host:rem", command.remove_addresses, command.remove_statuses),
        renamed,
    )
    return element("update", update)


def write_delete(command: DeleteHost) -> Markup:
    """Return a delete (RFC 5732 3.2.2)."""
    return element("delete", declared("host:delete", element("host:name", command.name)))


def _addresses(addresses: Iterable[str]) -> Markup:
    return together([address("host:addr", value) for value in addresses])


def _change(name: str, addresses: tuple[str, ...], statuses: frozenset[Status]) -> Markup | None:
    if not addresses and not statuses:
        return None
    marks = [element("host:status", s=status) for status in sorted(statuses)]
    return element(name, _addresses(addresses), together(marks))


def read_check(response: Response) -> tuple[Availability, ...]:
    """Read what a check found."""
    return read_availability(response.needed_data("host:chkData"), "host", "name")


def read_info(response: Response) -> HostInfo:
    """Read all about a host."""
    found = response.needed_data("host:infData")
    return HostInfo(
        name=needed_text(found, "host:name").lower(),
        sponsorship=read_sponsorship(found, "host"),
        statuses=read_statuses(found, "host"),
        addresses=texts(found, "host:addr"),
    )


def read_created(response: Response) -> Created:
    """Read when a host was created."""
    found = response.needed_data("host:creData")
    name = needed_text(found, "host:name").lower()
    return Created(name, instant(needed_text(found, "host:crDate")))
