"""The compiled zone table: the same zones as a ``ZoneTable``, and what was replaced is kept."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneState
from tests import random_zones
from tests.random_zones import Universe
from tests.zone_content import content
from zones.name import from_text
from zones.packed import PackedError
from zones.rrset import RRSIG, SOA
from zones.version import ZoneVersion

if TYPE_CHECKING:
    from nameserver._answer import CompiledTable
else:
    CompiledTable = pytest.importorskip("nameserver._answer").CompiledTable

SETTINGS = AnswerSettings()
QUERY_TAIL = b"\x00\x06\x00\x01"  # SOA IN


def served(apex: str, serial: int = 1) -> ServedZone:
    """Return a small zone in service."""
    version = content(apex, serial=serial)
    return ServedZone(version.apex, ZoneState.SERVING, version)


def ask(table: CompiledTable, apex: str) -> object:
    """Return the answer to a query for a zone's SOA, which is the oracle's."""
    query = bytes(4) + b"\x00\x01" + bytes(6) + from_text(apex) + QUERY_TAIL
    answer = table.respond(query, Transport.UDP, SETTINGS)
    assert answer == respond(table.served, query, Transport.UDP, SETTINGS)
    return answer


def test_many_zones_come_and_go() -> None:
    """A table that grows past its slots finds every zone, and none that was removed."""
    table = CompiledTable()
    apexes = [f"zone{n}.example." for n in range(300)]
    for apex in apexes:
        table.replace(served(apex))
    assert len(table) == len(apexes)
    for apex in apexes[::2]:
        table.remove(from_text(apex))
    for apex in apexes:
        ask(table, apex)
    for apex in apexes[::4]:
        table.replace(served(apex, serial=2))
        ask(table, apex)
    assert len(table) == 225


def test_what_was_replaced_is_kept() -> None:
    """Readers may still see what was replaced or removed: it is handed over, not freed."""
    table = CompiledTable()
    table.replace(served("example.org."))
    assert table.take_retired() == []
    table.replace(served("example.org.", serial=2))
    assert len(table.take_retired()) == 1
    table.remove(from_text("example.org."))
    assert len(table.take_retired()) == 1
    assert table.take_retired() == []
    table.remove(from_text("example.org."))


def test_a_malformed_version_changes_nothing() -> None:
    """A version that cannot be read is refused, and the one before stays in service."""
    table = CompiledTable()
    table.replace(served("example.org."))
    before = ask(table, "example.org.")
    broken = ZoneVersion(content("example.org.").blob[:-1])
    with pytest.raises(PackedError):
        table.replace(ServedZone(broken.apex, ZoneState.SERVING, broken))
    with pytest.raises(ValueError, match="apex"):
        table.replace(ServedZone(from_text("example.net."), ZoneState.SERVING, broken))
    assert ask(table, "example.org.") == before


def test_zones_that_are_loaded_in_bulk() -> None:
    """They are answered like others, exist for Python when asked for, and can be replaced."""
    table = CompiledTable()
    table.replace(served("other.example."))
    zones = {apex: content(apex, serial=7) for apex in [f"zone{n}.example." for n in range(300)]}
    rows = [(number, version.blob) for number, version in enumerate(zones.values(), 1)]
    assert table.load_many(rows[:100]) == []
    assert table.load_many(rows[100:]) == []
    assert (len(table), len(table.served)) == (301, 301)
    for number, (apex, version) in enumerate(zones.items(), 1):
        ask(table, apex)
        assert table.loaded_id(version.apex) == number
        found = table.served.get(version.apex)
        assert found
        assert found.version
        assert found.version.blob == version.blob
        assert table.served.get(version.apex).version is found.version  # type: ignore[union-attr]
    assert table.served.apexes() == {one.apex for one in table.served}
    for apex in list(zones)[::3]:
        table.replace(served(apex, serial=8))
        ask(table, apex)
        assert table.loaded_id(from_text(apex)) == 0
    for apex in list(zones)[1::3]:
        table.remove(from_text(apex))
        ask(table, apex)
        assert table.served.get(from_text(apex)) is None
    assert len(table) == len(table.served) == 201
    assert len(table.take_retired()) >= 200
    for apex in zones:
        ask(table, apex)


def test_damaged_rows_are_told() -> None:
    """What is damaged is returned with the reason; the others are served."""
    table = CompiledTable()
    sound = content("example.org.")
    damaged = [(1, b""), (2, b"NSZV"), (3, sound.blob[:-1]), (4, bytes(3000))]
    told = table.load_many([*damaged, (5, sound.blob)])
    assert [row for row, _reason in told] == damaged
    assert len(table) == 1
    ask(table, "example.org.")


def test_signed_zones_that_are_loaded_in_bulk(rng: Random) -> None:
    """Zones of any shape are answered as if they had been replaced; signed ones are named."""
    for _ in range(100):
        universe = Universe(rng)
        versions = [random_zones.version(rng, universe, apex) for apex in universe.apexes]
        small = [one for one in versions if one.octets < 60_000]
        loaded, replaced = CompiledTable(), CompiledTable()
        assert loaded.load_many([(1, one.blob) for one in small]) == []
        for one in small:
            replaced.replace(ServedZone(one.apex, ZoneState.SERVING, one))
        queries = [random_zones.query(rng, universe) for _ in range(100)]
        answers = loaded.respond_many(queries, Transport.TCP, SETTINGS)
        assert answers == replaced.respond_many(queries, Transport.TCP, SETTINGS)
        with_signatures = {
            one.apex for one in small if any(r.key == (one.apex, RRSIG, SOA) for r in one)
        }
        found = set(loaded.loaded_apexes(signed=True))
        assert found <= with_signatures
        assert all(
            one.apex in found for one in small if one.apex in with_signatures and has_soa(one)
        )


def has_soa(version: ZoneVersion) -> bool:
    """Tell whether the apex has an SOA."""
    return any(one.key == (version.apex, SOA, 0) for one in version)
