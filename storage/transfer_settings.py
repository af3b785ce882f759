"""What the transferred versions of zones are measured by; without a row, the defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage import bulk, events, feed
from storage.events import EventSeverity
from storage.feed import ChangeKind
from storage.quarantine_models import TransferSettingsRow
from storage.zones import chunks, get_zone
from zones.name import Name, display
from zones.quarantine import TransferSettings

DEFAULT: Final = TransferSettings()


def get(session: Session, apex: Name) -> TransferSettings:
    """Return the settings of a zone; raises ``UnknownZone``."""
    get_zone(session, apex)
    return find(session, apex)


def find(session: Session, apex: Name) -> TransferSettings:
    """Return the settings of a zone, the defaults where it is not known."""
    query = select(TransferSettingsRow.settings).where(TransferSettingsRow.apex == apex)
    found = session.scalar(query)
    return TransferSettings.of_document(found) if found else DEFAULT


def all_settings(session: Session) -> dict[Name, TransferSettings]:
    """Return the settings of those zones that have other than the defaults."""
    rows = session.execute(select(TransferSettingsRow.apex, TransferSettingsRow.settings))
    return {apex: TransferSettings.of_document(found) for apex, found in rows}


def put(
    session: Session,
    apex: Name,
    settings: TransferSettings,
    *,
    told: str,
    actor: str,
    now: float,
) -> None:
    """Store the settings of a zone and have the server judge by them; raises ``UnknownZone``.

    ``told`` says in the log what changed.
    """
    get_zone(session, apex)
    _store(session, apex, settings)
    feed.append(session, ChangeKind.ZONE, apex, {"changed": ["transfer settings"]}, at=now)
    text = f"zone {display(apex)}: {told}"
    events.record(session, "zone-changed", EventSeverity.INFO, apex, text, actor=actor, at=now)


def used_serial(session: Session, apexes: Iterable[Name]) -> None:
    """Forget the lower serials that were to be accepted once: they were."""
    for chunk in chunks(apexes):
        for apex in chunk:
            found = find(session, apex)
            if found.accepted_serial is not None:
                _store(session, apex, replace(found, accepted_serial=None))


def _store(session: Session, apex: Name, settings: TransferSettings) -> None:
    document = settings.document()
    if document:
        bulk.upsert(session, TransferSettingsRow, [{"apex": apex, "settings": document}])
    else:
        session.execute(delete(TransferSettingsRow).where(TransferSettingsRow.apex == apex))
