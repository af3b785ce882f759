"""``nsctl`` as a process that is forked from an interpreter which has imported everything already.

Most of what the start of a server costs is the imports, and hundreds of tests start one. The
forked process runs the same command line with an environment and a log of its own; that the
installed program starts is tested by ``Nsctl.run`` and by the tests of the program itself.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

from tests.peers.base import Process, end_with_parent

# What the server imports at its start, and what it imports when it is first needed.
PRELOADED: Final = ("tests.peers.preloaded",)


def context() -> ForkServerContext:
    """Return what forks; one process of it serves a whole run."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(PRELOADED))
    return found


def nothing() -> None:
    """Be as the others are."""


class Forked(Process):
    """A child process that runs ``nsctl`` with these arguments.

    It calls ``prepare``, a function that can be pickled, before anything else.
    """

    prepare: Callable[[], None] = staticmethod(nothing)

    def start(self) -> None:
        """Start it; what it prints is appended to the log file."""
        environment = {**(self.environment or os.environ)}
        told = (self.command, self.log_file, environment, self.prepare)
        process = context().Process(target=become, args=told, daemon=True)
        process.start()
        self.child = ForkedChild(process, self.command)


class ForkedChild(subprocess.Popen[bytes]):
    """A forked process, asked as one that was started."""

    def __init__(self, process: ForkServerProcess, command: list[str]) -> None:
        assert process.pid is not None
        self.process, self.pid, self.args = process, process.pid, command

    def __del__(self) -> None:
        """Leave it to ``process``."""

    def poll(self) -> int | None:
        """Return its exit code, ``None`` while it runs."""
        self.returncode = self.process.exitcode
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal."""
        os.kill(self.pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; raises ``subprocess.TimeoutExpired``."""
        self.process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()


def become(
    arguments: list[str], log_file: Path, environment: dict[str, str], prepare: Callable[[], None]
) -> None:
    """Be ``nsctl`` with these arguments and this environment; print to the log file."""
    from cli.main import cli

    end_with_parent()
    with log_file.open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    os.chdir(log_file.parent)
    os.environ.clear()
    os.environ.update(environment)
    prepare()
    cli(arguments)
