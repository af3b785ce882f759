"""``nsctl record``: what is typed, what becomes of it, and what is said when it is wrong."""

from __future__ import annotations

import contextlib
import random

import pytest

from cli.rdata_arguments import owner_name, parse_rdata, parse_type
from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text
from zones import rdata
from zones.errors import ZoneError
from zones.name import display, from_text

__all__ = ["nsctl"]

APEX = from_text("example.org")


@pytest.fixture
def edited(nsctl: Nsctl) -> Nsctl:
    """The command line with a zone example.org, whose serials count up."""
    nsctl("zone", "import", nsctl.file("example.org.zone", zone_text(1)))
    nsctl("zone", "set", "example.org", "--serial-policy", "increment")
    return nsctl


def records(nsctl: Nsctl, *only: str) -> list[tuple[str, int, str, str]]:
    """Return owner, TTL, type and data of what is served."""
    listed = nsctl.json("record", "list", "example.org", *only)
    return [(one["owner"], one["ttl"], one["type"], one["rdata"]) for one in listed]


# ---- editing


def test_set_replaces_and_tells_what_changed(edited: Nsctl) -> None:
    """``set`` makes the records exactly those named; the serial and the difference are told."""
    done = edited("record", "set", "example.org", "www", "A", "60", "192.0.2.1", "192.0.2.2")
    assert "serial 2" in done.stdout
    assert "+ www.example.org. 60 IN A 192.0.2.2" in done.stdout
    changed = edited.json("record", "set", "example.org", "www", "A", "192.0.2.3")
    assert (changed["previous_serial"], changed["serial"], changed["changed"]) == (2, 3, True)
    assert records(edited, "www") == [("www.example.org", 60, "A", "192.0.2.3")]


def test_without_a_change_the_serial_stays(edited: Nsctl) -> None:
    """Setting what is so already makes no version."""
    edited("record", "set", "example.org", "www", "A", "192.0.2.1")
    assert not edited.json("record", "set", "example.org", "www", "A", "192.0.2.1")["changed"]
    assert len(edited.json("zone", "history", "example.org")) == 2


def test_add_and_delete(edited: Nsctl) -> None:
    """Single records come and go; then a type; then a name."""
    edited("record", "add", "example.org", "www", "A", "192.0.2.1")
    edited("record", "add", "example.org", "www", "A", "192.0.2.2")
    edited("record", "add", "example.org", "www", "AAAA", "2001:db8::1")
    edited("record", "delete", "example.org", "www", "A", "192.0.2.1")
    assert [one[3] for one in records(edited, "www")] == ["192.0.2.2", "2001:db8::1"]
    edited("record", "delete", "example.org", "www", "A")
    assert [one[2] for one in records(edited, "www")] == ["AAAA"]
    edited("record", "delete", "example.org", "www")
    assert records(edited, "www") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", "example.org", "www", "CNAME", "ns1", "ns2"], "has 2 CNAME records"),
        (["set", "example.org", "@", "CNAME", "ns1"], "CNAME"),
        (["set", "example.org", "ns1", "CNAME", "x"], "has a CNAME record and beside it A"),
        (["delete", "example.org", "@", "NS"], "has no NS record"),
        (["delete", "example.org", "@", "SOA"], "SOA cannot be deleted"),
        (["delete", "example.org", "ns2"], "did you mean ns1.example.org?"),
        (["set", "example.org", "www.example.net.", "A", "192.0.2.1"], "is not in the zone"),
        (["set", "example.org", "www", "A", "192.0.2.256", "x"], "'192.0.2.256'"),
        (["set", "example.org", "www", "A", "192.0.2.256", "x"], "'x'"),
        (["set", "example.org", "www", "MX", "mail"], "10 mail.example.org."),
        (["set", "example.org", "www", "AAA", "::1"], "did you mean AAAA?"),
        (["set", "example.org", "www", "A", "4294967296", "192.0.2.1"], "TTL"),
        (["set", "example.org", "a..b", "A", "192.0.2.1"], "is not a domain name"),
    ],
)
def test_a_faulty_edit_changes_nothing(arguments: list[str], told: str, edited: Nsctl) -> None:
    """Every reason is told, the exit code is 1, and the zone is as it was."""
    before = edited.json("zone", "show", "example.org")["hash"]
    assert told in edited("record", *arguments, code=1).stderr
    assert edited.json("zone", "show", "example.org")["hash"] == before


