"""The commands that decide about held versions, guards and suspended primaries."""

from __future__ import annotations

import time

import pytest

from storage import quarantine, secondaries, versions
from storage.database import Database
from storage.versions import Origin
from tests.unit.cli_fixtures import Nsctl, nsctl
from tests.zone_content import content
from zones.finding import Finding, Severity
from zones.name import from_text
from zones.quarantine import Quarantined, Standing
from zones.secondary import Result, SecondaryState

__all__ = ["nsctl"]

APEX = from_text("example.org")
FINDING = Finding("names-lost", Severity.HOLD, APEX, 0, "Many names are gone.", "Look at it.")


@pytest.fixture
def holding(nsctl: Nsctl) -> Nsctl:
    """A zone that serves serial 1, and whose serial 2 is held."""
    nsctl("secondary", "add", "example.org", "--primary", "192.0.2.1")
    database = Database.open(f"sqlite:///{nsctl.directory}/nsctl.db")
    now = time.time()
    old, new = (content("example.org", serial=1, hosts=9), content("example.org", serial=2))
    with database.write() as session:
        versions.publish(session, old, origin=Origin.TRANSFER, actor="t", reason="", now=now)
        state = SecondaryState(
            APEX,
            serial=1,
            primary_serial=2,
            last_result=Result.HELD,
            last_rule="names-lost",
            last_reason="Many names are gone.",
            last_success=now,
            last_attempt=now,
            expires_at=now + 86_400,
        )
        secondaries.save_states(session, [state])
        held = Quarantined(
            APEX, Standing.HELD, 2, now, "192.0.2.1@53", (FINDING,), new.record_count, new, 1
        )
        quarantine.keep(session, [held], there={APEX})
    database.close()
    return nsctl


def test_held_and_explained(holding: Nsctl) -> None:
    """The list has it; the explanation has the reason, the commands and the difference."""
    (one,) = holding.json("secondary", "held")
    assert (one["zone"], one["serial"], one["served_serial"]) == ("example.org", 2, 1)
    told = holding("secondary", "explain", "example.org").stdout
    for words in ("Many names are gone", "secondary approve example.org", "From serial 1 to 2"):
        assert words in told
    data = holding.json("secondary", "explain", "example.org")
    assert data["held_serial"] == 2
    assert any(line.startswith("- ") for line in data["difference"])


def test_approve(holding: Nsctl) -> None:
    """Approved is served; there is nothing to approve a second time, and the reason says so."""
    wrong = holding("secondary", "approve", "example.org", "--serial", "7", code=1)
    assert "not serial 7 but 2 is held" in wrong.stderr
    assert holding.json("secondary", "approve", "example.org")["serial"] == 2
    assert holding.json("secondary", "status", "example.org")["serial"] == 2
    assert "nothing is held" in holding("secondary", "approve", "example.org", code=1).stderr
    assert holding("secondary", "held").stdout == "nothing is held\n"


def test_discard(holding: Nsctl) -> None:
    """Discarded stays unserved, and is no longer listed."""
    done = holding("secondary", "discard", "example.org", "--reason", "a mistake")
    assert "serial 2 is discarded, 1 stays" in done.stdout
    assert holding.json("secondary", "held") == []
    assert holding.json("secondary", "status", "example.org")["serial"] == 1
    assert "discarded" in holding("secondary", "discard", "example.org", code=1).stderr


def test_accept_serial(holding: Nsctl) -> None:
    """Only a lower serial is accepted, the one named or the one that was refused."""
    assert (
        "no serial went back" in holding("secondary", "accept-serial", "example.org", code=1).stderr
    )
    assert "higher" in holding("secondary", "accept-serial", "example.org", "5", code=1).stderr
    assert (
        "is what is served"
        in holding("secondary", "accept-serial", "example.org", "1", code=1).stderr
    )
    holding("secondary", "accept-serial", "example.org", "4294967295")
    assert holding.json("secondary", "guard", "example.org")["accepted_serial"] == 4294967295


def test_guards_are_set_and_shown(holding: Nsctl) -> None:
    """Each guard is set by itself, 0 and --no- switch it off; --default sets them back."""

    def guards(*options: str) -> dict[str, object]:
        found: dict[str, object] = holding.json("secondary", "guard", "example.org", *options)[
            "guards"
        ]
        return found

    before = guards()
    changed = guards("--names-lost", "0", "--no-apex-mx", "--serial-jump", "1000")
    assert changed == before | {"names_lost": 0, "apex_mx": False, "serial_jump": 1000}
    assert guards() == changed
    assert set(guards("--off").values()) <= {0, 5}
    assert guards("--default") == before
    assert (
        "when more than 50 % of the names go" in holding("secondary", "guard", "example.org").stdout
    )


def test_ds_records_and_validation(holding: Nsctl) -> None:
    """Validation from DS records needs some; wrong ones are told."""
    ds = "12345 13 2 " + "0f" * 32
    refused = holding("secondary", "guard", "example.org", "--validate", "ds", code=2)
    assert "--ds" in refused.stderr
    assert "KEYTAG" in holding("secondary", "guard", "example.org", "--ds", "x", code=2).stderr
    found = holding.json("secondary", "guard", "example.org", "--ds", ds, "--validate", "ds")
    assert (found["validation"], found["parent_ds"]) == ("ds", [ds])
    assert (
        holding.json("secondary", "guard", "example.org", "--validate", "off", "--no-ds")[
            "parent_ds"
        ]
        == []
    )


def test_a_primary_is_suspended_and_resumed(holding: Nsctl) -> None:
    """With a reason, for a port or all of them; what is not suspended cannot be resumed."""
    holding("secondary", "suspend-primary", "192.0.2.1", code=2)
    done = holding("secondary", "suspend-primary", "192.0.2.1", "--reason", "endless transfers")
    assert "for 1 zone" in done.stdout
    (one,) = holding.json("secondary", "suspended")
    assert (one["address"], one["port"], one["reason"]) == ("192.0.2.1", None, "endless transfers")
    assert "not suspended" in holding("secondary", "resume-primary", "192.0.2.1@53", code=1).stderr
    holding("secondary", "resume-primary", "192.0.2.1")
    assert holding.json("secondary", "suspended") == []
    assert "192.0.2.1, all ports is suspended: endless" in holding("events").stdout
