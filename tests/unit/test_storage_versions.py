"""Publishing versions: what is served, kept, told, and rolled back to."""

from __future__ import annotations

import pytest

from storage import content as stored_content
from storage import events, feed, kept_versions, rollback, secondaries, versions, zones
from storage.database import Database
from storage.errors import StorageError, UnknownZone
from storage.feed import ChangeKind
from storage.versions import Origin, Publication
from tests.zone_content import content
from zones.name import from_text
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

APEX = from_text("example.org")
NOW = 1_700_000_000.0  # 2023-11-14


def add(database: Database, *added: Zone) -> None:
    """Add zones."""
    with database.write() as session:
        zones.add_zones(session, added or [Zone(APEX)], now=NOW, actor="anna")


def publish(database: Database, version: ZoneVersion, origin: Origin = Origin.EDIT) -> int:
    """Publish one version in a transaction of its own."""
    with database.write() as session:
        return versions.publish(
            session, version, origin=origin, actor="anna", reason="because", now=NOW
        )


def serials(database: Database) -> list[int]:
    """Return the kept serials, newest first."""
    with database.read() as session:
        return [info.serial for info in kept_versions.history(session, APEX)]


def test_what_is_published_is_served(database: Database) -> None:
    """The served content is the published one, octet by octet, and a zone starts without any."""
    add(database)
    with database.read() as session:
        assert versions.served(session, APEX) is None
        assert list(versions.iter_served(session)) == [(Zone(APEX), 0, None)]
    version = content("example.org", serial=4_294_967_295, hosts=3)
    number = publish(database, version)
    with database.read() as session:
        found = versions.served(session, APEX)
        ((zone, streamed_number, streamed),) = versions.iter_served(session)
    assert found is not None
    assert streamed is not None
    assert found.blob == streamed.blob == version.blob
    assert (zone, streamed_number) == (Zone(APEX), number)


def test_large_content_is_compressed_and_comes_back_whole(database: Database) -> None:
    """A zone beyond the threshold takes less room than it has octets."""
    add(database)
    version = content("example.org", hosts=2000)
    publish(database, version)
    with database.read() as session:
        row = session.connection().exec_driver_sql(
            "SELECT codec, length(content), octets FROM versions"
        )
        codec, stored, octets = row.one()
        found = versions.served(session, APEX)
    assert codec == stored_content.ZLIB
    assert stored < octets / 2
    assert octets == len(version.blob)
    assert found is not None
    assert found.blob == version.blob


def test_damaged_content_is_told_and_not_served(database: Database) -> None:
    """Octets that do not decompress, or an unknown codec, raise an error that says what to do."""
    with pytest.raises(StorageError, match="damaged"):
        stored_content.decode(stored_content.ZLIB, b"not zlib")
    with pytest.raises(StorageError, match="newer nsctl"):
        stored_content.decode(99, b"")


def test_content_that_is_served_already_makes_no_version(database: Database) -> None:
    """The same content again returns the id there is; feed, log and history stay as they are."""
    add(database)
    number = publish(database, content("example.org"))
    with database.read() as session:
        before = feed.latest(session), len(events.list_events(session))
    assert publish(database, content("example.org"), Origin.TRANSFER) == number
    with database.read() as session:
        assert (feed.latest(session), len(events.list_events(session))) == before
    assert serials(database) == [1]


def test_a_version_is_told_to_the_feed_and_the_log(database: Database) -> None:
    """One change of kind CONTENT with the version's number; one line with who and why."""
    add(database)
    number = publish(database, content("example.org", serial=7))
    with database.read() as session:
        change = feed.since(session, 0)[-1]
        event = events.list_events(session)[-1]
        (info,) = kept_versions.history(session, APEX)
    assert (change.seq, change.kind, change.apex) == (number, ChangeKind.CONTENT, APEX)
    assert (event.apex, event.actor) == (APEX, "anna")
    assert event.text == "zone example.org: serial 7 is served (edit): because"
    assert event.data == {"version": number, "serial": 7, "origin": "edit"}
    assert info == kept_versions.VersionInfo(
        number, 7, NOW, Origin.EDIT, "anna", "because", 3, info.hash, served=True
    )


def test_only_the_newest_versions_are_kept(database: Database) -> None:
    """A zone that keeps three has three after any number of publications."""
    add(database, Zone(APEX, keep_versions=3))
    for serial in range(1, 6):
        publish(database, content("example.org", serial=serial))
    assert serials(database) == [5, 4, 3]


def test_the_served_version_is_kept_however_old_it_is(database: Database) -> None:
    """Transfers into a pinned zone are kept, are not served, and do not push out the served one."""
    pinned = Zone(APEX, Mode.HIDDEN_PRIMARY, keep_versions=2, pinned=True)
    add(database, pinned)
    publish(database, content("example.org", serial=1), Origin.EDIT)
    for serial in (2, 3, 4):
        publish(database, content("example.org", serial=serial), Origin.TRANSFER)
    assert serials(database) == [4, 1]
    with database.read() as session:
        found = versions.served(session, APEX)
        assert found is not None
        assert found.serial == 1
        assert feed.since(session, 0)[-1].payload == {"served": False}
        assert events.list_events(session)[-1].text == (
            "zone example.org: serial 4 is kept; the zone is pinned to another (transfer): because"
        )


