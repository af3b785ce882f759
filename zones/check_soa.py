"""The rules about the SOA record and what else the apex must have."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from zones.collect import Findings
from zones.name import ROOT, Name, display, labels
from zones.rrset import NS, NSEC, NSEC3PARAM, RRSIG, SOA, RRset
from zones.survey import Place
from zones.syntax import end_of_name, problem

_NUMBERS: Final = struct.Struct("!5I")
# DENIC's name server predelegation check, where it says more than RFC 1912 2.2: seconds.
RANGES: Final = {
    "REFRESH": (3600, 86400),
    "RETRY": (900, 28800),
    "EXPIRE": (604800, 3600000),
    "MINIMUM": (180, 86400),
}
PACKED_RANGES: Final = struct.pack(
    "=8I", *(limit for limits in RANGES.values() for limit in limits)
)


class SoaFields(NamedTuple):
    """What an SOA record says (RFC 1035 3.3.13); the timers are in seconds."""

    mname: Name
    rname: Name
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


def read_soa(rdata: bytes) -> SoaFields:
    """Return the fields of sound SOA rdata (see ``zones.syntax.problem``)."""
    first = end_of_name(rdata, 0)
    assert first is not None
    return SoaFields(rdata[:first], rdata[first:-20], *_NUMBERS.unpack(rdata[-20:]))


def check_apex(apex: Place | None, findings: Findings) -> None:
    """Check what the apex must have; ``None`` where nothing to look at stands there."""
    zone = findings.zone
    soa = apex.rrset(SOA) if apex else None
    if soa is None:
        sentence = f"The zone {zone} has no SOA record at {zone}."
        findings.add("soa-missing", findings.apex, SOA, sentence)
    else:
        _check_soa(soa, findings)
    if apex is None or NS not in apex.types:
        sentence = f"The zone {zone} has no NS record at {zone}, so it names no server of its own."
        findings.add("ns-missing", findings.apex, NS, sentence)
    if apex and RRSIG in apex.types and apex.types.isdisjoint((NSEC, NSEC3PARAM)):
        sentence = f"{zone} is signed and has neither an NSEC nor an NSEC3PARAM record."
        findings.add("denial-missing", findings.apex, NSEC, sentence)


def _check_soa(soa: RRset, findings: Findings) -> None:
    zone = findings.zone
    if len(soa.rdatas) > 1:
        sentence = f"{zone} has {len(soa.rdatas)} SOA records, with different content."
        findings.add("soa-multiple", soa.owner, SOA, sentence)
    for rdata in soa.rdatas:
        if problem(SOA, rdata) is None:
            fields = read_soa(rdata)
            _check_timers(fields, findings)
            _check_names(fields, findings)


def _check_timers(soa: SoaFields, findings: Findings) -> None:
    zone = findings.zone
    timers = {
        "REFRESH": soa.refresh,
        "RETRY": soa.retry,
        "EXPIRE": soa.expire,
        "MINIMUM": soa.minimum,
    }
    for timer, value in timers.items():
        low, high = RANGES[timer]
        if value == 0 and timer != "MINIMUM":
            sentence = f"The SOA record of {zone} has {timer} 0."
            findings.add("soa-timers-zero", findings.apex, SOA, sentence)
        elif not low <= value <= high:
            sentence = f"The SOA record of {zone} has {timer} {value}, usual is {low} to {high}."
            findings.add("soa-timers", findings.apex, SOA, sentence)
    if soa.retry > soa.refresh > 0:
        sentence = (
            f"The SOA record of {zone} has RETRY {soa.retry}, which is more than"
            f" REFRESH {soa.refresh}."
        )
        findings.add("soa-timers", findings.apex, SOA, sentence)
    if 0 < soa.expire <= soa.refresh + soa.retry:
        nonsense = soa.expire < soa.refresh + soa.retry
        sentence = (
            f"The SOA record of {zone} has EXPIRE {soa.expire}, {'less' if nonsense else 'not more'}"
            f" than REFRESH {soa.refresh} and RETRY {soa.retry} together: secondaries give the zone"
            " up after one failed attempt."
        )
        rule = "soa-expire-too-short" if nonsense else "soa-timers"
        findings.add(rule, findings.apex, SOA, sentence)


def _check_names(soa: SoaFields, findings: Findings) -> None:
    zone = findings.zone
    for name, what in ((soa.mname, "primary server"), (soa.rname, "mailbox")):
        if name == ROOT:
            sentence = f"The SOA record of {zone} names no {what}: it has a dot alone."
            findings.add("soa-names", findings.apex, SOA, sentence)
    if any(b"@" in label for label in labels(soa.rname)):
        sentence = f"The SOA record of {zone} has an @ in the mailbox {display(soa.rname)}."
        findings.add("soa-names", findings.apex, SOA, sentence)
