"""``nsctl secondary``: following primaries, and how zones stand, without a server."""

from __future__ import annotations

import time

import pytest

from storage import secondaries, versions
from storage.database import Database
from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text
from zones.name import from_text
from zones.secondary import Result, SecondaryState, TransferAttempt
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

__all__ = ["nsctl"]

APEX = from_text("example.org")
DAY = 86_400.0


def stand(nsctl: Nsctl, **fields: object) -> None:
    """Store a served version 5 of example.org, and a state with these fields."""
    now = time.time()
    text = zone_text(5)
    version = ZoneVersion(read_zone_file(text, filename="", apex=APEX).blob)
    state = SecondaryState(
        APEX,
        serial=5,
        primary_serial=5,
        last_result=Result.ACCEPTED,
        last_attempt=now - 60,
        last_success=now - 60,
        next_refresh=now + 3600,
        expires_at=now + 7 * DAY - 1800,
    )
    for name, value in fields.items():
        object.__setattr__(state, name, value)
    attempt = TransferAttempt(
        APEX, now - 60, "192.0.2.1@53", "AXFR", state.last_result or Result.CURRENT,
        state.last_rule, state.last_reason, None, 5, 1234, 3, 0.01,
    )  # fmt: skip
    database = Database.open(f"sqlite:///{nsctl.directory}/nsctl.db")
    with database.write() as session:
        versions.publish(
            session, version, origin=versions.Origin.TRANSFER, actor="", reason="", now=now
        )
        secondaries.save_states(session, [state])
        secondaries.log_attempts(session, [attempt])
    database.close()


@pytest.fixture
def following(nsctl: Nsctl) -> Nsctl:
    """The command line with a secondary zone example.org, never transferred."""
    nsctl(
        "secondary", "add", "example.org", "--primary", "192.0.2.1", "--primary", "2001:db8::1@54"
    )
    return nsctl


def test_a_new_secondary_is_pending(following: Nsctl) -> None:
    """Before the first transfer nothing is known but the primaries."""
    status = following.json("secondary", "status", "example.org")
    as_set = {"key": None, "tls": None, "source": None, "transfers": None}
    assert status["primaries"] == [
        {"address": "192.0.2.1", "port": 53, **as_set},
        {"address": "2001:db8::1", "port": 54, **as_set},
    ]
    assert (status["zone"], status["state"], status["serial"]) == ("example.org", "pending", None)
    assert status["last_result"] is status["last_attempt"] is status["expires_at"] is None
    assert "nothing served yet" in following("secondary", "status", "example.org").stdout
    assert "not transferred yet" in following("secondary", "explain", "example.org").stdout


def test_status_of_a_healthy_zone(following: Nsctl) -> None:
    """Serials, times as ISO 8601, and the time left in words."""
    stand(following)
    status = following.json("secondary", "status", "example.org")
    assert (status["state"], status["serial"], status["last_result"]) == ("ok", 5, "accepted")
    for name in ("last_attempt", "last_success", "next_refresh", "expires_at"):
        time.strptime(status[name], "%Y-%m-%dT%H:%M:%SZ")
    assert status["attempts"][0]["records"] == 3
    text = following("secondary", "status", "example.org").stdout
    assert "in 6 d 23 h" in text
    assert "1 min ago: accepted" in text.replace("1 min 1 s", "1 min").replace("1 min 0 s", "1 min")
    assert "nothing is wrong" in following("secondary", "explain", "example.org").stdout


def test_a_refusal_is_explained(following: Nsctl) -> None:
    """Rule, record, remedy and what is served meanwhile, in words."""
    stand(
        following,
        primary_serial=6,
        last_result=Result.REFUSED,
        last_rule="ns-missing",
        last_reason="The zone example.org has no NS record at example.org.",
        last_record="example.org NS",
        last_fix="Add the NS records of the zone's servers at the apex.",
        failures=1,
        refused_serial=6,
    )
    status = following.json("secondary", "status", "example.org")
    assert (status["state"], status["last_result"]) == ("failing", "refused")
    assert (status["serial"], status["primary_serial"]) == (5, 6)
    explained = following.json("secondary", "explain", "example.org")
    assert explained["rule"] == "ns-missing"
    assert explained["record"] == "example.org NS"
    assert explained["served_meanwhile"].startswith("Serial 5 stays in service until")
    text = following("secondary", "explain", "example.org").stdout
    for told in ("What is wrong", "What to change", "Add the NS records", "RFC 1034", "Serial 5"):
        assert told in text
    assert max(map(len, text.splitlines())) <= 100
    shown = following("secondary", "status", "example.org").stdout
    assert "5 is served; the primary has 6" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_an_expired_zone(following: Nsctl) -> None:
    """After EXPIRE it is said that nothing is served."""
    stand(following, expires_at=time.time() - 60, failures=3, last_result=Result.UNREACHABLE,
          last_rule="timeout", last_reason="no answer")  # fmt: skip
    assert following.json("secondary", "status", "example.org")["state"] == "expired"
    assert "Nothing is served" in following("secondary", "explain", "example.org").stdout
    assert following.json("status")["expired"] == ["example.org"]
    assert len(following.json("secondary", "list", "--state", "expired")) == 1
    assert following.json("secondary", "list", "--state", "ok") == []


