"""The registry in a file, as a connector."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from registrar.commands import Command
from registrar.connector import Capabilities, Connector, Outcome
from registrar.errors import RegistrarError
from registrar.file_registry.call import DelegationCheck
from registrar.file_registry.profiles import capabilities_of
from registrar.file_registry.registry import Registry, answers
from registrar.file_registry.state import State, dump, load

R = TypeVar("R")


class FileRegistry(Connector):
    """A registry whose state is one JSON file, replaced atomically before a command is answered.

    ``client`` is the registrar whose commands these are; registrars and processes may share a
    file. ``clock`` returns the time in UTC. A file that cannot be read is a ``RegistrarError``.
    """

    def __init__(
        self,
        path: Path,
        *,
        client: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        delegation_check: DelegationCheck = answers,
    ) -> None:
        self._path = path
        self._delegation_check = delegation_check
        self._client = client
        self._clock = clock

    def capabilities(self, tld: str) -> Capabilities:
        """Tell what the registry does below this TLD."""
        return capabilities_of(tld)

    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out exactly once under this client transaction id."""
        with self.opened() as registry:
            return registry.perform(self._client, command, trid, self._clock())

    @contextmanager
    def opened(self) -> Iterator[Registry]:
        """Have the registry to oneself: to end a review, say; stored when nothing went wrong."""
        with _locked(self._path.with_name(self._path.name + ".lock")):
            registry = Registry(self._load(), delegation_check=self._delegation_check)
            yield registry
            self._store(registry.state)

    def _load(self) -> State:
        """Return the state in the file; an empty one where there is no file yet."""
        try:
            return load(self._path.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValueError) as error:
            raise RegistrarError(f"{self._path}: not a registry: {error}") from error

    def _store(self, state: State) -> None:
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


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process has the lock; it is let go even by one that dies."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
