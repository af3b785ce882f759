"""The survey of packed content: the compiled one leads to the findings of the Python one."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import time
from collections.abc import Callable

import pytest

from tests.strategies import APEX, SOA_RDATA
from zones import packed, packing, survey
from zones.check import check
from zones.check_soa import PACKED_RANGES
from zones.errors import DNSError
from zones.finding import Finding
from zones.name import from_text
from zones.packing import Packer
from zones.rrset import (
    AAAA,
    CAA,
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    MX,
    NS,
    NSEC,
    NSEC3,
    NSEC3PARAM,
    PTR,
    RRSIG,
    SOA,
    SPF,
    SRV,
    TXT,
    A,
    RRset,
)
from zones.version import ZoneVersion

SEED = int(os.environ.get("NSCTL_SEED", "1"))
ZONES = int(os.environ.get("NSCTL_FUZZ_CASES", "2000"))

pytestmark = pytest.mark.skipif(not packing.compiled_available, reason="nothing is compiled here")

OWNERS = [
    from_text(text + "example.org.")
    for text in ("", "a.", "b.", "*.", "a.b.", "ns.", "ns.a.", "*.a.", "x.ns.a.", "1.", "_s._tcp.")
]
OUTSIDE = [from_text(text) for text in (".", "ns.example.net.", "192.0.2.1.", "10.example.org.")]


def _rdata(generator: random.Random) -> dict[int, Callable[[], bytes]]:
    """Return makers of rdata that is right or nearly so, by type."""

    def target() -> bytes:
        return generator.choice(OWNERS + OUTSIDE)

    def bitmap() -> bytes:
        return generator.choice([b"", b"\0\1\x40", b"\0\0", b"\0\1\x40\0\1\x40", b"\1\1\1\0"])

    def octets(*sizes: int) -> bytes:
        return generator.randbytes(generator.choice(sizes))

    return {
        A: lambda: octets(4),
        AAAA: lambda: octets(16),
        NS: target,
        CNAME: target,
        DNAME: target,
        PTR: target,
        MX: lambda: generator.choice([b"\0\0"]) + target(),
        SRV: lambda: bytes(6) + target(),
        SOA: lambda: SOA_RDATA,
        TXT: lambda: generator.choice([b"", b"\0", b"\1a", b"\2a", b"\1a\1b"]),
        SPF: lambda: generator.choice([b"\0", b"\2a"]),
        CAA: lambda: generator.choice([b"\0\5issue", b"\0\5iss"]),
        13: lambda: generator.choice([b"\1a\1b", b"\1a"]),
        44: lambda: octets(1, 2, 3),
        52: lambda: octets(3, 4),
        60: lambda: octets(4, 5),
        65: lambda: generator.choice(
            [b"\0\1\0", b"\0\1\0\0\1\0\1a", b"\0\1\0\0\1\0\2a", b"\0\1\0" + bytes(8)]
        ),
        249: lambda: octets(3),
        DS: lambda: (
            b"\0\1\x08" + generator.choice([b"\1", b"\2", b"\4", b"\0"]) + octets(20, 32, 48)
        ),
        DNSKEY: lambda: b"\1\1\3\x08key",
        NSEC3PARAM: lambda: generator.choice([b"\1\0\0\0\0", b"\1\0\0\1\0"]),
        RRSIG: lambda: b"\0\1" + bytes(16) + target() + generator.choice([b"", b"s"]),
        NSEC: lambda: target() + bitmap(),
        NSEC3: lambda: b"\1\0\0\0" + generator.choice([b"", b"\0", b"\0\1h", b"\1s\1h"]) + bitmap(),
        0: lambda: b"",
        65280: lambda: octets(0, 3),
    }


def random_zone(generator: random.Random) -> bytes:
    """Return the packed form of a few records that meet at a few names."""
    makers = _rdata(generator)
    packer = Packer(APEX)
    packer.add(APEX, SOA, 3600, SOA_RDATA)
    packer.add(APEX, NS, 3600, OWNERS[5])
    frequent = [A, AAAA, NS, MX, CNAME, TXT, SRV]
    for _ in range(generator.randrange(1, 12)):
        rtype = generator.choice(frequent if generator.random() < 0.7 else list(makers))
        ttl = generator.choice([0, 300, 300, 2**31 - 1, 2**31]) if rtype == A else 300
        packer.add(generator.choice(OWNERS), rtype, ttl, makers[rtype]())
    return packer.finish().blob


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the compiled survey passes anything over: ask for it, whatever the tests run with."""
    monkeypatch.setenv("NSCTL_ENGINE", "compiled")


