"""The rules about what may stand together at one name, and below a delegation or DNAME."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zones.collect import Findings
from zones.name import display, is_wildcard
from zones.rdata import type_text
from zones.rrset import CNAME, DNAME, DNSKEY, DS, NS, NSEC, NSEC3, RRSIG, SOA
from zones.survey import GLUE, Place

SIG, KEY, NXT = 24, 25, 30
# RFC 2181 10.1, with the types that took their places (RFC 4034 3 and 4, RFC 4035 2.5).
BESIDE_CNAME: Final = frozenset({CNAME, RRSIG, NSEC, SIG, KEY, NXT})
AT_A_CUT: Final = GLUE | {NS, DS, DNAME}  # DNAME has its own rule
_AT_APEX_OR_CUT: Final = frozenset({SOA, NS, DNSKEY, DS})


def check_names(place: Place, findings: Findings) -> None:
    """Check one name."""
    at_apex = place.owner == findings.apex
    if CNAME in place.types:
        _check_cname(place, findings)
    if DNAME in place.types:
        _check_dname(place, findings, at_apex=at_apex)
    if place.cut is not None:
        _check_delegation(place, findings)
    if place.dname is not None and not place.types <= {NSEC3, RRSIG}:
        sentence = (
            f"{display(place.owner)} has {_types(place.types)}, but the DNAME record of"
            f" {display(place.dname)} redirects every name below it."
        )
        findings.add("names-below-dname", place.owner, min(place.types), sentence)
    if not at_apex and not place.types.isdisjoint(_AT_APEX_OR_CUT):
        _check_apex_only(place, findings)


def _types(types: Iterable[int]) -> str:
    return ", ".join(type_text(rtype) for rtype in sorted(types))


def _check_cname(place: Place, findings: Findings) -> None:
    name = display(place.owner)
    cname = place.rrset(CNAME)
    assert cname is not None
    if len(cname.rdatas) > 1:
        sentence = f"{name} has {len(cname.rdatas)} CNAME records, one is allowed."
        findings.add("cname-multiple", place.owner, CNAME, sentence)
    others = place.types - BESIDE_CNAME
    if DNAME in others:
        sentence = f"{name} has a CNAME and a DNAME record."
        findings.add("dname-with-cname", place.owner, CNAME, sentence)
    if others:
        sentence = f"{name} has a CNAME record and beside it {_types(others)}."
        findings.add("cname-and-other-data", place.owner, CNAME, sentence)


def _check_dname(place: Place, findings: Findings, *, at_apex: bool) -> None:
    name = display(place.owner)
    dname = place.rrset(DNAME)
    assert dname is not None
    if len(dname.rdatas) > 1:
        sentence = f"{name} has {len(dname.rdatas)} DNAME records, one is allowed."
        findings.add("dname-multiple", place.owner, DNAME, sentence)
    if NS in place.types and not at_apex:
        sentence = f"{name} has a DNAME record and is delegated by NS records."
        findings.add("dname-and-ns", place.owner, DNAME, sentence)
    if is_wildcard(place.owner):
        sentence = f"The wildcard {name} has a DNAME record."
        findings.add("wildcard-dname", place.owner, DNAME, sentence)


def _check_delegation(place: Place, findings: Findings) -> None:
    assert place.cut is not None
    occluded = place.types - (GLUE if place.is_occluded else AT_A_CUT)
    if not occluded:
        return
    where = f"is below {display(place.cut)}, which is delegated"
    if not place.is_occluded:
        where = "is delegated by its NS records"
    sentence = f"{display(place.owner)} {where}; its {_types(occluded)} records are not answered."
    findings.add("below-delegation", place.owner, min(occluded), sentence)


def _check_apex_only(place: Place, findings: Findings) -> None:
    types = place.types
    name = display(place.owner)
    if SOA in types:
        sentence = f"{name} has an SOA record, which belongs at {display(findings.apex)} only."
        findings.add("soa-not-at-apex", place.owner, SOA, sentence)
    if NS in types and is_wildcard(place.owner):
        findings.add("wildcard-ns", place.owner, NS, f"The wildcard {name} has NS records.")
    if DNSKEY in types and not place.is_occluded:
        sentence = f"{name} has a DNSKEY record, which belongs at {display(findings.apex)}."
        findings.add("dnskey-below-apex", place.owner, DNSKEY, sentence)
    if DS in types and NS not in types and not place.is_occluded:
        sentence = f"{name} has a DS record, but no NS records that delegate it."
        findings.add("ds-without-ns", place.owner, DS, sentence)
