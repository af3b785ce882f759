"""ZONEMD: digests of whole zones, compared with dnspython's."""

from __future__ import annotations

import random

import dns.rdatatype
import dns.zone
import dns.zonetypes
import pytest

from zones import packed
from zones.name import from_text
from zones.rrset import ZONEMD, RRset
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file
from zones.zonemd import check_zonemd, digest

APEX = from_text("example.org")
TEXT = """\
$ORIGIN example.org.
$TTL 300
@ SOA ns1 hostmaster 7 3600 600 86400 300
@ NS ns1
@ NS ns2.sub
@ MX 10 MAIL
ns1 600 A 192.0.2.53
sub NS ns2.sub
ns2.sub A 192.0.2.54
*.wild TXT "a" "B"
_25._tcp.mail TYPE65280 \\# 4 01020304
www 60 RRSIG A 13 3 300 20300101000000 20200101000000 12345 example.org. QUJD
www 60 AAAA 2001:db8::1
{}"""


def version(*lines: str) -> ZoneVersion:
    """Return the zone with these records besides."""
    return ZoneVersion(parse(TEXT.format("\n".join(lines))))


def parse(text: str) -> bytes:
    """Return the packed form of a zone file."""
    return read_zone_file(text, filename="test", apex=APEX).blob


def with_zonemd(*rdatas: bytes) -> ZoneVersion:
    """Return the zone with these ZONEMD records at its apex."""
    rrsets = [*version(), RRset.of(APEX, ZONEMD, 300, rdatas)]
    return ZoneVersion.of(APEX, rrsets)


def rdata(serial: int, algorithm: int, octets: bytes, scheme: int = 1) -> bytes:
    """Return ZONEMD rdata."""
    return serial.to_bytes(4, "big") + bytes((scheme, algorithm)) + octets


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("algorithm", [1, 2])
def test_digest_is_that_of_dnspython(
    algorithm: int,
    compiled: bool,  # noqa: FBT001 (a parameter of the test)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SHA-384 and SHA-512 over all records, in canonical order and form (RFC 8976 3)."""
    monkeypatch.setattr("zones.zonemd.use_compiled", lambda: compiled)
    monkeypatch.setattr("zones.zonemd.AT_ONCE", 100)
    other = dns.zone.from_text(TEXT.format(""), relativize=False, check_origin=False)
    expected = other.compute_digest(dns.zonetypes.DigestHashAlgorithm(algorithm))
    assert digest(version(), algorithm) == expected.digest


@pytest.mark.parametrize("algorithm", [1, 2])
def test_a_digest_that_fits(algorithm: int) -> None:
    """The ZONEMD record itself is not part of what it is made of; neither is its signature."""
    made = digest(version(), algorithm)
    assert check_zonemd(with_zonemd(rdata(7, algorithm, made))) == []
    signature = "@ RRSIG ZONEMD 13 2 300 20300101000000 20200101000000 12345 example.org. QUJD"
    rrsets = [*version(signature), RRset.of(APEX, ZONEMD, 300, [rdata(7, algorithm, made)])]
    assert check_zonemd(ZoneVersion.of(APEX, rrsets)) == []


def test_no_zonemd_is_no_finding() -> None:
    """Most zones have none."""
    assert check_zonemd(version()) == []


def test_a_wrong_digest_and_a_wrong_serial() -> None:
    """Records changed after the digest was made, or a digest of another serial, are refused."""
    made = digest(version(), 1)
    (found,) = check_zonemd(with_zonemd(rdata(7, 1, bytes(48))))
    assert found.rule == "zonemd-wrong"
    assert "000000000000" in found.sentence
    assert made[:6].hex() in found.sentence
    (found,) = check_zonemd(with_zonemd(rdata(6, 1, made)))
    assert "made for serial 6, and the zone has serial 7" in found.sentence


def test_one_record_that_fits_is_enough() -> None:
    """Of two algorithms one may be wrong (RFC 8976 4)."""
    made = digest(version(), 2)
    assert check_zonemd(with_zonemd(rdata(7, 2, made), rdata(7, 1, bytes(48)))) == []


@pytest.mark.parametrize("unknown", [rdata(7, 240, bytes(48)), rdata(7, 1, bytes(48), scheme=240)])
def test_unknown_schemes_are_no_error(unknown: bytes) -> None:
    """What is not known here cannot be wrong here; it is told (RFC 8976 2.2)."""
    (found,) = check_zonemd(with_zonemd(unknown))
    assert found.rule == "zonemd-unusable"


def test_damaged_content_is_told(rng: random.Random) -> None:
    """Octets that are no packed zone raise an error, whatever they are, and nothing else."""
    blob = with_zonemd(rdata(7, 1, bytes(48))).blob
    for _ in range(300):
        damaged = bytearray(blob)
        damaged[rng.randrange(40, len(blob))] = rng.randrange(256)
        try:
            digest(ZoneVersion(bytes(damaged)), 1)
        except packed.PackedError:
            continue
