"""Editing a zone: changes are gathered, checked together, and become a new version, or none.

An ``Edit`` that is given up leaves no trace: versions never change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from zones.check import check
from zones.errors import ZoneError
from zones.finding import Finding, errors
from zones.name import Name, did_you_mean, display, fold, is_subdomain
from zones.rdata import canonical, to_text, type_text
from zones.rrset import RRSIG, SOA, RRset
from zones.serial import SerialPolicy, is_newer
from zones.splice import Key, Layout
from zones.survey import MAX_TTL
from zones.syntax import problem
from zones.version import ZoneVersion

SUGGEST_UP_TO: Final = 10_000  # RRsets; beyond, looking for a similar name takes too long


class Edit:
    """Changes to one version of a zone.

    Owners and rdata are wire octets (see ``zones.name`` and ``zones.rdata.from_text``). What is
    wrong with a change is kept in ``reasons`` and told by ``finish``, everything at once. After
    ``finish``, ``findings`` has the warnings about the new content.
    """

    def __init__(self, base: ZoneVersion) -> None:
        self.base = base
        self.reasons: list[str] = []
        self.findings: list[Finding] = []
        self._layout = Layout(base.blob)
        self._names: dict[Name, dict[Key, RRset]] = {}  # content of the names that are edited

    def set(self, owner: Name, rtype: int, ttl: int | None, rdatas: Iterable[bytes]) -> None:
        """Let an RRset be exactly this; ``ttl`` ``None`` keeps that of the set before."""
        owner = fold(owner)
        wanted = list(rdatas)
        if not wanted:
            self._refuse(owner, rtype, "would be left without any data; delete it instead")
        if not self._is_acceptable(owner, rtype, ttl, wanted):
            return
        there = self._at(owner)
        before = [rrset for key, rrset in there.items() if key[1] == rtype]
        for rrset in before:
            del there[rrset.key]
        self._merge(owner, rtype, self._ttl(ttl, before), wanted)

    def add(self, owner: Name, rtype: int, ttl: int | None, rdatas: Iterable[bytes]) -> None:
        """Put records beside those that are there; a ``ttl`` becomes that of the whole set."""
        owner = fold(owner)
        wanted = list(rdatas)
        if not self._is_acceptable(owner, rtype, ttl, wanted):
            return
        before = [rrset for key, rrset in self._at(owner).items() if key[1] == rtype]
        if rtype == SOA and before:
            self._refuse(owner, rtype, "is there already, and there is only one; set it instead")
            return
        known = {rdata for rrset in before for rdata in rrset.rdatas}
        for rdata in wanted:
            if canonical(rtype, rdata) in known:
                self._refuse(owner, rtype, f"{to_text(rtype, rdata)} is there already")
        self._merge(owner, rtype, self._ttl(ttl, before), wanted)

    def delete(self, owner: Name, rtype: int | None = None, rdata: bytes | None = None) -> None:
        """Remove one record, an RRset, or everything at a name."""
        owner = fold(owner)
        if rtype is None and owner == self.base.apex:
            self.reasons.append(
                f"{display(owner)} is the zone itself; delete its records type by type"
            )
            return
        if rtype == SOA and owner == self.base.apex:
            self._refuse(owner, SOA, "cannot be deleted, every zone has one; set it instead")
            return
        there = self._at(owner)
        found = [rrset for key, rrset in there.items() if rtype in (None, key[1])]
        gone = None if rtype is None or rdata is None else canonical(rtype, rdata)
        if gone is not None:
            found = [rrset for rrset in found if gone in rrset.rdatas]
        if not found:
            self._refuse_absent(owner, rtype, gone)
        for rrset in found:
            kept = [old for old in rrset.rdatas if gone is not None and old != gone]
            del there[rrset.key]
            if kept:
                there[rrset.key] = RRset.of(owner, rrset.rtype, rrset.ttl, kept)

    def finish(self, policy: SerialPolicy, now: datetime) -> ZoneVersion:
        """Return the new version, with a newer serial; the base where nothing was changed.

        The serial is chosen by ``policy`` unless the edit itself set a newer one. ``now`` is
        timezone-aware. Raises ``ZoneError`` with the reasons against the edit, or against the
        content that it would make.
        """
        if self.reasons:
            raise ZoneError(self.reasons)
        changes = self._changes()
        if not changes:
            return self.base
        soa = self._with_serial(policy, now)
        if soa is not None:
            changes[soa.key] = soa
        version = ZoneVersion(self._layout.splice(changes))
        self.findings = check(version)
        reasons = [
            f"{finding.sentence} {finding.fix} ({finding.rule})"
            for finding in errors(self.findings)
        ]
        reasons += self._broken_signature(changes)
        if reasons:
            raise ZoneError(reasons)
        return version

    def _changes(self) -> dict[Key, RRset | None]:
        changes: dict[Key, RRset | None] = {}
        for owner, there in self._names.items():
            before = self._layout.at(owner)
            changes |= {key: None for key in before if key not in there}
            changes |= {key: rrset for key, rrset in there.items() if before.get(key) != rrset}
        return changes

    def _with_serial(self, policy: SerialPolicy, now: datetime) -> RRset | None:
        """Return the SOA with the serial it is to have."""
        soa = self._at(self.base.apex).get((self.base.apex, SOA, 0))
        if soa is None:
            return None
        rdata = soa.rdatas[0]
        serial = int.from_bytes(rdata[-20:-16], "big")
        if not is_newer(serial, self.base.serial):
            serial = policy.successor(self.base.serial, now)
        rdata = rdata[:-20] + serial.to_bytes(4, "big") + rdata[-16:]
        # Several SOAs stay several: that is for the checks to tell.
        return RRset.of(soa.owner, SOA, soa.ttl, (rdata, *soa.rdatas[1:]))

    def _broken_signature(self, changes: dict[Key, RRset | None]) -> list[str]:
        """Return a reason where the new SOA would stand beside the signature of the old one."""
        key = self.base.apex, RRSIG, SOA
        if key in changes or key not in self._at(self.base.apex):
            return []
        reason = (
            f"{display(self.base.apex)} is signed with DNSSEC, and its signatures would no"
            " longer fit; change the zone where it is signed and import it, or delete the"
            " RRSIG records"
        )
        return [reason]

    # ---- one name

    def _at(self, owner: Name) -> dict[Key, RRset]:
        if owner not in self._names:
            self._names[owner] = self._layout.at(owner)
        return self._names[owner]

    def _merge(self, owner: Name, rtype: int, ttl: int, rdatas: Iterable[bytes]) -> None:
        there = self._at(owner)
        for rdata in rdatas:
            rrset = RRset.of(owner, rtype, ttl, [rdata])
            before = there.get(rrset.key)
            there[rrset.key] = RRset.of(
                owner, rtype, ttl, (*rrset.rdatas, *(before.rdatas if before else ()))
            )

    def _ttl(self, ttl: int | None, before: Iterable[RRset]) -> int:
        """Return the TTL that is meant: of the set before, else as the SOA's."""
        if ttl is not None:
            return ttl
        for rrset in before:
            return rrset.ttl
        return self.base.soa.ttl

    # ---- reasons

    def _refuse(self, owner: Name, rtype: int, why: str) -> None:
        self.reasons.append(f"{display(owner)} {type_text(rtype)} {why}")

    def _refuse_absent(self, owner: Name, rtype: int | None, rdata: bytes | None) -> None:
        what = display(owner)
        if self._at(owner):
            what += f" {type_text(rtype)}" if rtype is not None else ""
            what += f" {to_text(rtype, rdata)}" if rtype is not None and rdata is not None else ""
            self.reasons.append(f"there is no record {what}")
            return
        small = len(self._layout) <= SUGGEST_UP_TO
        hint = did_you_mean(owner, self._layout.owners()) if small else ""
        self.reasons.append(f"there are no records of {what}{hint}")

    def _is_acceptable(
        self, owner: Name, rtype: int, ttl: int | None, rdatas: Iterable[bytes]
    ) -> bool:
        """Tell whether these records can be there at all, and keep the reasons if not."""
        told = len(self.reasons)
        if not is_subdomain(owner, self.base.apex):
            self._refuse(owner, rtype, f"is not in the zone {display(self.base.apex)}")
        if ttl is not None and not 0 <= ttl <= MAX_TTL:
            self._refuse(owner, rtype, f"has the TTL {ttl}; TTLs go from 0 to {MAX_TTL}")
        for rdata in rdatas:
            why = problem(rtype, rdata)
            if why is not None:
                self._refuse(owner, rtype, f"\\# {len(rdata)} {rdata.hex()} is malformed: {why}")
        return len(self.reasons) == told
