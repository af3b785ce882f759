"""The rules about one RRset: its TTL, size and syntax; null MX, DS at the apex, NSEC3 parameters."""

from __future__ import annotations

from zones import rdata as rdata_codec
from zones.collect import Findings
from zones.name import ROOT, display
from zones.rrset import DS, MX, NSEC3PARAM, RRset
from zones.survey import MAX_TTL, Place, fits_in_message, wire_size
from zones.syntax import doubt, is_doubtful, problem


def check_rrsets(place: Place, findings: Findings) -> None:
    """Check each RRset of one name."""
    for rrset in place.rrsets:
        if place.odd:
            _check_limits(rrset, findings)
        _check_syntax(rrset, findings)
    mx = place.rrset(MX)
    if mx is not None:
        _check_null_mx(mx, findings)
    if place.owner == findings.apex:
        _check_dnssec_apex(place, findings)


def _what(rrset: RRset) -> str:
    return f"{display(rrset.owner)} {rdata_codec.type_text(rrset.rtype)}"


def _check_limits(rrset: RRset, findings: Findings) -> None:
    if rrset.ttl > MAX_TTL:
        sentence = f"The {_what(rrset)} records have the TTL {rrset.ttl}."
        findings.add("ttl-too-large", rrset.owner, rrset.rtype, sentence)
    if not fits_in_message(rrset):
        count, size = len(rrset.rdatas), wire_size(rrset)
        sentence = f"The {count} {_what(rrset)} records take {size} octets together."
        findings.add("rrset-too-large", rrset.owner, rrset.rtype, sentence)


def _check_syntax(rrset: RRset, findings: Findings) -> None:
    for rdata in rrset.rdatas:
        why = problem(rrset.rtype, rdata)
        if why is not None:
            sentence = f"The record {_what(rrset)} {_shown(rdata)} is malformed: {why}."
            findings.add("rdata-syntax", rrset.owner, rrset.rtype, sentence)
        elif (
            is_doubtful(rrset.rtype)
            and findings.may_doubt()
            and (why := doubt(rrset.rtype, rdata)) is not None
        ):
            sentence = f"The record {_what(rrset)} {_shown(rdata)} looks malformed: {why}."
            findings.add("rdata-doubtful", rrset.owner, rrset.rtype, sentence)


def _shown(rdata: bytes) -> str:
    return f"\\# {len(rdata)} {rdata[:32].hex()}{'...' if len(rdata) > 32 else ''}"


def _check_null_mx(mx: RRset, findings: Findings) -> None:
    nulls = [rdata for rdata in mx.rdatas if rdata[2:] == ROOT]
    if nulls and (len(mx.rdatas) > 1 or nulls[0][:2] != b"\x00\x00"):
        others = f"beside {len(mx.rdatas) - 1} other MX records"
        how = others if len(mx.rdatas) > 1 else "with a preference that is not 0"
        text = rdata_codec.to_text(MX, nulls[0])
        sentence = f"{display(mx.owner)} has the null record MX {text} {how}."
        findings.add("mx-null", mx.owner, MX, sentence)


def _check_dnssec_apex(place: Place, findings: Findings) -> None:
    if DS in place.types:
        findings.add("ds-at-apex", place.owner, DS, f"{findings.zone}, the apex, has a DS record.")
    parameters = place.rrset(NSEC3PARAM)
    for rdata in parameters.rdatas if parameters else ():
        iterations = int.from_bytes(rdata[2:4], "big")
        if iterations:
            sentence = (
                f"The NSEC3PARAM record of {findings.zone} asks for {iterations} extra iterations."
            )
            findings.add("nsec3-iterations", place.owner, NSEC3PARAM, sentence)
