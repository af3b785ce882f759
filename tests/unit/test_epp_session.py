"""The order of an EPP session, without a socket."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registrar.epp.errors import LoginRefused, SessionFault, SyntaxFault
from registrar.epp.exchange import write_command
from registrar.epp.framing import frame
from registrar.epp.greeting import Credentials, Greeting, read_greeting, write_login
from registrar.epp.markup import document, element
from registrar.epp.namespaces import DOMAIN, SECDNS
from registrar.epp.response import Response
from registrar.epp.sandbox.writing import Ids, write_greeting, write_result
from registrar.epp.session import Session, State
from tests.registry_world import domain

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CREDENTIALS = Credentials("PROVIDER-1", "our-password")
GREETING = frame(write_greeting("a registry", NOW))


def _result(code: int, trid: str | None) -> bytes:
    return frame(write_result(code, Ids(trid, "SV-1")))


@pytest.fixture
def session() -> Session:
    """A session that is logged in."""
    made = Session()
    assert isinstance(made.receive(GREETING), Greeting)
    made.login(CREDENTIALS, "LOGIN-1")
    assert isinstance(made.receive(_result(1000, "LOGIN-1")), Response)
    assert made.state is State.READY
    return made


def test_octet_by_octet() -> None:
    """A greeting may come in any pieces."""
    session = Session()
    found = [session.receive(GREETING[n : n + 1]) for n in range(len(GREETING))]
    assert [answer is not None for answer in found].count(True) == 1
    assert session.state is State.GREETED


def test_commands_wait_for_their_turn(session: Session) -> None:
    """One command is in flight at a time."""
    session.command(write_command(domain(), "T-1"), "T-1")
    with pytest.raises(SessionFault):
        session.command(write_command(domain(), "T-2"), "T-2")
    with pytest.raises(SessionFault):
        session.hello()
    assert isinstance(session.receive(_result(1000, "T-1")), Response)
    assert session.state is State.READY


def test_nothing_before_the_greeting() -> None:
    """Before the greeting nothing is sent."""
    with pytest.raises(SessionFault):
        Session().login(CREDENTIALS, "LOGIN-1")


@pytest.mark.parametrize(
    "octets",
    [_result(1000, "ANOTHER"), GREETING, _result(1000, "T-1") * 2, _result(1000, "T-1") + b"\x00"],
    ids=["another command's", "greeting", "twice", "more behind"],
)
def test_out_of_order(session: Session, octets: bytes) -> None:
    """A reply that is not ours, or not alone, ends the session: nothing after it can be trusted."""
    session.command(write_command(domain(), "T-1"), "T-1")
    with pytest.raises((SessionFault, SyntaxFault)):
        session.receive(octets)
    assert session.state is State.CLOSED


def test_unasked(session: Session) -> None:
    """A document that nobody asked for ends the session."""
    with pytest.raises(SessionFault):
        session.receive(_result(1000, "T-1"))


def test_reply_without_our_id(session: Session) -> None:
    """A server that could not read a command answers without its id."""
    session.command(b"<epp/>", "T-1")
    reply = session.receive(_result(2001, None))
    assert isinstance(reply, Response)
    assert (reply.code, reply.refused) == (2001, True)


@pytest.mark.parametrize("code", [2500, 2501, 2502])
def test_closing_codes(session: Session, code: int) -> None:
    """After these codes the server closes, and we do too."""
    session.command(write_command(domain(), "T-1"), "T-1")
    session.receive(_result(code, "T-1"))
    assert session.state is State.CLOSED


def test_login_refused() -> None:
    """A refused login is told with its code."""
    session = Session()
    session.receive(GREETING)
    session.login(CREDENTIALS, "LOGIN-1")
    with pytest.raises(LoginRefused, match="2200") as caught:
        session.receive(_result(2200, "LOGIN-1"))
    assert caught.value.code == 2200


def test_refused_in_place_of_the_greeting() -> None:
    """A full server may refuse before it greets."""
    with pytest.raises(LoginRefused, match="2502"):
        Session().receive(_result(2502, None))


def test_hello_and_logout(session: Session) -> None:
    """A hello is answered with a greeting, a logout with 1500 and the end."""
    session.hello()
    assert isinstance(session.receive(GREETING), Greeting)
    session.logout("OUT-1")
    session.receive(_result(1500, "OUT-1"))
    assert session.state is State.CLOSED


def test_login_asks_for_what_is_offered() -> None:
    """Of the services in the greeting, the login names those that we speak."""
    services = element(
        "svcMenu", element("version", "1.0"), element("lang", "de"), element("objURI", DOMAIN),
        element("objURI", "urn:other"), element("svcExtension", element("extURI", SECDNS)),
    )  # fmt: skip
    greeting = read_greeting(document(element("greeting", element("svID", "reg"), services)))
    login = write_login(CREDENTIALS, greeting, "LOGIN-1").decode()
    assert DOMAIN in login
    assert SECDNS in login
    assert "rgp-1.0" not in login
    assert "host-1.0" not in login
    assert "urn:other" not in login
    assert "<lang>de</lang>" in login
    nothing = element("svcMenu", element("version", "1.0"), element("objURI", "urn:other"))
    with pytest.raises(SyntaxFault, match="none of the objects"):
        write_login(CREDENTIALS, read_greeting(document(element("greeting", nothing))), "LOGIN-1")
    assert "our-password" not in repr(CREDENTIALS)
