"""The compiled zone table: the same zones as a ``ZoneTable``, and what was replaced is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nameserver.respond import AnswerSettings, Transport, respond
from nameserver.table import ServedZone, ZoneState
from tests.zone_content import content
from zones.name import from_text
from zones.packed import PackedError
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
