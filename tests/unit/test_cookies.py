"""DNS cookies (RFC 7873, RFC 9018): values, ages, secrets, and what a response has of them."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.edns import OptionType

from nameserver import cookies
from nameserver.cookies import Client, Verdict, packed
from nameserver.respond import AnswerSettings, HandOver, Transport, brief_response, respond
from nameserver.siphash import siphash
from tests.answering.asking import table_of

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
OLD, NEW = (
    bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"),
    bytes.fromhex("445536bcd2513298075a5d379663c962"),
)
NOW = 1_559_731_985
CLIENT = Client(packed("198.51.100.100"), NOW)
OWN = bytes.fromhex("2464c4abcf10c957")
COOKIE = OWN + bytes.fromhex("010000005cf79f111f8130c3eee29480")
SETTINGS = AnswerSettings(cookie_secrets=(SECRET,), keepalive=100)
TABLE = table_of("www A 192.0.2.1")


def at(seconds: int) -> Client:
    """Return the client, so many seconds later."""
    return Client(CLIENT.address, NOW + seconds)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 0x726FDB47DD0E0E31), (8, 0x93F5F5799A932462), (15, 0xA129CA6149BE45E5)],
)
def test_siphash(size: int, expected: int) -> None:
    """SipHash-2-4 gives the values of its reference implementation."""
    assert siphash(bytes(range(16)), bytes(range(size))) == expected


@pytest.mark.parametrize(
    ("own", "address", "now", "secret", "expected"),
    [
        (OWN, "198.51.100.100", NOW, SECRET, "010000005cf79f111f8130c3eee29480"),
        (OWN, "198.51.100.100", 1559734385, SECRET, "010000005cf7a871d4a564a1442aca77"),
        (
            bytes.fromhex("fc93fc62807ddb86"),
            "203.0.113.203",
            1559734700,
            SECRET,
            "010000005cf7a9acf73a7810aca2381e",
        ),
        (
            bytes.fromhex("22681ab97d52c298"),
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            1559741961,
            NEW,
            "010000005cf7c609a6bb79d16625507a",
        ),
    ],
    ids=["A.1", "A.2", "A.3", "A.4"],
)
def test_vectors(own: bytes, address: str, now: int, secret: bytes, expected: str) -> None:
    """The server cookies of RFC 9018's appendix A come out."""
    assert cookies.made(own, Client(packed(address), now), secret).hex() == expected


def test_reserved_octets_are_hashed_as_they_came() -> None:
    """RFC 9018 A.3: a cookie with reserved octets that are not zero is valid."""
    value = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    client = Client(packed("203.0.113.203"), 0x5CF78F71)
    assert cookies.answer(value, client, (SECRET,)).verdict is Verdict.VALID


def test_rollover() -> None:
    """RFC 9018 A.4: a cookie of the old secret is valid, and answered with one of the new."""
    value = bytes.fromhex("22681ab97d52c298010000005cf7c57926556bd0934c72f8")
    client = Client(packed("2001:db8:220:1:59de:d0f4:8769:82b8"), 1559741961)
    found = cookies.answer(value, client, (NEW, OLD))
    assert found.verdict is Verdict.VALID
    assert found.value.hex() == "22681ab97d52c298010000005cf7c609a6bb79d16625507a"
    assert cookies.answer(value, client, (NEW,)).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("age", "verdict", "is_kept"),
    [
        (-301, Verdict.INVALID, False),
        (-300, Verdict.VALID, True),
        (0, Verdict.VALID, True),
        (1800, Verdict.VALID, True),
        (1801, Verdict.VALID, False),
        (3600, Verdict.VALID, False),
        (3601, Verdict.INVALID, False),
        (2**31, Verdict.INVALID, False),
        (2**32, Verdict.VALID, True),  # RFC 1982 arithmetic
    ],
)
def test_ages(age: int, verdict: Verdict, *, is_kept: bool) -> None:
    """A cookie is good for an hour, from a clock five minutes ahead, and kept for half an hour."""
    found = cookies.answer(COOKIE, at(age), (SECRET,))
    assert found.verdict is verdict
    assert (found.value == COOKIE) is is_kept
    assert found.value[:8] == OWN


@pytest.mark.parametrize("position", range(24))
def test_no_octet_may_change(position: int) -> None:
    """A cookie with any octet changed is another client's, another time's or a forged one."""
    value = bytearray(COOKIE)
    value[position] ^= 1
    assert cookies.answer(bytes(value), CLIENT, (SECRET,)).verdict is Verdict.INVALID


def test_other_addresses() -> None:
    """A cookie is good for the address it was given to."""
    client = Client(packed("198.51.100.101"), NOW)
    assert cookies.answer(COOKIE, client, (SECRET,)).verdict is Verdict.INVALID


def test_secrets_of_a_day() -> None:
    """Each day has a secret; that of the day before is accepted, too."""
    today = cookies.secrets_at(b"s" * 32, NOW)
    tomorrow = cookies.secrets_at(b"s" * 32, NOW + cookies.DAY)
    assert tomorrow[1] == today[0]
    assert len({*today, *tomorrow}) == 3
    assert {len(secret) for secret in today} == {cookies.SECRET_SIZE}


# -- responses


def query(*values: bytes, question: bool = True) -> bytes:
    """Return a query with COOKIE options of these values."""
    message = dns.message.make_query("www.example.org.", "A", use_edns=True)
    message.use_edns(options=[dns.edns.GenericOption(OptionType.COOKIE, value) for value in values])
    if not question:
        message.question.clear()
    return message.to_wire()


