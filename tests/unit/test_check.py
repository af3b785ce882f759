"""The rules for zone content: what breaks each of them, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from axfr import refusal
from tests.unit.zone_strategies import APEX, rrset, soa, zone_versions
from zones import guard_rules, rules
from zones.check import RULES, check
from zones.collect import PER_RULE
from zones.finding import Finding, Severity
from zones.name import below, from_text
from zones.packing import Packed
from zones.rrset import TXT, A, RRset
from zones.rules_signed import SIGNED
from zones.version import ZoneVersion
from zones.zonefile import read_zone_file

SOUND = """\
@ 3600 SOA ns1 hostmaster 1 14400 3600 1209600 3600
@ NS ns1
@ NS ns.example.net.
ns1 A 192.0.2.53
www A 192.0.2.1
"""


def findings(text: str) -> list[Finding]:
    """Return what is found in a zone file of example.org."""
    return check(read_zone_file(text, filename="f", apex=APEX))


def with_soa(fields: str) -> str:
    """Return the sound zone with another SOA."""
    return f"@ 3600 SOA {fields}\n" + SOUND.partition("\n")[2]


# Rule, what is added to the sound zone (or a zone of its own), and a piece of the sentence.
BROKEN = [
    ("soa-missing", "@ NS ns.example.net.", "example.org has no SOA record"),
    ("soa-multiple", SOUND + "@ SOA ns2 hostmaster 1 14400 3600 1209600 3600", "2 SOA records"),
    ("soa-not-at-apex", SOUND + "sub SOA a b 1 14400 3600 1209600 3600", "sub.example.org has an"),
    ("soa-timers-zero", with_soa("ns1 h 1 14400 3600 0 3600"), "EXPIRE 0"),
    ("soa-timers-zero", with_soa("ns1 h 1 0 3600 1209600 3600"), "REFRESH 0"),
    ("soa-timers-zero", with_soa("ns1 h 1 14400 0 1209600 3600"), "RETRY 0"),
    ("soa-timers", with_soa("ns1 h 1 60 30 1209600 3600"), "REFRESH 60, usual is 3600 to 86400"),
    ("soa-timers", with_soa("ns1 h 1 3600 7200 1209600 3600"), "RETRY 7200, which is more than"),
    ("soa-timers", with_soa("ns1 h 1 3600 3600 7200 3600"), "EXPIRE 7200, not more than REFRESH"),
    ("soa-expire-too-short", with_soa("ns1 h 1 3600 900 4499 300"), "EXPIRE 4499, less than"),
    ("soa-timers", with_soa("ns1 h 1 14400 3600 1209600 0"), "MINIMUM 0"),
    ("soa-names", with_soa(". h 1 14400 3600 1209600 3600"), "names no primary server"),
    ("soa-names", with_soa("ns1 a\\@example.net. 1 14400 3600 1209600 3600"), "has an @"),
    ("ns-missing", SOUND.replace("@ NS", "sub NS"), "example.org has no NS record"),
    ("ns-target-is-cname", SOUND + "@ NS ns9\nns9 CNAME ns1", "points to ns9.example.org"),
    ("ns-target-is-address", SOUND + "@ NS 192.0.2.1", "points to 192.0.2.1.example.org"),
    ("ns-target-is-root", SOUND + "@ NS .", "points to the root"),
    ("glue-missing", SOUND + "@ NS ns9", "points to ns9.example.org"),
    ("glue-missing", SOUND + "sub NS ns.sub", "NS record of sub.example.org"),
    ("glue-missing", SOUND + "sub NS www9", "NS record of sub.example.org"),
    ("below-delegation", SOUND + "sub NS ns1\nsub TXT x", "sub.example.org is delegated"),
    ("below-delegation", SOUND + "sub NS ns1\nx.sub MX 1 www", "x.sub.example.org is below"),
    ("below-delegation", SOUND + "sub NS ns1\na.b.sub NS ns1", "a.b.sub.example.org is below"),
    ("wildcard-ns", SOUND + "*.sub NS ns1", "wildcard *.sub.example.org"),
    ("cname-and-other-data", SOUND + "www CNAME ns1", "www.example.org has a CNAME"),
    ("cname-and-other-data", SOUND + "@ CNAME www", "beside it NS, SOA"),
    ("cname-multiple", SOUND + "a CNAME www\na CNAME ns1", "a.example.org has 2 CNAME"),
    ("cname-loop", SOUND + "a CNAME b\nb CNAME c\nc CNAME a", "a.example.org points to b"),
    ("cname-loop", SOUND + "a CNAME a", "a.example.org points to a.example.org"),
    ("cname-target-missing", SOUND + "a CNAME nowhere", "points to nowhere.example.org"),
    ("dname-multiple", SOUND + "a DNAME b.net.\na DNAME c.net.", "a.example.org has 2 DNAME"),
    ("dname-with-cname", SOUND + "a DNAME b.net.\na CNAME c.net.", "a.example.org has a CNAME"),
    ("dname-and-ns", SOUND + "a DNAME b.net.\na NS ns1", "a.example.org has a DNAME"),
    ("names-below-dname", SOUND + "a DNAME b.net.\nx.a A 192.0.2.1", "x.a.example.org has A"),
    ("names-below-dname", SOUND + "@ DNAME b.net.", "www.example.org has A"),
    ("wildcard-dname", SOUND + "*.a DNAME b.net.", "wildcard *.a.example.org"),
    ("mx-target-is-cname", SOUND + "@ MX 1 m\nm CNAME www", "points to m.example.org"),
    ("mx-target-is-address", SOUND + "@ MX 1 192.0.2.1.", "points to 192.0.2.1"),
    ("mx-target-without-address", SOUND + "@ MX 1 m", "points to m.example.org"),
    ("mx-null", SOUND + "@ MX 0 .\n@ MX 1 www", "null record MX 0 . beside 1 other"),
    ("mx-null", SOUND + "@ MX 5 .", "preference that is not 0"),
    ("srv-target-is-cname", SOUND + "_s._tcp SRV 0 0 1 m\nm CNAME www", "points to m.example"),
    ("srv-target-without-address", SOUND + "_s._tcp SRV 0 0 1 m", "points to m.example.org"),
    ("out-of-zone", SOUND + "www.example.net. A 192.0.2.1", "www.example.net A is not in"),
    ("duplicate", SOUND + "www A 192.0.2.1", "One record of example.org"),
    ("ttl-mismatch", SOUND + "www 60 A 192.0.2.2", "www.example.org A records have different"),
    ("ttl-too-large", SOUND + "a 2147483648 A 192.0.2.2", "TTL 2147483648"),
    ("rdata-syntax", SOUND + "a TXT \\# 2 0561", "a.example.org TXT \\# 2 0561 is malformed"),
    ("rdata-syntax", SOUND + "a CAA \\# 2 0005", "tag is cut short"),
    ("rdata-syntax", SOUND + "a HTTPS \\# 7 000100 00010001", "parameters are cut short"),
    ("rdata-doubtful", SOUND + "a LOC \\# 4 01020304", "a.example.org LOC \\# 4 01020304"),
    ("ds-at-apex", SOUND + f"@ DS 1 8 2 {'00' * 32}", "example.org, the apex, has a DS"),
    ("ds-without-ns", SOUND + f"a DS 1 8 2 {'00' * 32}", "a.example.org has a DS record"),
    ("dnskey-below-apex", SOUND + "a DNSKEY 257 3 8 AAAA", "a.example.org has a DNSKEY"),
    ("nsec3-iterations", SOUND + "@ NSEC3PARAM 1 0 10 -", "10 extra iterations"),
    (
        "denial-missing",
        SOUND + "@ RRSIG SOA 8 2 3600 20300101000000 20200101000000 1 example.org. AAAA",
        "neither an NSEC",
    ),
]


@pytest.mark.parametrize(("rule", "text", "sentence"), BROKEN)
def test_a_broken_rule_is_told(rule: str, text: str, sentence: str) -> None:
    """A zone that breaks a rule gets its finding, with the record, and what to do about it."""
    found = [finding for finding in findings(text) if finding.rule == rule]
    assert found, findings(text)
    assert any(sentence in finding.sentence for finding in found)
    for finding in found:
        assert finding.severity is RULES[rule].severity
        assert finding.sentence[-1] == finding.fix[-1] == "."


def test_every_rule_has_an_example() -> None:
    """No rule is without a zone that breaks it, except for those tested on their own."""
    elsewhere = {rule.id for rule in SIGNED}  # test_zonemd and test_dnssec
    found = {rule for rule, _text, _sentence in BROKEN}
    assert set(RULES) - elsewhere - found == {"rrset-too-large"}


@pytest.mark.parametrize(
    "added",
    [
        "",
        "@ MX 0 .\n_s._tcp SRV 0 0 0 .",  # null MX and SRV
        "a CNAME www\nb CNAME a\nc CNAME example.net.",
        "*.w A 192.0.2.1\n@ MX 1 x.w\na CNAME y.z.w",  # targets made by a wildcard
        "d DNAME example.net.\na CNAME x.d\n@ MX 1 y.d",  # targets made by a DNAME
        "sub NS ns.sub\nns.sub A 192.0.2.1\na CNAME x.sub\n@ MX 1 mail.sub",  # in a delegated zone
        "a NS ns.b\nb NS ns.example.net.",  # sibling glue is not needed, RFC 9471 3.2
        f"sub NS ns1\nsub DS 1 8 2 {'00' * 32}",
        '@ CAA 0 issue "ca.example.net"\nx TYPE65280 \\# 1 00\n@ SSHFP 4 2 ' + 32 * "00",
        "@ HTTPS 1 . alpn=h2\nx SVCB 0 www",
        f"_25._tcp TLSA 3 1 1 {'00' * 32}\n@ DNSKEY 257 3 8 AAAA",
        "@ TXT a b c\na PTR b",
        "a MX 1 www\na NAPTR 1 1 s a b .",
    ],
)
def test_what_is_right_is_not_told(added: str) -> None:
    """A zone in which nothing is wrong has no findings."""
    assert findings(SOUND + added) == []


def test_cname_beside_its_dnssec_records() -> None:
    """Beside a CNAME stand its signature and NSEC record, without a finding (RFC 4034 3, 4)."""
    signature = "8 3 3600 20300101000000 20200101000000 1 example.org. AAAA"
    text = f"{SOUND}a CNAME www\na NSEC b CNAME\na RRSIG CNAME {signature}\n"
    assert findings(text) == []


def test_nsec3_below_a_dname_at_the_apex() -> None:
    """NSEC3 records stand below the apex by nature, even where it has a DNAME."""
    text = "@ 3600 SOA ns.example.net. h 1 14400 3600 1209600 3600\n@ NS ns.example.net.\n"
    text += "@ DNAME example.net.\n0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS\n"
    assert findings(text) == []


def test_a_type_that_never_stands_in_a_zone() -> None:
    """Types for queries and messages may arrive by transfer, and are refused (RFC 6895 3.1)."""
    odd = RRset.of(below(b"a", APEX), 250, 60, [b"x"])
    (found,) = check(ZoneVersion.of(APEX, [soa(), rrset("@ 60 NS ns.example.net."), odd]))
    assert found.rule == "rdata-syntax"


def test_an_rrset_that_fits_in_no_message() -> None:
    """A set of more than 65535 octets is refused, whatever its type."""
    texts = [bytes((255,)) + f"{number:0255}".encode() for number in range(300)]
    big = RRset.of(below(b"big", APEX), TXT, 60, texts)
    version = ZoneVersion.of(APEX, [soa(), rrset("@ 60 NS ns.example.net."), big])
    (found,) = check(version)
    assert found.rule == "rrset-too-large"
    assert "The 300 big.example.org TXT records take" in found.sentence


def test_findings_are_bounded() -> None:
    """A hostile zone of many mistakes gets a list of some, and the count of the others."""
    lines = "".join(f"h{number} CNAME www\nh{number} TXT x\n" for number in range(500))
    found = [one for one in findings(SOUND + lines) if one.rule == "cname-and-other-data"]
    assert len(found) == PER_RULE + 1
    assert found[-1].sentence.startswith("450 more: ")


def test_out_of_zone_beyond_the_examples_is_counted() -> None:
    """Of records that were dropped, those not kept as examples are counted."""
    packed = Packed(
        ZoneVersion.of(APEX, [soa(), rrset("@ 60 NS ns.example.net.")]).blob,
        records=2,
        out_of_zone=((from_text("example.net."), A),),
        out_of_zone_count=7,
    )
    assert [one.sentence.split(":")[0] for one in check(packed)][1:] == ["6 more"]


def test_errors_come_first() -> None:
    """What refuses a change is told before what only warns."""
    severities = [one.severity for one in findings(SOUND + "a CNAME no\nwww CNAME a\nb CNAME no")]
    assert severities == sorted(severities, key=[Severity.ERROR, Severity.WARNING].index)
    assert len(set(severities)) == 2


@given(zone_versions())
def test_any_content_can_be_checked(version: ZoneVersion) -> None:
    """Whatever octets a version has, checking it ends with findings, each of a known rule."""
    for finding in check(version):
        assert finding.severity is RULES[finding.rule].severity


def test_the_page_of_refusals_is_up_to_date() -> None:
    """docs/refusals.md is what the rules make of it: content, guards, then the way."""
    page = Path(__file__).parents[2] / "docs" / "refusals.md"
    written = f"{rules.markdown()}\n{guard_rules.markdown()}\n{refusal.markdown()}"
    assert page.read_text(encoding="utf-8") == written, (
        "run: (python -m zones.rules; echo; python -m zones.guard_rules; echo;"
        " python -m axfr.refusal) > docs/refusals.md"
    )
