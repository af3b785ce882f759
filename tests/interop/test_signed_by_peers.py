"""Signed zones from each server, and at each server below us, judged by BIND's delv."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import Bind, Knot, Nsctl, Nsd, Peer, PowerDNS
from tests.peers.fixtures import as_primary
from tests.peers.signing import SignedZone, delv, sign
from tests.peers.waiting import wait_until
from tests.peers.zonetext import ORIGIN, zone_text

pytestmark = pytest.mark.interop("delv", "dnssec-signzone")

CHAINS = ("nsec", "nsec3")


SIGNERS = [
    pytest.param(
        kind,
        chain,
        marks=[pytest.mark.interop(kind.binary), pytest.mark.cell(f"above: {chain}")],
        id=f"{kind.__name__}-{chain}",
    )
    for kind in (Bind, Knot, PowerDNS)
    for chain in CHAINS
]
RECORDS = (
    "www 300 A 192.0.2.10",
    "*.wild 300 A 192.0.2.20",
    'deep.empty 300 TXT "below an empty non-terminal"',
    "unsigned 300 NS ns.unsigned",
    "ns.unsigned 300 A 192.0.2.31",
)
NEW = "new 300 A 192.0.2.99"
POSITIVE = "; fully validated"
NEGATIVE = "; negative response, fully validated"
# What is asked of each version, and what delv has to say.
BEFORE = (("new", "A", NEGATIVE),)
AFTER = (
    ("new", "A", POSITIVE),
    ("any.wild", "A", POSITIVE),
    ("www", "TXT", NEGATIVE),
    ("missing", "A", NEGATIVE),
    ("unsigned", "DS", NEGATIVE),
)


@pytest.fixture
def primary(request: pytest.FixtureRequest, place: Path) -> Iterator[Peer]:
    """The server that is the parameter, not started."""
    server: Peer = request.param(place)
    yield server
    server.stop()
    print(f"--- log of {server.title}\n{server.log()[-6000:]}")


def assert_validates(
    server: Peer | Nsctl, place: Path, zone: SignedZone, *questions: tuple[str, str, str]
) -> None:
    """Assert that delv, which trusts the key of the zone alone, finds all answers as they should be."""
    wrong = []
    for owner, rtype, judgement in questions:
        if zone.opt_out and owner == "any.wild":  # insecure by design (RFC 5155 12.1.1)
            continue
        name = f"{owner}.{zone.apex}"
        said = delv(place, server.port, zone.apex, zone.dnskey, name, rtype)
        if judgement not in said or (judgement == POSITIVE and "resolution failed" in said):
            wrong.append(f"{name} {rtype}: {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("primary", "chain"), SIGNERS, indirect=["primary"])
def test_zone_that_the_primary_signs(primary: Peer, nsctl: Nsctl, place: Path, chain: str) -> None:
    """A zone that the primary signs itself validates here, before and after a change of it."""
    primary.serve(ORIGIN, zone_text(1, *RECORDS), nsctl.remote(), signing=chain)
    primary.start()
    wait_until(lambda: is_signed(primary, chain), f"{primary.title} has signed it", 30)
    nsctl.follow(ORIGIN, primary.remote())
    wait_until(lambda: is_signed(nsctl, chain), "the signed zone is served", 30)
    zone = SignedZone(ORIGIN, "", nsctl.query(ORIGIN, "DNSKEY").answer[0][0], "")
    assert_validates(nsctl, place, zone, *BEFORE)
    primary.update_zone(ORIGIN, zone_text(2, *RECORDS, NEW))
    wait_until(lambda: nsctl.query(f"new.{ORIGIN}", "A").answer, "the new name is served", 30)
    assert_validates(nsctl, place, zone, *AFTER)


def is_signed(server: Peer | Nsctl, chain: str) -> bool:
    """Tell whether a server denies names with signed proofs of this kind."""
    response = server.query(f"missing.{ORIGIN}", "A", dnssec=True)
    return chain.upper() in {rrset.rdtype.name for rrset in response.authority}


Presigned = dict[int, list[SignedZone]]


@pytest.fixture(scope="module")
def presigned() -> Iterator[Presigned]:
    """Zones with NSEC, NSEC3 and opt-out, signed elsewhere: two versions of each, by serial."""
    with tempfile.TemporaryDirectory(prefix="nsctl-") as place:
        versions: Presigned = {}
        for serial, more in ((1, ()), (2, (NEW,))):
            for chain in ("nsec", "nsec3", "optout"):
                directory, apex = Path(place, chain), f"{chain}.example."
                directory.mkdir(exist_ok=True)
                text = zone_text(serial, *RECORDS, *more, apex=apex)
                how = {"nsec3": chain != "nsec", "opt_out": chain == "optout"}
                versions.setdefault(serial, []).append(sign(directory, apex, text, **how))
        yield versions


@pytest.mark.cell("above: presigned")
@pytest.mark.parametrize(
    "primary", [as_primary(kind) for kind in (Bind, Knot, Nsd)], indirect=["primary"]
)
def test_zones_signed_elsewhere(
    primary: Peer, nsctl: Nsctl, place: Path, presigned: Presigned
) -> None:
    """A zone that the primary loads as it was signed validates here, and so does its next version."""
    for zone in presigned[1]:
        primary.serve(zone.apex, zone.text, nsctl.remote())
    primary.start()
    for zone in presigned[1]:
        nsctl.follow(zone.apex, primary.remote())
    for zone in presigned[1]:
        nsctl.wait_serial(zone.apex, 1)
        assert_validates(nsctl, place, zone, *BEFORE)
    for zone in presigned[2]:
        primary.update_zone(zone.apex, zone.text)
        nsctl.wait_serial(zone.apex, 2)
        assert_validates(nsctl, place, zone, *AFTER)


@pytest.mark.cell("below: signed")
def test_signed_zones_below_us(
    secondary: Peer, nsctl: Nsctl, place: Path, presigned: Presigned
) -> None:
    """A secondary that has a signed zone from us gives answers that validate, after a change too."""
    for zone in presigned[1]:
        nsctl.serve(zone.apex, zone.text)
        nsctl.allow(secondary.remote(), zone.apex)
        secondary.follow(zone.apex, nsctl.remote())
    nsctl.wait_serial(presigned[1][-1].apex, 1)
    secondary.start()
    for zone in presigned[1]:
        secondary.wait_serial(zone.apex, 1)
        assert_validates(secondary, place, zone, *BEFORE)
    for zone in presigned[2]:
        nsctl.serve(zone.apex, zone.text)
        secondary.wait_serial(zone.apex, 2)
        assert_validates(secondary, place, zone, *AFTER)
