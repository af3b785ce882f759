"""The journal of the EPP client, in the store: auth codes are kept apart until they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from registrar.commands import Command, decode, encode
from registrar.connector import Outcome, decode_outcome, encode_outcome
from registrar.desk.desk import moment, seconds
from registrar.epp.journal import Entry
from registrar.errors import RegistrarError
from storage import journal
from storage.database import Database
from storage.errors import AlreadyExists
from storage.journal import JournalLine

CONFIDENTIAL: Final = "auth"  # of every command that has something to hide
HIDDEN: Final = "(not kept)"


class StoreJournal:
    """The journal of one account; both writers return when it is on disk."""

    def __init__(self, database: Database, account: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._account = account
        self._clock = clock

    def find(self, trid: str) -> Entry | None:
        """Return the entry of a client transaction id."""
        with self._database.read() as session:
            line = journal.find(session, trid)
        return None if line is None else entry_of(line)

    def record(self, trid: str, command: Command[Any], at: datetime) -> None:
        """Keep a command before its first octet is sent; an id is used once."""
        text, secret = redacted(command)
        about = str(getattr(command, "name", "") or getattr(command, "id", ""))
        kind = type(command).__name__
        line = JournalLine(trid, self._account, kind, about, text, seconds(at), secret)
        try:
            with self._database.write() as session:
                journal.record(session, line)
        except AlreadyExists as error:
            raise RegistrarError(str(error)) from error

    def settle(self, trid: str, outcome: Outcome[Any]) -> None:
        """Keep what came of it, and forget what was told in confidence."""
        entry = self.find(trid)
        if entry is None:
            raise RegistrarError(f"client transaction id {trid} is not in the journal")
        text = encode_outcome(type(entry.command), outcome)
        with self._database.write() as session:
            journal.settle(session, trid, text, now=seconds(self._clock()))

    def unsettled(self) -> list[Entry]:
        """Return what is open, oldest first."""
        with self._database.read() as session:
            return [entry_of(line) for line in journal.unsettled(session, self._account)]


def redacted(command: Command[Any]) -> tuple[str, str]:
    """Return a command as text without what is confidential, and that."""
    data = json.loads(encode(command))
    secret = data.get(CONFIDENTIAL)
    if not secret:
        return encode(command), ""
    return json.dumps(data | {CONFIDENTIAL: HIDDEN}, sort_keys=True, ensure_ascii=False), secret


def entry_of(line: JournalLine) -> Entry:
    """Return the entry of a line; one that is settled does not have its secret any more."""
    data = json.loads(line.command)
    if line.secret:
        data[CONFIDENTIAL] = line.secret
    command = decode(json.dumps(data))
    outcome = None if line.outcome is None else decode_outcome(type(command), line.outcome)
    return Entry(line.trid, command, moment(line.at), outcome)
