"""Changes to versions record by record, and the check of what changed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.zone_strategies import APEX, rrset, soa, zone_versions
from zones.changes import Changes, Unfitting
from zones.check import check
from zones.check_changes import is_surely_sound
from zones.diff import diff
from zones.finding import errors
from zones.rrset import RRset
from zones.version import ZoneVersion

BASE = ZoneVersion.of(
    APEX,
    [
        soa(1),
        rrset("@ 3600 NS ns1 ns2"),
        rrset("ns1 3600 A 192.0.2.1"),
        rrset("ns2 3600 A 192.0.2.2"),
        rrset("www 300 A 192.0.2.3 192.0.2.4"),
        rrset("sub 300 NS ns.sub"),
        rrset("ns.sub 300 A 192.0.2.5"),
        rrset("alias 300 CNAME www"),
        rrset("moved 300 DNAME example.net."),
    ],
)
SMALL = (
    "@ 3600 NS ns1",
    "www 300 A 192.0.2.3",
    "www 300 CNAME ns1",
    "sub 300 NS ns.sub",
    "x.sub 300 DNAME example.net.",
    "y.x.sub 300 A 192.0.2.9",
    "moved 300 DNAME example.net.",
    "x.moved 300 A 192.0.2.1",
    "a.x.moved 300 CNAME www",
    "www 300 SOA ns1 hostmaster 1 1 1 1 1",
    "alias 300 CNAME www ns1",
)


def made(base: ZoneVersion, new: ZoneVersion) -> Changes:
    """Return the changes that make one version of the other."""
    changes = Changes(base)
    difference = diff(base, new)
    for sets, change in (difference.removed, changes.remove), (difference.added, changes.add):
        for gone_or_new in sets:
            for rdata in gone_or_new.rdatas:
                change(gone_or_new.owner, gone_or_new.rtype, gone_or_new.ttl, rdata)
    return changes


def add(changes: Changes, one: RRset) -> None:
    """Add the one record of an RRset."""
    changes.add(one.owner, one.rtype, one.ttl, one.rdatas[0])


def remove(changes: Changes, one: RRset) -> None:
    """Remove the one record of an RRset."""
    changes.remove(one.owner, one.rtype, one.ttl, one.rdatas[0])


@given(zone_versions(), zone_versions())
def test_changes_make_the_same_octets(old: ZoneVersion, new: ZoneVersion) -> None:
    """Removing and adding the difference of two versions makes the second of the first."""
    assert made(old, new).finish().blob == new.blob


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("www 300 A 192.0.2.9", "to be removed is not there"),
        ("nobody 300 A 192.0.2.3", "to be removed is not there"),
        ("www 301 A 192.0.2.3", "to be removed has the TTL 300"),
    ],
)
def test_unfitting_removals(what: str, why: str) -> None:
    """A record that is not there, or not so, cannot be removed, and is named."""
    with pytest.raises(Unfitting, match=why) as raised:
        remove(Changes(BASE), rrset(what))
    assert what.rsplit(maxsplit=1)[-1] in str(raised.value)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("www 300 A 192.0.2.3", "to be added is there already"),
        ("www 301 A 192.0.2.9", "stands beside others with the TTL 300"),
    ],
)
def test_unfitting_additions(what: str, why: str) -> None:
    """A record that is there, or whose TTL is not that of its set, cannot be added."""
    with pytest.raises(Unfitting, match=why):
        add(Changes(BASE), rrset(what))


def test_several_sequences() -> None:
    """What one sequence adds, the next may remove, and the other way round."""
    changes = Changes(BASE)
    add(changes, rrset("new 60 A 192.0.2.7"))
    remove(changes, rrset("new 60 A 192.0.2.7"))
    remove(changes, rrset("www 300 A 192.0.2.3"))
    remove(changes, rrset("www 300 A 192.0.2.4"))
    add(changes, rrset("www 900 A 192.0.2.3"))
    kept = [one for one in BASE if one.owner != rrset("www 1 A 192.0.2.1").owner]
    wanted = ZoneVersion.of(APEX, [*kept, rrset("www 900 A 192.0.2.3")])
    assert changes.finish().blob == wanted.blob


def test_records_outside_of_the_zone_are_passed_over() -> None:
    """As in a whole transfer, a record of another zone is not taken over."""
    changes = Changes(BASE)
    add(changes, rrset("www.example.net. 300 A 192.0.2.1"))
    remove(changes, rrset("mail.example.net. 300 A 192.0.2.1"))
    assert changes.finish().blob == BASE.blob


def test_an_ordinary_change_is_surely_sound() -> None:
    """The quick check says so for what happens every day."""
    changes = made(BASE, ZoneVersion.of(APEX, [*BASE_BUT_SOA, soa(2), rrset("a 60 TXT x")]))
    assert is_surely_sound(changes)


BASE_BUT_SOA = [one for one in BASE if one.key != soa(1).key]


@pytest.mark.parametrize("lines", list(itertools.combinations(SMALL, 2)))
def test_sound_by_changes_is_sound_as_a_whole(lines: tuple[str, str]) -> None:
    """Whatever of a few clashing sets comes or goes, no refusal is missed."""
    for present in ([], [rrset(lines[0])], [rrset(lines[1])]):
        start = {one.key: one for one in (*BASE, *present)}
        wanted = start | {one.key: one for one in map(rrset, lines)} | {soa(2).key: soa(2)}
        without = {key: one for key, one in start.items() if key != rrset(lines[0]).key}
        for after in (wanted, without):
            assert_no_refusal_is_missed(
                ZoneVersion.of(APEX, start.values()), ZoneVersion.of(APEX, after.values())
            )


def assert_no_refusal_is_missed(old: ZoneVersion, new: ZoneVersion) -> None:
    """Where the base is sound and the quick check says so, the full check refuses nothing."""
    if errors(check(old)):
        return
    if is_surely_sound(made(old, new)):
        assert not errors(check(new))


@given(st.lists(st.sampled_from(SMALL)), st.lists(st.sampled_from(SMALL)), zone_versions())
def test_sound_by_changes_is_sound_as_a_whole_at_random(
    before: list[str], after: list[str], more: ZoneVersion
) -> None:
    """The same for whatever else there is in the zone."""
    extra = [one for one in more if one.rtype != soa().rtype]
    start = {one.key: one for one in (*BASE, *map(rrset, before))}
    end = {one.key: one for one in (*BASE, *extra, *map(rrset, after), soa(7))}
    old, new = (ZoneVersion.of(APEX, sets.values()) for sets in (start, end))
    assume(old.blob != new.blob)
    assert_no_refusal_is_missed(old, new)
    assert_no_refusal_is_missed(new, old)
