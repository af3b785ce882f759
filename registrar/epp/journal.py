"""What was sent to a registry and what came of it, written before and after (ADR 0011)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from registrar.commands import Command, decode, encode
from registrar.connector import Outcome, decode_outcome, encode_outcome
from registrar.errors import RegistrarError


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that was about to be sent; open while ``outcome`` is ``None``."""

    trid: str
    command: Command[Any]
    at: datetime
    outcome: Outcome[Any] | None = None


class Journal(Protocol):
    """Where commands that transform are kept; both writers return when it is on disk."""

    def find(self, trid: str) -> Entry | None:
        """Return the entry of a client transaction id."""

    def record(self, trid: str, command: Command[Any], at: datetime) -> None:
        """Keep a command before its first octet is sent."""

    def settle(self, trid: str, outcome: Outcome[Any]) -> None:
        """Keep what came of it."""

    def unsettled(self) -> list[Entry]:
        """Return what is open, oldest first."""


class FileJournal:
    """A journal in a file, a line of JSON for each event, flushed to the disk before going on.

    A last line that is not whole, from a crash while it was written, counts as not written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}
        self._read()
        self._file = path.open("ab")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def find(self, trid: str) -> Entry | None:
        """Return the entry of a client transaction id."""
        return self._entries.get(trid)

    def record(self, trid: str, command: Command[Any], at: datetime) -> None:
        """Keep a command before its first octet is sent; an id is used once."""
        if trid in self._entries:
            raise RegistrarError(f"client transaction id {trid} is in use")
        line = {"trid": trid, "at": at.isoformat(), "command": json.loads(encode(command))}
        self._append(line)
        self._entries[trid] = Entry(trid, command, at)

    def settle(self, trid: str, outcome: Outcome[Any]) -> None:
        """Keep what came of it."""
        entry = self._entries[trid]
        told = json.loads(encode_outcome(type(entry.command), outcome))
        self._append({"trid": trid, "outcome": told})
        self._entries[trid] = Entry(trid, entry.command, entry.at, outcome)

    def unsettled(self) -> list[Entry]:
        """Return what is open, oldest first."""
        return [entry for entry in self._entries.values() if entry.outcome is None]

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError) as error:
                reason = f"{self._path}:{number}: not a line of a journal: {error}"
                raise RegistrarError(reason) from None

    def _take(self, line: dict[str, Any]) -> None:
        trid = line["trid"]
        if "command" in line:
            command = decode(json.dumps(line["command"]))
            self._entries[trid] = Entry(trid, command, datetime.fromisoformat(line["at"]))
            return
        entry = self._entries[trid]
        outcome = decode_outcome(type(entry.command), json.dumps(line["outcome"]))
        self._entries[trid] = Entry(trid, entry.command, entry.at, outcome)
