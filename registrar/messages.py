"""What a registry tells by its queue, as facts of the registrations that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from registrar import facts
from registrar.events import Event
from registrar.fact import Fact
from registrar.model import Life, State, Transfer
from registrar.objects import ActionNotice, Message, Renewed, TransferState
from registrar.statuses import TransferStatus

NAME: Final = re.compile(
    r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+\b", re.IGNORECASE
)
APPROVED: Final = frozenset((TransferStatus.CLIENT_APPROVED, TransferStatus.SERVER_APPROVED))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message was taken for; ``look``: the registry is to be asked how the domain stands."""

    facts: tuple[Fact, ...] = ()
    look: bool = False


def names_in(message: Message) -> list[str]:
    """Return the domains that a message may be about: the one in its data, or any in its text."""
    name = getattr(message.data, "name", "")
    return [name] if name else [found.lower() for found in NAME.findall(message.text)]


def take(message: Message, state: State, client: str, now: datetime) -> Taken:
    """Return what a message says of a registration of ours that stands like this."""
    data, at = message.data, message.queued_at or now
    if isinstance(data, TransferState):
        return _transfer(data, state, client)
    if isinstance(data, ActionNotice):
        return _review(data, state)
    if isinstance(data, Renewed):
        known = Event.RENEWED not in dict(state.assumed)
        if data.expires_at is None or (known and data.expires_at == state.registry_expires):
            return Taken()
        return Taken((facts.Renewed(at, data.expires_at, automatic=True),))
    return Taken(look=True)


def _transfer(data: TransferState, state: State, client: str) -> Taken:
    ours = data.requested_by == client
    if data.status is TransferStatus.PENDING:
        known = ours or state.transfer is Transfer.PENDING
        return Taken() if known else Taken((_requested(data),))
    if data.status in APPROVED:
        if ours:
            expected = state.life in (Life.ORDERED, Life.PENDING_TRANSFER_IN)
            arrived = facts.TransferredIn(data.acts_at, data.expires_at)
            return Taken((arrived,), look=True) if expected else Taken()
        return Taken((facts.TransferredAway(data.acts_at, data.requested_by),))
    if ours:
        reason = f"The transfer was not agreed to: {data.status}."
        return Taken((facts.Refused(data.acts_at, reason),))
    if state.transfer is not Transfer.PENDING:
        return Taken()
    return Taken((facts.TransferCancelled(data.acts_at),))


def _requested(data: TransferState) -> facts.TransferRequested:
    return facts.TransferRequested(data.requested_at, data.requested_by)


def _review(data: ActionNotice, state: State) -> Taken:
    if state.life not in (Life.ORDERED, Life.PENDING_CREATE):
        return Taken(look=True)
    if not data.approved:
        return Taken((facts.Refused(data.at, "The registry has decided against it."),))
    return Taken((facts.Registered(data.at),), look=True)