def test_the_served_serial_after_a_rollback(following: Nsctl) -> None:
    """The status tells the serial that is served, not that of the last transfer."""
    stand(following)
    database = Database.open(f"sqlite:///{following.directory}/nsctl.db")
    text = zone_text(6)
    with database.write() as session:
        version = ZoneVersion(read_zone_file(text, filename="", apex=APEX).blob)
        versions.publish(
            session, version, origin=versions.Origin.TRANSFER, actor="", reason="", now=time.time()
        )
    database.close()
    done = following("zone", "rollback", "example.org", "--pin")
    assert "serves the content of serial 5, as serial 5, pinned" in done.stdout
    assert following.json("secondary", "status", "example.org")["serial"] == 5


def test_add_from_a_file(nsctl: Nsctl) -> None:
    """Names come from a file, with comments; wrong ones are all told and nothing is added."""
    names = nsctl.file("names", "a.example # first\n\nb.example\na.example\n")
    added = nsctl.json(
        "secondary", "add", "--file", names, "--primary", "192.0.2.1", "--customer", "7"
    )
    assert [one["zone"] for one in added] == ["a.example", "b.example"]
    assert {one["customer"] for one in nsctl.json("zone", "list")} == {"7"}
    wrong = nsctl.file("wrong", "c.example\nx..y\n" + "z" * 70 + "\n")
    done = nsctl("secondary", "add", "--file", wrong, "--primary", "192.0.2.1", code=1)
    assert f"{wrong}:2: " in done.stderr
    assert f"{wrong}:3: " in done.stderr
    assert len(nsctl.json("zone", "list")) == 2


def test_add_of_thousands(nsctl: Nsctl) -> None:
    """Thousands of names are added in a few commits; one that exists keeps all from being added."""
    names = nsctl.file("names", "".join(f"zone{number}.example\n" for number in range(2000)))
    nsctl("secondary", "add", "--file", names, "--primary", "192.0.2.1")
    assert len(nsctl.json("secondary", "list")) == 2000
    more = nsctl.file("more", "new.example\nzone7.example\n")
    done = nsctl("secondary", "add", "--file", more, "--primary", "192.0.2.1", code=1)
    assert "zone zone7.example exists already" in done.stderr
    assert len(nsctl.json("zone", "list")) == 2000


def test_add_with_a_key(nsctl: Nsctl) -> None:
    """A key has to be there; one in use is not deleted, and it is told where it is used."""
    arguments = ("secondary", "add", "example.org", "--primary", "192.0.2.1", "--key", "k.example")
    assert "no such key k.example" in nsctl(*arguments, code=1).stderr
    nsctl("key", "add", "k.example")
    nsctl(*arguments)
    status = nsctl.json("secondary", "status", "example.org")
    assert status["primaries"][0]["key"] == "k.example"
    assert "primary of example.org" in nsctl("key", "delete", "k.example", code=1).stderr


def test_refresh_is_a_wish_in_the_feed(following: Nsctl) -> None:
    """Without a server the wish is kept; with --wait it is told that none answered."""
    following("secondary", "refresh", "example.org")
    done = following("secondary", "retransfer", "--all", "--wait", "0.1", code=1)
    assert "is the server running?" in done.stderr
    database = Database.open(f"sqlite:///{following.directory}/nsctl.db")
    from storage import feed

    with database.read() as session:
        asked = [one.payload for one in feed.since(session, 0) if one.kind == "refresh"]
    database.close()
    assert asked == [{"force": False}, {"force": True}]


def test_a_hosted_zone_is_no_secondary(nsctl: Nsctl) -> None:
    """The commands of secondaries say so for a zone that is none."""
    nsctl("zone", "add", "example.org")
    for command in ("status", "explain", "refresh"):
        done = nsctl("secondary", command, "example.org", code=1)
        assert "does not come from a primary" in done.stderr


def test_limits_of_one_zone(following: Nsctl) -> None:
    """A zone may have limits of its own; the rest stays as the server is set."""
    text = following("secondary", "limit", "example.org").stdout
    assert text.count("as the server is set") == 4
    following("secondary", "limit", "example.org", "--records", "5000", "--reason", "a large zone")
    limits = following.json("secondary", "limit", "example.org")
    assert limits == {
        "zone": "example.org",
        "octets": None,
        "records": 5000,
        "seconds": None,
        "per_minute": None,
    }
    assert "records 5,000 (a large zone)" in following("events", "--zone", "example.org").stdout
    refused = following("secondary", "limit", "example.org", "--records", "5", "--default", code=2)
    assert "--default" in refused.stderr
    following("secondary", "limit", "example.org", "--default")
    assert following.json("secondary", "limit", "example.org")["records"] is None
