"""Versions of zones: publishing them, and reading what is served.

The content of a version is its packed form (``zones.packed``), one blob. Publishing content that
is served already does nothing. At most ``Zone.keep_versions`` stay per zone; the served one always
does. The id of a version is the number of the change that brought it, so it is never used twice.

A transfer into a pinned zone is stored but not served. A changed large zone may be stored as a
patch of an earlier version (``storage.content``), which stays as long as a patch of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    Select,
    String,
    bindparam,
    delete,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from storage import bulk, content, events, feed
from storage.content import PATCH, Patch, decode, no_root
from storage.errors import StorageError
from storage.events import Event, EventSeverity
from storage.feed import ChangeKind
from storage.models import PatchedRow, ServedRow, VersionRow, ZoneRow
from storage.names import name_of
from storage.standings import Standing, standings
from storage.zones import SETTINGS, chunks, get_zone, zone_of
from zones.name import Name, display
from zones.patch import Op
from zones.version import ZoneVersion
from zones.zone import Zone


class Origin(StrEnum):
    """Where a version comes from."""

    EDIT = "edit"
    IMPORT = "import"
    TRANSFER = "transfer"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Publication:
    """A version to be served, and why."""

    version: ZoneVersion
    origin: Origin
    actor: str
    reason: str = ""
    patch: Patch | None = None  # of the version served: used where it still is


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication: ``new`` is false where the content was served already.

    ``root`` is the version that this one is stored as a patch of, 0 where it is stored whole.
    """

    apex: Name
    id: int
    new: bool
    served: bool
    root: int = 0


@dataclass(frozen=True, slots=True)
class StoredAs:
    """How a version is stored: as changes to ``root``, or whole, as the root itself."""

    root: int
    ops: Sequence[Op] | None = None


def publish(
    session: Session,
    version: ZoneVersion,
    *,
    origin: Origin,
    actor: str,
    reason: str,
    now: float,
) -> int:
    """Store a version of an existing zone, serve it, and return its id; raises ``UnknownZone``."""
    (done,) = publish_many(session, [Publication(version, origin, actor, reason)], now=now)
    return done.id


def publish_many(
    session: Session, publications: Iterable[Publication], *, now: float
) -> list[Published]:
    """Publish versions of different zones, all or none, in the order given.

    Raises ``UnknownZone``, and ``StorageError`` where a zone is named twice.
    """
    wanted = list(publications)
    standing = standings(session, [item.version.apex for item in wanted])
    first = feed.latest(session) + 1
    done: list[Published] = []
    new: list[tuple[Publication, Published]] = []
    for item in wanted:
        zone = standing[item.version.apex]
        root = item.patch.root if item.patch and item.patch.served == zone.served else 0
        if not root and zone.served and is_served(session, zone, item.version):
            done.append(Published(zone.apex, zone.served, new=False, served=True))
            continue
        held = zone.pinned and item.origin is Origin.TRANSFER
        done.append(Published(zone.apex, first + len(new), new=True, served=not held, root=root))
        new.append((item, done[-1]))
    store(session, new, now)
    prune(session, [standing[published.apex] for _, published in new])
    return done


SERVED: Final = (
    select(
        type_coerce(ZoneRow.apex, String()),
        *SETTINGS[1:],
        VersionRow.id,
        VersionRow.codec,
        VersionRow.content,
    )
    .outerjoin(ServedRow, ServedRow.apex == ZoneRow.apex)
    .outerjoin(VersionRow, VersionRow.id == ServedRow.version)
)


SURPLUS: Final = delete(VersionRow).where(
    VersionRow.id.in_(
        select(VersionRow.id)
        .where(VersionRow.apex == bindparam("of"))
        .where(
            VersionRow.id.not_in(select(ServedRow.version).where(ServedRow.apex == bindparam("of")))
        )
        .where(
            VersionRow.id.not_in(select(PatchedRow.root).where(PatchedRow.apex == bindparam("of")))
        )
        .order_by(VersionRow.id)
        .limit(bindparam("surplus"))
    )
)


def is_served(session: Session, zone: Standing, version: ZoneVersion) -> bool:
    """Tell whether this content is served already."""
    if zone.hash or not zone.served:
        return zone.hash == version.content_hash
    return load_id(session, zone.apex, zone.served).blob == version.blob


def store(session: Session, new: Sequence[tuple[Publication, Published]], now: float) -> None:
    """Insert versions, make them the served ones, and tell the feed and the log."""
    if not new:
        return
    bulk.insert(session, VersionRow, [version_row(item, published, now) for item, published in new])
    patches = [
        {"version": published.id, "apex": published.apex, "root": published.root}
        for _, published in new
        if published.root
    ]
    bulk.insert(session, PatchedRow, patches)
    served = [
        {"apex": published.apex, "version": published.id}
        for _, published in new
        if published.served
    ]
    bulk.upsert(session, ServedRow, served)
    feed.append_many(
        session,
        [
            (
                ChangeKind.CONTENT,
                published.apex,
                {} if published.served else {"served": False},
            )
            for item, published in new
        ],
        at=now,
        first=new[0][1].id,
    )
    events.record_many(session, [event(item, published, now) for item, published in new])