def ask(
    octets: bytes,
    settings: AnswerSettings = SETTINGS,
    client: Client | None = CLIENT,
    transport: Transport = Transport.UDP,
) -> dns.message.Message:
    """Return the response to a message."""
    response = respond(TABLE, octets, transport, settings, client)
    assert isinstance(response, bytes)
    return dns.message.from_wire(response)


def options(response: dns.message.Message) -> dict[int, bytes]:
    """Return the options of a response by their codes."""
    return {int(option.otype): option.to_wire() for option in response.options}


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("sent", [OWN, COOKIE, OWN + bytes(16), OWN + bytes(32)])
def test_a_cookie_is_answered(transport: Transport, sent: bytes) -> None:
    """Who sends a cookie, with or without a good server cookie, gets his answer and a good one."""
    response = ask(query(sent), transport=transport)
    assert len(response.answer) == 1
    assert options(response) == {10: COOKIE}


@pytest.mark.parametrize(("settings", "client"), [(AnswerSettings(), CLIENT), (SETTINGS, None)])
def test_without_cookies(settings: AnswerSettings, client: Client | None) -> None:
    """Where there is no secret, or no client, the option is passed over."""
    response = ask(query(COOKIE), settings, client)
    assert response.rcode() == dns.rcode.NOERROR
    assert options(response) == {}
    assert ask(query(OWN, question=False), settings, client).rcode() == dns.rcode.FORMERR


def test_who_sends_none_gets_none() -> None:
    """A query without the option is answered without it (RFC 7873 5.2.1)."""
    assert options(ask(query())) == {}


@pytest.mark.parametrize("size", [0, 1, 7, 9, 15, 41, 200])
@pytest.mark.parametrize("settings", [SETTINGS, AnswerSettings()])
def test_malformed(size: int, settings: AnswerSettings) -> None:
    """An option of a length that no cookie has is FORMERR, with EDNS (RFC 7873 5.2.2)."""
    response = ask(query(bytes(size)), settings)
    assert response.rcode() == dns.rcode.FORMERR
    assert response.edns == 0
    assert options(response) == {}


def test_the_first_one_counts() -> None:
    """Of several options all but the first are passed over (RFC 7873 5.2)."""
    assert options(ask(query(OWN, b"x")))[10] == COOKIE
    assert ask(query(b"x", OWN)).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize(
    ("sent", "rcode"),
    [
        (OWN, dns.rcode.NOERROR),
        (COOKIE, dns.rcode.NOERROR),
        (OWN + bytes(16), dns.rcode.BADCOOKIE),
    ],
)
def test_a_query_for_a_cookie_alone(sent: bytes, rcode: dns.rcode.Rcode) -> None:
    """A query without a question is answered with a cookie, or tells of a bad one (5.4)."""
    response = ask(query(sent, question=False))
    assert response.rcode() == rcode
    assert not response.question
    assert options(response) == {10: COOKIE}


def test_badvers_comes_first() -> None:
    """What an option of another EDNS version looks like is not known."""
    message = dns.message.make_query("www.example.org.", "A")
    message.use_edns(edns=1, options=[dns.edns.GenericOption(OptionType.COOKIE, b"x")])
    assert ask(message.to_wire()).rcode() == dns.rcode.BADVERS


def test_hand_overs_stay() -> None:
    """A cookie does not change who answers a transfer."""
    message = dns.message.make_query("example.org.", "AXFR", use_edns=True)
    message.use_edns(options=[dns.edns.GenericOption(OptionType.COOKIE, OWN)])
    assert respond(TABLE, message.to_wire(), Transport.TCP, SETTINGS, CLIENT) is HandOver.TRANSFER


@pytest.mark.parametrize(
    ("sent", "badcookie", "rcode"),
    [
        ((), True, dns.rcode.NOERROR),
        ((OWN,), True, dns.rcode.BADCOOKIE),
        ((OWN + bytes(16),), True, dns.rcode.BADCOOKIE),
        ((COOKIE,), True, dns.rcode.NOERROR),
        ((OWN,), False, dns.rcode.NOERROR),
    ],
)
def test_brief_responses(
    sent: tuple[bytes, ...], rcode: dns.rcode.Rcode, *, badcookie: bool
) -> None:
    """A limited answer has no records: it is truncated, or asks to come back with the cookie."""
    octets = brief_response(query(*sent), SETTINGS, CLIENT, badcookie=badcookie)
    response = dns.message.from_wire(octets)
    assert response.rcode() == rcode
    assert bool(response.flags & dns.flags.TC) is (rcode == dns.rcode.NOERROR)
    assert len(response.question) == 1
    assert not response.answer + response.authority + response.additional
    assert options(response) == ({10: COOKIE} if sent else {})


@pytest.mark.parametrize("transport", Transport)
def test_keepalive(transport: Transport) -> None:
    """How long a connection may be idle is told to those who ask, over streams (RFC 7828)."""
    message = dns.message.make_query("www.example.org.", "A")
    message.use_edns(options=[dns.edns.GenericOption(OptionType.KEEPALIVE, b"")])
    told = {} if transport is Transport.UDP else {11: b"\x00\x64"}
    assert options(ask(message.to_wire(), transport=transport)) == told
    assert options(ask(message.to_wire(), AnswerSettings(), transport=transport)) == {}
    assert options(ask(query(OWN), transport=transport)) == {10: COOKIE}
