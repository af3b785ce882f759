"""The difference of two versions, and applying it."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given

from tests.unit.zone_strategies import rrset, soa, zone_versions
from zones.diff import Difference, apply, diff
from zones.errors import ZoneError
from zones.version import ZoneVersion

APEX = b"\x07example\x03org\x00"


def version(*texts: str) -> ZoneVersion:
    """Return a version of example.org with an SOA and these records."""
    return ZoneVersion.of(APEX, [soa(), *map(rrset, texts)])


@given(zone_versions(), zone_versions())
def test_how_far_is_compared_at_once_changes_nothing(old: ZoneVersion, new: ZoneVersion) -> None:
    """Comparing in the shortest stretches finds the same difference."""
    with mock.patch("zones.diff.LONGEST", 64):
        short = diff(old, new)
    assert short == diff(old, new)


@given(zone_versions(), zone_versions())
def test_a_difference_leads_from_one_version_to_the_other(
    old: ZoneVersion, new: ZoneVersion
) -> None:
    """For any two versions, applying their difference to the old one makes the new one."""
    assert apply(old, diff(old, new)).blob == new.blob
    assert apply(new, diff(new, old)).blob == old.blob


@given(zone_versions())
def test_equal_versions_have_no_difference(some: ZoneVersion) -> None:
    """A version differs from itself in nothing, and applying nothing changes nothing."""
    difference = diff(some, some)
    assert difference.is_empty
    assert difference.lines() == []
    assert apply(some, difference).blob == some.blob


def test_a_difference_has_only_the_records_that_differ() -> None:
    """Of a set that keeps its TTL, only the records that came or went are told."""
    old = version("www 300 A 192.0.2.1 192.0.2.2", "gone 300 A 192.0.2.9")
    new = version("www 300 A 192.0.2.2 192.0.2.3")
    assert diff(old, new).lines() == [
        "- gone.example.org. 300 IN A 192.0.2.9",
        "- www.example.org. 300 IN A 192.0.2.1",
        "+ www.example.org. 300 IN A 192.0.2.3",
    ]


def test_a_changed_ttl_replaces_the_whole_set() -> None:
    """Records have their TTL from the set, so that a new TTL removes and adds all of them."""
    old = version("www 300 A 192.0.2.1 192.0.2.2")
    new = version("www 600 A 192.0.2.1 192.0.2.2")
    difference = diff(old, new)
    assert [len(rrset.rdatas) for rrset in difference.removed + difference.added] == [2, 2]


def test_a_difference_to_another_base_is_refused_with_every_reason() -> None:
    """Records to remove that are absent, and records to add that are there, are all named."""
    base = version("www 300 A 192.0.2.1")
    wrong = Difference(
        removed=(rrset("www 300 A 192.0.2.7"), rrset("ftp 300 A 192.0.2.8")),
        added=(rrset("www 300 A 192.0.2.1"),),
    )
    with pytest.raises(ZoneError) as caught:
        apply(base, wrong)
    assert sorted(caught.value.reasons) == [
        "the record ftp.example.org. 300 IN A 192.0.2.8 to be removed is not there",
        "the record www.example.org. 300 IN A 192.0.2.1 to be added is there already",
        "the record www.example.org. 300 IN A 192.0.2.7 to be removed is not there",
    ]
