"""Transaction signatures, held against dnspython's own message code."""

from __future__ import annotations

import time

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import pytest

from axfr import tsig
from axfr.message import build, question_octets
from zones.errors import WireError
from zones.name import from_text
from zones.rrset import SOA
from zones.secondary import TsigKey

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
RING = {KEY.name: KEY}
DNSPYTHON_KEY = dns.tsig.Key("transfer.example.", KEY.secret, "hmac-sha256")


def query(message_id: int = 7) -> bytes:
    """Return a SOA query."""
    return build(message_id, 0, question_octets(APEX, SOA))


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha256", "hmac-sha512", "hmac-md5"])
def test_request_verifies_and_loses_its_record(algorithm: str) -> None:
    """A signed request verifies with the same key, and what is left is the request unsigned."""
    key = TsigKey(KEY.name, algorithm, KEY.secret)
    signed, _ = tsig.sign_request(query(), key, NOW)
    verified = tsig.verify(signed, {key.name: key}, NOW + 10)
    assert verified is not None
    assert verified.ok
    assert verified.message == query()


def test_dnspython_verifies_our_request() -> None:
    """What we sign, dnspython accepts."""
    signed, _ = tsig.sign_request(query(), KEY, time.time())
    assert dns.message.from_wire(signed, keyring={DNSPYTHON_KEY.name: DNSPYTHON_KEY}).had_tsig


def test_unsigned_request_is_told_apart() -> None:
    """No TSIG record is not an error: ``None``."""
    assert tsig.verify(query(), RING, NOW) is None


@pytest.mark.parametrize(
    ("key", "later", "error"),
    [
        (TsigKey(KEY.name, "hmac-sha256", b"another"), 0, tsig.BADSIG),
        (TsigKey(from_text("stranger.example"), "hmac-sha256", KEY.secret), 0, tsig.BADKEY),
        (KEY, 301, tsig.BADTIME),
        (KEY, -301, tsig.BADTIME),
    ],
)
def test_error_answers(key: TsigKey, later: int, error: int) -> None:
    """A request that does not verify is answered NOTAUTH with the TSIG error (RFC 8945 5.2)."""
    signed, verifier = tsig.sign_request(query(), key, NOW)
    verified = tsig.verify(signed, RING, NOW + later)
    assert verified is not None
    assert verified.error == error
    answer = verified.error_answer()
    parsed = dns.message.from_wire(answer, keyring=False)
    assert parsed.rcode() == dns.rcode.NOTAUTH
    assert parsed.id == 7
    assert parsed.tsig_error == error
    rule = "tsig-time" if error == tsig.BADTIME else "tsig-wrong"
    with pytest.raises(tsig.TsigError) as raised:
        verifier.raise_peer_error(answer)
    assert raised.value.rule == rule


def test_badtime_answer_is_signed_and_has_our_time() -> None:
    """BADTIME alone is signed, at the client's time, with the server's in it (RFC 8945 5.2.3)."""
    signed, _ = tsig.sign_request(query(), KEY, NOW)
    verified = tsig.verify(signed, RING, NOW + 1000)
    assert verified is not None
    found = tsig._find(verified.error_answer())
    assert found is not None
    assert int.from_bytes(found.rdata.other, "big") == int(NOW + 1000)
    assert found.rdata.time_signed == int(NOW)
    assert len(found.rdata.mac) == 32


def test_tsig_must_be_the_last_record() -> None:
    """A record behind the TSIG record is a format error (RFC 8945 5.1)."""
    signed, _ = tsig.sign_request(query(), KEY, NOW)
    additional = (
        signed[:11]
        + b"\x02"
        + signed[12:]
        + APEX
        + b"\x00\x01\x00\x01"
        + bytes(4)
        + b"\x00\x04abcd"
    )
    with pytest.raises(WireError):
        tsig.verify(additional, RING, NOW)


def answers(count: int, signed_every: int, verifier_of: tsig.Verified) -> list[bytes]:
    """Return a response of ``count`` messages; in between only each so many-th is signed."""
    signer = verifier_of.signer()
    messages = []
    for number in range(count):
        message = build(7, 0x8400, question_octets(APEX, SOA))
        if number % signed_every == 0 or number == count - 1:
            messages.append(signer.sign(message, NOW))
        else:
            signer._context.update(message)
            messages.append(message)
    return messages


def exchange() -> tuple[tsig.ResponseVerifier, tsig.Verified]:
    """Return the client's and the server's side of a signed request."""
    signed, verifier = tsig.sign_request(query(), KEY, NOW)
    verified = tsig.verify(signed, RING, NOW)
    assert verified is not None
    return verifier, verified


def verify_all(verifier: tsig.ResponseVerifier, messages: list[bytes]) -> None:
    """Verify the messages of a response in order."""
    for message in messages:
        verifier.verify(message, NOW)


@pytest.mark.parametrize("every", [1, 7, 100])
def test_stream_verifies(every: int) -> None:
    """A response verifies with TSIG on the first, the last and each hundredth message or more."""
    verifier, verified = exchange()
    for message in answers(250, every, verified):
        verifier.verify(message, NOW)
    verifier.finish()


def test_too_many_unsigned_messages() -> None:
    """A hundred messages in a row without TSIG are too many (RFC 8945 5.3.1)."""
    verifier, verified = exchange()
    messages = answers(250, 101, verified)
    with pytest.raises(tsig.TsigError, match="99 messages") as raised:
        verify_all(verifier, messages)
    assert raised.value.rule == "tsig-missing"


def test_first_message_must_be_signed() -> None:
    """An answer whose first message is not signed is refused at once."""
    verifier, _ = exchange()
    with pytest.raises(tsig.TsigError) as raised:
        verifier.verify(build(7, 0x8400, question_octets(APEX, SOA)), NOW)
    assert raised.value.rule == "tsig-missing"


def test_last_message_must_be_signed() -> None:
    """An answer that ends with an unsigned message is refused."""
    verifier, verified = exchange()
    for message in answers(5, 4, verified)[:4]:
        verifier.verify(message, NOW)
    with pytest.raises(tsig.TsigError, match="last message"):
        verifier.finish()


@pytest.mark.parametrize("changed", [0, 3])
def test_changed_message_is_noticed(changed: int) -> None:
    """A changed octet in a signed or an unsigned message breaks the signature."""
    verifier, verified = exchange()
    messages = answers(9, 4, verified)
    octets = bytearray(messages[changed])
    octets[13] ^= 0x20  # the case of a letter in the question
    messages[changed] = bytes(octets)
    with pytest.raises(tsig.TsigError) as raised:
        verify_all(verifier, messages)
    assert raised.value.rule == "tsig-wrong"


def test_unknown_algorithm_is_told() -> None:
    """A key of an algorithm that nobody has is unusable, not a crash."""
    key = TsigKey(KEY.name, "hmac-sha3", b"x")
    with pytest.raises(tsig.TsigError) as raised:
        tsig.sign_request(query(), key, NOW)
    assert raised.value.rule == "key-unusable"


def test_owner_in_other_case_is_found() -> None:
    """Key names compare without case, also in the short search from the end."""
    signed, _ = tsig.sign_request(query(), KEY, NOW)
    upper = signed.replace(KEY.name, KEY.name.upper())
    verified = tsig.verify(upper, RING, NOW)
    assert verified is not None
    assert verified.ok
    assert tsig._find(upper, KEY.name) == tsig._find(upper)
