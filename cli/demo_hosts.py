"""The two machines of the demonstration: each a server process with a store of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.02


class DemoError(click.ClickException):
    """The demonstration cannot go on."""


def wait_for(what: str, condition: Callable[[], bool], seconds: float) -> float:
    """Wait until ``condition`` holds and return how long it took; raises ``DemoError``."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise DemoError(f"waited {seconds:.0f} s for {what}, in vain")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started


def free_port(wanted: int = 0) -> int:
    """Return ``wanted`` if UDP and TCP are free there, else a port that is."""
    for port in (wanted, 0):
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as streams:
            try:
                datagrams.bind(("127.0.0.1", port))
                found: int = datagrams.getsockname()[1]
                streams.bind(("127.0.0.1", found))
            except OSError:
                continue
            return found
    raise DemoError("no port is free on 127.0.0.1")


class Host:
    """A machine that runs ``nsctl serve``: its store, its log and its server process."""

    def __init__(self, name: str, directory: Path, port: int) -> None:
        self.name = name
        self.port = port
        self.directory = directory / name
        self.directory.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        kept = {key: value for key, value in os.environ.items() if not key.startswith("NSCTL_")}
        self._environment = kept | {
            "NSCTL_DATABASE": f"sqlite:///{self.directory}/nsctl.db",
            "NSCTL_LISTEN": f"127.0.0.1@{port}",
            "NSCTL_IDENTITY": name,
        }

    @property
    def address(self) -> str:
        """Return where it listens, as in ``127.0.0.1@5300``."""
        return f"127.0.0.1@{self.port}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an ``nsctl`` command on this machine."""
        return subprocess.run(  # noqa: S603 (our own command, no shell)
            [sys.executable, "-m", "cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
        )

    def read(self, *arguments: str) -> Any:
        """Run a command and return what it says in JSON; raises ``DemoError``."""
        done = self.run("--json", *arguments)
        if done.returncode:
            raise DemoError(f"nsctl {shlex.join(arguments)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve"],
                env=self._environment,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C is for the story-teller, who stops the rest
            )
        wait_for(f"the {self.name} to answer", self._answers, START_SECONDS)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            last = (self.directory / "log").read_text().splitlines()[-5:]
            raise DemoError("\n".join([f"the {self.name} did not start:", *last]))
        return rcode_of(self.port, "id.server", "TXT", "CH") == "NOERROR"

    def stop(self) -> None:
        """Stop the server, politely first."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(port: int, name: str, rtype: str, rclass: str = "IN") -> tuple[str, Sequence[str]]:
    """Return the rcode and the answer's rdata of a query over UDP; ``TIMEOUT`` without one."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rcode

    query = dns.message.make_query(name, rtype, rclass)
    query.flags = dns.flags.Flag(0)
    try:
        response = dns.query.udp(query, "127.0.0.1", timeout=1.0, port=port)
    except (dns.exception.DNSException, OSError):
        return "TIMEOUT", ()
    answer = [str(rdata) for rrset in response.answer for rdata in rrset]
    return dns.rcode.to_text(response.rcode()), answer


def rcode_of(port: int, name: str, rtype: str, rclass: str = "IN") -> str:
    """Return the rcode of a query over UDP."""
    return ask(port, name, rtype, rclass)[0]
