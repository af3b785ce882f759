"""Catalogs in the store: their zones come, go and change hands in one transaction."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy.orm import Session

from storage import catalogs, events, secondaries, versions, zones
from storage.catalogs import Applied, Catalog, Role
from storage.database import Database
from storage.errors import AlreadyExists, StorageError
from storage.versions import Origin
from tests.zone_content import content as zone_content
from zones.catalog import Guard, Member, make_catalog, read_catalog
from zones.name import Name, from_text
from zones.secondary import Primary
from zones.zone import Mode, Zone

NOW = 1_700_000_000.0
CATALOG, OTHER = from_text("catalog.example."), from_text("other.example.")
A, B, C = (from_text(f"{letter}.example.org.") for letter in "abc")
PRIMARY, GROUPED = Primary("192.0.2.1"), Primary("192.0.2.7", 5301)


def follow(session: Session, apex: Name = CATALOG, **more: object) -> None:
    """Follow a catalog."""
    zones.add_zone(session, Zone(apex, Mode.HIDDEN_PRIMARY), now=NOW, actor="test")
    made = Catalog(apex, Role.CONSUMER, "4711", (PRIMARY,), **more)  # type: ignore[arg-type]
    catalogs.add_catalog(session, made, now=NOW, actor="test")


def arrive(
    session: Session, members: Iterable[Member], serial: int = 1, apex: Name = CATALOG
) -> Applied:
    """Let a version of the catalog arrive, and apply it."""
    version = make_catalog(apex, serial, members)
    versions.publish(session, version, origin=Origin.TRANSFER, actor="t", reason="", now=NOW)
    return catalogs.apply(session, apex, now=NOW)


def there(session: Session) -> set[Name]:
    """Return which of the zones there are."""
    return zones.existing(session, [A, B, C])


def kinds(session: Session) -> list[str]:
    """Return what the log has about catalogs."""
    return [
        event.kind for event in events.list_events(session) if event.kind.startswith("catalog-")
    ]


def test_a_portfolio_follows_by_itself(database: Database) -> None:
    """Members become secondary zones of the customer, with the primaries given; others go."""
    with database.write() as session:
        follow(session)
        arrive(session, [Member(A, b"1"), Member(B, b"2")])
        assert there(session) == {A, B}
        assert zones.get_zone(session, A) == Zone(A, Mode.HIDDEN_PRIMARY, "4711")
        assert secondaries.primaries(session, A) == [PRIMARY]
        arrive(session, [Member(B, b"2"), Member(C, b"3")], serial=2)
        assert there(session) == {B, C}
        assert kinds(session) == ["catalog-applied", "catalog-applied"]
        assert catalogs.member_counts(session) == {CATALOG: 2}


def test_a_second_look_changes_nothing(database: Database) -> None:
    """What was applied is not applied again, and not told again."""
    with database.write() as session:
        follow(session)
        arrive(session, [Member(A, b"1", groups=("x", "y"))])
        assert catalogs.apply(session, CATALOG, now=NOW).plan.is_empty
        assert kinds(session) == ["catalog-applied"]


def test_groups_have_primaries_of_their_own(database: Database) -> None:
    """A member of a known group is fetched from the group's primaries, also when it changes."""
    with database.write() as session:
        follow(session, groups={"signed": (GROUPED,)})
        arrive(session, [Member(A, b"1", groups=("signed",)), Member(B, b"2", groups=("else",))])
        assert secondaries.primaries(session, A) == [GROUPED]
        assert secondaries.primaries(session, B) == [PRIMARY]
        arrive(session, [Member(A, b"1"), Member(B, b"2", groups=("signed",))], serial=2)
        assert secondaries.primaries(session, A) == [PRIMARY]
        assert secondaries.primaries(session, B) == [GROUPED]


def test_a_zone_that_is_there_stays_whose_it_is(database: Database) -> None:
    """A listed zone of our own is refused, told once, and not deleted when it is listed no more."""
    with database.write() as session:
        zones.add_zone(session, Zone(A), now=NOW, actor="test")
        follow(session)
        done = arrive(session, [Member(A, b"1"), Member(B, b"2")])
        assert "a.example.org is a zone here already" in done.trouble
        assert catalogs.get_catalog(session, CATALOG).trouble == done.trouble
        assert zones.get_zone(session, A) == Zone(A)
        catalogs.apply(session, CATALOG, now=NOW)
        assert kinds(session).count("catalog-member-refused") == 1
        arrive(session, [], serial=2)
        assert there(session) == {A}
        assert not catalogs.get_catalog(session, CATALOG).trouble


def test_a_broken_catalog_changes_nothing(database: Database) -> None:
    """A version that is no catalog leaves all zones, and says why until a good one comes."""
    with database.write() as session:
        follow(session)
        arrive(session, [Member(A, b"1")])
        broken = zone_content("catalog.example.", serial=9)
        versions.publish(session, broken, origin=Origin.TRANSFER, actor="t", reason="", now=NOW)
        done = catalogs.apply(session, CATALOG, now=NOW)
        assert "no catalog zone" in done.trouble
        assert there(session) == {A}
        assert kinds(session)[-1] == "catalog-broken"
        arrive(session, [Member(A, b"1"), Member(B, b"2")], serial=10)
        assert there(session) == {A, B}
        assert not catalogs.get_catalog(session, CATALOG).trouble


