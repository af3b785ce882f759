"""The EPP client: commands in, outcomes out, each carried out once, whatever breaks in between.

A command that transforms is written to the journal before its first octet is sent. When its reply
is lost, the next session looks at the object (``reconcile``) before anything is sent again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from registrar.commands import Command, encode, transforms
from registrar.connector import Capabilities, Connector, Outcome, Refused
from registrar.epp.connection import Connection, Endpoint
from registrar.epp.errors import (
    EppError,
    LoginRefused,
    OutcomeUnknown,
    ReplyLost,
    SessionFault,
    SyntaxFault,
    Unreachable,
)
from registrar.epp.exchange import read_outcome, write_command
from registrar.epp.greeting import Credentials
from registrar.epp.journal import Entry, Journal
from registrar.epp.reconcile import NotDone, Unknown, Verdict, investigate, repeatable
from registrar.epp.response import UNCERTAIN, Response
from registrar.errors import RegistrarError

R = TypeVar("R")

TRIES: Final = 3  # sessions for one command, until the outbox has to come again
BAD_PASSWORD: Final = 2200
# After these a command may have been carried out without our knowing.
_LOST: Final = (ReplyLost, SyntaxFault, SessionFault)


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a registry. ``capabilities`` has one entry for each TLD served there."""

    endpoint: Endpoint
    credentials: Credentials
    capabilities: tuple[Capabilities, ...]
    keep_alive: float = 240.0  # seconds of silence before a hello
    retry_delay: float = 1.0  # seconds before a lost session is opened again, doubled each time


def random_trid() -> str:
    """Return a client transaction id for questions that nobody asked for by id."""
    return f"nsctl-{secrets.token_hex(8)}"