def findings(monkeypatch: pytest.MonkeyPatch, engine: str, blob: bytes) -> list[Finding]:
    """Return what the checks say, with one engine or the other."""
    monkeypatch.setenv("NSCTL_ENGINE", engine)
    return check(packing.Packed(blob, packed.read_header(blob).records))


def test_both_surveys_lead_to_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """For any zone, nothing is overlooked by passing over names that look right."""
    generator = random.Random(SEED)
    passed_over = 0
    for number in range(ZONES):
        blob = random_zone(generator)
        expected = findings(monkeypatch, "python", blob)
        plain = sum(1 for _ in survey.places(blob))
        assert findings(monkeypatch, "compiled", blob) == expected, f"zone {number}: {blob.hex()}"
        passed_over += plain - sum(1 for _ in survey.places(blob))
    assert passed_over > ZONES / 4, "nothing is passed over any more"


def test_large_rrsets_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An RRset that fits into no message is found by both."""
    packer = Packer(APEX)
    for number in range(5000):
        packer.add(OWNERS[1], A, 300, struct.pack("!I", number))
    blob = packer.finish().blob
    expected = findings(monkeypatch, "python", blob)
    assert "rrset-too-large" in {finding.rule for finding in expected}
    assert findings(monkeypatch, "compiled", blob) == expected


def test_most_names_of_a_plain_zone_are_passed_over(compiled: None) -> None:
    """Mail, delegations, aliases that point to where all is well cost no look at all."""
    packer = Packer(APEX)
    packer.add(APEX, SOA, 3600, SOA_RDATA)
    for number in range(100):
        host = from_text(f"host{number}.example.org.")
        packer.add(host, A, 300, bytes(4))
        packer.add(host, MX, 300, b"\0\1" + host)
        packer.add(from_text(f"www{number}.example.org."), CNAME, 300, host)
        packer.add(from_text(f"child{number}.example.org."), NS, 300, host)
        packer.add(from_text(f"child{number}.example.org."), NS, 300, OUTSIDE[1])
    assert [place.owner for place in survey.places(packer.finish().blob)] == [APEX]


def test_damaged_blobs_are_told(compiled: None) -> None:
    """Octets that were changed or cut give findings or a packed error, never a crash."""
    generator = random.Random(SEED)
    for _ in range(ZONES):
        blob = bytearray(random_zone(generator))
        for _ in range(generator.randrange(1, 4)):
            at = generator.randrange(packed.HEADER.size, len(blob))
            blob[at] = generator.choice([0, 1, 0x3F, 0x40, 0xFF, generator.randrange(256)])
        if generator.random() < 0.3:
            del blob[generator.randrange(packed.HEADER.size, len(blob)) :]
        try:
            list(survey.places(bytes(blob)))
            survey.types_at(bytes(blob), OWNERS)
        except DNSError:
            pass


QUIET = {
    "serial": b"\0\0\0\7",
    "timers": struct.pack("!4I", 86400, 7200, 3600000, 3600),
    "mname": from_text("ns.example.org."),
    "rname": from_text("hostmaster.example.org."),
}


def _quiet_zone(**other: bytes) -> bytes:
    """Return a zone about which nothing is to be said, but for what is put in its SOA."""
    parts = QUIET | other
    soa = parts["mname"] + parts["rname"] + parts["serial"] + parts["timers"]
    packer = Packer(APEX)
    packer.add(APEX, SOA, 3600, soa)
    packer.add(APEX, NS, 3600, parts["mname"] if parts["mname"][0] else OWNERS[5])
    packer.add(OWNERS[5], A, 3600, bytes(4))
    return packer.finish().blob


def test_a_quiet_zone_is_known_at_once(compiled: None) -> None:
    """Content that breaks no rule is passed over without a look by the rules."""
    assert survey.is_quiet(_quiet_zone(), PACKED_RANGES)
    assert check(ZoneVersion(_quiet_zone())) == []


@pytest.mark.parametrize(
    "other",
    [
        {"timers": struct.pack("!4I", 0, 7200, 3600000, 3600)},
        {"timers": struct.pack("!4I", 3600, 7200, 3600000, 3600)},
        {"timers": struct.pack("!4I", 86400, 28800, 604799, 3600)},
        {"timers": struct.pack("!4I", 86400, 7200, 3600000, 90000)},
        {"mname": b"\0"},
        {"rname": b"\0"},
        {"rname": b"\3a@b\7example\3org\0"},
    ],
    ids=str,
)
def test_an_odd_soa_is_left_to_the_rules(other: dict[str, bytes]) -> None:
    """Whatever a rule says about an SOA record, the content is not quiet."""
    assert not survey.is_quiet(_quiet_zone(**other), PACKED_RANGES)


def test_quiet_content_breaks_no_rule(compiled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the survey says that all is quiet, the rules have nothing to say either."""
    generator = random.Random(SEED)
    quiet = 0
    for _ in range(ZONES):
        packer = Packer(APEX)
        apex_soa = QUIET["mname"] + QUIET["rname"] + QUIET["serial"] + QUIET["timers"]
        packer.add(APEX, SOA, 3600, apex_soa)
        packer.add(APEX, NS, 3600, OWNERS[5])
        packer.add(OWNERS[5], A, 3600, bytes(4))
        for _ in range(generator.randrange(3)):
            rtype, make = generator.choice(list(_rdata(generator).items()))
            with contextlib.suppress(DNSError):
                packer.add(generator.choice(OWNERS), rtype, 3600, make())
        content = packer.finish()
        if survey.is_quiet(content.blob, PACKED_RANGES):
            quiet += 1
            with monkeypatch.context() as patch:
                patch.setattr("zones.check.is_quiet", lambda *_: False)
                assert check(ZoneVersion(content.blob)) == [], content.blob.hex()
    assert quiet > ZONES // 20


