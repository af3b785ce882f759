"""``nsctl secondary check``: a primary tried out, every step told, nothing kept."""

from __future__ import annotations

import json
from typing import Any

import dns.rcode
import pytest

from tests.peers import PlainPrimary
from tests.peers import faulty as ways
from tests.peers.base import Key
from tests.peers.faulty import Answering, WithoutTcp
from tests.peers.plain_primary import plain_transfer
from tests.peers.zonetext import ORIGIN, zone_text
from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]

GOOD = zone_text(3, "www 300 A 192.0.2.1", expire=1209600, retry=900)
KEY = Key("transfer.example.")


def report(
    nsctl: Nsctl, *primaries: PlainPrimary, code: int = 0, more: tuple[str, ...] = ()
) -> Any:
    """Return the report on these primaries."""
    options = [f"--primary={primary.remote()}" for primary in primaries]
    return nsctl.json("secondary", "check", ORIGIN, *options, *more, code=code)


def results(found: Any) -> dict[str, str]:
    """Return how each step went."""
    return {step["step"]: step["result"] for step in found["steps"]}


def test_a_primary_that_is_well(nsctl: Nsctl) -> None:
    """Every step is ok, the report says so in words, and no zone is added."""
    with PlainPrimary(ORIGIN, GOOD) as primary:
        found = report(nsctl, primary)
        assert found["works"] is True
        wanted = dict.fromkeys(("udp", "tcp", "transfer", "rules", "notify"), "ok")
        assert results(found) == wanted
        text = nsctl("secondary", "check", ORIGIN, "--primary", str(primary.remote())).stdout
        assert "example.org can be followed." in text
        assert "serial 3" in text
        assert all(len(line) <= 100 for line in text.splitlines())
    assert nsctl.json("secondary", "list") == []


def test_what_would_not_work_is_told(nsctl: Nsctl) -> None:
    """A refused transfer, an unknown zone, faulty content: exit code 1, and the reason."""
    with PlainPrimary(ORIGIN, GOOD) as primary:
        primary.transfer = ways.refused
        found = report(nsctl, primary, code=1)
        assert results(found)["transfer"] == "failed"
        assert results(found)["rules"] == "skipped"
        primary.transfer = plain_transfer
        primary.load(zone_text(3, ns=False))
        found = report(nsctl, primary, code=1)
        (fault,) = [step for step in found["steps"] if step["result"] == "failed"]
        assert fault["rule"] == "ns-missing"
    with Answering(ORIGIN, GOOD) as unknown:
        unknown.rcode = dns.rcode.NOTAUTH
        found = report(nsctl, unknown, code=1)
        assert {step["rule"] for step in found["steps"] if step["result"] == "failed"} == {
            "primary-not-authoritative"
        }


def test_udp_alone_is_not_enough(nsctl: Nsctl) -> None:
    """Where TCP is blocked the report shows that UDP works and TCP does not."""
    with WithoutTcp(ORIGIN, GOOD) as primary:
        found = results(report(nsctl, primary, code=1))
    assert (found["udp"], found["tcp"], found["transfer"]) == ("ok", "failed", "failed")


def test_keys(nsctl: Nsctl) -> None:
    """With the right key it works; a key that is not known here is told."""
    nsctl("key", "add", KEY.name, "--algorithm", KEY.algorithm, "--secret", KEY.secret)
    with PlainPrimary(ORIGIN, GOOD, key=KEY) as primary:
        found = report(nsctl, primary, more=("--key", KEY.name))
        assert "signed with the key" in found["steps"][0]["sentence"]
        assert not report(nsctl, primary, code=1)["works"]
    nsctl("secondary", "check", ORIGIN, "--primary", "127.0.0.1", "--key", "no.such", code=1)


def test_primaries_that_differ(nsctl: Nsctl) -> None:
    """Other content under the same serial is a warning: one of them works."""
    other = zone_text(3, "www 300 A 192.0.2.99", expire=1209600, retry=900)
    with PlainPrimary(ORIGIN, GOOD) as one, PlainPrimary(ORIGIN, other) as two:
        found = report(nsctl, one, two)
        assert results(found)["agreement"] == "warning"
        assert "different content under the same serial 3" in json.dumps(found)
        two.load(GOOD)
        assert results(report(nsctl, one, two))["agreement"] == "ok"


@pytest.mark.parametrize(
    ("records", "delegation", "ds"),
    [
        (GOOD, "ok", "ok"),
        (zone_text(3, "@ 300 NS ns9.example.net.", ns=False), "warning", "ok"),
        (zone_text(3, "@ 300 DS 12345 13 2 " + "0f" * 32), "ok", "failed"),
        (zone_text(3, ns=False), "warning", "ok"),
    ],
)
def test_the_delegation(nsctl: Nsctl, records: str, delegation: str, ds: str) -> None:
    """What a resolver sees is compared: the name servers, and the DS record with the keys."""
    with PlainPrimary(ORIGIN, GOOD) as primary, PlainPrimary(ORIGIN, records) as resolver:
        options = ("--resolver", str(resolver.remote()), "--server", "ns1.example.net")
        found = report(nsctl, primary, code=int(ds == "failed"), more=options)
    assert (results(found)["delegation"], results(found)["ds"]) == (delegation, ds)
    assert results(found)["servers"] == "ok"
