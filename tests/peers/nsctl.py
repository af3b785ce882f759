"""This project's own server and command line, as their users run them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from click.testing import CliRunner

from cli.main import cli as command_line
from storage.database import Database
from tests.peers.base import Key, Remote, Server
from tests.peers.forked import Forked
from tests.peers.waiting import LOOPBACK, free_port, wait_until

COMMAND = str(Path(sys.executable).parent / "nsctl")

# Bounds lowered so that a story of days is told in seconds; what the SOA asks for still counts.
QUICK = {
    "timers_refresh_min": 1,
    "timers_retry_min": 0.5,
    "timers_expire_min": 1,
    "transfers_timeout": 3,
    "notify_timeout": 1,
}


@functools.cache
def empty_database() -> bytes:
    """Return a new database: made once, which saves every test the migrations."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "nsctl.db"
        Database.open(f"sqlite:///{path}").close()
        return path.read_bytes()


class Nsctl(Server):
    """``nsctl serve`` with a database of its own; ``cli`` runs commands on the same database.

    ``settings`` become ``NSCTL_…`` variables. The commands work before ``start`` and after
    ``kill`` as well.
    """

    def __init__(self, directory: Path, **settings: object) -> None:
        self.port = free_port()
        self.directory = directory / f"nsctl-{self.port}"
        self.directory.mkdir(parents=True)
        chosen = {
            "database": f"sqlite:///{self.directory}/nsctl.db",
            "listen": f"{LOOPBACK}@{self.port}",
            # A test asks from one net, and often for one thing; who tests limits asks for them.
            "rrl": "off",
            "engine": os.environ.get("NSCTL_ENGINE", "auto"),
            **QUICK,
            **settings,
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("NSCTL_")}
        own = {f"NSCTL_{name.upper()}": str(value) for name, value in chosen.items()}
        self.environment = {**kept, **own, "NO_COLOR": "1", "COLUMNS": "200"}
        (self.directory / "nsctl.db").write_bytes(empty_database())
        self.process = Forked(["serve"], self.directory / "log", self.environment)

    # The server.

    def start(self) -> None:
        """Start it and wait until it answers anything at all."""
        self.process.start()

        def answers() -> bool:
            self.process.assert_running()
            return bool(self.query("version.bind.", "TXT", rdclass="CH", timeout=0.05))

        with self.process.stopped_on_failure():
            wait_until(answers, "nsctl answers", 60)

    def stop(self) -> None:
        """End it in good order."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    def log(self) -> str:
        """Return all that it logged so far."""
        return self.process.log()

    def remote(self, key: Key | None = None) -> Remote:
        """Return this server as others name it in their configuration."""
        return Remote(self.port, key)

    # The command line.

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command and return what came of it, whatever that is."""
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment,
            cwd=self.directory,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def cli(self, *arguments: str) -> Any:
        """Run one command with ``--json``; return what it printed, parsed. It must succeed.

        It runs in this process, which saves the start of an interpreter; ``run`` is the real thing.
        """
        done = CliRunner(env=self.environment).invoke(command_line, ["--json", *arguments])
        assert done.exit_code == 0, f"nsctl {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def add_key(self, key: Key) -> None:
        """Tell it a TSIG key."""
        self.cli("key", "add", key.name, "--algorithm", key.algorithm, "--secret", key.secret)

    def follow(self, apex: str, *primaries: Remote) -> None:
        """Add a zone that it is secondary of."""
        options = [option for primary in primaries for option in ("--primary", str(primary))]
        for key in {primary.key.name for primary in primaries if primary.key}:
            options += ["--key", key]
        self.cli("secondary", "add", apex, *options)

    def allow(self, remote: Remote, apex: str) -> None:
        """Let another server transfer one zone from us, and NOTIFY it."""
        key = ("--key", remote.key.name) if remote.key else ()
        self.cli("peer", "add", str(remote), "--zone", apex, *key)

    def serve(self, apex: str, text: str) -> None:
        """Import a zone file as a hosted zone."""
        path = self.directory / (apex.rstrip(".") + ".zone")
        path.write_text(text)
        self.cli("zone", "import", str(path), "--replace")

    def status(self, apex: str) -> dict[str, Any]:
        """Return ``nsctl --json secondary status``: what the customer sees."""
        status: dict[str, Any] = self.cli("secondary", "status", apex)
        return status

    def wait_status(self, apex: str, seconds: float = 10.0, **expected: object) -> dict[str, Any]:
        """Wait until the status has all these values, and return it."""
        seen: list[dict[str, Any]] = [{}]

        def as_expected() -> dict[str, Any] | None:
            seen[0] = self.status(apex)
            return seen[0] if expected.items() <= seen[0].items() else None

        try:
            return wait_until(as_expected, f"the status of {apex} has {expected}", seconds)
        except AssertionError as error:
            error.add_note(f"status: {seen[0]}\nlog of nsctl:\n{self.log()[-4000:]}")
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note("log of nsctl:\n" + "\n".join(self.log().splitlines()[-40:]))