def test_a_secondary_is_not_edited(nsctl: Nsctl) -> None:
    """The records of a secondary zone are edited at its primary."""
    nsctl("secondary", "add", "example.org", "--primary", "192.0.2.1")
    done = nsctl("record", "set", "example.org", "www", "A", "192.0.2.1", code=1)
    assert "edited at the customer's primary" in done.stderr


def test_only_new_warnings_are_told(edited: Nsctl) -> None:
    """A warning is told by the edit that brings it, not by those after."""
    first = edited("record", "set", "example.org", "@", "MX", "10 mail")
    assert "mx-target-without-address" in first.stderr
    assert edited("record", "set", "example.org", "www", "A", "192.0.2.1").stderr == ""


def test_a_doubtful_name_is_noted(edited: Nsctl) -> None:
    """A dotted name without a final dot is relative, as in zone files; that is told."""
    done = edited("record", "set", "example.org", "www", "CNAME", "www.example.net")
    assert "was taken as www.example.net.example.org" in done.stderr


# ---- what is typed


@pytest.mark.parametrize(
    ("rtype", "words", "ttl", "texts"),
    [
        ("A", ["192.0.2.1"], None, ["192.0.2.1"]),
        ("A", ["300", "192.0.2.1", "192.0.2.2"], 300, ["192.0.2.1", "192.0.2.2"]),
        ("A", ["1h30m", "192.0.2.1"], 5400, ["192.0.2.1"]),
        ("MX", ["10 mail"], None, ["10 mail.example.org."]),
        ("MX", ["10", "mail"], None, ["10 mail.example.org."]),
        ("MX", ["300", "10", "mail"], 300, ["10 mail.example.org."]),
        ("MX", ["10 a", "20 b."], None, ["10 a.example.org.", "20 b."]),
        ("MX", ["10 mail.example.org"], None, ["10 mail.example.org."]),
        ("CNAME", ["WWW.Example.org"], None, ["www.example.org."]),
        ("CNAME", ["@"], None, ["example.org."]),
        ("SRV", ["0", "5", "5060", "sip"], None, ["0 5 5060 sip.example.org."]),
        ("TXT", ["300"], None, ['"300"']),
        ("TXT", ["300", "x"], 300, ['"x"']),
        ("TXT", ["v=spf1 mx -all"], None, ['"v=spf1 mx -all"']),
        ("TXT", ['"a" "b c"'], None, ['"a" "b c"']),
        ("TXT", ['say "x" \\'], None, ['"say \\"x\\" \\\\"']),
        ("CAA", ["0 issue letsencrypt.org"], None, ['0 issue "letsencrypt.org"']),
        ("TYPE65280", ["\\# 2 abcd"], None, ["\\# 2 abcd"]),
    ],
)
def test_rdata_as_typed(rtype: str, words: list[str], ttl: int | None, texts: list[str]) -> None:
    """Rdata is understood with and without quotes and TTL."""
    number = parse_type(rtype)
    parsed = parse_rdata(number, words, APEX)
    assert parsed.ttl == ttl
    assert [rdata.to_text(number, octets) for octets in parsed.rdatas] == texts


def test_long_text_is_split(edited: Nsctl) -> None:
    """A text of more than 255 octets becomes several strings of one record (RFC 1035 3.3.14)."""
    edited("record", "set", "example.org", "key", "TXT", "x" * 600)
    ((_owner, _ttl, _type, text),) = records(edited, "key")
    assert sorted(map(len, text.replace('"', "").split())) == [90, 255, 255]


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("@", "example.org"),
        ("www", "www.example.org"),
        ("www.example.org", "www.example.org"),
        ("WWW.example.org.", "www.example.org"),
        ("*.a", "*.a.example.org"),
        ("www.example.net", "www.example.net.example.org"),
    ],
)
def test_owners(text: str, owner: str) -> None:
    """Owners are relative to the zone, unless they end in its name."""
    assert display(owner_name(text, APEX)) == owner


def test_any_words_are_rdata_or_a_reason() -> None:
    """Whatever is typed, it is understood or refused with a reason."""
    seed = random.randrange(2**32)
    print("seed", seed)
    source = random.Random(seed)
    letters = "aZ09.-_@ \"'\\;()$*:/\u00e9\u0000"
    for _ in range(2000):
        words = [
            "".join(source.choices(letters, k=source.randrange(1, 9)))
            for _ in range(source.randrange(1, 4))
        ]
        number = source.choice([1, 2, 5, 6, 15, 16, 28, 33, 39, 43, 64, 257, 65280])
        with contextlib.suppress(ZoneError):
            assert parse_rdata(number, words, APEX).rdatas
