"""Changes of a domain at a registry: name servers, DNSSEC data, contacts, statuses."""

from __future__ import annotations

from collections.abc import Iterable

from registrar import commands as ask
from registrar import facts
from registrar.connector import Refused
from registrar.objects import NO_SEC_DNS, DomainContact, SecDns
from registrar.statuses import Status
from registrar.work.objects import distinct, have_contact, have_hosts, roles_of
from registrar.work.task import (
    ABSENT,
    NOT_SPONSOR,
    Failed,
    Finished,
    Judged,
    Steps,
    Task,
    info_of,
)


def update_name_servers(task: Task) -> Steps:
    """Bring name servers and DNSSEC data at the registry to what they are to be."""
    info = yield from info_of(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    have = {server.name: server for server in info.name_servers}
    want = {server.name: server for server in task.name_servers}
    added = tuple(server for name, server in want.items() if have.get(name) != server)
    if task.host_objects:
        added = tuple(server for name, server in want.items() if name not in have)
    removed = tuple(server for name, server in have.items() if name not in want)
    if failed := (yield from have_hosts(task, task.name_servers)):
        return failed
    replaced = tuple(have[server.name] for server in added if server.name in have)
    update = ask.UpdateDomain(
        task.name,
        add=ask.DomainChange(name_servers=added),
        remove=ask.DomainChange(name_servers=removed + replaced),
        sec_dns=_sec_dns_change(info.sec_dns, task.sec_dns),
    )
    return (yield from _updated(update))


def remove_ds(task: Task) -> Steps:
    """Take the DNSSEC data away before a domain leaves: caches must find an unsigned one."""
    info = yield from info_of(task)
    if isinstance(info, Refused):
        gone = info.code in (ABSENT, NOT_SPONSOR)
        return Finished((), "no longer ours") if gone else Failed(str(info))
    if not info.sec_dns or Status.PENDING_DELETE in info.statuses:
        return Finished((), "there is none")
    change = _sec_dns_change(info.sec_dns, NO_SEC_DNS)
    return (yield from _updated(ask.UpdateDomain(task.name, sec_dns=change)))


def update_contacts(task: Task) -> Steps:
    """Bring contacts and their roles at the registry to what they are to be."""
    for number in distinct(task.holder, task.admin, task.tech):
        if failed := (yield from have_contact(task, number)):
            return failed
    info = yield from info_of(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    want = set(roles_of(task))
    update = ask.UpdateDomain(
        task.name,
        add=ask.DomainChange(contacts=_sorted(want - set(info.contacts))),
        remove=ask.DomainChange(contacts=_sorted(set(info.contacts) - want)),
        registrant=task.holder if info.registrant != task.holder else None,
    )
    result = yield from _updated(update)
    if isinstance(result, Finished):
        forwarded = tuple(
            facts.ContactChangeForwarded(task.now, contact)
            for contact, _since in task.state.open_contact_changes
        )
        return Finished(forwarded)
    return result


def hold(task: Task) -> Steps:
    """Take the domain out of the zone of its parent."""
    return (yield from _statuses(task, frozenset({Status.CLIENT_HOLD}), frozenset()))


def unhold(task: Task) -> Steps:
    """Put the domain into the zone of its parent again."""
    if Status.CLIENT_HOLD in task.state.statuses:
        return Finished((), "there is another reason for it still")
    return (yield from _statuses(task, frozenset(), frozenset({Status.CLIENT_HOLD})))


def set_statuses(task: Task) -> Steps:
    """Set and lift holds and prohibitions; they count once the registry has them."""
    detail = task.detail or {}
    add = frozenset(map(Status, detail.get("add") or ()))
    remove = frozenset(map(Status, detail.get("remove") or ()))
    result = yield from _statuses(task, add, remove)
    if isinstance(result, Finished):
        return Finished((facts.StatusesChanged(task.now, add, remove),))
    return result


def _statuses(task: Task, add: frozenset[Status], remove: frozenset[Status]) -> Judged:
    info = yield from info_of(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    update = ask.UpdateDomain(
        task.name,
        add=ask.DomainChange(statuses=add - info.statuses),
        remove=ask.DomainChange(statuses=remove & info.statuses),
    )
    return (yield from _updated(update))


def _updated(update: ask.UpdateDomain) -> Judged:
    if not (update.add or update.remove or update.registrant or update.sec_dns):
        return Finished((), "it is so already")
    outcome = yield update
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def _sec_dns_change(have: SecDns, want: SecDns) -> ask.SecDnsChange:
    if set(have.ds) == set(want.ds) and set(have.keys) == set(want.keys):
        return ask.NO_SEC_DNS_CHANGE
    if not want:
        return ask.SecDnsChange(remove_all=True)
    return ask.SecDnsChange(add=want, remove_all=bool(have))


def _sorted(contacts: Iterable[DomainContact]) -> tuple[DomainContact, ...]:
    return tuple(sorted(contacts, key=lambda contact: (contact.role, contact.id)))
