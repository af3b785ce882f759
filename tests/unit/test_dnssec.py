"""Validating whole zones: what a signer of our own made is sound, and each damage is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

import zones.dnssec
from tests.answering.signing import EXPIRATION, Chain, key, sign
from zones.dnssec import Validator
from zones.finding import Finding
from zones.keys import digest
from zones.name import from_text
from zones.rrset import NSEC, NSEC3, RRSIG, RRset
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

APEX = from_text("example.org")
TEXT = """\
$ORIGIN example.org.
$TTL 300
@ SOA ns1 hostmaster 7 3600 600 86400 300
@ NS ns1
ns1 A 192.0.2.53
secure NS ns1.secure
secure DS 12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
ns1.secure A 192.0.2.54
insecure NS ns1.insecure
ns1.insecure A 192.0.2.55
deep.insecure2.ent NS ns1
a.b.c TXT "deep"
*.wild TXT "any"
UPPER CNAME WWW
www AAAA 2001:db8::1
"""
# The signatures go to 2100: times of 32 bits are compared over 68 years (RFC 4034 3.1.5).
NOW = datetime(2040, 1, 1, tzinfo=UTC).timestamp()
CHAINS = [Chain(), Chain(0), Chain(2, b"\xab\xcd"), Chain(0, b"", True)]


def signed(chain: Chain) -> ZoneVersion:
    """Return the zone, signed."""
    return sign(ZoneVersion(read_zone_file(TEXT, filename="test", apex=APEX).blob), chain)


def findings(
    version: ZoneVersion, now: float = NOW, ds: tuple[bytes, ...] | None = None
) -> list[Finding]:
    """Return what a validation finds."""
    return Validator(version, now, ds).findings()


def rules(version: ZoneVersion, now: float = NOW) -> set[str]:
    """Return the rules that are broken."""
    return {finding.rule for finding in findings(version, now)}


def changed(
    version: ZoneVersion, change: Callable[[RRset], Iterable[RRset]] | None = None, *more: RRset
) -> ZoneVersion:
    """Return the zone with each set replaced by what ``change`` makes of it, and more."""
    kept = [one for rrset in version for one in (change(rrset) if change else [rrset])]
    return ZoneVersion.of(APEX, [*kept, *more])


@pytest.mark.parametrize("chain", CHAINS, ids=str)
def test_a_sound_zone(chain: Chain) -> None:
    """NSEC, NSEC3 with and without salt, opt-out: nothing is wrong."""
    assert findings(signed(chain)) == []


def test_ds() -> None:
    """The DS record of the key vouches for the zone; another one does not, and none does not."""
    version = signed(Chain())
    dnskey = key()[1].to_wire() or b""
    good = digest(APEX, dnskey)
    assert findings(version, ds=(good,)) == []
    assert findings(version, ds=(b"\0\1\x0f\2" + bytes(32), good)) == []
    for wrong in ((good[:-1] + bytes((good[-1] ^ 1,)),), ()):
        (found,) = findings(version, ds=wrong)
        assert found.rule == "dnssec-ds-mismatch"


def test_unsigned() -> None:
    """A zone without keys cannot be validated."""
    version = ZoneVersion(read_zone_file(TEXT, filename="test", apex=APEX).blob)
    assert rules(version) == {"dnssec-unsigned"}


def test_a_changed_record() -> None:
    """A record that is not what was signed is told, by name."""

    def other(rrset: RRset) -> list[RRset]:
        if rrset.owner == from_text("www", APEX) and rrset.rtype == 28:
            return [RRset(rrset.owner, 28, 300, (bytes(16),))]
        return [rrset]

    (found,) = findings(changed(signed(Chain()), other))
    assert found.rule == "dnssec-signature-wrong"
    assert found.sentence.startswith("The signature of www.example.org AAAA by key ")


def test_a_missing_signature() -> None:
    """A set without a signature is told; glue and delegations need none."""
    gone = from_text("a.b.c", APEX)
    version = changed(
        signed(Chain()),
        lambda rrset: [] if rrset.rtype == RRSIG and rrset.owner == gone else [rrset],
    )
    assert "dnssec-signature-missing" in rules(version)
    assert any("a.b.c.example.org TXT" in one.sentence for one in findings(version))


def test_signatures_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lapsed signatures and those of the future refuse; those that lapse soon are told."""
    version = signed(Chain())
    end = EXPIRATION.timestamp()
    assert rules(version, end + 1) == {"dnssec-signature-expired"}
    early = (int(NOW) + 86_400).to_bytes(4, "big")
    later = changed(
        version,
        lambda one: (
            [RRset.of(one.owner, RRSIG, one.ttl, [one.rdatas[0][:12] + early + one.rdatas[0][16:]])]
            if one.key == (APEX, RRSIG, 6)
            else [one]
        ),
    )
    assert rules(later) == {"dnssec-signature-early"}
    assert rules(version) == set()
    monkeypatch.setattr(zones.dnssec, "LEAST_LEFT", end - NOW + 1)
    assert rules(version) == {"dnssec-signature-lapses"}


@pytest.mark.parametrize("chain", CHAINS[:3], ids=str)
def test_a_gap_in_the_chain(chain: Chain) -> None:
    """One record of the chain missing is told, with what follows from it."""
    version = signed(chain)
    rtype = NSEC if chain.iterations is None else NSEC3
    owners = [rrset.owner for rrset in version if rrset.rtype == rtype]
    for gone in owners[1:]:
        kept = [one for one in version if one.owner != gone or rtype not in (one.rtype, one.covers)]
        found = findings(ZoneVersion.of(APEX, kept))
        assert "dnssec-denial-broken" in {one.rule for one in found}, gone


def test_an_unknown_name_is_not_in_the_chain() -> None:
    """A name that was added after signing has neither signature nor proof."""
    extra = RRset.of(from_text("new", APEX), 16, 300, [b"\1a"])
    for chain in CHAINS:
        assert rules(changed(signed(chain), None, extra)) == {
            "dnssec-signature-missing",
            "dnssec-denial-broken",
        }


def test_many_keys_of_one_tag_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many keys share a tag and however many signatures a set has, few are tried."""
    tried: list[Any] = []
    version = signed(Chain())
    signature = next(one for one in version if one.key == (APEX, RRSIG, 6)).rdatas[0]
    forged = [signature[:-2] + number.to_bytes(2, "big") for number in range(200)]
    version = changed(
        version,
        lambda one: [RRset.of(APEX, RRSIG, 300, forged)] if one.key == (APEX, RRSIG, 6) else [one],
    )
    real = zones.dnssec._verifies

    def counted(*what: Any) -> bool:
        tried.append(what)
        return bool(real(*what))

    monkeypatch.setattr(zones.dnssec, "_verifies", counted)
    assert "dnssec-signature-wrong" in rules(version)
    soa = [one for one in tried if one[2].rtype == 6]
    assert len(soa) <= zones.dnssec.MOST_SIGNATURES * zones.dnssec.MOST_KEYS
