"""``python -m tests.fuzz.collect``: keeps one message of each kind of answer in the corpus.

Of messages that are answered alike (the same rcode, flags, sections and options) the shortest stays.
Run it when the engine has learned something new; what was there stays.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Final

from nameserver.respond import AnswerSettings, Transport
from tests.fuzz.messages import CLIENTS, SETTINGS, Answered, Tables, batch
from tests.random_zones import Universe

KEPT: Final = Path(__file__).parent / "corpus" / "kinds.hex"
TABLES: Final = 40
FLAGS: Final = 0x7A00  # opcode, AA, TC
RCODE: Final = 0xF
OPT_HEAD: Final = 11  # the root and the fixed part of a record

Kind = tuple[object, ...]


def kind(answer: Answered) -> Kind:
    """Return what tells an answer from those that nobody has seen yet."""
    if not isinstance(answer, bytes):
        return (answer,)
    flags, _, *counts = struct.unpack_from("!5H", answer, 2)
    sections = tuple(min(count, 1) for count in counts)
    return (flags & FLAGS, flags & RCODE, *sections, *options(answer))


def options(answer: bytes) -> tuple[int, ...]:
    """Return the extended rcode and the options of the OPT record that ends an answer."""
    for start in range(len(answer) - OPT_HEAD, 11, -1):
        if answer[start : start + 3] != b"\x00\x00\x29":
            continue
        (length,) = struct.unpack_from("!H", answer, start + 9)
        if start + OPT_HEAD + length == len(answer):
            return answer[start + 5], *codes(answer[start + OPT_HEAD :])
    return ()


def codes(rdata: bytes) -> list[int]:
    """Return the codes of options."""
    found, at = [], 0
    while at + 4 <= len(rdata):
        code, length = struct.unpack_from("!HH", rdata, at)
        found.append(code)
        at += 4 + length
    return found


def collect(rng: random.Random, tables: int) -> dict[Kind, bytes]:
    """Return the shortest message of each kind of answer that came."""
    shortest: dict[Kind, bytes] = {}
    for _ in range(tables):
        universe = Universe(rng)
        engine = Tables.of(rng, universe).engine
        for transport in Transport:
            settings: AnswerSettings = rng.choice(SETTINGS)
            client = rng.choice(CLIENTS)
            packets = batch(rng, universe, client)
            answers = engine.respond_many(packets, transport, settings, client)
            for packet, answer in zip(packets, answers, strict=True):
                what = kind(answer)
                if what not in shortest or len(packet) < len(shortest[what]):
                    shortest[what] = packet
    return shortest


def main() -> None:
    """Add to the corpus."""
    before = set(KEPT.read_text().split()) if KEPT.exists() else set()
    found = {packet.hex() for packet in collect(random.Random(), TABLES).values() if packet}
    KEPT.write_text("\n".join(sorted(before | found)) + "\n")
    print(f"{len(before)} messages before, {len(before | found)} now")


if __name__ == "__main__":
    main()