class EppClient(Connector):
    """A registry over EPP. One session, one command in flight; it is opened when it is needed.

    ``clock`` returns the time in UTC. As an asynchronous context manager it keeps the session
    alive in between and logs out at the end.
    """

    def __init__(
        self,
        account: Account,
        journal: Journal,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_trid: Callable[[], str] = random_trid,
    ) -> None:
        self._account = account
        self._credentials = account.credentials
        self._capabilities = {entry.tld: entry for entry in account.capabilities}
        self._journal = journal
        self._clock = clock
        self._new_trid = new_trid
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def capabilities(self, tld: str) -> Capabilities:
        """Tell what the registry does below this TLD; raises ``RegistrarError`` for others."""
        try:
            return self._capabilities[tld]
        except KeyError:
            raise RegistrarError(
                f"the registry at {self._account.endpoint} has no .{tld}"
            ) from None

    async def perform(self, command: Command[R], trid: str) -> Outcome[R]:
        """Have a command carried out exactly once under this client transaction id.

        Raises ``Unreachable`` and ``LoginRefused`` where nothing was sent, and ``OutcomeUnknown``:
        to be called again later, with the same id.
        """
        self._document(command, trid)
        async with self._turn:
            if not transforms(command):
                return await self._query(command, trid)
            entry = self._journal.find(trid)
            if entry is None:
                at = self._clock()
                self._journal.record(trid, command, at)
                return cast(Outcome[R], await self._carry_out(Entry(trid, command, at)))
            if encode(entry.command) != encode(command):
                raise RegistrarError(f"client transaction id {trid} belongs to another command")
            if entry.outcome is not None:
                return cast(Outcome[R], entry.outcome)
            return cast(Outcome[R], await self._carry_out(entry, doubtful=True))

    async def settle(self) -> dict[str, Outcome[Any]]:
        """Finish what a crash left open, oldest first; return the outcomes by id.

        What was never carried out is sent again. Raises as ``perform`` does.
        """
        outcomes = {}
        for entry in self._journal.unsettled():
            async with self._turn:
                outcomes[entry.trid] = await self._carry_out(entry, doubtful=True)
        return outcomes

    async def change_password(self, new: str) -> None:
        """Change the password at the registry (RFC 5730 2.9.1.1).

        Raises ``LoginRefused`` where it stays as it was.
        """
        async with self._turn:
            await self._leave()
            old = self._credentials
            try:
                await self._connect(replace(old, new_password=new))
            except _LOST:
                # The reply is lost: only one of the passwords opens the door now.
                await self._leave()
                if not await self._opens(replace(old, password=new)):
                    await self._connect(old)
                    raise LoginRefused("the password was not changed", BAD_PASSWORD) from None
            self._credentials = replace(old, password=new)

    async def close(self) -> None:
        """Log out."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        async with self._turn:
            await self._leave()

    async def _query(self, command: Command[R], trid: str) -> Outcome[R]:
        """Ask what changes nothing: asked again where the session broke."""
        for attempt in range(TRIES):
            try:
                return read_outcome(command, await self._ask(command, trid))
            except _LOST as error:
                await self._leave()
                if attempt + 1 == TRIES:
                    raise ReplyLost(f"no usable reply in {TRIES} sessions: {error}") from error
                await self._pause(attempt)
        raise AssertionError("unreachable")

    async def _carry_out(self, entry: Entry, *, doubtful: bool = False) -> Outcome[Any]:
        """Send a command that is in the journal until it is known what came of it."""
        reason = ""
        for attempt in range(TRIES):
            try:
                outcome = await self._attempt(entry, doubtful=doubtful)
            except _LOST as error:
                doubtful, reason = True, str(error)
            except (Unreachable, LoginRefused) as error:
                if not doubtful:
                    raise
                reason = str(error)
            else:
                self._journal.settle(entry.trid, outcome)
                return outcome
            await self._leave()
            await self._pause(attempt)
        raise OutcomeUnknown(f"sent, and no answer in {TRIES} sessions: {reason}", entry.trid)

    async def _attempt(self, entry: Entry, *, doubtful: bool) -> Outcome[Any]:
        """Send a command; in doubt, look before."""
        if doubtful and (found := await self._look(entry)) is not None:
            return found
        outcome, certain = await self._send(entry)
        if certain and not (doubtful and isinstance(outcome, Refused)):
            return outcome
        # Refused by a registry at fault; or because the first one was carried out after all.
        try:
            found = await self._look(entry)
        except (Unreachable, LoginRefused) as error:
            raise ReplyLost(str(error)) from error
        if found is None and repeatable(entry.command):
            raise ReplyLost(f"the registry does not tell: {outcome}")
        return outcome if found is None else found

    async def _send(self, entry: Entry) -> tuple[Outcome[Any], bool]:
        """Send; return the outcome and whether the registry is certain of it."""
        response = await self._ask(entry.command, entry.trid)
        outcome = read_outcome(entry.command, response)
        return outcome, response.code not in UNCERTAIN

    async def _look(self, entry: Entry) -> Outcome[Any] | None:
        """Return what became of a command, ``None`` where it was not carried out."""
        inquiry = investigate(entry.command, entry.at, self._credentials.client)
        verdict: Verdict
        try:
            question = next(inquiry)
            while True:
                response = await self._ask(question, self._new_trid())
                question = inquiry.send(read_outcome(question, response))
        except StopIteration as stop:
            verdict = stop.value
        if isinstance(verdict, NotDone):
            return None
        if isinstance(verdict, Unknown):
            raise OutcomeUnknown(f"the registry does not tell: {verdict.reason}", entry.trid)
        return verdict

    async def _ask(self, command: Command[Any], trid: str) -> Response:
        document = self._document(command, trid)
        connection = await self._usable_connection()
        return await connection.ask(document, trid)

    def _document(self, command: Command[Any], trid: str) -> bytes:
        name = getattr(command, "name", "")
        entry = self._capabilities.get(name.rpartition(".")[2])
        return write_command(command, trid, host_objects=entry is None or entry.host_objects)

    async def _usable_connection(self) -> Connection:
        if self._connection is not None and not self._connection.usable:
            await self._leave()
        return self._connection or await self._connect(self._credentials)

    async def _connect(self, credentials: Credentials) -> Connection:
        self._connection = await Connection.open(
            self._account.endpoint, credentials, self._new_trid()
        )
        return self._connection

    async def _opens(self, credentials: Credentials) -> bool:
        try:
            await self._connect(credentials)
        except LoginRefused as error:
            if error.code == BAD_PASSWORD:
                return False
            raise
        return True

    async def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.logout(self._new_trid())

    async def _pause(self, attempt: int) -> None:
        await asyncio.sleep(self._account.retry_delay * 2**attempt)

    async def _keep_alive(self) -> None:
        """Say hello whenever nothing else was said for a while; a dead session is dropped."""
        while True:
            await asyncio.sleep(self._account.keep_alive)
            async with self._turn:
                if self._connection is None:
                    continue
                try:
                    await self._connection.hello()
                except EppError:
                    await self._leave()
