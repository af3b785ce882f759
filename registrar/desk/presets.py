"""The records of a zone that follow its product, wherever that is changed."""

from __future__ import annotations

from registrar.desk.desk import Occasion
from registrar.presets import follow
from registrar.products import Booking
from storage import versions
from storage.session import Session
from zones.diff import diff
from zones.zone import Mode, Zone


def follow_product(
    session: Session, zone: Zone, before: Booking | None, after: Booking | None, occasion: Occasion
) -> list[str]:
    """Publish a hosted zone as another booking has it; return the lines that changed.

    Raises ``ZoneError`` where the result would not be a good zone.
    """
    content = versions.served(session, zone.apex) if zone.mode is Mode.HOSTED else None
    if content is None:
        return []
    version = follow(content, before, after, zone.serial_policy, occasion.now)
    lines = diff(content, version).lines()
    if lines:
        versions.publish(
            session,
            version,
            origin=versions.Origin.EDIT,
            actor=occasion.actor,
            reason=f"product {after.product if after else 'none'}",
            now=occasion.seconds,
        )
    return lines