SOUND = from_text("ns.example.org")
NOWHERE = from_text("nowhere.example.org")
MANY = 30_000


def large(rtype: int, rdata: bytes, count: int = MANY, *more: RRset) -> ZoneVersion:
    """Return a zone of many names, each with one RRset."""
    soa = RRset.of(APEX, SOA, 300, [SOA_RDATA])
    servers = RRset.of(APEX, NS, 300, [SOUND])
    address = RRset.of(SOUND, A, 300, [bytes(4)])
    names = (b"\6%06d" % number + APEX for number in range(count))
    rrsets = (RRset(name, rtype, 300, (rdata,)) for name in names)
    return ZoneVersion.of(APEX, [soa, servers, address, *rrsets, *more])


@pytest.mark.parametrize(
    ("rtype", "rdata", "rule"),
    [
        (MX, b"\0\1" + NOWHERE, "mx-target-without-address"),
        (NS, NOWHERE, "glue-missing"),
        (DNSKEY, bytes(8), "dnskey-below-apex"),
        (13, b"\1a", "rdata-doubtful"),
    ],
)
def test_a_hostile_zone_that_only_warns_is_bounded(rtype: int, rdata: bytes, rule: str) -> None:
    """However many names deserve a warning, so many are looked at, and the findings say so.

    What it costs is what ten thousand of them cost, and the pass over the octets besides. A fault
    that refuses is found all the same, in the last name of all.
    """
    fault = RRset.of(from_text("zzz.example.org"), CNAME, 300, [SOUND, NOWHERE])
    hostile = large(rtype, rdata, MANY, fault)
    assert len(list(survey.places(hostile.blob))) == 10_002
    seconds, findings = timed(hostile)
    assert findings[0].rule == "cname-multiple"
    told = [one.sentence for one in findings if one.rule == rule]
    assert len(told) == 51
    assert told[-1].startswith("at least ")
    few, _ = timed(large(rtype, rdata, 10_000, fault))
    clean, _ = timed(large(A, bytes(4)))
    assert seconds < 2 * few + 20 * clean + 0.1


def timed(version: ZoneVersion) -> tuple[float, list[Finding]]:
    """Return the seconds of CPU that a check takes, and what it finds."""
    begun = time.thread_time()
    found = check(version)
    return time.thread_time() - begun, found


@pytest.mark.parametrize(
    ("rtype", "rdata"),
    [
        (CAA, b"\0\5issueca"),
        (52, b"\3\1\1a"),
        (44, b"\4\2a"),
        (65, b"\0\1\0\0\1\0\1a"),
        (60, bytes(5)),
    ],
)
def test_sound_records_of_more_types_cost_nothing(rtype: int, rdata: bytes) -> None:
    """The pass looks into CAA, TLSA, SSHFP, HTTPS and CDNSKEY itself."""
    broken = RRset.of(from_text("zzz.example.org"), rtype, 300, [b"\0"])
    sound = large(rtype, rdata, 1000)
    assert len(list(survey.places(sound.blob))) == 1
    assert check(sound) == []
    assert [one.rule for one in check(large(rtype, rdata, 1000, broken))] == ["rdata-syntax"]
