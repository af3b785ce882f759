"""What all peers have in common: a process, zones, keys, queries, a log."""

from __future__ import annotations

import base64
import ctypes
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring

from tests.peers.waiting import LOOPBACK, free_port, wait_until
from tests.requirements import find_program


@dataclass(frozen=True)
class Key:
    """A TSIG key as both ends are told of it; ``secret`` is base64."""

    name: str = "transfer.example."
    secret: str = base64.b64encode(b"thirty-two octets of a secret...").decode()
    algorithm: str = "hmac-sha256"

    def keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """Return it as dnspython's key ring, for queries of our own."""
        return dns.tsigkeyring.from_text({self.name: (self.algorithm, self.secret)})


@dataclass(frozen=True)
class Remote:
    """Another server, as one server's configuration names it."""

    port: int
    key: Key | None = None
    address: str = LOOPBACK

    def __str__(self) -> str:
        return f"{self.address}@{self.port}"


@dataclass
class ServedZone:
    """A zone in a peer's configuration: from ``text`` as a primary, or from ``primary``."""

    apex: str
    text: str | None = None
    remotes: Sequence[Remote] = ()
    primary: Remote | None = None
    signing: str = ""  # "", "nsec" or "nsec3", where the server signs by itself
    incremental: bool = False  # keep what changes, to send it by IXFR; ask for it so

    @property
    def file(self) -> str:
        """The name of its zone file."""
        return self.apex.rstrip(".") + ".zone"

    @property
    def keys(self) -> list[Key]:
        """The keys that it is transferred with."""
        remotes = [*self.remotes, *([self.primary] if self.primary else [])]
        return list({remote.key: None for remote in remotes if remote.key})


def program(name: str) -> str:
    """Return the path of a program that the test's mark says is there."""
    path = find_program(name)
    assert path is not None, f"{name} is not installed"
    return path


def ask(
    port: int,
    qname: str,
    rtype: str = "SOA",
    *,
    tcp: bool = False,
    dnssec: bool = False,
    edns: bool | int = True,
    timeout: float = 2.0,
    key: Key | None = None,
    rdclass: str = "IN",
) -> dns.message.Message:
    """Ask 127.0.0.1 without recursion desired; over UDP, again over TCP when truncated.

    Raises ``OSError`` on no answer in time.
    """
    query = dns.message.make_query(qname, rtype, rdclass, use_edns=edns, want_dnssec=dnssec)
    query.flags &= ~dns.flags.RD
    if key:
        query.use_tsig(key.keyring())
    try:
        if tcp:
            return dns.query.tcp(query, LOOPBACK, timeout, port)
        return dns.query.udp_with_fallback(query, LOOPBACK, timeout, port)[0]
    except dns.exception.Timeout as error:
        raise TimeoutError(f"no answer from port {port}") from error


