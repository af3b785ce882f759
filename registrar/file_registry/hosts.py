"""Host objects at the registry (RFC 5732)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from registrar.commands import CheckHosts, CreateHost, DeleteHost, InfoHost, UpdateHost
from registrar.connector import Done, Outcome
from registrar.file_registry.call import (
    Call,
    changed_statuses,
    check_addresses,
    check_count,
    check_host_name,
    refuse_prohibited,
    sponsorship,
)
from registrar.file_registry.domains import MAX_CHECKED
from registrar.file_registry.profiles import profile_of
from registrar.file_registry.refusal import ABSENT, ASSOCIATED, EXISTS, MISSING, POLICY, Refusal
from registrar.file_registry.state import HostRecord
from registrar.objects import Availability, Created, HostInfo
from registrar.statuses import Status, Verb, prohibiting

ALLOWED: Final = frozenset({Status.CLIENT_DELETE_PROHIBITED, Status.CLIENT_UPDATE_PROHIBITED})


def check_hosts(call: Call, command: CheckHosts) -> Outcome[tuple[Availability, ...]]:
    """Tell which hosts can be made."""
    check_count(len(command.names), MAX_CHECKED, "names in a check")
    return Done(tuple(_availability(call, name) for name in command.names))


def _availability(call: Call, name: str) -> Availability:
    taken = name in call.state.hosts
    return Availability(name, available=not taken, reason="In use" if taken else None)


def _host(call: Call, name: str) -> HostRecord:
    try:
        return call.state.hosts[name]
    except KeyError:
        raise Refusal(ABSENT, value=name) from None


def info_host(call: Call, command: InfoHost) -> Outcome[HostInfo]:
    """Tell all about a host."""
    host = _host(call, command.name)
    found = set(host.held.statuses)
    if call.state.domains_served_by(host.name):
        found.add(Status.LINKED)
    statuses = frozenset(found if host.held.statuses else {Status.OK, *found})
    return Done(HostInfo(host.name, sponsorship(host.held), statuses, host.addresses))


def create_host(call: Call, command: CreateHost) -> Outcome[Created]:
    """Make a host; one below a domain here has to be its sponsor's and to have addresses."""
    check_host_name(command.name)
    if command.name in call.state.hosts:
        raise Refusal(EXISTS, value=command.name)
    addresses = check_addresses(command.addresses)
    superordinate = _superordinate(call, command.name)
    _check_glue(superordinate, addresses, command.name)
    host = HostRecord(command.name, call.record("H"), addresses, superordinate)
    call.state.hosts[host.name] = host
    return Done(Created(host.name, call.now))


def _superordinate(call: Call, name: str) -> str | None:
    """Return the domain here that a host is below, which has to be the client's.

    A host below a TLD of this kind, without its domain, cannot be made (RFC 5732 3.2.1).
    """
    superordinate = ".".join(name.split(".")[-2:])
    if superordinate in call.state.domains:
        call.own_domain(superordinate)
        return superordinate
    return None


def _check_glue(superordinate: str | None, addresses: tuple[str, ...], name: str) -> None:
    if superordinate is None:
        if addresses:
            raise Refusal(POLICY, "addresses are kept for hosts below domains here alone", name)
    elif not addresses:
        raise Refusal(MISSING, "addresses (glue) of a host below a domain here", name)
    if len(set(addresses)) < len(addresses):
        raise Refusal(POLICY, "an address twice", name)


def update_host(call: Call, command: UpdateHost) -> Outcome[None]:
    """Change a host, or its name; domains that it serves follow."""
    host = _host(call, command.name)
    call.need_sponsor(host.held, host.name)
    against = set(prohibiting(host.held.statuses, Verb.UPDATE)) - command.remove_statuses
    refuse_prohibited(against, host.name)
    statuses = changed_statuses(
        host.held.statuses, command.add_statuses, command.remove_statuses, ALLOWED
    )
    removed = check_addresses(command.remove_addresses)
    for address in set(removed) - set(host.addresses):
        raise Refusal(ABSENT, "not to be removed", address)
    kept = tuple(address for address in host.addresses if address not in removed)
    addresses = (*kept, *check_addresses(command.add_addresses))
    name = command.new_name or host.name
    if name != host.name:
        _check_new_name(call, name)
    superordinate = _superordinate(call, name)
    _check_glue(superordinate, addresses, name)
    if name != host.name:
        _rename(call, host, name)
    host.held.statuses, host.addresses, host.superordinate = statuses, addresses, superordinate
    call.touch(host.held)
    return Done(None)


def _check_new_name(call: Call, name: str) -> None:
    check_host_name(name)
    if name in call.state.hosts:
        raise Refusal(EXISTS, value=name)


def _rename(call: Call, host: HostRecord, name: str) -> None:
    for domain in call.state.domains_served_by(host.name):
        if profile_of(domain.tld).host_objects:
            domain.name_servers = tuple(
                replace(server, name=name) if server.name == host.name else server
                for server in domain.name_servers
            )
    del call.state.hosts[host.name]
    host.name = name
    call.state.hosts[name] = host


def delete_host(call: Call, command: DeleteHost) -> Outcome[None]:
    """Delete a host that serves nothing."""
    host = _host(call, command.name)
    call.need_sponsor(host.held, host.name)
    refuse_prohibited(prohibiting(host.held.statuses, Verb.DELETE), host.name)
    users = call.state.domains_served_by(host.name)
    if [user for user in users if profile_of(user.tld).host_objects]:
        raise Refusal(ASSOCIATED, "it serves domains", host.name)
    del call.state.hosts[host.name]
    return Done(None)
