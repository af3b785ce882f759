"""What became of a command whose reply was lost: which questions to ask, and what follows.

Nothing is sent twice blindly. The object is looked at; only where it shows that the command was not
carried out may it be sent again. Should the first one be carried out late, after all, the second is
refused: a create because the object exists (2302), a renew because of its ``curExpDate``, a
transfer because one is pending (2300). What is left can be done twice without harm.

``investigate`` is a generator: it yields questions, is sent their outcomes, returns the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from registrar import commands as ask
from registrar.commands import Command, TransferOperation
from registrar.connector import Done, Outcome, Pending, Refused, RegistryReason
from registrar.objects import (
    Created,
    CreatedDomain,
    DomainInfo,
    QueueLength,
    Renewed,
    Restored,
    SecDns,
    Sponsorship,
    TransferState,
)
from registrar.statuses import RgpStatus, Status, TransferStatus

# How far a registry's clock may be behind ours: what it created before is not of this command.
CLOCK_TOLERANCE: Final = timedelta(minutes=10)
EXISTS: Final = 2302
ABSENT: Final = 2303
NOT_PENDING: Final = 2301
NOT_SPONSOR: Final = 2201
NOT_RENEWABLE: Final = 2105


@dataclass(frozen=True, slots=True)
class NotDone:
    """The command was not carried out: it may be sent again."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The registry does not tell; ``reason`` is what it said instead."""

    reason: str


Verdict: TypeAlias = Done[Any] | Pending[Any] | Refused | NotDone | Unknown
Inquiry: TypeAlias = Generator[Command[Any], Outcome[Any], Verdict]


def investigate(command: Command[Any], at: datetime, client: str) -> Inquiry:
    """Find out what became of a command recorded at ``at`` by the registrar ``client``."""
    inquiry: Callable[[Any, datetime, str], Inquiry]
    inquiry = _INQUIRIES.get(type(command), _repeatable)
    return inquiry(command, at, client)


def repeatable(command: Command[Any]) -> bool:
    """Return whether a command cannot be asked about, and does no harm when it is sent again."""
    return type(command) not in _INQUIRIES


def _refused(code: int, text: str, value: str) -> Refused:
    return Refused((RegistryReason(code, text, value),))


def _unknown(outcome: Outcome[Any]) -> Unknown:
    return Unknown(str(outcome) if isinstance(outcome, Refused) else "the registry takes its time")


def _created_domain(command: ask.CreateDomain, at: datetime, client: str) -> Inquiry:
    outcome = yield ask.InfoDomain(command.name)
    if isinstance(outcome, Refused):
        return NotDone() if outcome.code == ABSENT else _someone_elses(outcome, command.name)
    info: DomainInfo = outcome.value
    told_auth = info.auth not in (None, "", command.auth)
    if not _ours_since(info.sponsorship, at, client) or told_auth:
        return _refused(EXISTS, "Object exists: it was not this command that created it", info.name)
    created = info.sponsorship.created_at or at
    value = CreatedDomain(info.name, created, info.expires_at)
    if Status.PENDING_CREATE in info.statuses:
        return Pending(value)
    return Done(value)


def _ours_since(sponsorship: Sponsorship, at: datetime, client: str) -> bool:
    created = sponsorship.created_at
    return sponsorship.sponsor == client and (created is None or created >= at - CLOCK_TOLERANCE)


def _someone_elses(outcome: Refused, name: str) -> Verdict:
    if outcome.code == NOT_SPONSOR:
        return _refused(EXISTS, "Object exists, with another sponsor", name)
    return _unknown(outcome)


def _created_object(
    command: ask.CreateContact | ask.CreateHost, at: datetime, client: str
) -> Inquiry:
    if isinstance(command, ask.CreateContact):
        name = command.id
        outcome = yield ask.InfoContact(name)
    else:
        name = command.name
        outcome = yield ask.InfoHost(name)
    if isinstance(outcome, Refused):
        return NotDone() if outcome.code == ABSENT else _someone_elses(outcome, name)
    sponsorship: Sponsorship = outcome.value.sponsorship
    if not _ours_since(sponsorship, at, client):
        return _refused(EXISTS, "Object exists: it was not this command that created it", name)
    return Done(Created(name, sponsorship.created_at or at))