def soa_serial(response: dns.message.Message) -> int | None:
    """Return the serial in the answer section of an authoritative SOA answer."""
    if response.rcode() or not response.flags & dns.flags.AA:
        return None
    return next(
        (rrset[0].serial for rrset in response.answer if rrset.rdtype == dns.rdatatype.SOA), None
    )


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent() -> None:
    """Have this process, a child to be, sent SIGTERM when the tests end, however they end."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Process:
    """A child process whose output goes to a file; stopped by its own id."""

    command: list[str]
    log_file: Path
    environment: dict[str, str] | None = None
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it; what it prints is appended to the log file."""
        with self.log_file.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log_file.parent,
                env=self.environment,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # a single call of the C library
            )

    def assert_running(self) -> None:
        """Fail with the log when the process has ended."""
        assert self.child is not None, "it was never started"
        code = self.child.poll()
        assert code is None, f"{self.command[0]} ended with {code}:\n{self.log()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, and end it after five seconds."""
        self.signal(signal.SIGTERM)
        if self.child is not None:
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    @contextmanager
    def stopped_on_failure(self) -> Iterator[None]:
        """Leave no process behind when what follows its start fails."""
        try:
            yield
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()

    def log(self) -> str:
        """Return all that it printed so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""


class Server(ABC):
    """Anything that answers DNS queries on a port of 127.0.0.1."""

    port: int

    def query(self, qname: str, rtype: str = "SOA", **how: object) -> dns.message.Message:
        """Ask it one question; the keywords are those of ``ask``."""
        return ask(self.port, qname, rtype, **how)  # type: ignore[arg-type]

    def serial(self, apex: str) -> int | None:
        """Return the serial that it serves, ``None`` where it does not serve the zone."""
        return soa_serial(self.query(apex))

    def wait_serial(self, apex: str, serial: int, seconds: float = 10.0) -> None:
        """Wait until exactly this serial is served."""
        wait_until(
            lambda: self.serial(apex) == serial,
            f"{type(self).__name__} serves {apex} at {serial}",
            seconds,
        )


class Peer(Server):
    """One real name server; a subclass writes its configuration and reloads it.

    ``serve`` and ``follow`` are called before ``start``; as a context manager it starts and stops.
    """

    binary: ClassVar[str]  # the program
    title: ClassVar[str]  # as its makers write it

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.directory = directory / f"{self.binary}-{self.port}"
        self.directory.mkdir(parents=True)
        self.zones: dict[str, ServedZone] = {}
        self.process = Process([], self.directory / "log")

    def serve(
        self,
        apex: str,
        text: str,
        *remotes: Remote,
        signing: str = "",
        incremental: bool = False,
    ) -> None:
        """Be a primary of this zone file; NOTIFY ``remotes`` and let them transfer it.

        A zone with no remotes is transferred to anybody on 127.0.0.1.
        """
        self.zones[apex] = ServedZone(apex, text, remotes, signing=signing, incremental=incremental)
        self.write_zone(apex)

    def follow(self, apex: str, primary: Remote, *, incremental: bool = False) -> None:
        """Be a secondary of this zone, transferred from ``primary``, whose NOTIFY is heard."""
        self.zones[apex] = ServedZone(apex, primary=primary, incremental=incremental)

    def start(self) -> None:
        """Write the configuration, start the daemon, wait until it answers."""
        self.process.command = self.configure()
        self.process.start()
        with self.process.stopped_on_failure():
            self.wait_ready()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until it answers a query for one of its zones, whatever the answer."""
        apex = next(iter(self.zones), "example.org.")

        def answers() -> bool:
            self.process.assert_running()
            return bool(self.query(apex, timeout=0.2))

        wait_until(answers, f"{self.binary} answers", seconds)
        for zone in self.zones.values():
            if zone.text is not None:
                self.wait_loaded(zone.apex)

    def wait_loaded(self, apex: str) -> None:
        """Wait until a zone that it is primary of is served."""
        wait_until(lambda: self.serial(apex) is not None, f"{self.binary} loaded {apex}")

    def update_zone(self, apex: str, text: str) -> None:
        """Replace the zone file, have it loaded, and so a NOTIFY sent."""
        self.zones[apex].text = text
        self.write_zone(apex)
        self.reload(apex)

    def write_zone(self, apex: str) -> None:
        """Write the zone file, aside first, so that the daemon never reads half of it."""
        zone = self.zones[apex]
        assert zone.text is not None
        aside = self.directory / (zone.file + ".new")
        aside.write_text(zone.text)
        aside.rename(self.directory / zone.file)

    def remote(self, key: Key | None = None) -> Remote:
        """Return this server as others name it in their configuration."""
        return Remote(self.port, key)

    @property
    def keys(self) -> list[Key]:
        """All keys of all zones."""
        return list({key: None for zone in self.zones.values() for key in zone.keys})

    @abstractmethod
    def configure(self) -> list[str]:
        """Write the configuration; return the command that runs the daemon in the foreground."""

    @abstractmethod
    def reload(self, apex: str) -> None:
        """Have a changed zone file loaded."""

    def log(self) -> str:
        """Return all that the daemon printed so far."""
        return self.process.log()

    def stop(self) -> None:
        """End the daemon."""
        self.process.stop()

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
            error.add_note(f"log of {self.binary}:\n" + "\n".join(self.log().splitlines()[-40:]))
