"""A server as the measurements see it: prepared once, started and stopped several times."""

from __future__ import annotations

import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from bench.asking import Client
from bench.processes import Process
from bench.task import Task
from tests.peers.waiting import free_port
from tests.requirements import find_program


class Daemon(ABC):
    """One server; a subclass writes what it reads at its start."""

    name: ClassVar[str]
    binary: ClassVar[str]

    def __init__(self, directory: Path, task: Task, cpus: frozenset[int]) -> None:
        self.port = free_port()
        self.directory = directory / f"{self.name}-{self.port}"
        self.task = task
        self.cpus = cpus
        self._command: list[str] = []

    @classmethod
    def is_installed(cls) -> bool:
        """Tell whether it can be measured on this machine."""
        return find_program(cls.binary) is not None

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return its version, for the report."""

    @abstractmethod
    def configure(self) -> list[str]:
        """Write its configuration and data; return the command that runs it in the foreground."""

    def environment(self) -> Mapping[str, str] | None:
        """Return the environment it runs in, ``None`` for ours."""
        return None

    def prepare(self) -> None:
        """Begin with an empty directory and write what is needed before the start."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self._command = self.configure()

    @contextmanager
    def running(self) -> Iterator[Started]:
        """Run it; what it does until it answers is for the caller to wait for."""
        begun = time.monotonic()
        process = Process(
            self._command, self.log_file, cpus=self.cpus, environment=self.environment()
        )
        try:
            with Client(self.port, process.assert_running) as client:
                yield Started(process, client, begun)
        except Exception as error:
            last = self.log_file.read_text(errors="replace").splitlines()[-10:]
            error.add_note("\n".join([f"log of {self.name}:", *last]))
            raise
        finally:
            process.stop()

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.directory / "log"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its tools to its end, which must be a good one; return what it printed."""
        done = subprocess.run(
            [path_of(program), *arguments],
            cwd=self.directory,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {done.stdout[-2000:]}")
        return done.stdout


class Started:
    """A server that runs: its processes, a client of it, and when it was started."""

    def __init__(self, process: Process, client: Client, begun: float) -> None:
        self.process = process
        self.client = client
        self.begun = begun


def path_of(program: str) -> str:
    """Return the path of an installed program."""
    path = find_program(program)
    assert path is not None, f"{program} is not installed"
    return path


def first_line(*command: str) -> str:
    """Return the first line that a program prints, as for its version."""
    done = subprocess.run(
        [path_of(command[0]), *command[1:]],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return next(iter(done.stdout.splitlines()), "")
