"""``nsctl key``, ``peer``, ``customer``, ``events``, ``status``, ``backup``, ``restore``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from cli import output
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]


def test_a_key_gets_a_new_secret(nsctl: Nsctl) -> None:
    """A key without a secret gets a random one of the digest's size, and can be shown again."""
    made = nsctl.json("key", "add", "k.example", "--algorithm", "hmac-sha512")
    assert len(base64.b64decode(made["secret"])) == 64
    assert nsctl.json("key", "show", "k.example") == made
    assert made["secret"] not in nsctl("key", "list").stdout
    text = nsctl("key", "show", "k.example").stdout
    assert f'secret "{made["secret"]}";' in text
    assert f"secret: {made['secret']}" in text
    nsctl("key", "delete", "k.example")
    assert nsctl.json("key", "list") == []


def test_a_given_secret(nsctl: Nsctl) -> None:
    """A secret may come from a file or stdin; what is no base64 is refused."""
    nsctl("key", "add", "a.example", "--secret-file", nsctl.file("s", "c2VjcmV0LXNlY3JldC0xNg==\n"))
    assert nsctl.json("key", "show", "a.example")["secret"] == "c2VjcmV0LXNlY3JldC0xNg=="
    nsctl("key", "add", "b.example", "--secret-file", "-", stdin="c2VjcmV0LXNlY3JldC0xNg==\n")
    done = nsctl("key", "add", "c.example", "--secret", "not base64!", code=2)
    assert "not base64" in done.stderr
    assert "weak" in nsctl("key", "add", "d.example", "--secret", "AAAA").stderr
    assert "exists already" in nsctl("key", "add", "a.example", code=1).stderr
    assert "did you mean a.example" in nsctl("key", "show", "aa.example", code=1).stderr


def test_peers(nsctl: Nsctl) -> None:
    """Servers are notified, networks are not; what was added is deleted by the same words."""
    nsctl("zone", "add", "example.org")
    nsctl("peer", "add", "192.0.2.1")
    nsctl("peer", "add", "192.0.2.0/24", "--zone", "example.org")
    nsctl("peer", "add", "[2001:db8::1]@5300", "--no-notify")
    listed = nsctl.json("peer", "list")
    told = [(peer["address"], peer["port"], peer["zone"], peer["notify"]) for peer in listed]
    assert sorted(told) == [
        ("192.0.2.0/24", 53, "example.org", False),
        ("192.0.2.1", 53, None, True),
        ("2001:db8::1", 5300, None, False),
    ]
    nsctl("peer", "delete", "192.0.2.0/24", "--zone", "example.org")
    assert len(nsctl.json("peer", "list")) == 2
    assert "no such peer" in nsctl("peer", "delete", "192.0.2.9", code=1).stderr
    nsctl("peer", "add", "192.0.2.1/24", code=2)
    nsctl("peer", "add", "ns1.example.org", code=2)
    nsctl("peer", "add", "192.0.2.0/24", "--notify", code=1)


def test_customers(nsctl: Nsctl) -> None:
    """Customers are listed with the number of their zones."""
    nsctl("customer", "add", "4711", "--name", "Example")
    nsctl("zone", "add", "example.org", "--customer", "4711")
    assert nsctl.json("customer", "list") == [{"id": "4711", "name": "Example", "zones": 1}]
    nsctl("customer", "add", "4711", code=1)


def test_events(nsctl: Nsctl) -> None:
    """Events are told in words, of one zone or of all; JSON has one object a line."""
    nsctl("zone", "add", "example.org", "example.net")
    assert "zone example.org added, hosted" in nsctl("events").stdout
    lines = nsctl("--json", "events", "--zone", "example.net").stdout.splitlines()
    assert {json.loads(line)["zone"] for line in lines} == {"example.net"}
    assert len(nsctl("events", "--limit", "1").stdout.splitlines()) == 1


def test_status_without_a_server(nsctl: Nsctl) -> None:
    """The status tells what there is, and that nobody answers."""
    nsctl.environment["NSCTL_LISTEN"] = "127.0.0.1@1"
    nsctl("zone", "add", "example.org")
    nsctl("secondary", "add", "example.net", "--primary", "192.0.2.1")
    status = nsctl.json("status")
    assert status["by_mode"] == {"hosted": 1, "hidden-primary": 1}
    assert status["by_state"] == {"served": 1, "pending": 1}
    assert status["server"] == [{"address": "127.0.0.1@1", "answers": False, "identity": None}]
    assert "no answer on 127.0.0.1@1" in nsctl("status").stdout


def test_backup_and_restore(nsctl: Nsctl) -> None:
    """What was deleted comes back; a file that is no backup changes nothing."""
    nsctl("zone", "add", "example.org")
    target = nsctl.json("backup", str(nsctl.directory / "b.db"))
    assert target["octets"] > 0
    nsctl("zone", "delete", "example.org")
    nsctl("restore", nsctl.file("text", "nothing"), code=1)
    assert nsctl.json("zone", "list") == []
    nsctl("restore", target["file"])
    assert nsctl.json("zone", "list")[0]["zone"] == "example.org"
    assert "restored from b.db" in nsctl("events").stdout


def test_backups_rotate(nsctl: Nsctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory the name has the time; the oldest go, and the newest is brought back."""
    directory = nsctl.directory / "backups"
    directory.mkdir()
    for day in (10, 11, 12):
        (directory / f"nsctl-202611{day}T000000Z.db").write_text("old")
    (directory / "other.db").write_text("not ours")
    nsctl("zone", "add", "example.org")
    nsctl("backup", str(directory), "--keep", "2")
    kept = sorted(path.name for path in directory.iterdir())
    assert len(kept) == 3
    assert {"other.db", "nsctl-20261112T000000Z.db"} < set(kept)


def test_a_directory_for_backups_is_made(nsctl: Nsctl) -> None:
    """A path that ends in / is a directory, for its owner only; so is the copy. A file is none."""
    nsctl("zone", "add", "example.org")
    directory = nsctl.directory / "of" / "today"
    copy = Path(nsctl.json("backup", f"{directory}/", "--keep", "2")["file"])
    assert copy.parent == directory
    assert directory.stat().st_mode & 0o777 == 0o700
    assert copy.stat().st_mode & 0o777 == 0o600
    for arguments in ((f"{copy}/",), (str(nsctl.directory / "none"), "--keep", "2")):
        assert "is no directory" in nsctl("backup", *arguments, code=2).stderr


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (86_399, "23 h 59 min"),
        (7 * 86_400 - 1800, "6 d 23 h"),
        (40 * 86_400, "40 d"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Time spans are told by their two largest units."""
    assert output.duration(seconds) == text


def test_sizes_and_counts() -> None:
    """Sizes have their unit, counts their plural."""
    assert [output.octets(size) for size in (7, 1234, 56_789_000, 9_900_000_000)] == [
        "7 B",
        "1.2 kB",
        "56.8 MB",
        "9.9 GB",
    ]
    assert (output.count(1, "zone"), output.count(1200, "zone")) == ("1 zone", "1,200 zones")


def test_large_tables_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Thousands of rows are written as columns, at once."""
    output.print_table(("A", "B"), [(number, "x") for number in range(5000)], right=("A",))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5001
    assert lines[1] == "   0  x"
