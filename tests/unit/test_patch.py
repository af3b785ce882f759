"""Patches: content as what it repeats of earlier content, and what is new."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_changes import made
from tests.unit.zone_strategies import zone_versions
from zones.patch import Op, PatchError, compose, decode, encode
from zones.splice import Layout, patched
from zones.version import ZoneVersion

BASE = bytes(range(200))


@st.composite
def patches(draw: st.DrawFn, size: int) -> list[Op]:
    """Return a patch of content of this size."""
    ops: list[Op] = []
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            ops.append(draw(st.binary(max_size=5)))
        else:
            start, end = sorted((draw(st.integers(0, size)), draw(st.integers(0, size))))
            ops.append((start, end))
    return ops


@given(st.data())
def test_composed_patches_do_what_both_do(data: st.DataObject) -> None:
    """One after the other, or both at once: the same octets, also after being encoded."""
    first = data.draw(patches(len(BASE)))
    middle = patched(BASE, first)
    second = data.draw(patches(len(middle)))
    both = decode(encode(compose(first, second)))
    assert patched(BASE, both) == patched(middle, second)


@given(zone_versions(), zone_versions())
def test_changes_tell_their_patch(old: ZoneVersion, new: ZoneVersion) -> None:
    """The patch of changes makes the new octets of the old ones."""
    with mock.patch("zones.version.LARGE", 0):
        version = made(old, new).finish()
    assert version.descent
    assert patched(old.blob, decode(encode(version.descent.ops))) == version.blob == new.blob


@given(zone_versions(), zone_versions(), zone_versions())
def test_changes_of_changed_versions(
    first: ZoneVersion, second: ZoneVersion, third: ZoneVersion
) -> None:
    """Changes upon changes tell of the version what a version made anew does."""
    with mock.patch("zones.version.LARGE", 0):
        middle = made(first, second).finish()
        last = made(ZoneVersion(second.blob), third)
        again = middle.changed(dict(last.sets()))
    assert (again.serial, again.record_count) == (third.serial, third.record_count)
    assert again.octets == len(third.blob)
    assert again.soa == third.soa
    for rrset in third:
        assert again.layout.get(rrset.key) == rrset
        assert again.layout.at(rrset.owner) == Layout(third.blob).at(rrset.owner)
    assert again.blob == third.blob


@pytest.mark.parametrize("ops", [[(0, 201)], [(7, 3)], [(300, 301)]])
def test_patch_of_other_content(ops: list[Op]) -> None:
    """A patch that copies what is not there is refused."""
    with pytest.raises(PatchError):
        patched(BASE, ops)


@pytest.mark.parametrize("cut", [1, 15, 17, 33])
def test_cut_patch(cut: int) -> None:
    """Octets that end within an operation are refused."""
    octets = encode([b"abc", (1, 5), b"de"])
    with pytest.raises(PatchError):
        decode(octets[:cut])
