"""One session with a server, from greeting to logout, without the socket (RFC 5730 2, 5734).

    CONNECTED --greeting--> GREETED --login--> LOGGING_IN --1000--> READY
    READY --command--> WAITING --response--> READY
    READY --hello--> GREETING_AWAITED --greeting--> READY
    READY --logout--> LOGGING_OUT --1500--> CLOSED

What breaks the order closes the session for good: after it, nothing says which reply belongs to
which command.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from registrar.epp.errors import EppError, LoginRefused, SessionFault
from registrar.epp.framing import Frames, frame
from registrar.epp.greeting import (
    Credentials,
    Greeting,
    is_greeting,
    read_greeting,
    write_hello,
    write_login,
    write_logout,
)
from registrar.epp.response import CLOSING, Response, read_response


class State(Enum):
    """Where a session is."""

    CONNECTED = "connected"
    GREETED = "greeted"
    LOGGING_IN = "logging in"
    READY = "ready"
    WAITING = "waiting for a reply"
    GREETING_AWAITED = "waiting for a greeting"
    LOGGING_OUT = "logging out"
    CLOSED = "closed"


AWAITING_RESPONSE: Final = frozenset({State.LOGGING_IN, State.WAITING, State.LOGGING_OUT})
AWAITING_GREETING: Final = frozenset({State.CONNECTED, State.GREETING_AWAITED})


class Session:
    """The order of a session: methods return octets to send, ``receive`` takes what arrives."""

    def __init__(self) -> None:
        self.state = State.CONNECTED
        self.greeting: Greeting | None = None
        self._frames = Frames()
        self._trid = ""

    def login(self, credentials: Credentials, trid: str) -> bytes:
        """Return the octets of a login; needs the greeting to have come."""
        self._expect(State.GREETED)
        assert self.greeting is not None
        self._trid = trid
        octets = frame(write_login(credentials, self.greeting, trid))
        self.state = State.LOGGING_IN
        return octets

    def command(self, document: bytes, trid: str) -> bytes:
        """Return the octets of a command; one at a time."""
        self._expect(State.READY)
        self._trid = trid
        self.state = State.WAITING
        return frame(document)

    def hello(self) -> bytes:
        """Return the octets of a hello, which keeps a session alive."""
        self._expect(State.READY)
        self.state = State.GREETING_AWAITED
        return frame(write_hello())

    def logout(self, trid: str) -> bytes:
        """Return the octets of a logout."""
        self._expect(State.READY)
        self._trid = trid
        self.state = State.LOGGING_OUT
        return frame(write_logout(trid))

    def receive(self, octets: bytes) -> Greeting | Response | None:
        """Take what arrived; return what is complete now, ``None`` where more is to come.

        Raises ``SyntaxFault`` and ``SessionFault``, after which the session is closed, and
        ``LoginRefused``.
        """
        try:
            documents = self._frames.feed(octets)
            if len(documents) > 1:
                raise SessionFault("more than one document where one was asked for")
            return self._take(documents[0]) if documents else None
        except EppError:
            self.state = State.CLOSED
            raise

    def _take(self, document: bytes) -> Greeting | Response:
        if self._frames.partial:
            raise SessionFault("octets behind the document that was asked for")
        if self.state in AWAITING_GREETING:
            return self._take_greeting(document)
        if self.state in AWAITING_RESPONSE:
            return self._take_response(document)
        raise SessionFault(f"a document that nobody asked for ({self.state.value})")

    def _take_greeting(self, document: bytes) -> Greeting | Response:
        if not is_greeting(document):
            # A server that is full or under maintenance may refuse in place of a greeting.
            response = read_response(document)
            raise LoginRefused(
                f"refused in place of a greeting: {response.reasons[0]}", response.code
            )
        self.greeting = read_greeting(document)
        self.state = State.GREETED if self.state is State.CONNECTED else State.READY
        return self.greeting

    def _take_response(self, document: bytes) -> Response:
        response = read_response(document)
        # A reply without clTRID comes where the server could not read the command.
        if response.client_trid not in (None, "", self._trid):
            raise SessionFault(
                f"the reply to {response.client_trid[:64]!r}, asked was {self._trid!r}"
            )
        if self.state is State.LOGGING_IN and response.refused:
            reasons = "; ".join(map(str, response.reasons))
            raise LoginRefused(f"login refused: {reasons}", response.code)
        closing = response.code in CLOSING or self.state is State.LOGGING_OUT
        self.state = State.CLOSED if closing else State.READY
        return response

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise SessionFault(f"the session is {self.state.value}, not {state.value}")
