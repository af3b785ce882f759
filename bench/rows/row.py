"""What the rows of the table have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from bench.result import Measurement
from bench.servers import Daemon
from bench.setting import Setting
from bench.task import Task


class Row(ABC):
    """A kind of work: made once, given to each server in turn, as often as is asked for.

    One piece of work may fill several rows of the table, always all of them: ``names``. ``without`` names
    the servers that cannot do it, with the reason.
    """

    names: ClassVar[tuple[str, ...]]
    without: ClassVar[dict[str, str]] = {}

    def __init__(self, setting: Setting, directory: Path) -> None:
        self.setting = setting
        self.directory = directory

    @abstractmethod
    def task(self) -> Task:
        """Make the work; called once, before any server."""

    @contextmanager
    def surroundings(self) -> Iterator[Self]:
        """Have running what all servers need, such as their primary."""
        yield self

    def prepare(self, kind: type[Daemon], task: Task) -> Daemon:
        """Return a server that is ready to be started."""
        daemon = kind(self.directory, task, self.cpus)
        daemon.prepare()
        return daemon

    @property
    def cpus(self) -> frozenset[int]:
        """Where the server runs."""
        return self.setting.server_cpus

    @abstractmethod
    def measure(self, daemon: Daemon) -> list[Measurement]:
        """Run the server once and measure; raises ``RuntimeError`` or ``AssertionError``."""
