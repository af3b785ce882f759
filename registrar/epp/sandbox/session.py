"""One registrar's session at the sandbox, document in, document out."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.etree.ElementTree import Element

from registrar.commands import Command
from registrar.epp.errors import SyntaxFault
from registrar.epp.greeting import PASSWORD_LENGTH, VERSION
from registrar.epp.namespaces import EXTENSIONS, OBJECTS
from registrar.epp.response import ENDED
from registrar.epp.sandbox.reading import Hello, Login, Logout, read_command, read_request
from registrar.epp.sandbox.writing import OK, Ids, write_greeting, write_outcome, write_result
from registrar.file_registry import Registry
from registrar.file_registry.refusal import Refusal

SYNTAX_ERROR: Final = 2001
USE_ERROR: Final = 2002
MAX_TRID: Final = 64
WRONG_PASSWORDS: Final = 3  # then the session ends, with 2501


@dataclass(frozen=True, slots=True)
class Reply:
    """A document to send, and whether the connection ends behind it."""

    document: bytes
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A command of a registrar who is logged in, not yet carried out."""

    command: Command[Any]
    trid: str | None


class ServerSession:
    """Who is logged in with what; ``passwords`` by client id, changed by logins that ask for it."""

    def __init__(self, registry: Registry, passwords: MutableMapping[str, str], name: str) -> None:
        self._registry = registry
        self._passwords = passwords
        self._name = name
        self._client: str | None = None
        self._extensions: frozenset[str] = frozenset()
        self._failures = 0

    def greeting(self, now: datetime) -> bytes:
        """Return the greeting."""
        return write_greeting(self._name, now)

    def receive(self, octets: bytes, now: datetime) -> Reply | Order:
        """Take a document: answer it, or return the command to carry out."""
        try:
            request = read_request(octets)
        except SyntaxFault as error:
            return self._result(SYNTAX_ERROR, None, str(error))
        trid = request.trid
        if trid is not None and not 3 <= len(trid) <= MAX_TRID:
            return self._result(SYNTAX_ERROR, None, "clTRID has 3 to 64 characters")
        if isinstance(request.body, Hello):
            return Reply(self.greeting(now))
        if isinstance(request.body, Login):
            return self._login(request.body, trid)
        if isinstance(request.body, Logout):
            reply = self._result(ENDED if self._client else USE_ERROR, trid)
            return Reply(reply.document, closing=self._client is not None)
        return self._order(request.body, request.extension, trid)

    def carry_out(self, order: Order, now: datetime) -> Reply:
        """Carry out a command and answer it."""
        assert self._client is not None
        outcome = self._registry.perform(self._client, order.command, order.trid or "", now)
        ids = Ids(order.trid, outcome.server_trid or self._server_trid())
        return Reply(write_outcome(order.command, outcome, ids, self._extensions))

    def failed(self, order: Order, code: int) -> Reply:
        """Answer a command with a fault of the server, whatever became of it."""
        return self._result(code, order.trid)

    def _order(self, verb: Element, extension: Element | None, trid: str | None) -> Reply | Order:
        if self._client is None:
            return self._result(USE_ERROR, trid, "log in first")
        try:
            return Order(read_command(verb, extension), trid)
        except SyntaxFault as error:
            return self._result(SYNTAX_ERROR, trid, str(error))
        except Refusal as refusal:
            outcome = refusal.outcome(self._server_trid())
            told = outcome.reasons[0]
            explanation = " ".join(filter(None, (refusal.explanation, refusal.value)))
            return self._result(told.code, trid, explanation)

    def _login(self, login: Login, trid: str | None) -> Reply:
        code, explanation = self._judge(login)
        if code != OK:
            return Reply(self._result(code, trid, explanation).document, closing=code == 2501)
        if login.new_password is not None:
            self._passwords[login.client] = login.new_password
        self._client = login.client
        self._extensions = frozenset(login.extensions)
        return self._result(OK, trid)

    def _judge(self, login: Login) -> tuple[int, str]:
        """Return the result code of a login, with an explanation."""
        if self._client is not None:
            return USE_ERROR, "logged in already"
        if login.version != VERSION:
            return 2100, login.version
        if self._passwords.get(login.client) != login.password:
            self._failures += 1
            return (2501 if self._failures >= WRONG_PASSWORDS else 2200), ""
        if login.new_password is not None and len(login.new_password) not in PASSWORD_LENGTH:
            return SYNTAX_ERROR, "newPW has 6 to 16 characters"
        return _judge_services(login)

    def _result(self, code: int, trid: str | None, explanation: str = "") -> Reply:
        return Reply(write_result(code, Ids(trid, self._server_trid()), explanation))

    def _server_trid(self) -> str:
        return f"SV-{self._registry.state.number():06d}"


def _judge_services(login: Login) -> tuple[int, str]:
    """Return the result code of a login by the services that it asks for."""
    if strange := set(login.objects) - set(OBJECTS):
        return 2307, min(strange)
    if strange := set(login.extensions) - set(EXTENSIONS):
        return 2103, min(strange)
    return OK, ""
