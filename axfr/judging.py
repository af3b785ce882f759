"""What is to become of a transferred version: served, held for approval, or refused.

Every check that a version has to pass is called from here, in one thread when there is much of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from axfr.rules import ALL
from zones.changes import Changes
from zones.check import check
from zones.check_changes import is_surely_sound
from zones.finding import Finding, errors
from zones.guards import guard
from zones.name import Name
from zones.packing import Packed
from zones.quarantine import MOST_REFUSED, Quarantined, Standing, TransferSettings, Validation
from zones.secondary import Primary
from zones.version import ZoneVersion
from zones.zonemd import check_zonemd

PINNED: Final = next(rule for rule in ALL if rule.id == "pinned")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A version as it arrived: whole (``packed``), or as ``changes`` to the one in service."""

    version: ZoneVersion
    packed: Packed | None
    changes: Changes | None
    sound: bool  # no rule of the full check refuses what the changes were made to


@dataclass(frozen=True, slots=True)
class Bench:
    """What an arrival is measured by; ``serial`` is ``None`` where nothing is in service.

    ``served`` is what is in service, as far as it is at hand.
    """

    settings: TransferSettings
    served: ZoneVersion | None
    serial: int | None
    pinned: bool
    now: float

    @property
    def is_pinned(self) -> bool:
        """Tell whether something is in service that is to stay there."""
        return self.pinned and self.serial is not None


def judge(arrival: Arrival, bench: Bench) -> tuple[Finding, ...]:
    """Return all findings: those of severity ERROR refuse the version, those of HOLD hold it."""
    findings = _content(arrival)
    findings += check_zonemd(arrival.version)
    settings = bench.settings
    if settings.validation is not Validation.OFF:
        from_ds = settings.parent_ds if settings.validation is Validation.DS else None
        # It takes eight megabytes that a server without such zones does not need.
        from zones.dnssec import Validator  # noqa: PLC0415

        findings += Validator(arrival.version, bench.now, from_ds).findings()
    served = bench.served
    if bench.pinned and bench.serial is not None:
        apex, serial = arrival.version.apex, arrival.version.serial
        return (pinned_finding(apex, bench.serial, serial), *findings)
    if served is not None and not errors(findings):
        changed = None if arrival.changes is None else len(arrival.changes)
        findings += guard(
            served, arrival.version, settings.guards, settings.parent_ds, changed=changed
        )
    return tuple(findings)


def pinned_finding(apex: Name, served: int, serial: int) -> Finding:
    """Return what holds every other version of a pinned zone; both are serials."""
    sentence = (
        f"The primary has serial {serial}, but somebody pinned serial {served} as the one to serve."
    )
    return Finding(PINNED.id, PINNED.severity, apex, 0, sentence, PINNED.fix)


def _content(arrival: Arrival) -> list[Finding]:
    if arrival.changes is not None and arrival.sound and is_surely_sound(arrival.changes):
        return []
    return check(arrival.packed or arrival.version)


def set_aside(
    arrival: Arrival,
    bench: Bench,
    standing: Standing,
    primary: Primary,
    findings: tuple[Finding, ...],
) -> Quarantined:
    """Return what is kept of a version that is not served; large refused content is not."""
    version = arrival.version
    large = standing is Standing.REFUSED and len(version.blob) > MOST_REFUSED
    return Quarantined(
        version.apex,
        standing,
        version.serial,
        bench.now,
        str(primary),
        findings,
        version.record_count,
        None if large else version,
        bench.serial,
        bench.pinned,
        replace(bench.settings, accepted_serial=None),
    )
