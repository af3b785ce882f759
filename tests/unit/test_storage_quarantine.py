"""Versions that are kept and not served, in both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import (
    events,
    kept_versions,
    quarantine,
    secondaries,
    suspensions,
    transfer_settings,
    versions,
    zones,
)
from storage.database import Database
from storage.errors import StorageError
from storage.suspensions import Suspension
from storage.versions import Origin
from tests.zone_content import content
from zones.finding import Finding, Severity
from zones.guards import GuardSettings
from zones.name import from_text
from zones.quarantine import Quarantined, Standing, TransferSettings, Validation
from zones.secondary import Result, SecondaryState
from zones.zone import Mode, Zone

APEX = from_text("example.org")
NOW = 1_800_000_000.0
FINDING = Finding("names-lost", Severity.HOLD, APEX, 0, "Many are gone.", "Approve it.")
SETTINGS = TransferSettings(
    GuardSettings(names_lost=10, emptied=False), Validation.DS, (b"\1\2\3\4",), 7
)


def kept(standing: Standing = Standing.HELD, serial: int = 2, hosts: int = 1) -> Quarantined:
    """Return a version that is not served."""
    version = content("example.org", serial=serial, hosts=hosts)
    return Quarantined(
        APEX, standing, serial, NOW, "192.0.2.1@53", (FINDING,), version.record_count, version, 1
    )


@pytest.fixture
def zone(database: Database) -> Database:
    """A store with a zone that serves serial 1, and whose serial 2 is held."""
    with database.write() as session:
        zones.add_zone(session, Zone(APEX, Mode.HIDDEN_PRIMARY), now=NOW, actor="t")
        versions.publish(
            session,
            content("example.org", serial=1, hosts=9),
            origin=Origin.TRANSFER,
            actor="t",
            reason="",
            now=NOW,
        )
        state = SecondaryState(
            APEX,
            serial=1,
            primary_serial=2,
            last_result=Result.HELD,
            last_rule="names-lost",
            last_success=NOW,
            expires_at=NOW + 5,
        )
        secondaries.save_states(session, [state])
        quarantine.keep(session, [kept()], there={APEX})
    return database


def test_a_held_version_comes_back_as_it_was(zone: Database) -> None:
    """All that is known of it, and its content where that is asked for."""
    with zone.read() as session:
        assert quarantine.find(session, APEX, with_content=True) is not None
        found = quarantine.find(session, APEX)
        whole = quarantine.find(session, APEX, with_content=True)
        assert found == replace(kept(), content=None)
        assert whole is not None
        assert whole.content is not None
        assert whole.content.blob == content("example.org", serial=2).blob
        assert quarantine.notes(session) == {APEX: kept().note}
        assert quarantine.apexes(session) == {APEX}
        assert [one.apex for one in quarantine.held(session)] == [APEX]


def test_one_for_a_zone(zone: Database) -> None:
    """A newer one takes the place of the one before; a zone that is gone gets none."""
    with zone.write() as session:
        quarantine.keep(session, [kept(Standing.REFUSED, 3)], there={APEX})
        quarantine.keep(session, [kept(serial=4)], there=set())
    with zone.read() as session:
        found = quarantine.find(session, APEX)
        assert found is not None
        assert (found.standing, found.serial) == (Standing.REFUSED, 3)
        assert quarantine.notes(session) == {}


def test_approve(zone: Database) -> None:
    """The held version is served, its timers count, and nothing is held any more."""
    with zone.write() as session:
        quarantine.approve(session, APEX, 2, actor="t", reason="it is meant so", now=NOW + 1)
    with zone.read() as session:
        served = versions.served(session, APEX)
        assert served is not None
        assert served.serial == 2
        state = secondaries.get_state(session, APEX)
        assert (state.serial, state.last_result, state.last_rule) == (2, Result.ACCEPTED, "")
        assert state.expires_at is not None
        assert state.expires_at >= NOW + state.expire
        assert quarantine.find(session, APEX) is None
        assert (
            kept_versions.history(session, APEX)[0].reason
            == "held version approved: it is meant so"
        )
        assert "zone-approved" in {one.kind for one in events.list_events(session)}


def test_approve_refuses_with_a_reason(zone: Database) -> None:
    """Another serial, a primary that moved on, a pin, nothing held: each is told."""

    def told(serial: int | None = None) -> str:
        with zone.write() as session, pytest.raises(StorageError) as raised:
            quarantine.approve(session, APEX, serial, actor="t", reason="", now=NOW)
        return str(raised.value)

    assert "not serial 9 but 2 is held" in told(9)
    with zone.write() as session:
        state = secondaries.get_state(session, APEX)
        secondaries.save_states(session, [replace(state, primary_serial=3)])
    assert "the primary has moved on to 3" in told()
    with zone.write() as session:
        quarantine.keep(session, [kept(Standing.REFUSED)], there={APEX})
    assert "refused, not held" in told()
    with zone.write() as session:
        quarantine.drop(session, [APEX])
    assert "nothing is held" in told()
    with zone.write() as session:
        quarantine.keep(session, [kept()], there={APEX})
        pinned = replace(zones.get_zone(session, APEX), pinned=True)
        zones.update_zone(session, pinned, now=NOW, actor="t", reason="")
    assert "pinned" in told()


def test_discard(zone: Database) -> None:
    """The content goes, the memory of it stays; it cannot be approved afterwards."""
    with zone.write() as session:
        quarantine.discard(session, APEX, None, actor="t", reason="a mistake", now=NOW)
    with zone.read() as session:
        found = quarantine.find(session, APEX, with_content=True)
        assert found is not None
        assert (found.standing, found.content, found.by, found.reason) == (
            Standing.DISCARDED,
            None,
            "t",
            "a mistake",
        )
        assert found.note is not None
        assert found.note.discarded
    with zone.write() as session, pytest.raises(StorageError, match="discarded already"):
        quarantine.approve(session, APEX, None, actor="t", reason="", now=NOW)


def test_large_refused_content_is_not_kept(zone: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only there to be compared is bounded; what is held is kept whole."""
    monkeypatch.setattr(quarantine, "MOST_REFUSED", 500)
    for standing, there in ((Standing.REFUSED, False), (Standing.HELD, True)):
        with zone.write() as session:
            quarantine.keep(session, [kept(standing, hosts=50)], there={APEX})
        with zone.read() as session:
            found = quarantine.find(session, APEX, with_content=True)
            assert found is not None
            assert (found.content is not None) == there


