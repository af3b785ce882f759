"""Drift: content that changed without a new serial is found, told once, and not published."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from storage import drifts, events, secondaries, versions, zones
from storage.database import Database
from storage.drifts import Drift, Schedule
from storage.versions import Origin
from tests.peers.plain_primary import PlainPrimary
from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text
from tests.zone_content import content
from zones.name import Name, from_text
from zones.secondary import SecondaryState
from zones.version import ZoneVersion
from zones.zone import Mode, Zone
from zones.zonefile import read_zone_file

__all__ = ["nsctl"]

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
APEX = from_text("example.org")
SCHEDULE = Schedule(every=7 * DAY, apart=6 * HOUR, max_records=100)
FOUND = Drift(
    APEX, NOW, "drift", NOW, 1, "192.0.2.1@53", "aa", "it differs", ("+ a", "- b"), 2,
    serials={"192.0.2.1@53": 1},
)  # fmt: skip


def follow(session: Session, *texts: str, hosts: int = 1, failures: int = 0) -> list[Name]:
    """Add secondary zones with a version in service."""
    found = []
    for text in texts:
        version = content(text, hosts=hosts)
        zones.add_zone(session, Zone(version.apex, Mode.HIDDEN_PRIMARY), now=NOW, actor="t")
        versions.publish(session, version, origin=Origin.TRANSFER, actor="", reason="", now=NOW)
        state = SecondaryState(version.apex, serial=1, failures=failures)
        secondaries.save_states(session, [state])
        found.append(version.apex)
    return found


def note(session: Session, new: Drift, *, compared: bool = True, serial: int = 1) -> Drift:
    """Take a result."""
    return drifts.note(session, new, compared=compared, served_serial=serial, apart=6 * HOUR)


def turn(session: Session, now: float) -> Name | None:
    """Claim the next zone and return it; nobody else gets it then."""
    apex = drifts.next_zone(session, now, SCHEDULE)
    if apex is not None:
        assert drifts.claim(session, apex, now, SCHEDULE)
        assert not drifts.claim(session, apex, now, SCHEDULE)
    return apex


def kinds(session: Session) -> list[str]:
    """Return the kinds of what was told of drift."""
    found = [event.kind for event in events.list_events(session, limit=1000)]
    return [kind for kind in found if kind.startswith(("drift", "primaries-apart"))]


def test_zones_take_turns_and_some_are_left_out(database: Database) -> None:
    """Each zone once before any again; failing, large and suspended ones never; none too early."""
    with database.write() as session:
        names = follow(session, "a.example", "b.example", "c.example")
        follow(session, "failing.example", failures=1)
        follow(session, "large.example", hosts=200)
        turns = [turn(session, NOW + number) for number in range(4)]
        assert turns == [*names, None]
        assert turn(session, NOW + 8 * DAY) == names[0]


def test_zones_whose_primaries_are_apart_come_first(database: Database) -> None:
    """They are looked at again when it has lasted for long enough to be told."""
    with database.write() as session:
        names = follow(session, "a.example", "b.example")
        apart = {"192.0.2.1@53": 1, "192.0.2.2@53": 2}
        note(session, Drift(names[1], NOW, apart_since=NOW, serials=apart))
        assert turn(session, NOW + 7 * HOUR) == names[1]
        note(session, Drift(names[1], NOW + 7 * HOUR, apart_since=NOW + 7 * HOUR, serials=apart))
        assert kinds(session) == ["primaries-apart"]
        (event,) = events.list_events(session, kinds=["primaries-apart"])
        assert "192.0.2.1@53 has 1, 192.0.2.2@53 has 2" in event.text
        note(session, Drift(names[1], NOW + 20 * HOUR, apart_since=NOW, serials=apart))
        note(session, Drift(names[1], NOW + 21 * HOUR))
        assert kinds(session) == ["primaries-apart", "primaries-apart-over"]


def test_a_finding_is_told_once_and_its_end_too(database: Database) -> None:
    """The same content is no news; other content is; after it is gone that is told."""
    with database.write() as session:
        follow(session, "example.org")
        note(session, FOUND)
        again = note(session, replace(FOUND, compared_at=NOW + DAY, found_at=NOW + DAY))
        assert again.found_at == NOW
        assert kinds(session) == ["drift"]
        note(session, replace(FOUND, hash="bb"))
        assert kinds(session) == ["drift", "drift"]
        # The primary was away: what was found still holds, as long as the serial does.
        note(session, Drift(APEX, NOW + DAY), compared=False)
        assert [one.apex for one in drifts.list_drifts(session)] == [APEX]
        note(session, Drift(APEX, NOW + DAY), compared=False, serial=2)
        assert kinds(session) == ["drift", "drift", "drift-over"]
        assert drifts.list_drifts(session) == []


def test_findings_go_with_their_zone(database: Database) -> None:
    """A zone that was deleted meanwhile leaves nothing, and is no error."""
    with database.write() as session:
        follow(session, "example.org")
        note(session, FOUND)
        zones.delete_zone(session, APEX, now=NOW, actor="t")
        assert drifts.list_drifts(session) == []
        note(session, FOUND)
        assert drifts.get(session, APEX) is None


def serve(nsctl: Nsctl, text: str) -> None:
    """Store a version as the one in service."""
    version = ZoneVersion(read_zone_file(text, filename="", apex=APEX).blob)
    database = Database.open(f"sqlite:///{nsctl.directory}/nsctl.db")
    with database.write() as session:
        versions.publish(
            session, version, origin=Origin.TRANSFER, actor="", reason="", now=time.time()
        )
    database.close()


def test_the_command_shows_what_differs_and_what_to_do(nsctl: Nsctl) -> None:
    """The difference to each primary, in records; nothing is published; exit code 1."""
    text = zone_text(5)
    changed = text.replace("192.0.2.53", "192.0.2.54")
    with (
        PlainPrimary("example.org", changed) as primary,
        PlainPrimary("example.org", text) as other,
    ):
        nsctl(
            "secondary", "add", "example.org",
            "--primary", f"127.0.0.1@{other.port}", "--primary", f"127.0.0.1@{primary.port}",
        )  # fmt: skip
        assert (
            "nothing of it is served yet"
            in nsctl("secondary", "drift", "example.org", code=1).stderr
        )
        serve(nsctl, text)
        assert "no drift is known" in nsctl("secondary", "drift").stdout
        told = nsctl("secondary", "drift", "example.org", code=1).stdout
        assert "the same content" in told
        assert "other content, same serial" in told
        assert "192.0.2.54" in told
        assert "raise the serial at the primary" in " ".join(told.split())
        assert "nsctl secondary retransfer example.org" in " ".join(told.split())
        data = nsctl.json("secondary", "drift", "example.org", code=1)
        assert [one["result"] for one in data["primaries"]] == [
            "the same content",
            "other content, same serial",
        ]
        (found,) = nsctl.json("secondary", "drift")
        assert found["primary"] == f"127.0.0.1@{primary.port}"
        assert "example.org" in nsctl("secondary", "drift").stdout
        shown = json.loads(nsctl("--json", "events", "--kind", "drift").stdout)
        assert any(line.startswith("+ ") for line in shown["data"]["changes"])
        assert nsctl.json("zone", "history", "example.org")[0]["serial"] == 5
        primary.load(text)
        assert "the same content" in nsctl("secondary", "drift", "example.org").stdout
        assert "no drift is known" in nsctl("secondary", "drift").stdout


@pytest.mark.timeout(30)
def test_a_primary_that_is_away_or_ahead_is_no_drift(nsctl: Nsctl) -> None:
    """Another serial is what refreshes are for; silence is told as such, and is no success."""
    with PlainPrimary("example.org", zone_text(6)) as primary:
        nsctl("secondary", "add", "example.org", "--primary", f"127.0.0.1@{primary.port}")
        serve(nsctl, zone_text(5))
        told = nsctl("secondary", "drift", "example.org", code=1).stdout
        assert "another serial" in told
    told = nsctl("secondary", "drift", "example.org", code=1).stdout
    assert "other content" not in told
    assert nsctl.json("secondary", "drift") == []