def test_a_group_is_published_whole(database: Database) -> None:
    """Each publication gets its own answer; numbers follow each other; unchanged ones are told."""
    names = ["a.example", "b.example", "c.example"]
    add(database, *[Zone(from_text(name)) for name in names])
    with database.write() as session:
        first = versions.publish_many(
            session,
            [Publication(content(name), Origin.IMPORT, "anna") for name in names[:2]],
            now=NOW,
        )
    with database.write() as session:
        again = versions.publish_many(
            session,
            [Publication(content(name), Origin.IMPORT, "anna") for name in names],
            now=NOW,
        )
    assert [done.new for done in again] == [False, False, True]
    assert [done.id for done in again[:2]] == [done.id for done in first]
    assert first[1].id == first[0].id + 1
    assert all(done.served for done in again)


def test_a_group_with_an_unknown_zone_changes_nothing(database: Database) -> None:
    """The error names the zone; those before it in the group are not published."""
    add(database)
    group = [content("example.org"), content("exmaple.org")]
    with (
        pytest.raises(UnknownZone, match=r"exmaple\.org; did you mean example\.org"),
        database.write() as session,
    ):
        versions.publish_many(
            session, [Publication(version, Origin.IMPORT, "") for version in group], now=NOW
        )
    assert serials(database) == []


def test_a_zone_twice_in_a_group_is_refused(database: Database) -> None:
    """Which of the two would be served is not left to chance."""
    add(database)
    group = [content("example.org", serial=1), content("example.org", serial=2)]
    with pytest.raises(StorageError, match="twice"), database.write() as session:
        versions.publish_many(
            session, [Publication(version, Origin.IMPORT, "") for version in group], now=NOW
        )


def test_a_version_is_loaded_by_serial_or_by_id(database: Database) -> None:
    """Serials go first; what is not kept is answered with what is."""
    add(database)
    for serial in (100, 200):
        number = publish(database, content("example.org", serial=serial))
    with database.read() as session:
        assert kept_versions.load(session, APEX, 100).serial == 100
        assert kept_versions.load(session, APEX, number).serial == 200
        with pytest.raises(StorageError, match="no version 300 is kept; kept serials: 200, 100"):
            kept_versions.load(session, APEX, 300)
        with pytest.raises(UnknownZone):
            kept_versions.load(session, from_text("example.net"), 1)


def test_rolling_back_a_hosted_zone_gets_a_new_serial(database: Database) -> None:
    """The old content is served under a serial that secondaries take for newer."""
    add(database)
    old = content("example.org", serial=5, hosts=1)
    publish(database, old)
    publish(database, content("example.org", serial=6, hosts=2))
    with database.write() as session:
        before = kept_versions.find(session, APEX, 5).id
        rollback.rollback(session, APEX, before, actor="bert", reason="oops", now=NOW)
    with database.read() as session:
        found = versions.served(session, APEX)
        newest = kept_versions.history(session, APEX)[0]
    assert found is not None
    assert found.serial == 2023111400
    assert rollback.rest(found) == rollback.rest(old)
    assert (newest.origin, newest.actor, newest.reason) == (Origin.ROLLBACK, "bert", "oops")


def test_rolling_back_a_secondary_zone_serves_it_as_it_came(database: Database) -> None:
    """Transferred content may be signed: not an octet of it changes, also in a pinned zone.

    What is known of the secondary's standing tells the serial that is served.
    """
    add(database, Zone(APEX, Mode.HIDDEN_PRIMARY, pinned=True))
    old = content("example.org", serial=5)
    publish(database, old, Origin.IMPORT)
    publish(database, content("example.org", serial=6), Origin.IMPORT)
    with database.write() as session:
        before = kept_versions.find(session, APEX, 5).id
        rollback.rollback(session, APEX, before, actor="bert", reason="oops", now=NOW)
    with database.read() as session:
        found = versions.served(session, APEX)
        state = secondaries.get_state(session, APEX)
    assert found is not None
    assert found.blob == old.blob
    assert state.serial == 5


def test_many_zones_are_streamed_with_their_content(database: Database) -> None:
    """More zones than one batch of rows, some without content: each comes once, with its own."""
    count = 1203
    added = [Zone(from_text(f"z{n}.example")) for n in range(count)]
    add(database, *added)
    published = [content(f"z{n}.example", serial=n + 1) for n in range(0, count, 2)]
    with database.write() as session:
        versions.publish_many(
            session, [Publication(one, Origin.IMPORT, "") for one in published], now=NOW
        )
    with database.read() as session:
        found = {zone.apex: version for zone, _, version in versions.iter_served(session)}
    assert len(found) == count
    assert {one.apex for one in found.values() if one} == {one.apex for one in published}
    assert all(found[one.apex].blob == one.blob for one in published)  # type: ignore[union-attr]
