"""Catalog zones (RFC 9432): what is read of them, and what follows from it."""

from __future__ import annotations

import pytest

from zones.catalog import (
    Guard,
    Member,
    Owned,
    Plan,
    content,
    make_catalog,
    plan,
    read_catalog,
    string,
)
from zones.check import check
from zones.errors import ZoneError
from zones.finding import errors
from zones.name import Name, below, from_text
from zones.rrset import PTR, SOA, TXT, RRset
from zones.version import ZoneVersion

CATALOG = from_text("catalog.example.")
OTHER = from_text("other-catalog.example.")
ZONES = below(b"zones", CATALOG)
A, B, C = (from_text(f"{letter}.example.org.") for letter in "abc")


def version_of(*rrsets: RRset) -> ZoneVersion:
    """Return a catalog with further RRsets, which take the place of those of the same key."""
    soa = next(rrset for rrset in make_catalog(CATALOG, 1, ()) if rrset.rtype == SOA)
    by_key = {rrset.key: rrset for rrset in (soa, *content(CATALOG, ()), *rrsets)}
    return ZoneVersion.of(CATALOG, by_key.values())


def ptr(label: bytes, *targets: Name) -> RRset:
    """Return the PTR records of a member."""
    return RRset.of(below(label, ZONES), PTR, 0, targets)


def test_what_is_made_is_read_back() -> None:
    """Members with all their properties survive the way through a zone."""
    members = (
        Member(A, b"one"),
        Member(B, b"two", coo=OTHER),
        Member(C, b"three", groups=("signed", "x")),
    )
    made = make_catalog(CATALOG, 7, members)
    assert read_catalog(made) == members
    assert made.serial == 7


def test_a_made_catalog_passes_the_checks() -> None:
    """What we send as a catalog is taken by our own rules, empty or not."""
    for members in ((), (Member(A, b"one"),)):
        assert not errors(check(make_catalog(CATALOG, 1, members)))


def test_what_is_unknown_is_ignored() -> None:
    """Other properties, other names and extensions change nothing (RFC 9432 4.4, 4.5)."""
    known = version_of(
        ptr(b"one", A),
        RRset.of(below(b"ext", below(b"one", ZONES)), TXT, 0, [string("x")]),
        RRset.of(below(b"serial", below(b"one", ZONES)), TXT, 0, [string("x")]),
        RRset.of(below(b"ext", CATALOG), TXT, 0, [string("x")]),
        RRset.of(below(b"one", ZONES), TXT, 0, [string("x")]),
    )
    assert read_catalog(known) == (Member(A, b"one"),)


@pytest.mark.parametrize(
    ("rrsets", "told"),
    [
        ([RRset.of(below(b"version", CATALOG), TXT, 0, [string("1")])], "says version '1'"),
        (
            [RRset.of(below(b"version", CATALOG), TXT, 0, [string("2"), string("3")])],
            "says version '2, 3'",
        ),
        ([ptr(b"one", A, B)], "has 2 PTR records"),
        ([ptr(b"one", A), ptr(b"two", A)], "is listed more than once"),
        ([ptr(b"one", CATALOG)], "lists itself"),
        (
            [ptr(b"one", A), RRset.of(below(b"coo", below(b"one", ZONES)), PTR, 0, [OTHER, B])],
            "coo.one.zones.catalog.example has 2 PTR records",
        ),
    ],
)
def test_a_broken_catalog_is_refused(rrsets: list[RRset], told: str) -> None:
    """What RFC 9432 forbids breaks the catalog, with the reason in words."""
    with pytest.raises(ZoneError, match=told):
        read_catalog(version_of(*rrsets))


def test_all_reasons_are_told_at_once() -> None:
    """Who mends a catalog learns everything that is wrong with it."""
    broken = version_of(
        RRset.of(below(b"version", CATALOG), TXT, 0, [string("1")]),
        ptr(b"one", A, B),
        ptr(b"two", CATALOG),
    )
    with pytest.raises(ZoneError) as raised:
        read_catalog(broken)
    assert len(raised.value.reasons) == 3


