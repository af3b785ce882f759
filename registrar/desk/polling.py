"""Taking in what a registry tells: a message becomes facts, once, however often it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from registrar.desk import recording, registrations
from registrar.desk.accounts import Account
from registrar.desk.desk import Desk, seconds
from registrar.desk.registrations import Entry
from registrar.fact import Fact
from registrar.fact_codec import encode
from registrar.lifecycle import project
from registrar.messages import Taken, names_in, take
from registrar.model import Command
from registrar.objects import Message
from storage import events, registry_accounts
from storage.events import EventSeverity
from storage.registry_accounts import StoredMessage
from storage.session import Session


@dataclass(frozen=True, slots=True)
class Polled:
    """A message, the domain of ours that it is about (or none), and what it was taken for."""

    account: str
    message: str
    text: str
    name: str
    facts: tuple[Fact, ...]


def take_in(
    session: Session, desk: Desk, account: Account, message: Message, now: datetime
) -> list[Polled]:
    """Write down what a message says; nothing where it was taken in before."""
    if registry_accounts.has_message(session, account.id, message.id):
        return []
    entry = _entry(session, message)
    taken = Taken()
    if entry is not None:
        state = project(registrations.registration(session, desk, entry), now)
        taken = take(message, state, account.client, now)
        if taken.facts:
            recording.record(
                session,
                desk,
                entry,
                taken.facts,
                now=now,
                actor=f"registry {account.id}",
                keep_denied=True,
            )
        if taken.look:
            key = f"message {account.id} {message.id}"
            recording.add_job(session, entry, Command.INFO, key, now=now)
    name = entry.name if entry else ""
    encoded = tuple(map(encode, taken.facts))
    known = StoredMessage(account.id, message.id, seconds(now), name, message.text, encoded)
    registry_accounts.add_message(session, known)
    _log(session, account, known, now)
    return [Polled(account.id, message.id, message.text, name, taken.facts)]


def _entry(session: Session, message: Message) -> Entry | None:
    for name in names_in(message):
        if (entry := registrations.find(session, name)) is not None:
            return entry
    return None


def _log(session: Session, account: Account, known: StoredMessage, now: datetime) -> None:
    severity = EventSeverity.INFO if known.name else EventSeverity.WARNING
    text = f"{account.id} tells: {known.text or 'a message without words'}"
    if not known.name:
        text += " (about no domain of ours)"
    events.record(session, "registry-message", severity, None, text, at=seconds(now))
