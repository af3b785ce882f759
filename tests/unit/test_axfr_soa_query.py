"""The SOA query: what counts as an answer to it, and what the answer means."""

from __future__ import annotations

import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from axfr.errors import TransferError
from axfr.message import build, question_octets
from axfr.soa import Soa
from axfr.soa_query import SoaQuery, Truncated, Unrelated
from zones.errors import WireError
from zones.name import from_text
from zones.rrset import SOA
from zones.secondary import TsigKey

NOW = time.time()
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
NUMBERS = "2024010101 3600 900 604800 300"


def ask(key: TsigKey | None = None) -> tuple[SoaQuery, dns.message.Message]:
    """Return a query that was sent, and the right answer to it as dnspython writes it."""
    query = SoaQuery(APEX, query_id=5, peer="192.0.2.1@53", key=key)
    response = dns.message.make_response(dns.message.from_wire(query.request(NOW), keyring=False))
    response.flags |= dns.flags.AA
    text = f"NS.Example.ORG. hostmaster.example.org. {NUMBERS}"
    response.answer = [dns.rrset.from_text("Example.org.", 300, "IN", "SOA", text)]
    return query, response


def test_answer_is_read() -> None:
    """Serial, timers and rdata come out, with names uncompressed and folded."""
    query, response = ask()
    answer = query.receive(response.to_wire(), NOW)
    assert answer.soa == Soa(2024010101, 3600, 900, 604800, 300)
    assert answer.serial == 2024010101
    assert answer.rdata.startswith(from_text("ns.example.org"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: setattr(r, "id", 6),
        lambda r: setattr(r, "flags", r.flags & ~dns.flags.QR),
        lambda r: r.set_opcode(4),
        lambda r: setattr(r, "question", []),
        lambda r: setattr(r, "question", [dns.rrset.from_text("example.org.", 0, "IN", "A")]),
    ],
    ids=["id", "QR", "opcode", "no question", "other question"],
)
def test_unrelated_datagrams(spoil: Callable[[dns.message.Message], None]) -> None:
    """What does not answer our question is dropped: anybody can have sent it (RFC 5452)."""
    query, response = ask()
    spoil(response)
    with pytest.raises(Unrelated):
        query.receive(response.to_wire(), NOW)


@pytest.mark.parametrize(
    "octets", [b"", b"\x00\x05\x84\x00", b"\x00\x05\x84\x00\x00\x01" + bytes(6) + b"\xff"]
)
def test_garbage_is_unrelated(octets: bytes) -> None:
    """Octets that are no message are dropped too."""
    query, _ = ask()
    with pytest.raises(Unrelated):
        query.receive(octets, NOW)


def test_truncated_answer() -> None:
    """TC asks for TCP."""
    query, response = ask()
    response.flags |= dns.flags.TC
    with pytest.raises(Truncated):
        query.receive(response.to_wire(), NOW)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda r: setattr(r, "flags", r.flags & ~dns.flags.AA), "primary-not-authoritative"),
        (lambda r: setattr(r, "answer", []), "empty-answer"),
        (lambda r: r.set_rcode(dns.rcode.REFUSED), "refused-by-primary"),
        (lambda r: r.set_rcode(dns.rcode.SERVFAIL), "primary-failed"),
        (lambda r: r.set_rcode(dns.rcode.NXDOMAIN), "primary-not-authoritative"),
        (lambda r: r.set_rcode(dns.rcode.NOTAUTH), "primary-not-authoritative"),
    ],
)
def test_failures(spoil: Callable[[dns.message.Message], None], rule: str) -> None:
    """An answer that tells of a failure is refused by its rule; a lame one is a failure."""
    query, response = ask()
    spoil(response)
    with pytest.raises(TransferError) as raised:
        query.receive(response.to_wire(), NOW)
    assert raised.value.rule == rule


def test_unsigned_answer() -> None:
    """With a key, an answer without signature is refused."""
    query, _ = ask(KEY)
    plain, response = ask()
    assert plain.receive(response.to_wire(), NOW).serial == 2024010101
    with pytest.raises(TransferError) as raised:
        query.receive(response.to_wire(), NOW)
    assert raised.value.rule == "tsig-missing"


def test_soa_that_is_cut_short() -> None:
    """A SOA record without its numbers is malformed."""
    record = b"\xc0\x0c\x00\x06\x00\x01" + bytes(4) + b"\x00\x02\x00\x00"
    message = build(5, 0x8400, question_octets(APEX, SOA), record, 1)
    query, _ = ask()
    with pytest.raises(TransferError) as raised:
        query.receive(message, NOW)
    assert raised.value.rule == "malformed"
    with pytest.raises(WireError):
        Soa.of(b"\x00\x00")