def test_a_zone_without_a_version_is_no_catalog() -> None:
    """A zone that is entered by mistake deletes nothing."""
    soa = next(rrset for rrset in make_catalog(CATALOG, 1, ()) if rrset.rtype == SOA)
    with pytest.raises(ZoneError, match="no catalog zone"):
        read_catalog(ZoneVersion.of(CATALOG, [soa]))


def owned(label: bytes = b"one", **more: object) -> Owned:
    """Return a zone that came from the catalog."""
    return Owned(CATALOG, label, **more)  # type: ignore[arg-type]


def test_zones_come_and_go() -> None:
    """What is listed is added, what is listed no more is deleted, what stays is left alone."""
    known = {A: owned(b"one"), B: owned(b"two")}
    listed = [Member(A, b"one"), Member(C, b"three")]
    done = plan(CATALOG, listed, known, [A], Guard())
    assert done == Plan(add=(Member(C, b"three"),), remove=(B,))


def test_another_label_begins_anew() -> None:
    """A member with another label loses its state (RFC 9432 5.4)."""
    done = plan(CATALOG, [Member(A, b"new")], {A: owned()}, [A], Guard())
    assert done == Plan(reset=(Member(A, b"new"),))


def test_other_groups_are_noticed() -> None:
    """A member that changes its group changes nothing else."""
    member = Member(A, b"one", groups=("signed",))
    assert plan(CATALOG, [member], {A: owned()}, [A], Guard()) == Plan(change=(member,))


def test_a_zone_of_our_own_is_never_taken_over() -> None:
    """A name that is a zone here by other means is refused, and nothing happens to it."""
    done = plan(CATALOG, [Member(A, b"one")], {}, [A], Guard())
    assert done.is_empty
    assert [(one.apex, one.key) for one in done.refused] == [(A, "present")]


def test_a_zone_of_another_catalog_is_not_taken_without_its_word() -> None:
    """Only the catalog that a zone came from can hand it over, and only to whom it names."""
    member = Member(A, b"one")
    other = {A: Owned(OTHER, b"one")}
    assert plan(CATALOG, [member], other, [A], Guard()).refused[0].key.startswith("of ")
    given = {A: Owned(OTHER, b"one", coo=B)}
    assert plan(CATALOG, [member], given, [A], Guard()).refused


def test_change_of_ownership() -> None:
    """A zone that is handed over keeps its state where the label does (RFC 9432 4.4.1)."""
    given = {A: Owned(OTHER, b"one", coo=CATALOG)}
    same, anew = Member(A, b"one"), Member(A, b"two")
    assert plan(CATALOG, [same], given, [A], Guard()) == Plan(move=(same,))
    assert plan(CATALOG, [anew], given, [A], Guard()) == Plan(reset=(anew,))


def test_the_old_catalog_does_not_delete_what_it_handed_over() -> None:
    """Once moved, a zone is not the old catalog's to delete (RFC 9432 5.3)."""
    assert plan(OTHER, [], {A: owned()}, [], Guard()).is_empty


def names(count: int) -> list[Name]:
    """Return so many names."""
    return [from_text(f"zone{number}.example.org.") for number in range(count)]


def test_losing_many_at_once_is_held() -> None:
    """A catalog that loses more than its share is not applied without approval."""
    known = {apex: owned(apex) for apex in names(100)}
    for gone, held in ((20, False), (21, True), (100, True)):
        listed = [Member(apex, apex) for apex in names(100)[gone:]]
        done = plan(CATALOG, listed, known, [], Guard(share=0.2))
        assert bool(done.held) is held, gone
    assert "100 of 100 zones at once" in done.held


def test_few_may_always_go() -> None:
    """Small portfolios lose a zone or two without a question."""
    known = {apex: owned(apex) for apex in names(4)}
    listed = [Member(apex, apex) for apex in names(4)[3:]]
    assert not plan(CATALOG, listed, known, [], Guard(few=3)).held
    assert plan(CATALOG, [], known, [], Guard(few=3)).held


def test_too_many_members_are_held() -> None:
    """A catalog cannot fill the server."""
    listed = [Member(apex, apex) for apex in names(11)]
    done = plan(CATALOG, listed, {}, [], Guard(members=10))
    assert "11 zones; 10 are allowed" in done.held
    assert done.is_empty