def test_a_mass_removal_waits_for_approval(database: Database) -> None:
    """Nothing of a suspicious version is done, additions included, until somebody approves."""
    with database.write() as session:
        follow(session, guard=Guard(few=0, share=0.5))
        arrive(session, [Member(A, b"1"), Member(B, b"2")])
        done = arrive(session, [Member(C, b"3")], serial=2)
        assert "2 of 2 zones at once" in done.trouble
        assert there(session) == {A, B}
        assert catalogs.get_catalog(session, CATALOG).held
        assert kinds(session)[-1] == "catalog-held"
        catalogs.apply(session, CATALOG, now=NOW, approved=True)
        assert there(session) == {C}
        assert not catalogs.get_catalog(session, CATALOG).held


def test_a_member_begins_anew_with_another_label(database: Database) -> None:
    """Another label: the zone loses its content and is fetched again."""
    with database.write() as session:
        follow(session)
        arrive(session, [Member(A, b"1")])
        version = zone_content("a.example.org.", serial=5)
        versions.publish(session, version, origin=Origin.TRANSFER, actor="t", reason="", now=NOW)
        arrive(session, [Member(A, b"other")], serial=2)
        assert versions.served(session, A) is None
        assert secondaries.primaries(session, A) == [PRIMARY]


def test_a_zone_changes_hands_with_all_it_has(database: Database) -> None:
    """The old catalog names the new one, the new one lists it: content and history stay."""
    with database.write() as session:
        follow(session)
        follow(session, OTHER)
        arrive(session, [Member(A, b"1")])
        version = zone_content("a.example.org.", serial=5)
        versions.publish(session, version, origin=Origin.TRANSFER, actor="t", reason="", now=NOW)
        assert arrive(session, [Member(A, b"1")], apex=OTHER).plan.refused
        arrive(session, [Member(A, b"1", coo=OTHER)], serial=2)
        assert catalogs.apply(session, OTHER, now=NOW).plan.move
        arrive(session, [], serial=3)
        assert versions.served(session, A) is not None
        assert set(catalogs.members_of(session, OTHER)) == {A}
        assert not catalogs.members_of(session, CATALOG)


def test_a_catalog_that_is_followed_no_more_leaves_its_zones(database: Database) -> None:
    """The members of a forgotten catalog stay as if added by hand."""
    with database.write() as session:
        follow(session)
        arrive(session, [Member(A, b"1")])
        catalogs.delete_catalog(session, CATALOG, now=NOW, actor="test")
        zones.delete_zone(session, CATALOG, now=NOW, actor="test")
        assert there(session) == {A}
        assert catalogs.list_catalogs(session) == []


def test_what_is_made_lists_our_zones(database: Database) -> None:
    """A catalog of ours has all zones but catalogs, with labels that stay, and a rising serial."""
    with database.write() as session:
        zones.add_zone(session, Zone(CATALOG), now=NOW, actor="test")
        made = Catalog(CATALOG, Role.PRODUCER)
        catalogs.add_catalog(session, made, now=NOW, actor="test")
        zones.add_zones(session, [Zone(A), Zone(B, customer="7")], now=NOW, actor="test")
        assert catalogs.produce(session, CATALOG, now=NOW)
        first = versions.served(session, CATALOG)
        assert first is not None
        assert not catalogs.produce(session, CATALOG, now=NOW + 1)
        zones.delete_zone(session, A, now=NOW, actor="test")
        zones.add_zone(session, Zone(A), now=NOW + 5, actor="test")
        assert catalogs.produce(session, CATALOG, now=NOW)
        second = versions.served(session, CATALOG)
        assert second is not None
    assert second.serial == first.serial + 1
    before = {member.apex: member.label for member in read_catalog(first)}
    after = {member.apex: member.label for member in read_catalog(second)}
    assert before.keys() == after.keys() == {A, B}
    assert before[B] == after[B]
    assert before[A] != after[A], "a zone that was deleted and added again begins anew"


def test_a_customers_zones_alone_are_listed(database: Database) -> None:
    """A catalog for a customer has that customer's zones, and none of external mode."""
    with database.write() as session:
        zones.add_zone(session, Zone(CATALOG), now=NOW, actor="test")
        catalogs.add_catalog(session, Catalog(CATALOG, Role.PRODUCER, "7"), now=NOW, actor="test")
        more = [Zone(A), Zone(B, customer="7"), Zone(C, Mode.EXTERNAL, customer="7")]
        zones.add_zones(session, more, now=NOW, actor="test")
        catalogs.produce(session, CATALOG, now=NOW)
        made = versions.served(session, CATALOG)
        assert made is not None
        assert [member.apex for member in read_catalog(made)] == [B]


def test_what_does_not_fit_is_told(database: Database) -> None:
    """A zone is a catalog once, and only a catalog is one."""
    with database.write() as session:
        follow(session)
        with pytest.raises(AlreadyExists, match="a catalog already"):
            catalogs.add_catalog(session, Catalog(CATALOG, Role.PRODUCER), now=NOW, actor="t")
        zones.add_zone(session, Zone(A), now=NOW, actor="test")
        with pytest.raises(StorageError, match="no catalog"):
            catalogs.get_catalog(session, A)
        with pytest.raises(StorageError, match="not made here"):
            catalogs.produce(session, CATALOG, now=NOW)
