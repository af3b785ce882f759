"""The lines that the log has about moving zones: all of one shape.

``zone example.org: AXFR, incoming, from 192.0.2.1@53: serial 7 to 9, 12 records, 804 octets``
"""

from __future__ import annotations

from typing import Final

from axfr.refusal import served_meanwhile
from zones.name import Name, display
from zones.secondary import Result, SecondaryState, TransferAttempt

DIRECTIONS: Final = {"SOA": "outgoing, to", "AXFR": "incoming, from", "IXFR": "incoming, from"}


def line(apex: Name, kind: str, direction: str, peer: str, text: str) -> str:
    """Return one line; ``direction`` is ``incoming, from`` or ``outgoing, to``."""
    return f"zone {display(apex)}: {kind}, {direction} {peer}: {text}"


def attempt_line(attempt: TransferAttempt) -> str:
    """Return the line of one attempt to refresh a zone."""
    direction = DIRECTIONS[attempt.kind]
    return line(attempt.apex, attempt.kind, direction, attempt.primary, _told(attempt))


def _told(attempt: TransferAttempt) -> str:
    match attempt.result:
        case Result.ACCEPTED:
            before = "" if attempt.serial_from is None else f"{attempt.serial_from} to "
            return (
                f"serial {before}{attempt.serial_to}, {attempt.records} records,"
                f" {attempt.octets} octets, {attempt.seconds:.3f} s"
            )
        case Result.CURRENT:
            return f"serial {attempt.serial_to}, up to date"
        case Result.HELD:
            return f"held ({attempt.rule}): {attempt.reason}"
        case Result.REFUSED if attempt.rule == "ixfr-failed":
            return f"{attempt.reason}; falling back to AXFR"
        case Result.REFUSED:
            return f"refused ({attempt.rule}): {attempt.reason}"
        case Result.UNREACHABLE:
            return f"failed ({attempt.rule}): {attempt.reason}"


def standing_line(state: SecondaryState, now: float) -> str:
    """Return the line that says what is served after a failure, and what happens next."""
    wait = max(0.0, state.next_refresh - now)
    return f"zone {display(state.apex)}: {served_meanwhile(state, now)} Next try in {wait:.0f} s."
