"""Answer sections of transfers: compiled and in Python, octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axfr.outbound import soa_record
from tests.unit.zone_strategies import soa, zone_versions
from zones.name import from_text
from zones.packed import pack
from zones.packing import compiled_available
from zones.rrset import TXT, RRset
from zones.sections import Section, sections
from zones.version import ZoneVersion

pytestmark = pytest.mark.skipif(not compiled_available, reason="nothing is compiled here")


def written(version: ZoneVersion, room: int, engine: str) -> list[Section]:
    """Return the sections as one of the engines writes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSCTL_ENGINE", engine)
        return list(sections(version.blob, soa_record(version), room))


@given(zone_versions(), st.integers(1, 2000))
def test_compiled_sections_are_those_of_python(version: ZoneVersion, room: int) -> None:
    """For any zone and any room, both write the same octets and count the same records."""
    assert written(version, room, "compiled") == written(version, room, "python")


def test_a_record_larger_than_the_room() -> None:
    """It stands alone, whole; what is before and behind it is not lost."""
    apex = soa().owner
    long = bytes((255,)) + bytes(255)
    large = RRset.of(from_text("large", apex), TXT, 5, [long * 200, long])
    version = ZoneVersion(pack(apex, [soa(), large]))
    for engine in ("compiled", "python"):
        done = written(version, 1000, engine)
        assert [count for _octets, count in done] == [2, 1, 1]
        assert len(done[1][0]) > 200 * 256
        assert sum(count for _octets, count in done) == 4
