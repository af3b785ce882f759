"""Which primaries are asked for changes."""

from __future__ import annotations

import pytest

from axfr.ixfr_memory import HOLD, IxfrMemory
from axfr.message import FORMERR, NOERROR, NOTIMP, REFUSED, SERVFAIL
from zones.name import from_text
from zones.secondary import Primary

ONE, OTHER = from_text("example.org"), from_text("example.net")
PRIMARY, SECOND = Primary("192.0.2.1"), Primary("192.0.2.1", 5353)


@pytest.mark.parametrize("rcode", [FORMERR, NOTIMP])
def test_primary_that_does_not_know_ixfr(rcode: int) -> None:
    """It is not asked for any zone for a while, then again."""
    memory = IxfrMemory()
    memory.note(PRIMARY, ONE, rcode, 0.0)
    assert not memory.is_usable(PRIMARY, OTHER, HOLD - 1)
    assert memory.is_usable(PRIMARY, OTHER, HOLD)
    assert memory.is_usable(SECOND, ONE, 0.0)


@pytest.mark.parametrize("rcode", [REFUSED, SERVFAIL])
def test_refusal_is_about_one_zone(rcode: int) -> None:
    """Other zones of the primary are asked for as before."""
    memory = IxfrMemory()
    memory.note(PRIMARY, ONE, rcode, 0.0)
    assert not memory.is_usable(PRIMARY, ONE, 1.0)
    assert memory.is_usable(PRIMARY, OTHER, 1.0)


def test_wrong_differences_say_nothing_about_the_next_ones() -> None:
    """A difference that did not fit is no reason not to ask for the next one."""
    memory = IxfrMemory()
    memory.note(PRIMARY, ONE, NOERROR, 0.0)
    assert memory.is_usable(PRIMARY, ONE, 0.0)
