"""Zones in the store: settings, lists, deletion, and names that are nearly right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import customers, events, feed, keys, peers, secondaries, versions, zones
from storage.database import Database
from storage.errors import AlreadyExists, StorageError, UnknownZone
from storage.feed import ChangeKind
from storage.peers import Peer
from storage.versions import Origin
from tests.zone_content import content
from zones.name import from_text
from zones.secondary import Primary, Result, SecondaryState, TransferAttempt, TsigKey
from zones.serial import SerialPolicy
from zones.zone import Mode, Zone

APEX = from_text("example.org")
NOW = 1_700_000_000.0


def test_a_zone_comes_back_with_all_its_settings(database: Database) -> None:
    """What was added is what is read, field by field, also in a list."""
    zone = Zone(APEX, Mode.HIDDEN_PRIMARY, "c1", SerialPolicy.UNIXTIME, True, "abuse", 7)
    with database.write() as session:
        zones.add_zone(session, zone, now=NOW, actor="anna")
    with database.read() as session:
        assert zones.get_zone(session, APEX) == zone
        (summary,) = zones.list_zones(session)
    assert summary == zones.ZoneSummary(zone, None, 0, None)


def test_adding_a_zone_twice_is_refused_and_changes_nothing(database: Database) -> None:
    """The second one is named in the error; others of the same call are not added either."""
    with database.write() as session:
        zones.add_zone(session, Zone(APEX), now=NOW, actor="anna")
    other = Zone(from_text("example.net"))
    with (
        pytest.raises(AlreadyExists, match=r"zone example\.org exists already"),
        database.write() as session,
    ):
        zones.add_zones(session, [other, Zone(APEX)], now=NOW, actor="anna")
    with database.read() as session:
        assert zones.find_zone(session, other.apex) is None


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("example.ogr", "example.org"),
        ("exmaple.org", "example.org"),
        ("eksample.org", "example.org"),
    ],
)
def test_an_unknown_zone_is_answered_with_a_guess(
    database: Database, asked: str, meant: str
) -> None:
    """One slip of the finger leads to the name that was meant, among many others."""
    with database.write() as session:
        many = [Zone(from_text(f"zone-{n}.example")) for n in range(50)]
        zones.add_zones(session, [Zone(APEX), *many], now=NOW, actor="anna")
    with (
        pytest.raises(UnknownZone, match=f"no such zone {asked}; did you mean {meant}?"),
        database.read() as session,
    ):
        zones.get_zone(session, from_text(asked))


def test_zones_are_listed_in_canonical_order_and_by_mode_and_customer(database: Database) -> None:
    """A list is sorted as RFC 4034 6.1 sorts names, and can be narrowed."""
    texts = ["example.org", "a.example.org", "z.example.com", "example.com", "."]
    with database.write() as session:
        for text in texts:
            zone = Zone(from_text(text), customer="c1" if "org" in text else "")
            if text == "example.com":
                zone = replace(zone, mode=Mode.PRIMARY)
            zones.add_zone(session, zone, now=NOW, actor="")
        shown = content("example.org", serial=9, hosts=2)
        versions.publish(session, shown, origin=Origin.EDIT, actor="", reason="", now=NOW + 1)
    with database.read() as session:
        every = zones.list_zones(session)
        primary = zones.list_zones(session, mode=Mode.PRIMARY)
        of_customer = zones.list_zones(session, customer="c1")
        assert customers.list_customers(session) == [customers.Customer("c1")]
    wanted = [".", "example.com", "z.example.com", "example.org", "a.example.org"]
    assert [summary.zone.apex for summary in every] == [from_text(text) for text in wanted]
    assert [summary.zone.apex for summary in primary] == [from_text("example.com")]
    first = of_customer[0]
    assert (first.serial, first.records, first.updated_at) == (9, shown.record_count, NOW + 1)


def test_changed_settings_are_stored_and_told(database: Database) -> None:
    """The feed says that the zone changed, the log what and why; no change tells nothing."""
    with database.write() as session:
        zones.add_zone(session, Zone(APEX), now=NOW, actor="anna")
    changed = Zone(APEX, pinned=True, suspended="phishing")
    for _ in range(2):
        with database.write() as session:
            zones.update_zone(session, changed, now=NOW, actor="bert", reason="ticket 7")
    with database.read() as session:
        assert zones.get_zone(session, APEX) == changed
        added, change = feed.since(session, 0)
        (_, event) = events.list_events(session, apex=APEX)
    assert (added.kind, change.kind) == (ChangeKind.ZONE, ChangeKind.ZONE)
    assert change.payload == {"changed": ["pinned", "suspended"]}
    assert event.actor == "bert"
    assert "suspended is now 'phishing' (ticket 7)" in event.text


def test_a_zone_that_keeps_no_version_is_refused(database: Database) -> None:
    """At least the served version has to stay."""
    with pytest.raises(StorageError, match="at least one version"), database.write() as session:
        zones.add_zone(session, Zone(APEX, keep_versions=0), now=NOW, actor="")


def test_deleting_a_zone_leaves_only_its_events(database: Database) -> None:
    """Versions, states, primaries, attempts and peers go with the zone; the log stays."""
    key = TsigKey(from_text("k.example"), "hmac-sha256", b"secret")
    with database.write() as session:
        keys.add_key(session, key)
        zones.add_zone(session, Zone(APEX, Mode.PRIMARY), now=NOW, actor="anna")
        for serial in (1, 2):
            versions.publish(
                session, content("example.org", serial=serial),
                origin=Origin.TRANSFER, actor="", reason="", now=NOW,
            )  # fmt: skip
        secondaries.set_primaries(session, APEX, [Primary("192.0.2.1", key=key.name)])
        secondaries.save_states(session, [SecondaryState(APEX, serial=2)])
        secondaries.log_attempts(
            session, [TransferAttempt(APEX, NOW, "192.0.2.1@53", "AXFR", Result.ACCEPTED)]
        )
        peers.add_peer(session, Peer("192.0.2.9", key=key.name, apex=APEX))
    with database.write() as session:
        zones.delete_zone(session, APEX, now=NOW, actor="anna")
        keys.delete_key(session, key.name)  # nothing refers to it any more
    with database.read() as session:
        assert zones.list_zones(session) == []
        assert secondaries.all_primaries(session) == {}
        assert secondaries.list_states(session) == []
        assert peers.list_peers(session) == []
        assert events.list_events(session, apex=APEX)[-1].text == "zone example.org deleted"
        last = feed.since(session, feed.latest(session) - 2)
        assert [change.kind for change in last] == [ChangeKind.GONE, ChangeKind.KEYS]
        for table in ("versions", "served", "transfer_attempts"):
            rows = session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert rows.scalar() == 0, table


def test_deleting_a_zone_that_is_not_there_is_refused(database: Database) -> None:
    """The error is that of an unknown zone."""
    with pytest.raises(UnknownZone), database.write() as session:
        zones.delete_zone(session, APEX, now=NOW, actor="")
