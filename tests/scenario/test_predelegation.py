"""``nsctl domain check`` on real servers, as DENIC would ask them: right and wrong set-ups."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.rdatatype
import pytest

from tests.peers import Bind, Knot, Nsctl
from tests.peers.waiting import free_port, wait_until
from tests.peers.zonetext import zone_text

pytestmark = pytest.mark.interop("knotd", "named")

ONE, TWO = "ns1.example.net", "ns2.example.net"
GOOD: Any = {"refresh": 14_400, "retry": 3_600, "expire": 1_209_600, "minimum": 3_600}
# The zones by what is wrong with them; Knot and BIND serve each.
ZONES = {
    "good.de.": zone_text(1, apex="good.de.", **GOOD),
    "timers.de.": zone_text(1, apex="timers.de.", refresh=300, retry=299, expire=600, minimum=10),
    "glue.de.": zone_text(
        1,
        "@ 300 NS ns1.glue.de.",
        "@ 300 NS ns2.glue.de.",
        "ns1.glue.de. 300 A 203.0.113.1",
        "ns2.glue.de. 300 A 203.0.113.2",
        "ns2.glue.de. 300 AAAA 2001:db8::2",
        apex="glue.de.",
        ns=False,
        **GOOD,
    ),
}


class Recursive(Bind):
    """A BIND that offers recursion, as it should not."""

    def options(self) -> str:
        """Return the options, with recursion for everybody."""
        return (
            super().options().replace("recursion no;", "recursion yes; allow-recursion { any; };")
        )


@dataclass
class World:
    """The servers, and the command that checks."""

    nsctl: Nsctl
    knot: Knot
    bind: Bind

    def check(self, domain: str, *options: str, one: int = 0, two: int = 0) -> dict[str, Any]:
        """Check a domain on two servers, by default Knot and BIND."""
        places = ((ONE, one or self.knot.port), (TWO, two or self.bind.port))
        servers = [f"--server={name}" for name, _port in places]
        if any(option.startswith("--server") for option in options):
            servers = []
        at = [f"--at={name}=127.0.0.1@{port}" for name, port in places]
        if any(option.startswith("--at") for option in options):
            at = []
        done = self.nsctl.run(
            "--json", "domain", "check", domain, "--timeout=1", *servers, *at, *options
        )
        import json

        data: dict[str, Any] = json.loads(done.stdout)
        assert data["ok"] == (done.returncode == 0)
        return data


def rules(found: dict[str, Any]) -> set[str]:
    """Return the ids of the issues."""
    return {issue["rule"] for issue in found["issues"]}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Knot and BIND with all zones; Knot signs one of them, which BIND transfers."""
    with tempfile.TemporaryDirectory(prefix="nsctl-") as directory:
        place = Path(directory)
        knot, bind = Knot(place), Recursive(place)
        for apex, text in ZONES.items():
            knot.serve(apex, text)
            bind.serve(apex, text)
        knot.serve("signed.de.", zone_text(1, apex="signed.de.", **GOOD), signing="nsec")
        knot.serve("alone.de.", zone_text(1, apex="alone.de.", **GOOD))
        bind.serve("unsigned-here.de.", zone_text(1, apex="unsigned-here.de.", **GOOD))
        knot.serve(
            "unsigned-here.de.", zone_text(1, apex="unsigned-here.de.", **GOOD), signing="nsec"
        )
        with knot, bind:
            yield World(Nsctl(place), knot, bind)


def key_of(world: World, apex: str) -> str:
    """Return the key that Knot signs a zone with."""

    def keys() -> list[str]:
        answer = world.knot.query(apex, "DNSKEY").answer
        return [
            str(one) for rrset in answer if rrset.rdtype == dns.rdatatype.DNSKEY for one in rrset
        ]

    return wait_until(keys, f"{apex} is signed")[0]


@pytest.mark.requirement("REG-1")
def test_a_good_zone_would_be_delegated(world: World) -> None:
    """Two real servers with the same good zone: only BIND's recursion is warned of."""
    found = world.check("good.de")
    assert found["ok"]
    assert rules(found) == {"recursion"}
    assert all(server["answers"] for server in found["servers"])
    told = world.nsctl.run(
        "domain", "check", "good.de", f"--server={ONE}", f"--at={ONE}=127.0.0.1@{world.knot.port}"
    )
    assert told.returncode == 1
    assert "[too-few-servers]" in told.stdout
    assert "would be refused" in told.stdout


