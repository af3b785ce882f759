"""A zone to be refreshed, why, what its refresh needs, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from axfr import pace
from axfr.answer_stream import Limits
from axfr.client import Client, Fetched
from axfr.dead_primaries import DeadPrimaries
from axfr.errors import TransferError
from axfr.ixfr_memory import IxfrMemory
from axfr.refresh import Bounds
from axfr.refusal import fix_of
from zones.changes import Changes
from zones.finding import Finding
from zones.name import Name
from zones.quarantine import HeldNote, Quarantined, TransferSettings
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt, TsigKey
from zones.version import ZoneVersion

Suspended: TypeAlias = Mapping[tuple[str, int], str]  # address and port, 0 for all: the reason


def why_suspended(primary: Primary, suspended: Suspended) -> str | None:
    """Return the reason why a primary is cut off, ``None`` where it is not."""
    where = (primary.address, primary.port), (primary.address, 0)
    return next((suspended[key] for key in where if key in suspended), None)


@dataclass(frozen=True, slots=True)
class SecondaryZone:
    """A zone whose content arrives by transfer; ``pinned`` keeps what is served.

    ``held`` is what is known of a version that was held or discarded.
    """

    apex: Name
    primaries: tuple[Primary, ...]
    pinned: bool = False
    limits: Limits = field(default_factory=Limits)
    settings: TransferSettings = field(default_factory=TransferSettings)
    held: HeldNote | None = None
    customer: str = ""  # whose it is: customers take turns


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a refresh came to.

    ``version`` is there exactly when it is to be stored and served; ``findings`` are those of the
    checks, warnings included. ``quarantined`` is a version that was transferred and is not to be
    served. ``before`` is the state that the refresh began with.
    """

    state: SecondaryState
    attempts: tuple[TransferAttempt, ...]
    version: ZoneVersion | None = None
    findings: tuple[Finding, ...] = ()
    changes: Changes | None = None  # that made the version, where it came as changes
    quarantined: Quarantined | None = None
    before: SecondaryState | None = None
    accepted_once: bool = False  # a lower serial, on request
    soa: bytes = b""  # the rdata that a primary told, where nothing newer is there

    @property
    def clears(self) -> bool:
        """Tell whether nothing that was kept unserved before is of use: the primary has moved on."""
        state = self.state
        return self.version is not None or (
            state.last_result is Result.CURRENT and not state.last_rule
        )

    def too_frequent(self, per_minute: int) -> Outcome:
        """Return the outcome for a zone that was transferred as often as it may be."""
        if self.state.last_rule:  # which tells of worse
            return self
        rule = "too-frequent"
        state = replace(
            self.state,
            last_rule=rule,
            last_reason=pace.reason(per_minute),
            last_fix=fix_of(rule),
        )
        return replace(self, state=state)

    def applied_to(self, zone: SecondaryZone) -> SecondaryZone:
        """Return the zone with what is known of it from now on."""
        held = zone.held
        if self.quarantined is not None:
            held = self.quarantined.note
        elif self.clears:
            held = None
        settings = zone.settings
        if self.accepted_once:
            settings = replace(settings, accepted_serial=None)
        return replace(zone, held=held, settings=settings)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every refresh needs: the keys, the settings, the clock and the jitter.

    ``timer`` measures durations: it goes on evenly when the clock is set.
    """

    keys: Mapping[Name, TsigKey]
    client: Client
    ixfr: IxfrMemory
    bounds: Bounds
    clock: Callable[[], float]
    jitter: Callable[[], float]
    timer: Callable[[], float]
    suspended: Suspended = field(default_factory=dict)
    dead: DeadPrimaries = field(default_factory=DeadPrimaries)


@dataclass(frozen=True, slots=True)
class Failure:
    """What one primary failed with; ``refused`` when ``serial`` was transferred and refused."""

    error: TransferError
    result: Result
    serial: int | None = None
    refused: bool = False
    fix: str = ""
    findings: tuple[Finding, ...] = ()
    quarantined: Quarantined | None = None

    @property
    def weight(self) -> int:
        """Return how much it tells: refused content, another refusal, no answer."""
        if self.findings:
            return 2
        return int(self.result is Result.REFUSED)


class Refused(Exception):
    """What a primary has is refused; ``fetched`` where it was transferred just now."""

    def __init__(self, failure: Failure, fetched: Fetched | None = None) -> None:
        super().__init__(failure.error.reason)
        self.failure = failure
        self.fetched = fetched


@dataclass(frozen=True, slots=True)
class Base:
    """The version in service, for IXFR; ``sound`` where no rule of the full check refuses it."""

    version: ZoneVersion
    sound: bool = False
