"""Mutated messages against the compiled engine.

Of every one is asked that the engine comes back, that a response is never answered, that no answer
is longer than the transport allows, and that what is no proper query gets nothing back that is
longer than itself but for an OPT record and its padding. A sample is compared with the plain Python
engine, octet for octet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from nameserver._answer import CompiledTable
from nameserver.cookies import Client
from nameserver.respond import AnswerSettings, HandOver, Transport, respond
from nameserver.table import ZoneTable
from tests import random_zones
from tests.fuzz.mutations import flipped, with_options
from tests.random_zones import Universe

SECRETS: Final = (b"the first secret", b"the second one..")
SETTINGS: Final = (
    AnswerSettings(identity="ns1.example.org", cookie_secrets=SECRETS, keepalive=100),
    AnswerSettings(identity="i" * 250, version="fuzzed", cookie_secrets=SECRETS[:1], reserve=130),
    AnswerSettings(identity="n", udp_limit=4096, keepalive=65535, expire=False),
    AnswerSettings(minimal_responses=True, udp_limit=512, cookie_secrets=SECRETS),
)
CLIENTS: Final = (
    Client(bytes((192, 0, 2, 1)), 1_800_000_000),
    Client(bytes.fromhex("20010db8000000000000000000000001"), 1_800_000_000),
)
TRANSPORTS: Final = (Transport.UDP, Transport.UDP, Transport.TCP, Transport.TLS)
WHOLE: Final = 20  # of a batch: queries as they are
WITH_OPTIONS: Final = 400
FLIPPED: Final = 540
RANDOM: Final = 40  # octets by chance
BATCHES_PER_TABLE: Final = 50
SAMPLE: Final = 50  # one packet of so many is compared with the other engine

QR: Final = 0x80
RCODES_OF_NO_QUERY: Final = frozenset({1, 4})  # FORMERR, NOTIMP
OPT_OCTETS: Final = 40  # an OPT record with a cookie, but for the identity and padding
PADDED: Final = 468  # RFC 8467 4.1

Answered = bytes | HandOver | None


def batch(rng: random.Random, universe: Universe, client: Client) -> list[bytes]:
    """Return queries of all kinds, and what mutations make of them."""
    cookies = random_zones.cookies(rng, client, SECRETS)
    whole = [random_zones.query(rng, universe, cookies) for _ in range(WHOLE)]
    options = [with_options(rng, universe, cookies) for _ in range(WITH_OPTIONS)]
    sources = whole + options[:WHOLE]
    mutated = [flipped(rng, rng.choice(sources), sources) for _ in range(FLIPPED)]
    return [*whole, *options, *mutated, *(rng.randbytes(rng.randrange(64)) for _ in range(RANDOM))]


@dataclass(frozen=True)
class Exchange:
    """What one batch is asked with."""

    transport: Transport
    settings: AnswerSettings
    client: Client

    @property
    def limit(self) -> int:
        """Return the octets that an answer may have."""
        return self.settings.udp_limit if self.transport is Transport.UDP else 65535

    def complaint(self, packet: bytes, answer: Answered) -> str:
        """Return what is wrong with an answer, nothing where it is right."""
        if not isinstance(answer, bytes):
            return ""
        if len(packet) < 12 or packet[2] & QR:
            return "a response, or less than a header, was answered"
        if answer[:2] != packet[:2] or not answer[2] & QR:
            return "the answer has another id, or is no response"
        if len(answer) > self.limit:
            return f"the answer has {len(answer)} octets"
        room = len(packet) + OPT_OCTETS + len(self.settings.identity) + 16
        if self.transport is Transport.TLS:
            room = -(-room // PADDED) * PADDED + PADDED
        if answer[3] & 0xF in RCODES_OF_NO_QUERY and len(answer) > room:
            return f"{len(packet)} octets that are no query are answered with {len(answer)}"
        return ""


@dataclass
class Tables:
    """The same zones in both engines."""

    oracle: ZoneTable = field(default_factory=ZoneTable)
    engine: CompiledTable = field(default_factory=CompiledTable)

    @classmethod
    def of(cls, rng: random.Random, universe: Universe) -> Tables:
        """Return tables with random zones."""
        tables = cls()
        for zone in random_zones.served_zones(rng, universe):
            tables.oracle.replace(zone)
            tables.engine.replace(zone)
        return tables

    def complaint(self, packets: list[bytes], exchange: Exchange, *, sample: int = SAMPLE) -> str:
        """Send packets; return the first complaint about an answer."""
        how = exchange.transport, exchange.settings, exchange.client
        answers = self.engine.respond_many(packets, *how)
        for number, (packet, answer) in enumerate(zip(packets, answers, strict=True)):
            wrong = exchange.complaint(packet, answer)
            if not wrong and number % sample == 0:
                same = respond(self.oracle, packet, *how) == answer
                wrong = "" if same else "the engines differ"
            if wrong:
                return f"{wrong}\n{exchange}\npacket {packet.hex()}\nanswer {answer!r}"
        return ""


def exchanges(rng: random.Random) -> Iterator[Exchange]:
    """Yield ways to ask, for ever."""
    while True:
        yield Exchange(rng.choice(TRANSPORTS), rng.choice(SETTINGS), rng.choice(CLIENTS))


def fuzz_messages(rng: random.Random, wanted: int, known: list[bytes]) -> Iterator[tuple[int, str]]:
    """Send ``known`` and then so many others; yield after each batch its size and a complaint."""
    sent = 0
    while sent < wanted:
        own = random.Random(rng.getrandbits(64))
        universe = Universe(own)
        tables = Tables.of(own, universe)
        for number, exchange in zip(range(BATCHES_PER_TABLE + 1), exchanges(own), strict=False):
            packets = batch(own, universe, exchange.client) if number else known
            found = tables.complaint(packets, exchange)
            sent += len(packets)
            yield len(packets), found
            if found or sent >= wanted:
                break
