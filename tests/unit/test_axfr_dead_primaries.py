"""Primaries that do not answer are asked last, so that failover costs nothing."""

from __future__ import annotations

from axfr.dead_primaries import FIRST_HOLD, LONGEST_HOLD, DeadPrimaries
from zones.secondary import Primary

NOW = 1000.0
FIRST, SECOND = Primary("192.0.2.1", position=0), Primary("192.0.2.2", position=1)
BOTH = (SECOND, FIRST)


def test_who_is_silent_is_asked_last() -> None:
    """The order is that of the positions, until the first one is silent; it stays in the list."""
    memory = DeadPrimaries()
    assert memory.in_order(BOTH, NOW) == [FIRST, SECOND]
    memory.note(FIRST, NOW, answered=False)
    assert memory.in_order(BOTH, NOW + 1) == [SECOND, FIRST]
    assert memory.in_order((FIRST,), NOW + 1) == [FIRST]


def test_one_zone_tries_again() -> None:
    """After a while one zone asks it first again, and all do once it has answered."""
    memory = DeadPrimaries()
    memory.note(FIRST, NOW, answered=False)
    later = NOW + FIRST_HOLD
    assert memory.in_order(BOTH, later) == [FIRST, SECOND]
    assert memory.in_order(BOTH, later) == [SECOND, FIRST], "the others do not wait with it"
    memory.note(FIRST, later + 1, answered=True)
    assert memory.in_order(BOTH, later + 1) == [FIRST, SECOND]


def test_it_is_tried_ever_more_rarely() -> None:
    """Each trial that fails doubles the pause, up to a limit; what failed together counts once."""
    memory = DeadPrimaries()
    now, pauses = NOW, []
    for _ in range(100):
        memory.note(FIRST, now, answered=False)
    for _ in range(8):
        begun = now
        while memory.in_order(BOTH, now) == [SECOND, FIRST]:
            now += 1.0
        pauses.append(now - begun)
        memory.note(FIRST, now, answered=False)
    assert pauses[:3] == [FIRST_HOLD, 2 * FIRST_HOLD, 4 * FIRST_HOLD]
    assert pauses[-1] == LONGEST_HOLD


def test_all_dead_are_asked_in_their_order() -> None:
    """Where nobody is known to answer, the order is the usual one."""
    memory = DeadPrimaries()
    for primary in BOTH:
        memory.note(primary, NOW, answered=False)
    assert memory.in_order(BOTH, NOW + 1) == [FIRST, SECOND]
