"""Octets from strangers: whatever they are, only the errors that are meant to come come."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from axfr import tsig
from axfr.errors import TransferError
from axfr.inbound import InboundTransfer
from axfr.message import build, iter_records, question_octets
from axfr.notify import answer_notify
from axfr.outbound import parse_transfer_query
from axfr.soa_query import SoaQuery
from tests.transfers import messages
from tests.zone_content import content
from zones.errors import WireError
from zones.name import from_text
from zones.rrset import SOA
from zones.secondary import Primary, TsigKey

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")
RING = {KEY.name: KEY}
ROUNDS = 2000


def samples() -> list[bytes]:
    """Return messages of each kind, signed and not."""
    records = [(r.owner, r.rtype, r.ttl, data) for r in content("example.org") for data in r.rdatas]
    records.sort(key=lambda record: record[1] != SOA)
    query = build(1, 0, question_octets(APEX, 252))
    notify = build(1, 0x2400, question_octets(APEX, SOA))
    answers = list(messages(APEX, [*records, records[0]]))
    signed = [tsig.sign_request(message, KEY, NOW)[0] for message in (query, notify, *answers)]
    return [query, notify, *answers, *signed]


def receive_transfer(octets: bytes) -> None:
    """Take the octets as the first message of a transfer, with and without a key."""
    for key in (None, KEY):
        inbound = InboundTransfer(APEX, query_id=1, key=key)
        inbound.request(NOW)
        inbound.receive(octets, NOW)


def receive_soa(octets: bytes) -> None:
    """Take the octets as the answer to a SOA query."""
    query = SoaQuery(APEX, query_id=1)
    query.request(NOW)
    query.receive(octets, NOW)


def receive_notify(octets: bytes) -> None:
    """Take the octets as a NOTIFY; it never raises."""
    try:
        answer_notify(octets, "192.0.2.1", lambda _: (Primary("192.0.2.1"),), RING, NOW)
    except WireError as error:
        raise AssertionError from error


def verify(octets: bytes) -> None:
    """Take the octets as a signed request, and write the answer to it."""
    verified = tsig.verify(octets, RING, NOW)
    if verified is not None and not verified.ok:
        verified.error_answer()


@pytest.mark.parametrize(
    "take",
    [
        receive_transfer,
        receive_soa,
        receive_notify,
        verify,
        parse_transfer_query,
        lambda octets: list(iter_records(octets)),
    ],
    ids=["transfer", "soa", "notify", "tsig", "query", "walk"],
)
def test_mutated_messages(take: Callable[[bytes], object]) -> None:
    """Changed, cut and grown messages raise ``WireError`` or ``TransferError``, nothing else."""
    seed = int(os.environ["TEST_SEED"])
    print(f"seed {seed}")
    chance = random.Random(seed)
    originals = samples()
    for _ in range(ROUNDS):
        octets = bytearray(chance.choice(originals))
        for _ in range(chance.randrange(4)):
            octets[chance.randrange(len(octets))] = chance.choice((0, 1, 0xC0, 0xFF, 12, 250))
        if chance.random() < 0.2:
            del octets[chance.randrange(len(octets)) :]
        if chance.random() < 0.1:
            octets += chance.randbytes(5)
        try:
            take(bytes(octets))
        except (WireError, TransferError):
            continue
