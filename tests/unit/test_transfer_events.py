"""Which refreshes are events: the first of a trouble, another trouble, the end of it."""

from __future__ import annotations

from dataclasses import replace

from axfr.outcome import Outcome
from nameserver.transfer_events import TransferEvents
from zones.name import from_text
from zones.secondary import Result, SecondaryState

APEX = from_text("example.org")
WELL = SecondaryState(APEX, serial=1, last_result=Result.CURRENT)
REFUSED = replace(
    WELL, last_result=Result.REFUSED, last_rule="ns-missing", last_reason="None.", primary_serial=2
)
HELD = replace(REFUSED, last_result=Result.HELD, last_rule="names-lost")
AWAY = replace(WELL, last_result=Result.UNREACHABLE, last_rule="timeout")


def kinds(events: TransferEvents, *states: SecondaryState) -> list[str]:
    """Return the kinds of events that these states in a row are."""
    before = WELL
    found = []
    for state in states:
        outcome = Outcome(state, (), before=before)
        found += [event.kind for event in events.of([outcome], 1.0)]
        before = state
    return found


def test_only_changes_are_told() -> None:
    """A repetition is none, whatever its serial; silence in between changes nothing."""
    later = replace(REFUSED, primary_serial=3)
    told = kinds(TransferEvents(), WELL, REFUSED, later, AWAY, REFUSED, HELD, HELD, WELL, WELL)
    assert told == ["zone-refused", "zone-held", "zone-recovered"]


def test_a_restart_tells_nothing_again() -> None:
    """What the state before says was told counts, and what could not be stored does not."""
    events = TransferEvents()
    assert events.of([Outcome(REFUSED, (), before=REFUSED)], 1.0) == []
    outcome = Outcome(HELD, (), before=WELL)
    events = TransferEvents()
    assert len(events.of([outcome], 1.0)) == 1
    assert events.of([outcome], 1.0) == []
    events.forget([outcome])
    assert len(events.of([outcome], 1.0)) == 1
