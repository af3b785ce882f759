"""Which outcomes of refreshes are events: those whose reason is another one than before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cachetools import LRUCache

from axfr.refusal import served_meanwhile
from axfr.secondaries import Outcome
from storage.events import Event, EventSeverity
from zones.name import Name, display
from zones.secondary import Result, SecondaryState

MOST: Final = 100_000  # zones whose last event is remembered
TROUBLE: Final = {Result.REFUSED: "zone-refused", Result.HELD: "zone-held"}

_Told = tuple[str, str, str]  # kind, rule, record


class TransferEvents:
    """Remembers what was told of each zone last, so that repetitions are not told again.

    After a restart the state that a refresh begins with tells it.
    """

    def __init__(self) -> None:
        self._told: LRUCache[Name, _Told | None] = LRUCache(MOST)

    def of(self, outcomes: Iterable[Outcome], now: float) -> list[Event]:
        """Return the events that these outcomes are."""
        return [event for outcome in outcomes for event in self._of_one(outcome, now)]

    def forget(self, outcomes: Iterable[Outcome]) -> None:
        """Take it that these were not told: they could not be stored."""
        for outcome in outcomes:
            self._told.pop(outcome.state.apex, None)

    def _of_one(self, outcome: Outcome, now: float) -> Iterator[Event]:
        state = outcome.state
        apex = state.apex
        before = self._told.get(apex) if apex in self._told else _trouble(outcome.before)
        after = _trouble(state)
        if state.last_result is Result.UNREACHABLE:
            after = before  # a silent primary has neither mended nor changed anything
        self._told[apex] = after
        if after is not None and after != before:
            yield _event(state, after, now)
        elif after is None and before is not None:
            text = (
                f"zone {display(apex)}: serial {state.serial} is served; nothing is wrong any more"
            )
            data = {
                "serial": state.serial,
                "before": before[0],
                "rule": before[1],
                # Whoever was told of the trouble is told of its end.
                "after": EventSeverity.WARNING.value,
                "ends": before[0],
            }
            yield Event(0, now, "zone-recovered", EventSeverity.INFO, apex, text, "", data)


def _trouble(state: SecondaryState | None) -> _Told | None:
    """Return what is wrong, ``None`` where nothing is, or nobody answered."""
    if state is None or state.last_result not in TROUBLE:
        return None
    return TROUBLE[state.last_result], state.last_rule, state.last_record


def _event(state: SecondaryState, told: _Told, now: float) -> Event:
    kind, rule, record = told
    serial = f"serial {state.primary_serial}" if state.primary_serial is not None else "the zone"
    verb = "held" if kind == "zone-held" else "refused"
    text = (
        f"zone {display(state.apex)}: {serial} is {verb} ({rule}): {state.last_reason}"
        f" {served_meanwhile(state, now)}"
    )
    data = {
        "rule": rule,
        "record": record,
        "reason": state.last_reason,
        "fix": state.last_fix,
        "primary": state.last_primary,
        "serial": state.primary_serial,
        "served": state.serial,
    }
    return Event(0, now, kind, EventSeverity.WARNING, state.apex, text, "", data)
