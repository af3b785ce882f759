"""Rolling back: the content of an earlier version is served again, as a new version."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from storage import secondaries, versions
from storage.versions import Origin
from storage.zones import get_zone
from zones.name import Name
from zones.rrset import SOA, RRset
from zones.version import ZoneVersion
from zones.zone import Mode


def rollback(
    session: Session, apex: Name, version_id: int, *, actor: str, reason: str, now: float
) -> int:
    """Serve the content of the version with this id again and return the id of the new version.

    A hosted zone gets a new serial by its policy, so that secondaries follow. Transferred content
    is served as it came; the timers of its SOA count from now on, and its expiry stays. Raises
    ``UnknownZone`` and ``StorageError``.
    """
    zone = get_zone(session, apex)
    version = versions.load_id(session, apex, version_id)
    current = versions.served(session, apex)
    if zone.mode is Mode.HOSTED and current is not None and rest(current) != rest(version):
        when = datetime.fromtimestamp(now, UTC)
        version = with_serial(version, zone.serial_policy.successor(current.serial, when))
    if zone.mode.is_secondary:
        note_served(session, version)
    return versions.publish(
        session, version, origin=Origin.ROLLBACK, actor=actor, reason=reason, now=now
    )


def note_served(session: Session, version: ZoneVersion) -> None:
    """Let the state of a secondary zone know which SOA is in service."""
    serial, refresh, retry, expire = (
        int.from_bytes(version.soa.rdatas[0][start : start + 4], "big")
        for start in range(-20, -4, 4)
    )
    state = secondaries.get_state(session, version.apex)
    state = replace(state, serial=serial, refresh=refresh, retry=retry, expire=expire)
    secondaries.save_states(session, [state])


def rest(version: ZoneVersion) -> list[RRset]:
    """Return the content without the apex SOA."""
    return [rrset for rrset in version if (rrset.owner, rrset.rtype) != (version.apex, SOA)]


def with_serial(version: ZoneVersion, serial: int) -> ZoneVersion:
    """Return the same content with another serial in its SOA."""
    soa = version.soa
    rdata = soa.rdatas[0]
    changed = rdata[:-20] + serial.to_bytes(4, "big") + rdata[-16:]
    return ZoneVersion.of(
        version.apex, [RRset.of(soa.owner, SOA, soa.ttl, [changed]), *rest(version)]
    )
