"""What one row of a transition table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from registrar.events import Event
from registrar.fact import Fact
from registrar.model import Command, Dns, Life, Region
from registrar.reason import Reason

if TYPE_CHECKING:
    from registrar.course import Course

Condition: TypeAlias = "Callable[[Course, datetime], bool]"
Guard: TypeAlias = "Callable[[Course, Fact | None, datetime], list[Reason]]"
Change: TypeAlias = "Callable[[Course, Fact | None, datetime], None]"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in this state, at this event, if the guards have no reason against it, go there.

    ``during`` limits a row of another region to stages of the life cycle; ``when`` chooses among
    rows of the same state and event; both are silent. ``change`` sets dates and data. ``timer``,
    ``dns``, ``commands`` and ``notice`` tell what follows; ``source`` is where the rule stands.
    """

    region: Region
    state: StrEnum
    event: Event
    target: StrEnum
    source: str
    guards: tuple[Guard, ...] = ()
    during: frozenset[Life] = frozenset()
    when: Condition | None = None
    change: Change | None = None
    timer: str = ""
    dns: Dns | None = None
    commands: tuple[Command, ...] = ()
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A fact that moves no region, and is kept as data."""

    event: Event
    change: Change
    words: str
    source: str
