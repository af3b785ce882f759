"""Following the change feed: what others commit to the store is served within milliseconds."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.orm import Session

from nameserver.access import Access
from nameserver.loading import LoadedZone, load_all, load_secondaries, load_zones
from nameserver.publisher import LARGE
from storage import catalogs, feed, keys, peers, suspensions
from storage.catalogs import Catalog
from storage.database import Database
from storage.errors import FeedGap, StorageError
from storage.feed import Change, ChangeKind
from zones.name import Name
from zones.version import ZoneVersion

log = structlog.get_logger()

WAIT_SECONDS: Final = 1.0
# How long to leave a database alone that has just failed.
RETRY_SECONDS: Final = 1.0

ABOUT_ZONES: Final = frozenset(
    {
        ChangeKind.CONTENT,
        ChangeKind.ZONE,
        ChangeKind.GONE,
        ChangeKind.PRIMARIES,
        ChangeKind.CATALOG,
    }
)
ABOUT_LISTING: Final = frozenset({ChangeKind.ZONE, ChangeKind.GONE, ChangeKind.CATALOG})
ABOUT_ACCESS: Final = frozenset({ChangeKind.KEYS, ChangeKind.PEERS})


@dataclass(slots=True)
class Update:
    """What has to change in memory: ``zones`` maps to ``None`` what is gone.

    ``complete``: ``zones`` is everything there is; ``first``: it is what follows primaries, and the
    content of all zones is there already. ``changed_content`` names the zones that were given a new
    version by somebody else, ``gone`` those that were deleted, and perhaps added again since,
    ``refresh`` those to be asked for now (``True``: to be transferred whatever the serial).
    ``listing_changed``: zones were added, deleted, or given other settings.
    ``suspended`` has the primaries that are cut off, by address and port, with the reasons.
    """

    zones: dict[Name, LoadedZone | None] = field(default_factory=dict)
    complete: bool = False
    first: bool = False
    access: Access | None = None
    changed_content: set[Name] = field(default_factory=set)
    gone: set[Name] = field(default_factory=set)
    listing_changed: bool = False
    catalogs: list[Catalog] | None = None
    refresh: dict[Name, bool] = field(default_factory=dict)
    suspended: Mapping[tuple[str, int], str] | None = None


class Follower:
    """A thread that reads what was committed and hands it to the event loop.

    ``served`` maps each apex to the id of the version in service, ``published`` to that of what
    this server published itself, perhaps a moment ago: it is not read again. ``own`` has the
    numbers of the changes that its commits made, to be passed over as a whole. ``prepare`` is
    called for large versions, in the thread.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[Name, int],
        apply: Callable[[Update], None],
        prepare: Callable[[ZoneVersion], None] = lambda _version: None,
        *,
        published: Mapping[Name, int] | None = None,
        own: deque[tuple[int, int]] | None = None,
    ) -> None:
        self._prepare = prepare
        self._published = {} if published is None else published
        self._own = deque() if own is None else own
        self._database = database
        self._served = served
        self._apply = apply
        self._seq = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def load(self) -> Update:
        """Read the whole store; what is committed from here on will be followed."""
        self._own.clear()
        with self._database.read() as session:
            self._seq = feed.latest(session)
            loaded = {one.zone.apex: one for one in load_all(session)}
            access = Access(peers.list_peers(session), keys.list_keys(session))
            suspended = read_suspended(session)
            found = catalogs.list_catalogs(session)
        return Update(
            dict(loaded),
            complete=True,
            access=access,
            catalogs=found,
            listing_changed=True,
            suspended=suspended,
        )

    def load_rest(self, seq: int) -> Update:
        """Read what a server needs beside the content of its zones, which it read at ``seq``.

        What has been committed since is followed.
        """
        self._seq = seq
        with self._database.read() as session:
            loaded = {one.zone.apex: one for one in load_secondaries(session)}
            access = Access(peers.list_peers(session), keys.list_keys(session))
            suspended = read_suspended(session)
            found = catalogs.list_catalogs(session)
        return Update(
            dict(loaded),
            first=True,
            access=access,
            catalogs=found,
            listing_changed=True,
            suspended=suspended,
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to follow; updates are applied on ``loop``."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Stop following and wait for the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failing = False
        while not self._stopped.is_set():
            try:
                if self._database.wait_for_change(WAIT_SECONDS, self._stopped):
                    self._catch_up()
                failing = False
            except StorageError as error:
                if not failing:
                    log.error("database away; answering from memory", reason=str(error))
                failing = True
                self._stopped.wait(RETRY_SECONDS)

    def _catch_up(self) -> None:
        while True:
            try:
                self._pass_over_own()
                with self._database.read() as session:
                    if feed.latest(session) == self._seq:
                        return
                    changes = feed.since(session, self._seq)
                    if not changes:
                        return
                    update = self._read(session, changes)
            except FeedGap:
                log.warning("too far behind the change feed; reading the whole store")
                update = self.load()
            else:
                self._seq = changes[-1].seq
            self._loop.call_soon_threadsafe(self._apply, update)

    def _pass_over_own(self) -> None:
        """Go on behind what was published here, as far as nobody else's changes come between."""
        while self._own and self._own[0][0] <= self._seq + 1:
            _first, last = self._own.popleft()
            self._seq = max(self._seq, last)

    def _is_served(self, change: Change) -> bool:
        if change.apex is None:
            return False
        known = self._served.get(change.apex, 0), self._published.get(change.apex, 0)
        return max(known) >= change.seq

    def _prepare_large(self, version: ZoneVersion) -> None:
        if version.record_count > LARGE:
            self._prepare(version)

    def _read(self, session: Session, changes: Iterable[Change]) -> Update:
        update = Update()
        for change in changes:
            if change.apex is not None:
                self._note(update, change, change.apex)
            if change.kind in ABOUT_ACCESS:
                update.access = Access(peers.list_peers(session), keys.list_keys(session))
            elif change.kind is ChangeKind.SUSPENSIONS:
                update.suspended = read_suspended(session)
            elif change.kind is ChangeKind.CATALOG:
                update.catalogs = catalogs.list_catalogs(session)
        for loaded in load_zones(session, update.zones):
            update.zones[loaded.zone.apex] = loaded
            if loaded.version is not None:
                self._prepare_large(loaded.version)
        return update

    def _note(self, update: Update, change: Change, apex: Name) -> None:
        """Note what a change means for its zone."""
        kind = change.kind
        if kind is ChangeKind.REFRESH:
            force = bool(change.payload.get("force"))
            update.refresh[apex] = update.refresh.get(apex, False) or force
        if kind not in ABOUT_ZONES or (kind is ChangeKind.CONTENT and self._is_served(change)):
            return
        update.zones.setdefault(apex, None)
        if kind is ChangeKind.CONTENT:
            update.changed_content.add(apex)
        elif kind is ChangeKind.GONE:
            update.gone.add(apex)
        update.listing_changed |= kind in ABOUT_LISTING


def read_suspended(session: Session) -> dict[tuple[str, int], str]:
    """Return the primaries that are cut off, with the reasons."""
    found = suspensions.all_suspensions(session)
    return {(one.address, one.port): one.reason for one in found}
