"""Checking the content of a zone: every broken rule at once, each told in one plain sentence.

The rules stand in ``zones.rules``. What is checked by whom:

    packing      out-of-zone, duplicate, ttl-mismatch (noted while the records came in)
    check_soa    the SOA record and the apex
    check_names  what may stand together at, and below, a name
    check_rrsets syntax, TTL and size of RRsets; MX and DNSSEC records
    check_targets  where NS, MX, SRV and CNAME records point to
"""

from __future__ import annotations

from zones.check_names import check_names
from zones.check_rrsets import check_rrsets
from zones.check_soa import PACKED_RANGES, check_apex
from zones.check_targets import Targets
from zones.collect import Findings
from zones.finding import Finding
from zones.name import display
from zones.packed import read_header
from zones.packing import Packed
from zones.rdata import type_text
from zones.rules import RULES, Rule
from zones.survey import is_quiet, places
from zones.version import ZoneVersion

__all__ = ["RULES", "Rule", "check"]


def check(content: Packed | ZoneVersion) -> list[Finding]:
    """Return all findings about the content, errors first; at most some fifty for each rule.

    Of those beyond, errors are counted up to a thousand, and warnings in ten thousand names: the
    sentence says "at least" where there may be more.
    What was dropped or merged on the way in is known of ``Packed`` content only.
    """
    blob = content.blob
    arrived = content if isinstance(content, Packed) else None
    if (arrived is None or arrived.is_unchanged) and is_quiet(blob, PACKED_RANGES):
        return []
    apex = read_header(blob).apex
    findings = Findings(apex)
    if arrived is not None:
        _check_arrival(arrived, findings)
    targets = Targets(apex)
    apex_seen = None
    for place in places(blob, findings.pass_over):
        if place.owner == apex:
            apex_seen = place
        check_names(place, findings)
        check_rrsets(place, findings)
        targets.collect(place)
        if findings.is_hopeless:
            break
    check_apex(apex_seen, findings)
    if not findings.is_hopeless:
        targets.check(blob, findings)
    return findings.result()


def _check_arrival(content: Packed, findings: Findings) -> None:
    zone = findings.zone
    for owner, rtype in content.out_of_zone:
        record = f"{display(owner)} {type_text(rtype)}"
        sentence = f"The record {record} is not in the zone {zone} and was left out."
        findings.add("out-of-zone", owner, rtype, sentence)
    findings.add_uncounted("out-of-zone", len(content.out_of_zone), content.out_of_zone_count)
    for owner, rtype in content.ttl_mismatches:
        record = f"{display(owner)} {type_text(rtype)}"
        sentence = f"The {record} records have different TTLs; the smallest is used for all."
        findings.add("ttl-mismatch", owner, rtype, sentence)
    if content.duplicates:
        many = content.duplicates > 1
        count = f"{content.duplicates} records" if many else "One record"
        sentence = f"{count} of {zone} stood there more than once; each is kept once."
        findings.add("duplicate", findings.apex, 0, sentence)
