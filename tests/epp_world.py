"""The sandbox to test against: in memory, document by document, or over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

from registrar.commands import Command
from registrar.connector import Outcome
from registrar.desk.accounts import Account as DeskAccount
from registrar.epp.client import Account, EppClient
from registrar.epp.connection import Endpoint
from registrar.epp.exchange import read_outcome, write_command
from registrar.epp.greeting import Credentials, read_greeting, write_login
from registrar.epp.journal import FileJournal
from registrar.epp.response import read_response
from registrar.epp.sandbox import Sandbox
from registrar.epp.sandbox.certificates import Certificates, make_certificates
from registrar.epp.sandbox.session import Order, ServerSession
from registrar.file_registry import Registry
from registrar.file_registry.profiles import capabilities_of, profile_of
from tests.registry_world import OTHERS, OURS, Clock, World, set_up

R = TypeVar("R")

PASSWORDS = {OURS: "our-password", OTHERS: "their-password"}
TLDS = ("org", "com", "net", "de", "eu")
REPLY_TIMEOUT = 1.5  # seconds; long enough on a busy machine, short enough to wait for


class EppWorld(World):
    """A registry that is asked in XML; every document of both sides is in ``seen``."""

    def __init__(self, registry: Registry | None = None) -> None:
        super().__init__(registry)
        self.seen: list[bytes] = []
        self._sessions: dict[str, ServerSession] = {}

    def perform(
        self, command: Command[R], client: str = OURS, trid: str | None = None
    ) -> Outcome[R]:
        """Send a command now, through XML both ways."""
        self._last += 1
        trid = trid or f"CL-{self._last}"
        tld = str(getattr(command, "name", "")).rpartition(".")[2]
        host_objects = profile_of(tld).host_objects
        sent = write_command(command, trid, host_objects=host_objects)
        response = read_response(self._exchange(self._session(client), sent))
        assert response.client_trid == trid
        return read_outcome(command, response)

    def _session(self, client: str) -> ServerSession:
        if client not in self._sessions:
            session = ServerSession(self.registry, PASSWORDS, "nsctl sandbox")
            greeting = session.greeting(self.clock.now)
            self.seen.append(greeting)
            credentials = Credentials(client, PASSWORDS[client])
            login = write_login(credentials, read_greeting(greeting), "LOGIN-1")
            assert not read_response(self._exchange(session, login)).refused
            self._sessions[client] = session
        return self._sessions[client]

    def _exchange(self, session: ServerSession, sent: bytes) -> bytes:
        answer = session.receive(sent, self.clock.now)
        if isinstance(answer, Order):
            answer = session.carry_out(answer, self.clock.now)
        self.seen += [sent, answer.document]
        return answer.document


@cache
def certificates() -> Certificates:
    """Return certificates for this run of the tests."""
    return make_certificates(Path(mkdtemp(prefix="nsctl-epp-")), datetime.now(UTC))


class Network:
    """A sandbox that listens on this machine, and clients of it with their journals."""

    def __init__(self, sandbox: Sandbox, clock: Clock, port: int, folder: Path) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.port = port
        self.folder = folder

    @property
    def endpoint(self) -> Endpoint:
        """Where the sandbox is, and our certificate."""
        files = certificates()
        return Endpoint(
            "127.0.0.1",
            self.port,
            authorities=files.authority,
            certificate=files.client,
            key=files.client_key,
            connect_timeout=10,
            reply_timeout=REPLY_TIMEOUT,
        )

    def account(self, client: str = OURS, password: str | None = None) -> Account:
        """Return a registrar's account."""
        return Account(
            self.endpoint,
            Credentials(client, password or PASSWORDS[client]),
            tuple(capabilities_of(tld) for tld in TLDS),
            retry_delay=0.01,
        )

    @asynccontextmanager
    async def client(
        self, client: str = OURS, *, account: Account | None = None
    ) -> AsyncIterator[EppClient]:
        """Have a client with its journal in a file."""
        journal = FileJournal(self.folder / f"{client}.journal")
        try:
            async with EppClient(
                account or self.account(client), journal, clock=self.clock
            ) as made:
                yield made
        finally:
            journal.close()

    def desk_account(self, reply_timeout: float = REPLY_TIMEOUT) -> DeskAccount:
        """Return our account as the desk has it, with its certificates."""
        files = certificates()
        return DeskAccount(
            id="sandbox",
            kind="epp",
            client=OURS,
            tlds=TLDS,
            host="127.0.0.1",
            port=self.port,
            authorities=str(files.authority),
            certificate=str(files.client),
            key=str(files.client_key),
            reply_timeout=reply_timeout,
            password=PASSWORDS[OURS],
        )

    def patient(self) -> Account:
        """Return our account with a long wait for replies."""
        account = self.account()
        return replace(account, endpoint=replace(account.endpoint, reply_timeout=30))

    def commits(self, kind: str, about: str = "example.org") -> int:
        """Return how often the registry has carried out such a command."""
        return sum(
            (commit.command, commit.about) == (kind, about)
            for commit in self.sandbox.registry.state.history
        )

    def received(self, word: str) -> int:
        """Return how many documents of registrars the sandbox has seen with a word in them."""
        return sum(b"<command>" in seen and word.encode() in seen for seen in self.sandbox.seen)


@asynccontextmanager
async def network(folder: Path) -> AsyncIterator[Network]:
    """Have a sandbox listen; its registry forgets transaction ids, as real ones do."""
    clock = Clock()
    world = World(Registry(remembering=False))
    world.clock = clock
    set_up(world)
    sandbox = Sandbox(
        world.registry, dict(PASSWORDS), tls=certificates().server_context(), clock=clock
    )
    async with sandbox:
        yield Network(sandbox, clock, await sandbox.start(), folder)
