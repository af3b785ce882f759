"""What a product does to the records of a hosted zone: what it brings, and what it keeps as it is.

A change of a zone is judged by what it would make of the records, however it was asked for: a
record set, a file imported, an old version brought back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from registrar.products import Booking, PresetRecord, check_edit, preset_records
from registrar.reason import Reason
from zones import rdata
from zones.diff import diff
from zones.edit import Edit
from zones.name import Name, from_text
from zones.rrset import SOA
from zones.serial import SerialPolicy
from zones.version import ZoneVersion
from zones.zone import Mode

Place = tuple[Name, int]  # owner and type


def check_change(booking: Booking, before: ZoneVersion, after: ZoneVersion) -> list[Reason]:
    """Return every reason why a product does not allow a change of content.

    The SOA record is the provider's: it counts the changes.
    """
    difference = diff(before, after)
    changed = dict.fromkeys(
        (rrset.owner, rrset.rtype)
        for rrset in (*difference.removed, *difference.added)
        if rrset.rtype != SOA
    )
    found = [
        reason
        for owner, rtype in changed
        for reason in check_edit(booking, Mode.HOSTED, before.apex, owner, rtype)
    ]
    return list(dict.fromkeys(found))


def preset_places(booking: Booking, apex: Name) -> dict[Place, str]:
    """Return owner and type of what nobody edits, with what it is preset for."""
    return {
        (from_text(record.owner, apex), rdata.type_from_text(kind)): preset.title
        for preset in booking.presets.values()
        for record in preset.records
        for kind in preset.replaces
    }


def follow(
    content: ZoneVersion,
    before: Booking | None,
    after: Booking | None,
    policy: SerialPolicy,
    now: datetime,
) -> ZoneVersion:
    """Return content as another booking has it; the same content where nothing is different.

    What came with the booking before goes, what comes with the one after stands in place of what
    the customer had there. Raises ``ZoneError`` where the result would not be a good zone.
    """
    apex, edit = content.apex, Edit(content)
    there = {(rrset.owner, rrset.rtype) for rrset in content}
    wanted = _by_place(after, apex)
    gone = set(_by_place(before, apex)) | set(preset_places(after, apex) if after else ())
    for owner, rtype in sorted(gone & there):
        if (owner, rtype) not in wanted:
            edit.delete(owner, rtype)
    for (owner, rtype), records in sorted(wanted.items()):
        edit.set(owner, rtype, records[0].ttl, [record.rdata for record in records])
    return edit.finish(policy, now)


def _by_place(booking: Booking | None, apex: Name) -> dict[Place, list[PresetRecord]]:
    found: dict[Place, list[PresetRecord]] = {}
    for record in _records(booking, apex):
        found.setdefault((record.owner, record.rtype), []).append(record)
    return found


def _records(booking: Booking | None, apex: Name) -> Iterator[PresetRecord]:
    if booking is not None:
        yield from preset_records(booking, apex)