def _renewed(command: ask.RenewDomain, _at: datetime, _client: str) -> Inquiry:
    outcome = yield ask.InfoDomain(command.name)
    if isinstance(outcome, Refused):
        return outcome if outcome.code == ABSENT else _unknown(outcome)
    info: DomainInfo = outcome.value
    if info.expires_at is None or info.expires_at.date() <= command.current_expiry:
        return NotDone()
    grace = info.rgp_statuses
    if RgpStatus.AUTO_RENEW_PERIOD in grace and RgpStatus.RENEW_PERIOD not in grace:
        return _refused(NOT_RENEWABLE, "Meanwhile the registry renewed it by itself", info.name)
    return Done(Renewed(info.name, info.expires_at))


def _deleted_domain(command: ask.DeleteDomain, _at: datetime, client: str) -> Inquiry:
    outcome = yield ask.InfoDomain(command.name)
    if isinstance(outcome, Refused):
        return Done(None) if outcome.code == ABSENT else _unknown(outcome)
    info: DomainInfo = outcome.value
    if Status.PENDING_DELETE in info.statuses:
        return Pending(None)
    if info.sponsorship.sponsor != client:
        return _refused(NOT_SPONSOR, "It has another sponsor now", info.name)
    return NotDone()


def _deleted_object(
    command: ask.DeleteContact | ask.DeleteHost, _at: datetime, _client: str
) -> Inquiry:
    if isinstance(command, ask.DeleteContact):
        outcome = yield ask.InfoContact(command.id)
    else:
        outcome = yield ask.InfoHost(command.name)
    if isinstance(outcome, Refused):
        return Done(None) if outcome.code == ABSENT else _unknown(outcome)
    if Status.PENDING_DELETE in outcome.value.statuses:
        return Pending(None)
    return NotDone()


def _restored(command: ask.RestoreDomain, _at: datetime, _client: str) -> Inquiry:
    outcome = yield ask.InfoDomain(command.name)
    if isinstance(outcome, Refused):
        return outcome if outcome.code == ABSENT else _unknown(outcome)
    info: DomainInfo = outcome.value
    if RgpStatus.PENDING_RESTORE in info.rgp_statuses:
        if command.report is not None:
            return NotDone()
        return Done(Restored(info.name, RgpStatus.PENDING_RESTORE))
    if Status.PENDING_DELETE in info.statuses:
        return NotDone()
    return Done(Restored(info.name))


def _transferred(command: ask.TransferDomain, at: datetime, client: str) -> Inquiry:
    query = ask.TransferDomain(TransferOperation.QUERY, command.name, command.auth)
    outcome = yield query
    if isinstance(outcome, Refused):
        if command.operation is not TransferOperation.REQUEST:
            return _unknown(outcome)
        return (yield from _arrived(command, at, client))
    state: TransferState = outcome.value
    if command.operation is TransferOperation.REQUEST:
        return _requested(state, at, client)
    if state.status is TransferStatus.PENDING:
        return NotDone()
    wanted = {
        TransferOperation.APPROVE: TransferStatus.CLIENT_APPROVED,
        TransferOperation.REJECT: TransferStatus.CLIENT_REJECTED,
        TransferOperation.CANCEL: TransferStatus.CLIENT_CANCELLED,
    }[command.operation]
    if state.status is wanted:
        return Done(state)
    return _refused(NOT_PENDING, f"The transfer is {state.status} already", command.name)


def _requested(state: TransferState, at: datetime, client: str) -> Verdict:
    """Judge a request by the latest transfer of the domain."""
    if state.requested_by != client or state.requested_at < at - CLOCK_TOLERANCE:
        return NotDone()
    if state.status is TransferStatus.PENDING:
        return Pending(state)
    return Done(state)


