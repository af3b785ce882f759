"""How work at a registry is done: which commands, in which order, and what they prove.

Each kind of work is a generator: it yields commands and is sent their outcomes, and returns what
came of it. It looks at the registry before it changes anything there, so that work that was begun
and broken off can begin again from the start. No I/O, no clock: time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from registrar import commands as ask
from registrar import facts
from registrar.commands import Command, TransferOperation
from registrar.connector import Capabilities, Pending, Refused
from registrar.contact import Contact, ContactKind, epp_phone
from registrar.fact import Fact
from registrar.model import Command as Work
from registrar.model import Life, State
from registrar.objects import (
    NO_SEC_DNS,
    Availability,
    ContactData,
    ContactRole,
    DomainContact,
    DomainInfo,
    NameServer,
    Period,
    PeriodUnit,
    PostalInfo,
    PostalType,
    RestoreReport,
    SecDns,
)
from registrar.policy import Tld
from registrar.statuses import CLIENT, SERVER, Status

ABSENT: Final = 2303
EXISTS: Final = 2302
NOT_SPONSOR: Final = 2201
WITH_US: Final = frozenset((Life.REGISTERED, Life.CLOSING))
# What ends an order: the name cannot be had. All else is for somebody to look at.
NOT_TO_BE_HAD: Final = frozenset((EXISTS, 2306, 2308))
NO_TRANSFER: Final = frozenset((2106, 2202, 2300, ABSENT, 2304, 2306, 2308))


STATEMENTS: Final = (  # of ICANN's registry agreements about restores
    "This registrar has not restored the name in order to assume its rights for itself or others.",
    "The information in this report is true to the best of this registrar's knowledge.",
)


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that is known of a domain when work on it is done.

    ``contacts`` are the data of the contacts by our id, ``holder``, ``admin`` and ``tech`` ids of
    them, ``secret`` an auth code that goes with the work, ``auth`` the first one of a new domain,
    ``detail`` the particulars with which the work was ordered, ``client`` who we are there.
    """

    name: str
    state: State
    tld: Tld
    capabilities: Capabilities
    now: datetime
    holder: str
    admin: str
    tech: str
    contacts: dict[str, Contact]
    name_servers: tuple[NameServer, ...]
    sec_dns: SecDns
    ordered_at: datetime
    client: str = ""
    forward: bool = True
    auth: str = ""
    secret: str = ""
    detail: Any = None

    @property
    def host_objects(self) -> bool:
        """Tell whether name servers are objects of their own at this registry."""
        return self.capabilities.host_objects