def test_it_goes_with_its_zone(zone: Database) -> None:
    """Nothing is left of a deleted zone."""
    with zone.write() as session:
        transfer_settings.put(session, APEX, SETTINGS, told="x", actor="t", now=NOW)
        zones.delete_zone(session, APEX, now=NOW, actor="t")
    with zone.read() as session:
        assert quarantine.apexes(session) == set()
        assert transfer_settings.all_settings(session) == {}


def test_settings(zone: Database) -> None:
    """Settings come back as they were; defaults take no row; a used serial is forgotten."""
    with zone.write() as session:
        assert transfer_settings.get(session, APEX) == TransferSettings()
        transfer_settings.put(session, APEX, SETTINGS, told="x", actor="t", now=NOW)
    with zone.write() as session:
        assert transfer_settings.get(session, APEX) == SETTINGS
        transfer_settings.used_serial(session, [APEX])
    with zone.write() as session:
        assert transfer_settings.get(session, APEX) == replace(SETTINGS, accepted_serial=None)
        transfer_settings.put(session, APEX, TransferSettings(), told="x", actor="t", now=NOW)
        assert transfer_settings.all_settings(session) == {}


def test_suspensions(database: Database) -> None:
    """A primary is cut off with a reason, in the event log too, and resumed once."""
    one = Suspension("192.0.2.1", 0, "endless transfers", NOW, "t")
    with database.write() as session:
        suspensions.suspend(session, one)
        suspensions.suspend(session, replace(one, reason="still"))
    with database.write() as session:
        assert suspensions.all_suspensions(session) == [replace(one, reason="still")]
        suspensions.resume(session, "192.0.2.1", 0, reason="", actor="t", now=NOW)
        with pytest.raises(StorageError, match="not suspended"):
            suspensions.resume(session, "192.0.2.1", 0, reason="", actor="t", now=NOW)
        kinds = [event.kind for event in events.list_events(session)]
        assert kinds == ["primary-suspended", "primary-suspended", "primary-resumed"]