def _arrived(command: ask.TransferDomain, at: datetime, client: str) -> Inquiry:
    """Judge a request by whose the domain is, where there is no transfer to look at."""
    outcome = yield ask.InfoDomain(command.name, command.auth)
    if isinstance(outcome, Refused):
        return outcome if outcome.code == ABSENT else NotDone()
    held = outcome.value.sponsorship
    if held.sponsor != client:
        return NotDone()
    when = held.transferred_at or at
    state = TransferState(
        command.name, TransferStatus.SERVER_APPROVED, client, when, client, when,
        outcome.value.expires_at,
    )  # fmt: skip
    return Done(state)


def _updated_domain(command: ask.UpdateDomain, _at: datetime, _client: str) -> Inquiry:
    outcome = yield ask.InfoDomain(command.name)
    if isinstance(outcome, Refused):
        return outcome if outcome.code == ABSENT else _unknown(outcome)
    info: DomainInfo = outcome.value
    if Status.PENDING_UPDATE in info.statuses:
        return Pending(None)
    servers = {server.name for server in info.name_servers}
    agrees = (
        command.registrant in (None, info.registrant)
        and _changed(
            servers,
            (server.name for server in command.add.name_servers),
            (server.name for server in command.remove.name_servers),
        )
        and _changed(set(info.contacts), command.add.contacts, command.remove.contacts)
        and _changed(set(info.statuses), command.add.statuses, command.remove.statuses)
        and _sec_dns_agrees(command.sec_dns, info.sec_dns)
    )
    return Done(None) if agrees else NotDone()


def _changed(have: set[Any], added: Iterable[Any], removed: Iterable[Any]) -> bool:
    """Return whether all of one is there and nothing of the other, save what came anew."""
    new = set(added)
    return new <= have and not (set(removed) - new) & have


def _sec_dns_agrees(change: ask.SecDnsChange, have: SecDns) -> bool:
    if change.max_sig_life not in (None, have.max_sig_life):
        return False
    if change.remove_all:
        return (set(change.add.ds), set(change.add.keys)) == (set(have.ds), set(have.keys))
    return _changed(set(have.ds), change.add.ds, change.remove.ds) and _changed(
        set(have.keys), change.add.keys, change.remove.keys
    )


def _updated_object(
    command: ask.UpdateContact | ask.UpdateHost, _at: datetime, _client: str
) -> Inquiry:
    if isinstance(command, ask.UpdateContact):
        outcome = yield ask.InfoContact(command.id)
    else:
        outcome = yield ask.InfoHost(command.new_name or command.name)
    if isinstance(outcome, Refused):
        # Under its new name a host is not there: it was not renamed.
        return NotDone() if outcome.code == ABSENT else _unknown(outcome)
    info = outcome.value
    agrees = _changed(set(info.statuses), command.add_statuses, command.remove_statuses)
    if isinstance(command, ask.UpdateContact):
        agrees = agrees and command.data in (None, info.data)
    else:
        agrees = agrees and _changed(
            set(info.addresses), command.add_addresses, command.remove_addresses
        )
    return Done(None) if agrees else NotDone()


def _acknowledged(command: ask.Acknowledge, _at: datetime, _client: str) -> Inquiry:
    outcome = yield ask.Poll()
    if isinstance(outcome, Refused):
        return _unknown(outcome)
    message = outcome.value
    if message is not None and message.id == command.message_id:
        return NotDone()
    return Done(QueueLength(0 if message is None else message.count))


def _repeatable(_command: Command[Any], _at: datetime, _client: str) -> Inquiry:
    """Take it for not done: an authorisation set again to the same value is the same as once."""
    yield from ()
    return NotDone()


_INQUIRIES: Final[dict[type[Command[Any]], Callable[[Any, datetime, str], Inquiry]]] = {
    ask.CreateDomain: _created_domain,
    ask.CreateContact: _created_object,
    ask.CreateHost: _created_object,
    ask.RenewDomain: _renewed,
    ask.DeleteDomain: _deleted_domain,
    ask.DeleteContact: _deleted_object,
    ask.DeleteHost: _deleted_object,
    ask.RestoreDomain: _restored,
    ask.TransferDomain: _transferred,
    ask.UpdateDomain: _updated_domain,
    ask.UpdateContact: _updated_object,
    ask.UpdateHost: _updated_object,
    ask.Acknowledge: _acknowledged,
}
