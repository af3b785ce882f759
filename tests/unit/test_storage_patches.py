"""Large zones whose changes are stored as patches of a version that is stored whole."""

from __future__ import annotations

import pytest

from nameserver.patches import Patches
from storage import content, kept_versions, start, versions, zones
from storage.database import Database
from storage.errors import StorageError
from storage.rollback import rollback
from storage.versions import Origin, Publication, Published
from tests.zone_content import content as zone_content
from zones.changes import Changes
from zones.name import from_text
from zones.rrset import SOA, A
from zones.version import ZoneVersion
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0
APEX = from_text("example.org")


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store zones of a few kilobytes as large ones are stored."""
    monkeypatch.setattr(content, "PATCH_ABOVE", 1000)
    monkeypatch.setattr("nameserver.patches.PATCH_ABOVE", 1000)
    monkeypatch.setattr("zones.version.LARGE", 1000)


class Following:
    """A zone that is changed by IXFR and published, version by version."""

    def __init__(self, database: Database, keep: int = 20) -> None:
        self.database = database
        self.patches = Patches()
        self.versions = [zone_content("example.org", serial=1, hosts=200)]
        with database.write() as session:
            zone = Zone(APEX, Mode.HIDDEN_PRIMARY, keep_versions=keep)
            zones.add_zone(session, zone, now=NOW, actor="test")
        self.published = [self.publish(self.versions[0])]

    def publish(self, version: ZoneVersion) -> Published:
        """Publish as the server does."""
        with self.database.write() as session:
            patch = self.patches.patch(session, version)
            item = Publication(version, Origin.TRANSFER, "192.0.2.1@53", patch=patch)
            (done,) = versions.publish_many(session, [item], now=NOW)
        self.patches.note(version, done, patch)
        return done

    def change(self, records: int = 1) -> Published:
        """Add records, with the next serial."""
        base = self.versions[-1]
        changes = Changes(base)
        rdata = base.soa.rdatas[0]
        serial = (base.serial + 1).to_bytes(4, "big")
        changes.remove(APEX, SOA, base.soa.ttl, rdata)
        changes.add(APEX, SOA, base.soa.ttl, rdata[:-20] + serial + rdata[-16:])
        for number in range(records):
            owner = from_text(f"new{base.serial}-{number}.example.org")
            changes.add(owner, A, 60, bytes((192, 0, 2, number % 256)))
        self.versions.append(changes.finish())
        self.published.append(self.publish(self.versions[-1]))
        return self.published[-1]

    def assert_readable(self) -> None:
        """Compare what is stored with what was published."""
        by_serial = {version.serial: version for version in self.versions}
        with self.database.read() as session:
            for info in kept_versions.history(session, APEX):
                loaded = versions.load_id(session, APEX, info.id)
                assert loaded.blob == by_serial[info.serial].blob
            served = versions.served(session, APEX)
            assert served
            assert served.blob == self.versions[-1].blob
            ((_zone, number, version),) = versions.iter_served(session)
            assert version
            assert (number, version.blob) == (self.published[-1].id, self.versions[-1].blob)
            driver = session.connection().connection.driver_connection
            (other,) = start.read_start(driver, NOW, list).others
            assert other.version
            assert (other.version_id, other.version.blob) == (number, version.blob)


def test_changes_are_stored_as_patches_of_one_root(database: Database) -> None:
    """Each change is a patch of the first version, however many there are."""
    following = Following(database)
    for _ in range(5):
        assert following.change().root == following.published[0].id
    following.assert_readable()


def test_large_changes_are_stored_whole(database: Database) -> None:
    """When the patch has become large the version is stored whole, and is the next root."""
    following = Following(database)
    assert following.change(records=100).root == 0
    assert following.change().root == following.published[1].id
    following.assert_readable()


def test_pruning_keeps_the_root(database: Database) -> None:
    """The oldest versions go, but not the one that kept ones are patches of."""
    following = Following(database, keep=3)
    for _ in range(6):
        following.change()
    with database.read() as session:
        serials = [info.serial for info in kept_versions.history(session, APEX)]
    assert serials == [7, 6, 1]
    following.assert_readable()


def test_root_goes_with_its_last_patch(database: Database) -> None:
    """Once no patch of it is kept the old root is pruned as any other version."""
    following = Following(database, keep=2)
    following.change()
    for _ in range(3):
        following.change(records=100)
    with database.read() as session:
        assert [info.serial for info in kept_versions.history(session, APEX)] == [5, 4]
    following.assert_readable()


def test_patch_of_what_is_no_longer_served(database: Database) -> None:
    """After a rollback by somebody else the next version is stored whole."""
    following = Following(database)
    following.change()
    with database.write() as session:
        first = following.published[0].id
        rollback(session, APEX, first, actor="test", reason="", now=NOW)
    assert following.change().root == 0
    following.assert_readable()


@pytest.mark.parametrize("changes", [0, 1, 3])
def test_changes_after_a_restart(database: Database, changes: int) -> None:
    """What was read from the store, whole or as a patch, is changed by patches of the same root."""
    following = Following(database)
    for _ in range(changes):
        following.change()
    with database.read() as session:
        number, version = versions.served_with_id(session, APEX)
    assert version
    following.versions[-1] = version
    following.patches = Patches(lambda _apex: number)
    for _ in range(3):
        assert following.change().root == following.published[0].id
    following.assert_readable()


def test_changes_of_octets_that_were_asked_for(database: Database) -> None:
    """Changes to a version whose octets were made, as for AXFR, are patches of the same root."""
    following = Following(database)
    for _ in range(4):
        assert following.change().root == following.published[0].id
        assert following.versions[-1].blob
    following.assert_readable()


def test_unchanged_content_on_a_patch_is_recognised(database: Database) -> None:
    """A whole transfer of what is served, stored as a patch, makes no new version."""
    following = Following(database)
    last = following.change()
    again = following.publish(ZoneVersion(following.versions[-1].blob))
    assert (again.id, again.new) == (last.id, False)


def test_zone_goes_with_all_of_it(database: Database) -> None:
    """A zone with patches can be deleted."""
    following = Following(database)
    following.change()
    with database.write() as session:
        zones.delete_zone(session, APEX, now=NOW, actor="test")
    with database.read() as session:
        assert not list(versions.iter_served(session))


def test_damaged_patch_is_told(database: Database) -> None:
    """A patch whose octets are damaged is refused with the way out."""
    following = Following(database)
    following.change()
    for stored in (b"", b"\x00" * 8, b"\x00" * 8 + b"damaged"):
        with pytest.raises(StorageError, match="restore a backup"):
            content.decode(content.PATCH, stored, lambda _root: b"")
