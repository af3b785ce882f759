"""The fuzzer finds nothing in its corpus, and some in engines that are wrong."""

from __future__ import annotations

from random import Random

import pytest

pytest.importorskip("nameserver._streams")

from nameserver.respond import AnswerSettings, Transport
from tests.fuzz import streams
from tests.fuzz.__main__ import corpus
from tests.fuzz.messages import CLIENTS, SETTINGS, Exchange, Tables
from tests.random_zones import Universe

ONE = Exchange(Transport.UDP, SETTINGS[0], CLIENTS[0])


@pytest.mark.parametrize("settings", SETTINGS)
def test_corpus_is_answered_alike(rng: Random, settings: AnswerSettings) -> None:
    """Every message that is kept gets the same octets from both engines, over all transports."""
    universe = Universe(rng)
    tables = Tables.of(rng, universe)
    packets = corpus()
    assert len(packets) > 200
    for transport in Transport:
        exchange = Exchange(transport, settings, rng.choice(CLIENTS))
        assert not tables.complaint(packets, exchange, sample=1)


def test_streams_of_one_table(rng: Random) -> None:
    """Streams cut and joined anywhere get all answers in order, or are handed over in whole."""
    frames, found = streams.fuzz_table(rng)
    assert not found
    assert frames > 100


@pytest.mark.parametrize(
    ("packet", "answer", "complaint"),
    [
        (b"\x00\x01\x80" + bytes(9), b"\x00\x01\x80" + bytes(9), "a response"),
        (b"\x00\x01\x00", b"\x00\x01\x80" + bytes(9), "less than a header"),
        (b"\x00\x01" + bytes(10), b"\x00\x02\x80" + bytes(9), "another id"),
        (b"\x00\x01" + bytes(10), b"\x00\x01" + bytes(10), "no response"),
        (b"\x00\x01" + bytes(10), b"\x00\x01\x80" + bytes(1230), "1233 octets"),
        (b"\x00\x01" + bytes(10), b"\x00\x01\x80\x01" + bytes(300), "are no query"),
    ],
)
def test_complaints(packet: bytes, answer: bytes, complaint: str) -> None:
    """An answer that should not be is told as what it is."""
    assert complaint in ONE.complaint(packet, answer)


def test_a_wrong_engine_is_found(rng: Random) -> None:
    """An engine that has other zones than the oracle is told from it."""
    universe = Universe(rng)
    tables = Tables.of(rng, universe)
    for apex in universe.apexes:
        tables.engine.remove(apex)
    asked = [
        b"\x00\x01\x00\x00\x00\x01" + bytes(6) + apex + b"\x00\x06\x00\x01"
        for apex in universe.apexes
    ]
    found = [tables.complaint([packet], ONE, sample=1) for packet in asked]
    assert any("the engines differ" in one for one in found)


def test_frames() -> None:
    """Frames are read as they are written; half a one is none."""
    packets = [b"", b"a", bytes(300)]
    assert streams.unframed(streams.framed(packets)) == packets
    assert streams.unframed(streams.framed(packets)[:-1]) == packets[:2]


@pytest.mark.parametrize(
    ("received", "rest", "left", "complaint"),
    [
        (b"", None, b"", "0 octets came, not 1"),
        (b"aa", None, b"", "2 octets came, not 1"),
        (b"a", b"rest", b"res", "Python got 3 octets, not 4"),
        (b"a", b"rest", b"rest", ""),
    ],
)
def test_complaints_about_streams(
    received: bytes, rest: bytes | None, left: bytes, complaint: str
) -> None:
    """What is missing or too much of a stream is told."""
    one = object.__new__(streams.Conversation)
    one.expected, one.rest, one.is_cut_off = b"a", rest, False
    one.received, one.left = bytearray(received), bytearray(left)
    assert one.complaint(may_end_early=False) == complaint
