"""The registry in a file, as a connector."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from registrar.commands import Command
from registrar.connector import Capabilities, Connector, Outcome
from registrar.errors import RegistrarError
from registrar.file_registry.profiles import capabilities_of
from registrar.file_registry.registry import Registry
from registrar.file_registry.state import State, dump, load

R = TypeVar("R")


class FileRegistry(Connector):
    """A registry whose state is one JSON file, replaced atomically before a command is answered.

    ``client`` is the registrar whose commands these are; two of them may share a file within a
    process. ``clock`` returns the time in UTC. A file that cannot be read is a ``RegistrarError``.
    """

    def __init__(
        self,
        path: Path,
        *,
        client: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._client = client
        self._clock = clock

    def capabilities(self, tld: str) -> Capabilities:
        """Tell what the registry does below this TLD."""
        return capabilities_of(tld)

    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out exactly once under this client transaction id."""
        registry = Registry(self.load())
        outcome = registry.perform(self._client, command, trid, self._clock())
        self.store(registry.state)
        return outcome

    def load(self) -> State:
        """Return the state in the file; an empty one where there is no file yet."""
        try:
            return load(self._path.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValueError) as error:
            raise RegistrarError(f"{self._path}: not a registry: {error}") from error

    def store(self, state: State) -> None:
        """Replace the file by one with this state; it is on the disk when this returns."""
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            file.write(dump(state))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
