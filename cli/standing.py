"""In one word, how a zone stands; the same in every command."""

from __future__ import annotations

from axfr.refresh import status
from zones.secondary import SecondaryState
from zones.zone import Mode, Zone


def standing(zone: Zone, serial: int | None, state: SecondaryState | None, now: float) -> str:
    """Return ``served``, ``suspended``, ``no content`` or ``external``, or a secondary's status."""
    if zone.mode is Mode.EXTERNAL:
        return "external"
    if zone.mode.is_secondary:
        known = state or SecondaryState(zone.apex, serial=serial)
        return status(known, now, suspended=bool(zone.suspended)).value
    if zone.suspended:
        return "suspended"
    return "no content" if serial is None else "served"
