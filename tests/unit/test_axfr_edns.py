"""The EDNS EXPIRE option (RFC 7314) towards primaries, and primaries without EDNS."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from axfr.client import Client, ClientSettings
from axfr.edns import ASKING, answering, asking, expire_of
from axfr.inbound import Limits
from axfr.refresh import Bounds, after_success
from axfr.soa import Soa
from axfr.soa_query import SoaQuery
from tests.peers.base import Key
from tests.peers.plain_primary import PlainPrimary, plain_transfer
from tests.peers.waiting import LOOPBACK
from tests.peers.zonetext import ORIGIN, zone_text
from zones.name import from_text
from zones.secondary import Primary, Result, SecondaryState, TsigKey

OPTION, PADDING = dns.edns.OptionType.make(9), dns.edns.OptionType.make(12)
APEX = from_text(ORIGIN)
NOW = 1_700_000_000.0
SOA = Soa(serial=7, refresh=3600, retry=600, expire=86_400, minimum=300)
STATE = SecondaryState(
    APEX, serial=7, refresh=3600, retry=600, expire=86_400, expires_at=NOW + 1000
)


def test_a_query_asks_for_expire() -> None:
    """Any DNS software reads the option in our query, which is empty there (RFC 7314 2)."""
    message = dns.message.from_wire(SoaQuery(APEX, query_id=1).request(NOW))
    assert [(int(option.otype), option.to_wire()) for option in message.options] == [(9, b"")]
    assert message.payload == 1232
    assert not dns.message.from_wire(
        SoaQuery(APEX, query_id=1, with_edns=False).request(NOW)
    ).options


def test_a_signed_query_asks_too() -> None:
    """The TSIG record stays the last one and covers the option."""
    key = TsigKey(from_text("k.example."), "hmac-sha256", b"0123456789abcdef")
    wire = SoaQuery(APEX, query_id=1, key=key).request(NOW)
    message = dns.message.from_wire(wire, keyring={}, continue_on_error=True)
    assert message.options


def answer(expire: bytes | None, *, size: int = 0) -> bytes:
    """Return an answer with the option, and ``size`` octets of other options."""
    query = dns.message.make_query(ORIGIN, "SOA")
    response = dns.message.make_response(query)
    options: list[dns.edns.Option] = []
    if expire is not None:
        options.append(dns.edns.GenericOption(OPTION, expire))
    if size:
        options.insert(0, dns.edns.GenericOption(PADDING, bytes(size)))
    response.use_edns(0, payload=1232, options=options)
    return response.to_wire()


def test_the_option_is_read() -> None:
    """The number is found wherever it stands in the OPT record; what is none is no number."""
    assert expire_of(answer((4711).to_bytes(4, "big"))) == 4711
    assert expire_of(answer((4711).to_bytes(4, "big"), size=400)) == 4711
    assert expire_of(answer(b"")) is None
    assert expire_of(answer(b"\0\0\1")) is None
    assert expire_of(answer(None)) is None
    assert expire_of(bytes(12)) is None


def test_nonsense_is_no_option(rng: random.Random) -> None:
    """Whatever the octets of an answer are, reading it neither fails nor takes long."""
    good = answer((4711).to_bytes(4, "big"), size=30)
    for cut in range(12, len(good)):
        expire_of(good[:cut])
    for _ in range(2000):
        broken = bytearray(good)
        for _ in range(rng.randrange(1, 5)):
            broken[rng.randrange(10, len(broken))] = rng.randrange(256)
        found = expire_of(bytes(broken))
        assert found is None or 0 <= found < 2**32


def test_asking_leaves_the_query_as_it_is() -> None:
    """Only the count of additional records changes, and the record is at the end."""
    plain = SoaQuery(APEX, query_id=1, with_edns=False).request(NOW)
    assert asking(plain) == plain[:10] + b"\0\1" + plain[12:] + ASKING


def after(result: Result, there: int | None, state: SecondaryState = STATE) -> float:
    """Return in how many seconds the zone expires after contact with a primary."""
    done = after_success(state, SOA, NOW, 0.0, Bounds(), result=result, expire_there=there)
    assert done.expires_at is not None
    return done.expires_at - NOW


def test_expiry_counts_from_what_the_primary_says() -> None:
    """A version from a primary that expires itself before expires with it (RFC 7314 4)."""
    assert after(Result.ACCEPTED, None) == 86_400
    assert after(Result.ACCEPTED, 500) == 500
    assert after(Result.ACCEPTED, 10**9) == 86_400
    assert after(Result.ACCEPTED, 0) == 1.0


def test_nothing_newer_does_not_shorten_what_is_left() -> None:
    """A primary with the same serial can prolong the life of the zone, not shorten it."""
    assert after(Result.CURRENT, None) == 86_400
    assert after(Result.CURRENT, 500) == 1000
    assert after(Result.CURRENT, 5000) == 5000
    assert after(Result.CURRENT, 10**9) == 86_400
    assert after(Result.CURRENT, 500, replace(STATE, expires_at=NOW - 5)) == 500


def without_edns(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
    """Answer as a server from before EDNS: FORMERR to what has an OPT record (RFC 6891 7)."""
    if query.edns < 0:
        return plain_transfer(server, query)
    refusal = dns.message.Message(query.id)
    refusal.flags = dns.flags.QR
    refusal.set_rcode(dns.rcode.FORMERR)
    return iter([refusal.to_wire()])


async def test_a_primary_without_edns_is_asked_without() -> None:
    """FORMERR to the option is answered by a plain query, and that is remembered."""
    settings = ClientSettings(udp_timeout=0.2, udp_tries=1, connect_timeout=1.0, idle_timeout=1.0)
    asked: list[int] = []

    def noting(server: PlainPrimary, query: dns.message.Message) -> Iterator[bytes]:
        asked.append(query.edns)
        return without_edns(server, query)

    client = Client(settings)
    try:
        with PlainPrimary(ORIGIN, zone_text(5)) as server:
            server.transfer = noting
            primary = Primary(LOOPBACK, server.port)
            for _ in range(2):
                fetched = await client.fetch(primary, APEX, None, Limits())
                assert fetched.packed is not None
                assert fetched.expire is None
    finally:
        await client.close()
    assert asked == [0, -1, -1]


@pytest.mark.parametrize("key", [None, Key()], ids=["unsigned", "signed"])
def test_the_option_is_found_before_a_signature(key: Key | None) -> None:
    """An answer with a TSIG record behind the OPT record is read alike."""
    query = dns.message.make_query(ORIGIN, "SOA")
    if key:
        query.use_tsig(key.keyring())
        query.to_wire()
    response = dns.message.make_response(query)
    response.use_edns(0, options=[dns.edns.GenericOption(OPTION, (99).to_bytes(4, "big"))])
    if key:
        response.use_tsig(key.keyring())
        response.request_mac = query.mac or b""
    assert expire_of(response.to_wire()) == 99


def test_answering() -> None:
    """RFC 6891 6.1.1, RFC 7314 3: an OPT record for who sent one, EXPIRE for who asks for it."""
    question = b"\x07example\x03org\x00" + b"\x00\x06\x00\x01"
    plain = b"\x12\x34\x00\x00\x00\x01" + bytes(6) + question
    assert answering(plain, 77) == b""
    with_opt = plain[:10] + b"\0\1" + plain[12:] + b"\0\0\x29\x04\xd0" + bytes(6)
    assert answering(with_opt, 77)[-2:] == b"\0\0"
    assert answering(asking(plain), 77).endswith(b"\0\x08\0\x09\0\x04\0\0\0\x4d")
    assert answering(asking(plain), None) == answering(with_opt, 77)