def test_timers_are_warned_of(world: World) -> None:
    """REFRESH, RETRY, EXPIRE and MINIMUM out of DENIC's ranges: warnings, not errors."""
    found = world.check("timers.de")
    assert found["ok"]
    assert rules(found) >= {"refresh", "retry", "retry-of-refresh", "expire", "negative-ttl"}
    assert rules(world.check("timers.de", "--profile=gtld")) == {"recursion"}


def test_who_is_not_authoritative_or_away_is_refused(world: World) -> None:
    """A zone that one server lacks, and a server that is not there."""
    found = world.check("alone.de")
    assert not found["ok"]
    issue = next(one for one in found["issues"] if one["rule"] == "not-authoritative")
    assert issue["server"] == TWO
    assert "secondary" in issue["fix"]
    assert "not-reachable" in rules(world.check("good.de", two=free_port()))


def test_the_request_and_the_zone_name_the_same_servers(world: World) -> None:
    """A server of the request that the zone does not name is told, with what is missing."""
    more = "--server=ns9.example.net"
    found = world.check(
        "good.de",
        f"--server={ONE}",
        more,
        f"--at={ONE}=127.0.0.1@{world.knot.port}",
        f"--at=ns9.example.net=127.0.0.1@{world.bind.port}",
    )
    sentences = [one["sentence"] for one in found["issues"] if one["rule"] == "ns-differs"]
    assert len(sentences) == 2
    assert "lacks ns9.example.net and has ns2.example.net besides" in sentences[0]


def test_glue_is_wanted_and_compared(world: World) -> None:
    """Servers within the domain: no glue, wrong glue, and addresses nobody can reach."""
    at = [
        f"--at=ns1.glue.de=127.0.0.1@{world.knot.port}",
        f"--at=ns2.glue.de=127.0.0.1@{world.bind.port}",
    ]
    assert "glue-missing" in rules(
        world.check("glue.de", "--server=ns1.glue.de", "--server=ns2.glue.de", *at)
    )
    wrong = world.check(
        "glue.de", "--server=ns1.glue.de=203.0.113.1", "--server=ns2.glue.de=203.0.113.9", *at
    )
    assert "glue-differs" in rules(wrong)
    right = world.check(
        "glue.de",
        "--server=ns1.glue.de=203.0.113.1",
        "--server=ns2.glue.de=203.0.113.2,2001:db8::2",
        *at,
    )
    assert rules(right) == {"ipv6-not-routable", "recursion"}


def test_keys_are_followed_into_the_zone(world: World) -> None:
    """The key that Knot signs with is proved; another one, and a server without keys, are not."""
    key = key_of(world, "signed.de.")
    both: Any = {"one": world.knot.port, "two": world.knot.port}
    assert "same-address" in rules(world.check("signed.de", f"--dnskey={key}", **both))
    found = world.check("signed.de", f"--dnskey={key}", "--profile=eu", **both)
    assert rules(found) == set()
    other = key_of(world, "unsigned-here.de.")
    assert "no-key-visible" in rules(world.check("signed.de", f"--dnskey={other}", **both))
    mixed = world.check("unsigned-here.de", f"--dnskey={other}")
    assert [one["server"] for one in mixed["issues"] if one["rule"] == "no-key-visible"] == [TWO]


def test_our_own_server_passes(world: World) -> None:
    """A zone of the editor, served by nsctl, passes beside Knot; its servers need not be named."""
    world.nsctl.serve("good.de.", ZONES["good.de."])
    with world.nsctl as server:
        server.wait_serial("good.de.", 1)
        found = world.check(
            "good.de",
            f"--at={ONE}=127.0.0.1@{server.port}",
            f"--at={TWO}=127.0.0.1@{world.knot.port}",
        )
    assert rules(found) == set()
    assert [one["name"] for one in found["servers"]] == [ONE, TWO]
