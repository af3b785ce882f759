"""Reading what is served when a server starts: most of it in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import String, and_, not_, or_, select, type_coerce
from sqlalchemy.orm import Session

from storage.content import PLAIN
from storage.models import ServedRow, VersionRow, ZoneRow, name_of
from storage.versions import SERVED, iter_served
from storage.zones import SETTINGS, zone_of
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

# What a start can take over in bulk: content of a few kilobytes, in zones that are to be answered.
PLAIN_ONES: Final = and_(
    VersionRow.codec == PLAIN,
    ZoneRow.suspended == "",
    ZoneRow.mode.in_([mode.value for mode in Mode if mode is not Mode.EXTERNAL]),
)
PLAIN_CONTENT: Final = (
    select(VersionRow.id, VersionRow.content)
    .select_from(ZoneRow)
    .join(ServedRow, ServedRow.apex == ZoneRow.apex)
    .join(VersionRow, VersionRow.id == ServedRow.version)
    .where(PLAIN_ONES)
)
PLAIN_SETTINGS: Final = (
    select(type_coerce(ZoneRow.apex, String()), *SETTINGS[1:], VersionRow.id)
    .join(ServedRow, ServedRow.apex == ZoneRow.apex)
    .join(VersionRow, VersionRow.id == ServedRow.version)
    .where(PLAIN_ONES)
)
OTHERS: Final = SERVED.where(
    or_(VersionRow.codec.is_(None), VersionRow.codec != PLAIN, not_(PLAIN_ONES))
)
ROWS: Final = 2000  # at a time


def iter_plain(session: Session) -> Iterator[Sequence[tuple[int, bytes]]]:
    """Yield most small zones that are answered, many at a time: ids of versions, and their content.

    ``iter_others`` has the rest. The session may not be used for anything else meanwhile.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # A hundred thousand rows: without the layers above the driver it takes half of the time.
        text = PLAIN_CONTENT.compile(connection, compile_kwargs={"literal_binds": True})
        driver = connection.connection.driver_connection
        assert driver is not None
        cursor = driver.execute(str(text))
        while rows := cursor.fetchmany(ROWS):
            yield rows
        driver.execute("PRAGMA shrink_memory")  # what is in the cache is not asked for again
        return
    found = connection.execute(PLAIN_CONTENT, execution_options={"yield_per": ROWS})
    for part in found.partitions():
        yield [(number, bytes(blob)) for number, blob in part]


def iter_plain_zones(session: Session, modes: Iterable[Mode]) -> Iterator[tuple[Zone, int]]:
    """Yield the zones of ``iter_plain`` that have one of the modes, with the ids."""
    wanted = PLAIN_SETTINGS.where(ZoneRow.mode.in_([mode.value for mode in modes]))
    for text, *settings, version_id in session.connection().execute(wanted):
        yield zone_of((name_of(text), *settings)), version_id


def iter_others(session: Session) -> Iterator[tuple[Zone, int, ZoneVersion | None]]:
    """Yield what ``iter_served`` yields, but for the zones of ``iter_plain``."""
    return iter_served(session, OTHERS)
