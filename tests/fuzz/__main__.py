"""``python -m tests.fuzz``: mutated packets against the compiled engine, in this process.

Of every packet is asked that the engine comes back, that a response is never answered, that no
answer is longer than the transport allows, and that what is no proper query gets nothing back that
is longer than itself but for an OPT record. A sample is compared with the plain Python engine,
octet for octet. What was found once stays in ``corpus/`` as hexadecimal lines and is sent first.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nameserver._answer import CompiledTable
from nameserver.cookies import Client
from nameserver.respond import AnswerSettings, HandOver, Transport, respond
from nameserver.table import ZoneTable
from tests import random_zones
from tests.random_zones import Universe

CORPUS: Final = Path(__file__).parent / "corpus"
SECRETS: Final = (b"the first secret", b"the second one..")
SETTINGS: Final = AnswerSettings(
    identity="ns1.example.org", version="fuzzed", cookie_secrets=SECRETS, keepalive=100
)
CLIENT: Final = Client(bytes((192, 0, 2, 1)), 1_800_000_000)
PER_BATCH: Final = 1000
BATCHES_PER_TABLE: Final = 100
SAMPLE: Final = 50  # one packet of so many is compared with the other engine

QR: Final = 0x80
RCODES_OF_NO_QUERY: Final = frozenset({1, 4})  # FORMERR, NOTIMP
OPT_OCTETS: Final = 96  # an OPT record with the options of such an answer


def flipped(rng: random.Random, packet: bytes, others: list[bytes]) -> bytes:
    """Return a packet with bits flipped, octets replaced, cut, doubled, or joined to another."""
    octets = bytearray(packet)
    for _ in range(rng.randrange(1, 4)):
        where = rng.randrange(len(octets)) if octets else 0
        match rng.randrange(7):
            case 0 | 1 if octets:
                octets[where] ^= 1 << rng.randrange(8)
            case 2 if octets:
                octets[where] = rng.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))
            case 3:
                del octets[where:]
            case 4:
                octets[where:where] = octets[where : where + rng.randrange(16)]
            case 5:
                octets += rng.choice(others)[rng.randrange(24) :]
            case _:
                octets[where:where] = rng.randbytes(rng.randrange(8))
    return bytes(octets)


def packets(rng: random.Random, universe: Universe) -> Iterator[list[bytes]]:
    """Yield batches: queries of all kinds, and what mutations make of them."""
    for _ in range(BATCHES_PER_TABLE):
        cookies = random_zones.cookies(rng, CLIENT, SECRETS)
        whole = [random_zones.query(rng, universe, cookies) for _ in range(20)]
        batch = [flipped(rng, rng.choice(whole), whole) for _ in range(PER_BATCH - 60)]
        yield [*whole, *batch, *(rng.randbytes(rng.randrange(64)) for _ in range(40))]


def complaint(packet: bytes, answer: bytes | HandOver | None, limit: int) -> str:
    """Return what is wrong with an answer, nothing where it is right."""
    if not isinstance(answer, bytes):
        return ""
    if len(packet) < 12 or packet[2] & QR:
        return "a response, or less than a header, was answered"
    if answer[:2] != packet[:2] or not answer[2] & QR:
        return "the answer has another id, or is no response"
    if len(answer) > limit:
        return f"the answer has {len(answer)} octets"
    if answer[3] & 0xF in RCODES_OF_NO_QUERY and len(answer) > len(packet) + OPT_OCTETS:
        return f"{len(packet)} octets that are no query are answered with {len(answer)}"
    return ""


class Fuzzer:
    """One run; ``sent`` counts the packets so far."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.sent = 0

    def run(self, wanted: int) -> str:
        """Send packets until there were ``wanted``; return the first complaint, if any."""
        known = [bytes.fromhex(line) for file in CORPUS.glob("*.hex") for line in file.open()]
        while self.sent < wanted:
            if found := self._table(known):
                return found
        return ""

    def _table(self, known: list[bytes]) -> str:
        rng = random.Random(self._rng.getrandbits(64))
        universe = Universe(rng)
        oracle, engine = ZoneTable(), CompiledTable()
        for zone in random_zones.served_zones(rng, universe):
            oracle.replace(zone)
            engine.replace(zone)
        for batch in (known, *packets(rng, universe)):
            transport = rng.choice((Transport.UDP, Transport.UDP, Transport.TCP))
            limit = SETTINGS.udp_limit if transport is Transport.UDP else 65535
            answers = engine.respond_many(batch, transport, SETTINGS, CLIENT)
            self.sent += len(batch)
            for number, (packet, answer) in enumerate(zip(batch, answers, strict=True)):
                wrong = complaint(packet, answer, limit)
                if not wrong and number % SAMPLE == 0:
                    same = respond(oracle, packet, transport, SETTINGS, CLIENT) == answer
                    wrong = "" if same else "the engines differ"
                if wrong:
                    return f"{wrong}\npacket {packet.hex()}\nanswer {answer!r}"
        return ""


def main() -> int:
    """Fuzz as the command line says; exit code 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--packets", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    started = time.monotonic()
    fuzzer = Fuzzer(given.seed)
    found = fuzzer.run(given.packets)
    seconds = time.monotonic() - started
    print(f"{fuzzer.sent} packets in {seconds:.0f} s: {found or 'nothing found'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
