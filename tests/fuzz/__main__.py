"""``python -m tests.fuzz``: mutated messages and streams against the compiled engine, in-process.

See ``messages`` and ``streams`` for what is asked of it. What was found once, and one message of
each kind of answer, stay in ``corpus/`` as hexadecimal lines and are sent first.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.fuzz.messages import fuzz_messages
from tests.fuzz.streams import fuzz_streams

CORPUS: Final = Path(__file__).parent / "corpus"


def corpus() -> list[bytes]:
    """Return the messages that are kept."""
    files = sorted(CORPUS.glob("*.hex"))
    return [bytes.fromhex(line) for file in files for line in file.read_text().splitlines()]


def fuzz(what: str, run: Iterator[tuple[int, str]]) -> bool:
    """Fuzz, say what came of it, and tell whether nothing was found."""
    sent, found, started = 0, "", time.monotonic()
    for count, found in run:
        sent += count
        if found:
            break
    seconds = time.monotonic() - started
    print(f"{sent} {what} in {seconds:.0f} s: {found or 'nothing found'}", flush=True)
    return not found


def main() -> int:
    """Fuzz as the command line says; exit code 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--packets", type=int, default=10_000_000, help="messages without framing")
    parser.add_argument("--frames", type=int, default=2_000_000, help="messages over TCP")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    rng = random.Random(given.seed)
    messages, streams = random.Random(rng.getrandbits(64)), random.Random(rng.getrandbits(64))
    right = [
        fuzz("packets", fuzz_messages(messages, given.packets, corpus())),
        fuzz("frames", fuzz_streams(streams, given.frames)),
    ]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
