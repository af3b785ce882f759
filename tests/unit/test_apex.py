"""What stands at the apex of packed content, found without reading the rest."""

from __future__ import annotations

import random

import pytest

from tests.random_zones import Universe, version
from tests.zone_content import content
from zones.apex import apex_rrsets
from zones.packed import PackedError
from zones.version import ZoneVersion

ENGINES = pytest.mark.parametrize("engine", ["python", "auto"])


@ENGINES
def test_all_that_stands_at_the_apex(
    rng: random.Random, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk over the whole zone finds the same RRsets at the apex, and no others."""
    monkeypatch.setenv("NSCTL_ENGINE", engine)
    for _ in range(100):
        universe = Universe(rng)
        made = version(rng, universe, rng.choice(universe.apexes))
        expected = {rrset.key[1:]: rrset for rrset in made if rrset.owner == made.apex}
        found = apex_rrsets(made)
        assert dict(found) == expected
        assert len(found) == len(expected)
        assert (6, 0) not in found or found[6, 0] == made.soa
        assert (65_000, 0) not in found
        assert found.get((65_000, 0)) is None


@ENGINES
def test_content_that_is_cut_short(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it ends within the apex it is an error, or the end of what is there."""
    monkeypatch.setenv("NSCTL_ENGINE", engine)
    whole = content("example.org")
    raised = 0
    for end in range(len(whole.blob)):
        try:
            found = dict(apex_rrsets(ZoneVersion(whole.blob[:end])))
        except PackedError:
            raised += 1
        else:
            assert found.items() <= dict(apex_rrsets(whole)).items()
    assert raised
