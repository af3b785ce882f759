"""Signed zones from a real primary, served so that validators accept every shape of answer.

BIND's delv validates with the zone's key as its only trust anchor. It does not follow referrals,
so those are judged here, by RFC 4035 3.1.4 and RFC 5155 7.2.7 and with dnspython's cryptography.
"""

from __future__ import annotations

from pathlib import Path

import dns.dnssec
import dns.message
import dns.name
import dns.node
import dns.rdataset
import dns.rdatatype
import dns.rrset
import pytest

from tests.peers import Nsctl, Peer
from tests.peers.signing import SignedZone, delv, sign
from tests.peers.zonetext import ORIGIN, zone_text

pytestmark = pytest.mark.interop("named", "delv", "dnssec-signzone")

CHILD = f"signed.{ORIGIN}"
RECORDS = (
    "www 300 A 192.0.2.10",
    "alias 300 CNAME www",
    "mail 300 MX 10 www",
    "*.wild 300 A 192.0.2.20",
    "*.wildalias 300 CNAME www",
    "host.wild 300 A 192.0.2.21",
    "deep.empty 300 TXT below-an-empty-non-terminal",
    "old 300 DNAME wild",
    "unsigned 300 NS ns.unsigned",
    "ns.unsigned 300 A 192.0.2.31",
    "signed 300 NS ns.signed",
    "ns.signed 300 A 192.0.2.30",
)
POSITIVE = "; fully validated"
NEGATIVE = "; negative response, fully validated"
INSECURE = "; unsigned answer"
# With opt-out, the proof that nothing closer than the wildcard exists leaves room for an unsigned
# delegation, so that the answer is insecure, not bogus (RFC 5155 9.2 and 12.1.1).
SYNTHESISED = "of a wildcard"

# What is asked, and what delv has to say.
QUESTIONS = [
    ("www", "A", POSITIVE),
    ("alias", "A", POSITIVE),
    ("mail", "MX", POSITIVE),
    ("@", "SOA", POSITIVE),
    ("@", "DNSKEY", POSITIVE),
    ("host.wild", "A", POSITIVE),
    ("any.wild", "A", SYNTHESISED),
    ("a.b.c.wild", "A", SYNTHESISED),
    ("any.wildalias", "A", POSITIVE),
    ("*.wild", "A", POSITIVE),
    ("host.old", "A", POSITIVE),
    ("signed", "DS", POSITIVE),
    ("www", "TXT", NEGATIVE),
    ("@", "TXT", NEGATIVE),
    ("any.wild", "TXT", NEGATIVE),
    ("*.wild", "TXT", NEGATIVE),
    ("any.host.wild", "A", NEGATIVE),
    ("empty", "A", NEGATIVE),
    ("wild", "A", NEGATIVE),
    ("unsigned", "DS", NEGATIVE),
    ("missing", "A", NEGATIVE),
    ("a.b.missing", "A", NEGATIVE),
    ("below.www", "A", NEGATIVE),
    ("aaa", "A", NEGATIVE),
    ("zzz", "A", NEGATIVE),
]


@pytest.fixture(params=["NSEC", "NSEC3", "NSEC3-opt-out"])
def zones(request: pytest.FixtureRequest, place: Path) -> tuple[SignedZone, SignedZone]:
    """A signed zone, and the signed child of it for which it has a DS."""
    nsec3, opt_out = request.param != "NSEC", request.param.endswith("opt-out")
    child = sign(place, CHILD, zone_text(1, "www 300 A 192.0.2.40", apex=CHILD), nsec3=nsec3)
    text = zone_text(1, *RECORDS, child.ds)
    return sign(place, ORIGIN, text, nsec3=nsec3, opt_out=opt_out), child


@pytest.fixture
def pulled(
    zones: tuple[SignedZone, SignedZone], bind: Peer, nsctl: Nsctl
) -> tuple[Nsctl, SignedZone]:
    """Our server with the signed zone, transferred from a BIND."""
    zone, _ = zones
    bind.serve(ORIGIN, zone.text, nsctl.remote())
    bind.start()
    nsctl.follow(ORIGIN, bind.remote())
    nsctl.wait_serial(ORIGIN, 1)
    return nsctl, zone


def test_delv_validates_every_answer(pulled: tuple[Nsctl, SignedZone], place: Path) -> None:
    """Positive, negative, wildcard and alias answers all validate with the zone's key."""
    nsctl, zone = pulled
    wrong = []
    synthesised = INSECURE if zone.opt_out else POSITIVE
    for owner, rtype, judgement in QUESTIONS:
        expected = synthesised if judgement == SYNTHESISED else judgement
        name = ORIGIN if owner == "@" else f"{owner}.{ORIGIN}"
        said = delv(place, nsctl.port, ORIGIN, zone.dnskey, name, rtype)
        if expected not in said or (expected == POSITIVE and "resolution failed" in said):
            wrong.append(f"{name} {rtype}: {said}")
    assert not wrong, "\n".join(wrong)


