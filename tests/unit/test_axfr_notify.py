"""NOTIFY in and out (RFC 1996), without sockets."""

from __future__ import annotations

from itertools import count

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from axfr import tsig
from axfr.notify import (
    FIRST_WAIT,
    TRIES,
    NotifySender,
    NotifyTarget,
    answer_notify,
    decide,
    parse_notify,
)
from tests.zone_content import content
from zones.errors import WireError
from zones.name import Name, from_text
from zones.secondary import Primary, TsigKey

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
OTHER = TsigKey(from_text("other.example"), "hmac-sha256", b"another secret of octets")
RING = {KEY.name: KEY, OTHER.name: OTHER}
PRIMARIES = (Primary("192.0.2.1"), Primary("2001:db8::1", key=KEY.name))
TARGETS = (NotifyTarget("192.0.2.53"), NotifyTarget("2001:db8::53", 5353, KEY))


def notify(qname: str = "example.org.", qtype: str = "SOA") -> bytes:
    """Return a NOTIFY as a primary sends it."""
    message = dns.message.make_query(qname, qtype)
    message.set_opcode(dns.opcode.NOTIFY)
    message.id = 3
    return message.to_wire()


def primaries_of(apex: Name) -> tuple[Primary, ...] | None:
    """Return the primaries of the one zone there is."""
    return PRIMARIES if apex == APEX else None


@pytest.mark.parametrize(
    ("address", "key", "decided"),
    [
        ("192.0.2.1", None, (0, True)),
        ("::ffff:192.0.2.1", None, (0, True)),
        ("2001:0db8:0:0::1", None, (0, True)),
        ("198.51.100.7", KEY.name, (0, True)),
        ("198.51.100.7", None, (5, False)),
        ("198.51.100.7", OTHER.name, (5, False)),
    ],
)
def test_who_is_heard(address: str, key: Name | None, decided: tuple[int, bool]) -> None:
    """Primaries are known by address in any spelling, or by their key; strangers are refused."""
    assert decide(PRIMARIES, address, key) == decided


def test_foreign_zone() -> None:
    """A NOTIFY about a zone that is no secondary here is NOTAUTH."""
    assert decide(None, "192.0.2.1", None) == (9, False)
    answer = answer_notify(notify("example.net."), "192.0.2.1", primaries_of, RING, NOW)
    assert answer.octets is not None
    assert dns.message.from_wire(answer.octets).rcode() == dns.rcode.NOTAUTH


def test_answer() -> None:
    """The answer is NOERROR with AA, the same id and question, and no records."""
    answer = answer_notify(notify("Example.org."), "192.0.2.1", primaries_of, RING, NOW)
    assert answer.due
    assert answer.apex == APEX
    assert answer.octets is not None
    message = dns.message.from_wire(answer.octets)
    assert (message.id, message.opcode(), message.rcode()) == (3, dns.opcode.NOTIFY, 0)
    assert message.flags & (dns.flags.QR | dns.flags.AA) == dns.flags.QR | dns.flags.AA
    assert str(message.question[0].name) == "Example.org."


def test_signed_notify_is_answered_signed() -> None:
    """A NOTIFY with a primary's key is heard from anywhere, and the answer is signed."""
    signed, verifier = tsig.sign_request(notify(), KEY, NOW)
    answer = answer_notify(signed, "198.51.100.7", primaries_of, RING, NOW)
    assert answer.due
    assert answer.key == KEY.name
    assert answer.octets is not None
    verifier.verify(answer.octets, NOW)


def test_badly_signed_notify() -> None:
    """A signature that does not verify is answered with its error, whoever sent it."""
    forged = TsigKey(KEY.name, KEY.algorithm, b"guessed")
    signed, _ = tsig.sign_request(notify(), forged, NOW)
    answer = answer_notify(signed, "192.0.2.1", primaries_of, RING, NOW)
    assert not answer.due
    assert answer.octets is not None
    assert dns.message.from_wire(answer.octets, keyring=False).rcode() == dns.rcode.NOTAUTH


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (notify(qtype="A"), dns.rcode.NOTIMP),
        (notify()[:20], dns.rcode.FORMERR),
        (notify()[:4] + bytes(8), dns.rcode.FORMERR),
    ],
)
def test_odd_notify(message: bytes, rcode: int) -> None:
    """What is not a NOTIFY about a SOA is answered with the right rcode."""
    answer = answer_notify(message, "192.0.2.1", primaries_of, RING, NOW)
    assert not answer.due
    assert answer.octets is not None
    assert answer.octets[3] & 0xF == rcode


