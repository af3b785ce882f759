"""The registry: commands of several registrars against one state, in order, at a given time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from registrar import commands as ask
from registrar.commands import Command, encode, transforms
from registrar.connector import Done, Outcome, Pending, Refused, decode_outcome, encode_outcome
from registrar.file_registry import contacts, departures, domains, hosts, transfers
from registrar.file_registry.ageing import age
from registrar.file_registry.call import Call, DelegationCheck
from registrar.file_registry.refusal import ABSENT, MISSING, Refusal
from registrar.file_registry.state import Commit, Stage, State, Transaction
from registrar.objects import ActionNotice, Message, NameServer, QueueLength

R = TypeVar("R")

_CARRIERS: Final[dict[type[Command[Any]], Callable[[Call, Any], Outcome[Any]]]] = {
    ask.CheckDomains: domains.check_domains,
    ask.CreateDomain: domains.create_domain,
    ask.InfoDomain: domains.info_domain,
    ask.UpdateDomain: domains.update_domain,
    ask.SetAuth: domains.set_auth,
    ask.RenewDomain: domains.renew_domain,
    ask.DeleteDomain: departures.delete_domain,
    ask.RestoreDomain: departures.restore_domain,
    ask.TransferDomain: transfers.transfer_domain,
    ask.CheckContacts: contacts.check_contacts,
    ask.CreateContact: contacts.create_contact,
    ask.InfoContact: contacts.info_contact,
    ask.UpdateContact: contacts.update_contact,
    ask.DeleteContact: contacts.delete_contact,
    ask.CheckHosts: hosts.check_hosts,
    ask.CreateHost: hosts.create_host,
    ask.InfoHost: hosts.info_host,
    ask.UpdateHost: hosts.update_host,
    ask.DeleteHost: hosts.delete_host,
}


def answers(_name: str, _servers: tuple[NameServer, ...]) -> bool:
    """Take every delegation for good."""
    return True


def _fingerprint(command: Command[Any]) -> str:
    """Return what tells a command from others without its secrets."""
    return hashlib.sha256(encode(command).encode()).hexdigest()


class Registry:
    """A registry without its file, its socket and its clock.

    ``remembering`` registries tell the outcome again when a registrar sends the same command with
    the same client transaction id; real ones do not, and carry it out again or refuse it.
    """

    def __init__(
        self,
        state: State | None = None,
        *,
        remembering: bool = True,
        delegation_check: DelegationCheck = answers,
    ) -> None:
        self.state = State() if state is None else state
        self._remembering = remembering
        self._delegation_check = delegation_check

    def perform(self, client: str, command: Command[R], trid: str, now: datetime) -> Outcome[R]:
        """Carry out a command of a registrar; ``now`` never goes back."""
        self.age(now)
        if not transforms(command):
            return self._carry_out(client, command, trid, now)
        key, told = f"{client} {trid}", _fingerprint(command)
        before = self.state.transactions.get(key)
        if self._remembering and before is not None and before.command == told:
            return cast(Outcome[R], decode_outcome(type(command), before.outcome))
        outcome = self._carry_out(client, command, trid, now)
        self.state.transactions[key] = Transaction(told, encode_outcome(type(command), outcome))
        if not isinstance(outcome, Refused):
            self._note(client, command, trid, outcome, now)
        return outcome

    def age(self, now: datetime) -> None:
        """Live through the time until ``now``, though nobody asks for anything."""
        age(self.state, max(now, self.state.now or now))

    def decide(self, name: str, *, approved: bool, now: datetime) -> None:
        """End the review of a domain; its registrar is told by a message (RFC 5731 3.3)."""
        self.age(now)
        domain = self.state.domains[name]
        assert domain.stage is Stage.REVIEW
        call = self._call(domain.held.sponsor, domain.client_trid, now, domain.server_trid)
        if approved:
            domains.begin_term(call, domain)
        else:
            departures.release(self.state, domain)
        self.state.reviewed.discard(name)
        notice = ActionNotice(name, approved, domain.client_trid, domain.server_trid, now)
        ended = "created" if approved else "refused"
        self.state.tell(domain.held.sponsor, f"{name}: review ended, {ended}", now, notice)

    def check_delegations(self, now: datetime) -> None:
        """Check the name servers of all domains again, where the registry does that."""
        self.age(now)
        for domain in self.state.domains.values():
            if domain.stage is Stage.REGISTERED:
                call = self._call(domain.held.sponsor, "", now, "")
                domains.check_delegation(call, domain)

    def _carry_out(self, client: str, command: Command[R], trid: str, now: datetime) -> Outcome[R]:
        server_trid = f"SV-{self.state.number():06d}"
        try:
            outcome = self._dispatch(client, command, trid, now, server_trid)
        except Refusal as refusal:
            return refusal.outcome(server_trid)
        if isinstance(outcome, Refused):
            return outcome
        return type(outcome)(cast(R, outcome.value), server_trid)

    def _dispatch(
        self, client: str, command: Command[Any], trid: str, now: datetime, server_trid: str
    ) -> Outcome[Any]:
        if isinstance(command, ask.Poll):
            return Done(self._oldest(client))
        if isinstance(command, ask.Acknowledge):
            return Done(self._acknowledged(client, command.message_id))
        call = self._call(client, trid, now, server_trid)
        return _CARRIERS[type(command)](call, command)

    def _call(self, client: str, trid: str, now: datetime, server_trid: str) -> Call:
        return Call(self.state, client, now, trid, server_trid, self._delegation_check)

    def _oldest(self, client: str) -> Message | None:
        queue = self.state.queues.get(client)
        if not queue:
            return None
        oldest = queue[0]
        return Message(oldest.id, len(queue), oldest.text, oldest.queued_at, oldest.data)

    def _acknowledged(self, client: str, message: str) -> QueueLength:
        """Take out the oldest message; others cannot be acknowledged before it."""
        if not message:
            raise Refusal(MISSING, "the id of a message")
        queue = self.state.queues.get(client)
        if not queue or queue[0].id != message:
            raise Refusal(ABSENT, "message", message)
        del queue[0]
        return QueueLength(len(queue))

    def _note(
        self,
        client: str,
        command: Command[Any],
        trid: str,
        outcome: Done[Any] | Pending[Any],
        now: datetime,
    ) -> None:
        kind = type(command).__name__
        about = getattr(command, "name", "") or getattr(command, "id", "")
        server_trid = outcome.server_trid or ""
        self.state.history.append(Commit(now, client, trid, server_trid, kind, about))