def version_row(item: Publication, published: Published, now: float) -> dict[str, Any]:
    """Return the columns of a version."""
    version = item.version
    patch = item.patch if published.root else None
    codec, stored = content.encode(version.blob) if patch is None else content.encode_ops(patch)
    return {
        "id": published.id,
        "apex": version.apex,
        "serial": version.serial,
        "created_at": now,
        "origin": item.origin.value,
        "actor": item.actor,
        "reason": item.reason,
        "records": version.record_count,
        "hash": "" if published.root else version.content_hash,
        "octets": version.octets,
        "codec": codec,
        "content": stored,
    }


def event(item: Publication, published: Published, now: float) -> Event:
    """Return the line of the log for a new version."""
    version = item.version
    what = "is served" if published.served else "is kept; the zone is pinned to another"
    text = f"zone {display(version.apex)}: serial {version.serial} {what} ({item.origin.value})"
    if item.reason:
        text += f": {item.reason}"
    data = {"version": published.id, "serial": version.serial, "origin": item.origin.value}
    return Event(0, now, "published", EventSeverity.INFO, version.apex, text, item.actor, data)


def prune(session: Session, zones: Sequence[Standing]) -> None:
    """Delete the oldest versions of zones that have more than they keep, never a served one."""
    surplus = [
        {"of": zone.apex, "surplus": zone.kept + 1 - zone.keep}
        for zone in zones
        if zone.kept >= zone.keep
    ]
    if surplus:
        session.connection().execute(SURPLUS, surplus)


def served(session: Session, apex: Name) -> ZoneVersion | None:
    """Return the served version, ``None`` where nothing was published; raises ``UnknownZone``."""
    return served_with_id(session, apex)[1]


def served_with_id(session: Session, apex: Name) -> tuple[int, ZoneVersion | None]:
    """Return the served version and its id, 0 and ``None`` where nothing was published.

    Raises ``UnknownZone``.
    """
    row = session.execute(
        select(VersionRow.id, VersionRow.codec, VersionRow.content)
        .join(ServedRow, ServedRow.version == VersionRow.id)
        .where(ServedRow.apex == apex)
    ).one_or_none()
    if row is None:
        get_zone(session, apex)
        return 0, None
    return row.id, ZoneVersion(blob_of(session, row.codec, row.content))


def iter_served(
    session: Session, query: Select[Any] = SERVED
) -> Iterator[tuple[Zone, int, ZoneVersion | None]]:
    """Yield every zone with the id of its served version and that version, in no order.

    Without a version the id is 0. Streams, so that memory is bounded: the session may not be used
    for anything else meanwhile.
    """
    rows = session.connection().execute(query, execution_options={"yield_per": 1000})
    patched: list[Any] = []  # need another query, each
    for text, *settings, version_id, codec, blob in rows:
        if codec == PATCH:
            patched.append((text, settings, version_id))
            continue
        version = None if blob is None else ZoneVersion(blob_of(session, codec, blob))
        apex = name_of(text) if version is None else version.apex  # one object for both
        yield zone_of((apex, *settings)), version_id or 0, version
    for text, settings, version_id in patched:
        version = load_id(session, name_of(text), version_id)
        yield zone_of((version.apex, *settings)), version_id, version


def served_of(
    session: Session, apexes: Iterable[Name]
) -> Iterator[tuple[Zone, int, ZoneVersion | None]]:
    """Yield those of some zones that there are, as ``iter_served`` does."""
    for chunk in chunks(apexes):
        rows = session.connection().execute(SERVED.where(ZoneRow.apex.in_(chunk))).all()
        for text, *settings, version_id, codec, blob in rows:
            version = None if blob is None else ZoneVersion(blob_of(session, codec, blob))
            yield zone_of((name_of(text), *settings)), version_id or 0, version


def load_id(session: Session, apex: Name, version_id: int) -> ZoneVersion:
    """Return the content of the version with this id; raises ``StorageError``."""
    row = session.execute(
        select(VersionRow.codec, VersionRow.content).where(
            VersionRow.apex == apex, VersionRow.id == version_id
        )
    ).one_or_none()
    if row is None:
        raise StorageError(f"zone {display(apex)}: no version with the id {version_id} is kept")
    return ZoneVersion(blob_of(session, *row))


def stored_as(session: Session, apex: Name, version_id: int) -> StoredAs | None:
    """Return how a version is stored, ``None`` where it is not kept; raises ``StorageError``."""
    wanted = VersionRow.apex == apex, VersionRow.id == version_id
    codec = session.scalar(select(VersionRow.codec).where(*wanted))
    if codec is None:
        return None
    if codec != PATCH:
        return StoredAs(version_id)
    stored = session.scalars(select(VersionRow.content).where(*wanted)).one()
    return StoredAs(*content.decode_ops(stored))


def blob_of(session: Session, codec: int, stored: bytes) -> bytes:
    """Return the packed form of what is stored; raises ``StorageError``."""

    def whole(root: int) -> bytes:
        found = session.execute(WHOLE, {"root": root}).one_or_none()
        return no_root(root) if found is None else decode(found.codec, found.content)

    return decode(codec, stored, whole)


WHOLE: Final = select(VersionRow.codec, VersionRow.content).where(
    VersionRow.id == bindparam("root"), VersionRow.codec != PATCH
)
