"""From the store to what is served: zones with their served versions, primaries and timers.

A start reads what is answered by other means (``storage.start``), and here only what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from axfr.inbound import Limits
from axfr.secondaries import SecondaryZone
from nameserver.table import ServedZone, ZoneState
from storage import quarantine, secondaries, transfer_settings, versions, zones
from storage.transfer_settings import DEFAULT
from zones.name import Name
from zones.quarantine import HeldNote, TransferSettings
from zones.secondary import Primary, SecondaryState
from zones.version import ZoneVersion
from zones.zone import SECONDARY, Mode, Zone


@dataclass(frozen=True, slots=True)
class LoadedZone:
    """All that serving a zone needs; ``state`` and ``primaries`` are a secondary zone's.

    ``version_id`` is the store's number of ``version``; a later one is larger.
    """

    zone: Zone
    version: ZoneVersion | None
    version_id: int = 0
    primaries: tuple[Primary, ...] = ()
    state: SecondaryState | None = None
    settings: TransferSettings = DEFAULT
    held: HeldNote | None = None

    def served(self, now: float) -> ServedZone | None:
        """Return the table entry, ``None`` for a zone that is not answered here at all."""
        if self.zone.mode is Mode.EXTERNAL:
            return None
        return ServedZone(self.zone.apex, self._standing(now), self.version)

    def _standing(self, now: float) -> ZoneState:
        if self.zone.suspended:
            return ZoneState.SUSPENDED
        if self.version is None:
            return ZoneState.PENDING
        if self.zone.mode.is_secondary and self.state is not None and self.state.is_expired(now):
            return ZoneState.EXPIRED
        return ZoneState.SERVING

    def secondary(self, limits: Limits) -> SecondaryZone | None:
        """Return what is to be refreshed; ``None`` for zones that no primary is asked for."""
        if not self.zone.mode.is_secondary or self.zone.suspended:
            return None
        return SecondaryZone(
            self.zone.apex,
            self.primaries,
            self.zone.pinned,
            limits.for_zone(self.settings.limits),
            self.settings,
            self.held,
            self.zone.customer,
        )


def load_all(session: Session) -> Iterator[LoadedZone]:
    """Yield every zone of the store."""
    complete = _completer(session)
    for zone, version_id, version in versions.iter_served(session):
        yield complete(LoadedZone(zone, version, version_id))


def load_secondaries(session: Session) -> Iterator[LoadedZone]:
    """Yield the zones that have primaries, without what is served of them."""
    complete = _completer(session)
    for zone in zones.iter_zones(session, SECONDARY):
        yield complete(LoadedZone(zone, None))


def _completer(
    session: Session, apexes: Collection[Name] | None = None
) -> Callable[[LoadedZone], LoadedZone]:
    """Return what adds to zones, all or some, what is stored of secondary zones."""
    states = {state.apex: state for state in secondaries.list_states(session, apexes)}
    primaries = secondaries.all_primaries(session, apexes)
    settings = transfer_settings.all_settings(session)
    notes = quarantine.notes(session)

    def complete(loaded: LoadedZone) -> LoadedZone:
        apex = loaded.zone.apex
        if not loaded.zone.mode.is_secondary:
            return loaded
        return replace(
            loaded,
            primaries=tuple(primaries.get(apex, ())),
            state=states.get(apex),
            settings=settings.get(apex, DEFAULT),
            held=notes.get(apex),
        )

    return complete


FEW: Final = 20  # zones that are read one by one


def load_zones(session: Session, apexes: Collection[Name]) -> Iterator[LoadedZone]:
    """Yield those of some zones that the store has; many are read together."""
    if len(apexes) <= FEW:
        for apex in apexes:
            if (loaded := load_zone(session, apex)) is not None:
                yield loaded
        return
    complete = _completer(session, apexes)
    for zone, version_id, version in versions.served_of(session, apexes):
        yield complete(LoadedZone(zone, version, version_id))


def load_zone(session: Session, apex: Name) -> LoadedZone | None:
    """Return one zone, ``None`` where the store does not have it."""
    zone = zones.find_zone(session, apex)
    if zone is None:
        return None
    version_id, version = versions.served_with_id(session, apex)
    if not zone.mode.is_secondary:
        return LoadedZone(zone, version, version_id)
    kept = quarantine.find(session, apex)
    return LoadedZone(
        zone,
        version,
        version_id,
        tuple(secondaries.primaries(session, apex)),
        secondaries.get_state(session, apex),
        transfer_settings.find(session, apex),
        kept.note if kept else None,
    )
