"""How the sandbox can misbehave."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Fault(Enum):
    """A misbehaviour. What a registry does before it is in the first half of the words."""

    REFUSE_GREETING = "2502 in place of the greeting"
    CUT_GREETING = "the connection is cut before the greeting"
    GARBLED_GREETING = "garbage in place of the greeting"
    CUT_BEFORE = "not carried out, connection cut"
    CUT_AFTER = "carried out, connection cut"
    HALF_HEADER = "carried out, two octets of the length, connection cut"
    HALF_FRAME = "carried out, half of the reply, connection cut"
    GARBAGE = "carried out, octets that are not XML"
    NOT_EPP = "carried out, XML that is not EPP"
    ENTITIES = "carried out, a reply that declares entities"
    HUGE_LENGTH = "carried out, a length of four gigaoctets"
    WRONG_TRID = "carried out, the reply to another command"
    HOLLOW = "carried out, a reply without its data"
    TWICE = "carried out, the reply twice"
    HANG_BEFORE = "not carried out, no reply"
    HANG_AFTER = "carried out, no reply"
    LATE = "no reply, carried out after the client has gone"
    VERY_LATE = "no reply, carried out when the next of its kind arrives, before that"
    FAILED_BEFORE = "not carried out, 2400"
    FAILED_AFTER = "carried out, 2400"
    CLOSING_BEFORE = "not carried out, 2500 and the connection is closed"
    CLOSING_AFTER = "carried out, 2500 and the connection is closed"


AT_GREETING: Final = frozenset({Fault.REFUSE_GREETING, Fault.CUT_GREETING, Fault.GARBLED_GREETING})
DELAYED: Final = frozenset({Fault.LATE, Fault.VERY_LATE})
NOT_CARRIED_OUT: Final = frozenset(
    {Fault.CUT_BEFORE, Fault.HANG_BEFORE, Fault.FAILED_BEFORE, Fault.CLOSING_BEFORE}
)
HANGING: Final = frozenset({Fault.HANG_BEFORE, Fault.HANG_AFTER, Fault.LATE, Fault.VERY_LATE})


class Faults:
    """The misbehaviours that are still to come, each once and in order.

    ``at_greeting`` come one for each session; ``at_command`` when a command of that kind arrives
    (the name of its class, as ``CreateDomain``).
    """

    def __init__(self) -> None:
        self.at_greeting: list[Fault] = []
        self.at_command: list[tuple[str, Fault]] = []

    def greeting(self) -> Fault | None:
        """Return and forget the next misbehaviour at a greeting."""
        return self.at_greeting.pop(0) if self.at_greeting else None

    def command(self, kind: str) -> Fault | None:
        """Return and forget the next misbehaviour at a command of this kind."""
        for index, (wanted, fault) in enumerate(self.at_command):
            if wanted == kind:
                del self.at_command[index]
                return fault
        return None
