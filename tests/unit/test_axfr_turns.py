"""Turns: who is refreshed next, with bounds in all and per primary."""

from __future__ import annotations

from axfr.framing import Frames, frame
from axfr.turns import Turns


def taken(turns: Turns) -> list[str]:
    """Take turns until none is left, and return the zones."""
    names = []
    while (turn := turns.take()) is not None:
        names.append(turn[0].decode())
    return names


def test_primaries_take_turns() -> None:
    """A primary with many zones does not hold up one with few."""
    turns = Turns(total=4, each=3)
    for number in range(100):
        turns.put(b"big%d" % number, "192.0.2.1")
    turns.put(b"small", "192.0.2.2")
    assert taken(turns) == ["big0", "small", "big1", "big2"]


def test_bound_per_primary() -> None:
    """A dead primary occupies its own places only."""
    turns = Turns(total=10, each=2)
    for number in range(5):
        turns.put(b"%d" % number, "dead")
    assert taken(turns) == ["0", "1"]
    turns.put(b"alive", "well")
    assert taken(turns) == ["alive"]
    turns.done("dead")
    assert taken(turns) == ["2"]


def test_bound_in_all() -> None:
    """Not more than the total is out; each place given back is taken again."""
    turns = Turns(total=2, each=2)
    for number in range(4):
        turns.put(b"%d" % number, f"p{number}")
    assert taken(turns) == ["0", "1"]
    turns.done("p0")
    assert taken(turns) == ["2"]


def test_urgent_zones_go_first() -> None:
    """Zones that a NOTIFY asked for overtake those whose timer ran out."""
    turns = Turns(total=9, each=9)
    turns.put(b"timer", "p")
    turns.put(b"notified", "p", urgent=True)
    assert taken(turns) == ["notified", "timer"]


def test_nothing_is_kept_of_idle_primaries() -> None:
    """A primary without zones waiting or running leaves nothing behind."""
    turns = Turns(total=1, each=1)
    turns.put(b"a", "p")
    taken(turns)
    turns.done("p")
    assert not turns._groups


def test_frames_in_chunks_of_any_size() -> None:
    """However a TCP stream is cut, the messages come out whole and in order."""
    messages = [b"", b"a", b"x" * 65535, b"end"]
    stream = b"".join(map(frame, messages))
    for size in (1, 2, 3, 1000, len(stream)):
        frames = Frames()
        found = []
        for start in range(0, len(stream), size):
            found += frames.feed(stream[start : start + size])
        assert found == messages