@pytest.mark.parametrize("message", [b"", b"\x00\x03", notify()[:2] + b"\xa0" + notify()[3:]])
def test_silence(message: bytes) -> None:
    """Responses and fragments are met with silence."""
    assert answer_notify(message, "192.0.2.1", primaries_of, RING, NOW).octets is None
    with pytest.raises(WireError):
        parse_notify(message)


def sender() -> NotifySender:
    """Return a sender that has just been told of a version."""
    ids = count(100)
    made = NotifySender(lambda: next(ids))
    made.notify(APEX, content("example.org").soa, TARGETS, NOW)
    return made


def respond(octets: bytes, rcode: int = 0) -> bytes:
    """Return the plain answer to a NOTIFY."""
    return parse_notify(octets).answer(rcode)


def test_each_target_is_told_once() -> None:
    """Every target gets one datagram with the SOA in it, and nothing more at that time."""
    notifying = sender()
    sent = notifying.datagrams_to_send(NOW)
    assert [(d.address, d.port) for d in sent] == [("192.0.2.53", 53), ("2001:db8::53", 5353)]
    message = dns.message.from_wire(sent[0].octets)
    assert message.opcode() == dns.opcode.NOTIFY
    assert message.answer[0][0].serial == 1
    assert tsig.verify(sent[1].octets, RING, NOW) is not None
    assert notifying.datagrams_to_send(NOW) == []
    assert notifying.next_timer() == NOW + FIRST_WAIT


def test_answer_ends_it() -> None:
    """A target that has answered is not told again; other datagrams change nothing."""
    notifying = sender()
    first, second = notifying.datagrams_to_send(NOW)
    notifying.receive(respond(first.octets), "192.0.2.99", 53, NOW)
    notifying.receive(b"\x01" + respond(first.octets)[1:], "192.0.2.53", 53, NOW)
    notifying.receive(b"nonsense", "192.0.2.53", 53, NOW)
    notifying.receive(respond(second.octets), "2001:db8::53", 5353, NOW)  # not signed
    assert notifying.ended() == []
    notifying.receive(respond(first.octets), "192.0.2.53", 53, NOW)
    verified = tsig.verify(second.octets, RING, NOW)
    assert verified is not None
    signed = verified.signer().sign(respond(verified.message), NOW)
    notifying.receive(signed, "2001:db8::53", 5353, NOW)
    assert [(told.target, told.rcode) for told in notifying.ended()] == [
        (TARGETS[0], 0),
        (TARGETS[1], 0),
    ]
    assert notifying.next_timer() is None


def test_silent_target_is_given_up() -> None:
    """Without an answer it is told five times, ever later, and then given up."""
    notifying = sender()
    now, tries = NOW, 0
    while (due := notifying.next_timer()) is not None:
        now = due
        tries += len(notifying.datagrams_to_send(now))
    assert tries == TRIES * len(TARGETS)
    assert now == NOW + FIRST_WAIT * (2**TRIES - 1)
    assert [told.rcode for told in notifying.ended()] == [None, None]


def test_newer_version_replaces_the_older() -> None:
    """A version that comes meanwhile is told instead of the one before, not beside it."""
    notifying = sender()
    notifying.datagrams_to_send(NOW)
    notifying.notify(APEX, content("example.org", serial=2).soa, TARGETS, NOW + 1)
    sent = notifying.datagrams_to_send(NOW + 1)
    assert len(sent) == len(TARGETS)
    assert dns.message.from_wire(sent[0].octets).answer[0][0].serial == 2
    assert notifying.datagrams_to_send(NOW + 2) == []