def test_referral_to_a_signed_child(pulled: tuple[Nsctl, SignedZone]) -> None:
    """A referral to a zone with a DS carries that DS, signed, and no proof of its absence."""
    nsctl, zone = pulled
    response = nsctl.query(f"www.{CHILD}", "A", dnssec=True)
    assert_referral(response, CHILD)
    proven = validated(response, zone)
    assert (CHILD, "DS") in proven
    assert not {rtype for _, rtype in proven} & {"NSEC", "NSEC3"}


def test_referral_to_an_unsigned_child(pulled: tuple[Nsctl, SignedZone]) -> None:
    """A referral to a zone without a DS carries the signed proof that there is none."""
    nsctl, zone = pulled
    child = f"unsigned.{ORIGIN}"
    response = nsctl.query(f"www.{child}", "A", dnssec=True)
    assert_referral(response, child)
    proven = validated(response, zone)
    assert (child, "DS") not in proven
    assert proves_no_ds(proven, child)


def test_referral_without_do_is_plain(pulled: tuple[Nsctl, SignedZone]) -> None:
    """Who does not ask for DNSSEC gets none of it (RFC 4035 3.2.1)."""
    nsctl, _ = pulled
    response = nsctl.query(f"www.{CHILD}", "A")
    assert {rrset.rdtype.name for rrset in response.authority} == {"NS"}


def test_chain_of_trust_into_a_child_served_here(
    zones: tuple[SignedZone, SignedZone], bind: Peer, nsctl: Nsctl, place: Path
) -> None:
    """With parent and child both here, delv goes from the parent's key by the DS to the child."""
    for zone in zones:
        bind.serve(zone.apex, zone.text, nsctl.remote())
    bind.start()
    for zone in zones:
        nsctl.follow(zone.apex, bind.remote())
    for zone in zones:
        nsctl.wait_serial(zone.apex, 1)
    said = delv(place, nsctl.port, ORIGIN, zones[0].dnskey, f"www.{CHILD}", "A")
    assert POSITIVE in said, said
    assert "192.0.2.40" in said


Proven = dict[tuple[str, str], dns.rrset.RRset]


def assert_referral(response: dns.message.Message, child: str) -> None:
    """Assert the shape of a referral: NS of the child in authority, glue, no AA, no answer."""
    assert response.rcode().name == "NOERROR"
    assert not response.flags & dns.flags.AA
    assert not response.answer
    assert (child, "NS") in {(str(rrset.name), rrset.rdtype.name) for rrset in response.authority}
    assert (f"ns.{child}", "A") in {(str(r.name), r.rdtype.name) for r in response.additional}


def validated(response: dns.message.Message, zone: SignedZone) -> Proven:
    """Return the RRsets of the authority section whose signatures hold; all but NS must."""
    name = dns.name.from_text(zone.apex)
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {
        name: dns.rrset.from_rdata(name, 300, zone.dnskey)
    }
    signed = {(r.name, r.covers): r for r in response.authority if r.rdtype.name == "RRSIG"}
    proven: Proven = {}
    for rrset in response.authority:
        if rrset.rdtype.name in {"NS", "RRSIG"}:
            continue
        dns.dnssec.validate(rrset, signed[rrset.name, rrset.rdtype], keys)
        proven[str(rrset.name), rrset.rdtype.name] = rrset
    assert not any(covers.name == "NS" for _, covers in signed), "a child's NS is never signed here"
    return proven


def proves_no_ds(proven: Proven, child: str) -> bool:
    """Tell whether these records prove that ``child`` has no DS."""
    if (child, "NSEC") in proven:
        return lacks_ds(proven[child, "NSEC"])
    hashed = dns.dnssec.nsec3_hash(child, None, 0, "SHA1").lower()
    for (owner, rtype), rrset in proven.items():
        label = owner.partition(".")[0].lower()
        if rtype == "NSEC3" and label == hashed:
            return lacks_ds(rrset)
    return any(
        rtype == "NSEC3" and opts_out_over(owner, rrset, hashed)
        for (owner, rtype), rrset in proven.items()
    )


def lacks_ds(rrset: dns.rrset.RRset) -> bool:
    """Tell whether a type bit map has NS and not DS or SOA: the parent's side of a delegation."""
    types = set(rrset[0].to_text().split())
    return "NS" in types and not types & {"DS", "SOA"}


def opts_out_over(owner: str, rrset: dns.rrset.RRset, hashed: str) -> bool:
    """Tell whether an opt-out NSEC3 covers the hash (RFC 5155 6)."""
    start, end = owner.partition(".")[0].lower(), next_hash(rrset)
    covers = start < hashed < end if start < end else hashed > start or hashed < end
    return bool(rrset[0].flags & 1) and covers


def next_hash(rrset: dns.rrset.RRset) -> str:
    """Return the next hashed owner name as text."""
    return str(rrset[0].to_text().split()[4]).lower()