@dataclass(frozen=True, slots=True)
class Finished:
    """It is done; the facts are what the registry has thereby told, ``words`` what was found."""

    facts: tuple[Fact, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be done as it is: somebody has to look at it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is not time yet: to be looked at again."""

    reason: str


Result: TypeAlias = Finished | Failed | Waiting
Steps: TypeAlias = Generator[Command[Any], Any, Result]


def check(task: Task) -> Steps:
    """Ask whether the name is free; an order that is to be forwarded goes on from there."""
    outcome = yield ask.CheckDomains((task.name,))
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    found: Availability = outcome.value[0]
    if not found.available:
        reason = f"The registry says that the name is not to be had: {found.reason or 'in use'}."
        return Finished((facts.Refused(task.now, reason),), "not available")
    if task.forward and not task.state.manual:
        return Finished((facts.Sent(task.now),), "available, forwarded")
    return Finished((), "available")


def create(task: Task) -> Steps:
    """Register the domain, with the contacts and hosts that it needs."""
    for number in _distinct(task.holder, task.admin, task.tech):
        if failed := (yield from _have_contact(task, number)):
            return failed
    if failed := (yield from _have_hosts(task, task.name_servers)):
        return failed
    months = task.tld.term.first_months.value
    outcome = yield ask.CreateDomain(
        task.name,
        task.holder,
        _roles(task),
        task.name_servers,
        _period(months),
        task.auth,
        task.sec_dns,
    )
    if isinstance(outcome, Refused):
        if outcome.code in NOT_TO_BE_HAD:
            return Finished((facts.Refused(task.now, str(outcome)),), str(outcome))
        return Failed(str(outcome))
    if isinstance(outcome, Pending):
        return Finished((), "the registry takes its time")
    made = outcome.value
    return Finished((facts.Registered(made.created_at, made.expires_at),))


def transfer_in(task: Task) -> Steps:
    """Ask for a domain that is with another registrar."""
    request = ask.TransferDomain(TransferOperation.REQUEST, task.name, task.secret)
    outcome = yield request
    if isinstance(outcome, Refused):
        if outcome.code in NO_TRANSFER:
            return Finished((facts.Refused(task.now, str(outcome)),), str(outcome))
        return Failed(str(outcome))
    if isinstance(outcome, Pending):
        return Finished((), "the other registrar is asked")
    info = yield from _info(task)
    expires = info.expires_at if isinstance(info, DomainInfo) else None
    return Finished((facts.TransferredIn(task.now, expires),))


def look(task: Task) -> Steps:
    """See what the registry has that we do not know of: holds, prohibitions, another sponsor."""
    info = yield from _info(task)
    if isinstance(info, Refused):
        if info.code == ABSENT and task.state.life not in WITH_US:
            return Finished((), "it is gone there, too")
        return Failed(str(info))
    sponsor = info.sponsorship.sponsor
    if sponsor != task.client and task.state.life in WITH_US:
        return Finished((facts.TransferredAway(task.now, sponsor),), f"it is with {sponsor}")
    theirs = info.statuses & (CLIENT | SERVER)
    ours = task.state.statuses & (CLIENT | SERVER)
    if theirs == ours:
        return Finished()
    return Finished((facts.StatusesChanged(task.now, theirs - ours, ours - theirs),))


def renew(task: Task) -> Steps:
    """Have the registration run on: by command, or by what the registry does by itself."""
    detail = task.detail or {}
    info = yield from _info(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    if info.expires_at is None:
        return Failed("the registration has no expiry at the registry")
    if not detail.get("wished"):
        due = _moment(detail.get("at")) or task.state.registry_expires
        auto = task.capabilities.auto_renew
        if due and info.expires_at > due:  # by itself, or by somebody else
            return Finished((facts.Renewed(task.now, info.expires_at, auto),), "renewed already")
        if auto:
            return Waiting(f"the registry has not renewed it yet: {info.expires_at}")
    return (yield from _renew_by_command(task, info.expires_at))


def _renew_by_command(
    task: Task, expires: datetime
) -> Generator[Command[Any], Any, Finished | Failed]:
    period = _period(task.tld.term.renewal_months.value)
    outcome = yield ask.RenewDomain(task.name, expires.date(), period)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    if outcome.value.expires_at is None:
        return Failed("the registry did not say until when it renewed the domain")
    return Finished((facts.Renewed(task.now, outcome.value.expires_at),))


def delete(task: Task) -> Steps:
    """Give the domain back."""
    outcome = yield ask.DeleteDomain(task.name)
    if isinstance(outcome, Refused) and outcome.code != ABSENT:
        return Failed(str(outcome))
    return Finished((facts.Deleted(task.now),))


def transit(task: Task) -> Steps:
    """Leave the domain to the registry."""
    outcome = yield ask.DeleteDomain(task.name, transit=True)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    return Finished((facts.Transited(task.now),))


def restore(task: Task) -> Steps:
    """Ask for a domain back; where no report is wanted, it is there then."""
    outcome = yield ask.RestoreDomain(task.name)
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    if task.capabilities.restore_report or isinstance(outcome, Pending):
        return Finished((), "the registry waits for the report")
    return (yield from _restored(task))


def restore_report(task: Task) -> Steps:
    """Tell the registry why a domain was restored (RFC 3915 4.2.5)."""
    before = f"{task.name}, holder {task.holder}"
    outcome = yield ask.RestoreDomain(
        task.name,
        RestoreReport(
            before=before,
            after=before,
            deleted_at=_moment((task.detail or {}).get("deleted_at")) or task.ordered_at,
            restored_at=_moment((task.detail or {}).get("at")) or task.now,
            reason="Restored at the wish of the registrant.",
            statements=STATEMENTS,
        ),
    )
    if isinstance(outcome, Refused):
        return Failed(str(outcome))
    return (yield from _restored(task))


def reject_transfer(task: Task) -> Steps:
    """Refuse a transfer away."""
    outcome = yield ask.TransferDomain(TransferOperation.REJECT, task.name)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def set_auth(task: Task) -> Steps:
    """Set the code of a transfer, to end by itself where the registry lets it."""
    until = None
    if task.capabilities.auth_lifetime is not None:
        until = (task.now + task.capabilities.auth_lifetime).date()
    outcome = yield ask.SetAuth(task.name, task.secret, until)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def clear_auth(task: Task) -> Steps:
    """Take the code of a transfer away."""
    outcome = yield ask.SetAuth(task.name, None)
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def update_name_servers(task: Task) -> Steps:
    """Bring name servers and DNSSEC data at the registry to what they are to be."""
    info = yield from _info(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    have = {server.name: server for server in info.name_servers}
    want = {server.name: server for server in task.name_servers}
    added = tuple(server for name, server in want.items() if have.get(name) != server)
    if task.host_objects:
        added = tuple(server for name, server in want.items() if name not in have)
    removed = tuple(server for name, server in have.items() if name not in want)
    if failed := (yield from _have_hosts(task, task.name_servers)):
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
    info = yield from _info(task)
    if isinstance(info, Refused):
        gone = info.code in (ABSENT, NOT_SPONSOR)
        return Finished((), "no longer ours") if gone else Failed(str(info))
    if not info.sec_dns or Status.PENDING_DELETE in info.statuses:
        return Finished((), "there is none")
    change = _sec_dns_change(info.sec_dns, NO_SEC_DNS)
    return (yield from _updated(ask.UpdateDomain(task.name, sec_dns=change)))


def update_contacts(task: Task) -> Steps:
    """Bring contacts and their roles at the registry to what they are to be."""
    for number in _distinct(task.holder, task.admin, task.tech):
        if failed := (yield from _have_contact(task, number)):
            return failed
    info = yield from _info(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    want = set(_roles(task))
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


WORK: Final[dict[str, Callable[[Task], Steps]]] = {
    Work.CHECK: check,
    Work.CREATE: create,
    Work.INFO: look,
    Work.RENEW: renew,
    Work.DELETE: delete,
    Work.TRANSIT: transit,
    Work.RESTORE: restore,
    Work.RESTORE_REPORT: restore_report,
    Work.TRANSFER_IN: transfer_in,
    Work.TRANSFER_REJECT: reject_transfer,
    Work.SET_AUTH: set_auth,
    Work.CLEAR_AUTH: clear_auth,
    Work.UPDATE_NAME_SERVERS: update_name_servers,
    Work.REMOVE_DS: remove_ds,
    Work.UPDATE_CONTACTS: update_contacts,
    Work.HOLD: hold,
    Work.UNHOLD: unhold,
    "set statuses": set_statuses,
}


def contact_data(contact: Contact) -> ContactData:
    """Return a contact in the form of RFC 5733; what is not ASCII goes as localised."""
    name = contact.name or contact.organisation
    lines = (name, contact.organisation, contact.city, contact.region, *contact.street)
    ascii_only = all(line.isascii() for line in lines)
    return ContactData(
        (
            PostalInfo(
                name=name,
                city=contact.city,
                country=contact.country,
                organisation=contact.organisation or None,
                street=contact.street,
                state=contact.region or None,
                postal_code=contact.postal_code or None,
                type=PostalType.INTERNATIONALISED if ascii_only else PostalType.LOCALISED,
            ),
        ),
        contact.email,
        epp_phone(contact.phone) if contact.phone else None,
    )


def _info(task: Task) -> Generator[Command[Any], Any, DomainInfo | Refused]:
    outcome = yield ask.InfoDomain(task.name)
    if isinstance(outcome, Refused):
        return outcome
    info: DomainInfo = outcome.value
    return info


def _have_contact(task: Task, number: str) -> Generator[Command[Any], Any, Failed | None]:
    """Have a contact at the registry that says what ours says."""
    contact = task.contacts.get(number)
    if contact is None or (not contact.name and contact.kind is ContactKind.PERSON):
        return Failed(f"contact {number} has no data any more")
    data = contact_data(contact)
    found = yield ask.InfoContact(number)
    if isinstance(found, Refused):
        if found.code != ABSENT:
            return Failed(f"contact {number}: {found}")
        outcome = yield ask.CreateContact(number, data, task.auth)
    elif found.value.data == data:
        return None
    else:
        outcome = yield ask.UpdateContact(number, data)
    return Failed(f"contact {number}: {outcome}") if isinstance(outcome, Refused) else None


def _have_hosts(
    task: Task, servers: Iterable[NameServer]
) -> Generator[Command[Any], Any, Failed | None]:
    """Have the host objects of name servers, where the registry has such."""
    if not task.host_objects:
        return None
    for server in servers:
        found = yield ask.InfoHost(server.name)
        if isinstance(found, Refused):
            if found.code != ABSENT:
                continue  # another's, and there
            outcome = yield ask.CreateHost(server.name, server.addresses)
        elif server.addresses and set(server.addresses) != set(found.value.addresses):
            have, want = set(found.value.addresses), set(server.addresses)
            outcome = yield ask.UpdateHost(
                server.name, tuple(sorted(want - have)), tuple(sorted(have - want))
            )
        else:
            continue
        if isinstance(outcome, Refused):
            return Failed(f"name server {server.name}: {outcome}")
    return None


def _statuses(
    task: Task, add: frozenset[Status], remove: frozenset[Status]
) -> Generator[Command[Any], Any, Finished | Failed]:
    info = yield from _info(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    update = ask.UpdateDomain(
        task.name,
        add=ask.DomainChange(statuses=add - info.statuses),
        remove=ask.DomainChange(statuses=remove & info.statuses),
    )
    return (yield from _updated(update))


def _updated(update: ask.UpdateDomain) -> Generator[Command[Any], Any, Finished | Failed]:
    if not (update.add or update.remove or update.registrant or update.sec_dns):
        return Finished((), "it is so already")
    outcome = yield update
    return Failed(str(outcome)) if isinstance(outcome, Refused) else Finished()


def _restored(task: Task) -> Generator[Command[Any], Any, Finished | Failed]:
    info = yield from _info(task)
    if isinstance(info, Refused):
        return Failed(str(info))
    return Finished((facts.Restored(task.now, info.expires_at),))


def _sec_dns_change(have: SecDns, want: SecDns) -> ask.SecDnsChange:
    if set(have.ds) == set(want.ds) and set(have.keys) == set(want.keys):
        return ask.NO_SEC_DNS_CHANGE
    if not want:
        return ask.SecDnsChange(remove_all=True)
    return ask.SecDnsChange(add=want, remove_all=bool(have))


def _roles(task: Task) -> tuple[DomainContact, ...]:
    roles = [DomainContact(ContactRole.ADMIN, task.admin)] if task.admin else []
    if task.tech:
        roles.append(DomainContact(ContactRole.TECH, task.tech))
    return tuple(roles)


def _sorted(contacts: Iterable[DomainContact]) -> tuple[DomainContact, ...]:
    return tuple(sorted(contacts, key=lambda contact: (contact.role, contact.id)))


def _distinct(*numbers: str) -> list[str]:
    return [number for number in dict.fromkeys(numbers) if number]


def _period(months: int) -> Period | None:
    if not months:
        return None
    return Period(months // 12) if months % 12 == 0 else Period(months, PeriodUnit.MONTH)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
