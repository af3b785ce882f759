"""Turns: who is refreshed next, with bounds in all and per primary."""

from __future__ import annotations

import random
from collections import Counter

from axfr.framing import Frames, frame
from axfr.turns import Share, TurnLimits, Turns


def turns_of(total: int, each: int, customer: int = 99) -> Turns:
    """Return turns with so many places in all, of each primary, and of each customer."""
    return Turns(TurnLimits(total, customer, each))


def own(primary: str) -> Share:
    """Return the share of a zone that is no customer's."""
    return Share(primary, primary)


def nothing_is_kept(turns: Turns) -> bool:
    """Tell whether nothing is left behind of who waited."""
    return not (turns._queues or turns._customers or turns._primaries)


def taken(turns: Turns) -> list[str]:
    """Take turns until none is left, and return the zones."""
    names = []
    while (turn := turns.take()) is not None:
        names.append(turn[0].decode())
    return names


def test_primaries_take_turns() -> None:
    """A primary with many zones does not hold up one with few."""
    turns = turns_of(4, 3)
    for number in range(100):
        turns.put(b"big%d" % number, own("192.0.2.1"))
    turns.put(b"small", own("192.0.2.2"))
    assert taken(turns) == ["big0", "small", "big1", "big2"]


def test_bound_per_primary() -> None:
    """A dead primary occupies its own places only."""
    turns = turns_of(10, 2)
    for number in range(5):
        turns.put(b"%d" % number, own("dead"))
    assert taken(turns) == ["0", "1"]
    turns.put(b"alive", own("well"))
    assert taken(turns) == ["alive"]
    turns.done(own("dead"))
    assert taken(turns) == ["2"]


def test_bound_in_all() -> None:
    """Not more than the total is out; each place given back is taken again."""
    turns = turns_of(2, 2)
    for number in range(4):
        turns.put(b"%d" % number, own(f"p{number}"))
    assert taken(turns) == ["0", "1"]
    turns.done(own("p0"))
    assert taken(turns) == ["2"]


def test_urgent_zones_go_first() -> None:
    """Zones that a NOTIFY asked for overtake those whose timer ran out."""
    turns = turns_of(9, 9)
    turns.put(b"timer", own("p"))
    turns.put(b"notified", own("p"), urgent=True)
    assert taken(turns) == ["notified", "timer"]


def test_nothing_is_kept_of_idle_primaries() -> None:
    """A primary without zones waiting or running leaves nothing behind."""
    turns = turns_of(1, 1)
    turns.put(b"a", own("p"))
    taken(turns)
    turns.done(own("p"))
    assert nothing_is_kept(turns)


def test_customers_take_turns() -> None:
    """A customer with zones on many primaries goes no more often than one with a single zone."""
    turns = turns_of(4, 3)
    for number in range(100):
        turns.put(b"big%d" % number, Share("big", f"192.0.2.{number}"))
    turns.put(b"small", Share("small", "198.51.100.1"))
    assert taken(turns) == ["big0", "small", "big1", "big2"]


def test_bound_per_customer() -> None:
    """Dead primaries of one customer leave places to the others."""
    turns = turns_of(10, 2, customer=3)
    for number in range(8):
        turns.put(b"big%d" % number, Share("big", f"192.0.2.{number % 4}"))
    assert len(taken(turns)) == 3
    turns.put(b"small", Share("small", "198.51.100.1"))
    assert taken(turns) == ["small"]
    turns.done(Share("big", "192.0.2.0"))
    assert taken(turns) == ["big3"]


def test_a_primary_of_many_customers_has_one_bound() -> None:
    """Customers share the places of a primary, in turn; other primaries of theirs go on."""
    turns = turns_of(10, 2)
    for name in "abc":
        for number in range(2):
            turns.put(b"%s%d" % (name.encode(), number), Share(name, "shared"))
    assert taken(turns) == ["a0", "b0"]
    turns.put(b"a-own", Share("a", "192.0.2.1"))
    assert taken(turns) == ["a-own"]
    turns.done(Share("a", "shared"))
    assert taken(turns) == ["c0"]
    turns.done(Share("b", "shared"))
    assert taken(turns) == ["a1"]


def test_who_has_no_place_left_blocks_no_one_at_a_primary() -> None:
    """A place at a primary goes to a customer who may take it, not to the first in the queue."""
    turns = turns_of(10, 1, customer=1)
    turns.put(b"a0", Share("a", "shared"))
    assert taken(turns) == ["a0"]
    turns.put(b"b0", Share("b", "shared"))
    turns.put(b"c0", Share("c", "shared"))
    assert taken(turns) == []
    turns.put(b"b1", Share("b", "192.0.2.1"))
    assert taken(turns) == ["b1"]
    turns.done(Share("a", "shared"))
    assert taken(turns) == ["c0"]


def test_every_zone_gets_its_turn(rng: random.Random) -> None:
    """In whatever order places are given back, bounds hold, all zones come, nothing is left."""
    places = TurnLimits(total=6, customer=4, primary=2)
    turns, waiting = Turns(places), 300
    out: list[Share] = []
    while waiting or out:
        if waiting and rng.random() < 0.5:
            share = Share(f"c{rng.randrange(5)}", f"p{rng.randrange(6)}")
            turns.put(b"%d" % waiting, share, urgent=rng.random() < 0.3)
            waiting -= 1
        while (turn := turns.take()) is not None:
            out.append(turn[1])
        assert len(out) <= places.total
        for bound, shares in ((places.customer, 0), (places.primary, 1)):
            assert max(Counter(one[shares] for one in out).values(), default=0) <= bound
        if out and rng.random() < 0.5:
            turns.done(out.pop(rng.randrange(len(out))))
    assert nothing_is_kept(turns)


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
