"""Whether a signed zone can prove every name that is missing: NSEC and NSEC3 chains are closed."""

from __future__ import annotations

import contextlib
from base64 import b32hexdecode, b32hexencode
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from zones.collect import Findings
from zones.denial import (
    MAX_ITERATIONS,
    Nsec3Parameters,
    choose_nsec3_parameters,
    read_parameters,
)
from zones.name import Name, ancestors, display
from zones.rdata import type_text
from zones.rrset import DS, NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, RRset

OPT_OUT: Final = 0x01
_HASH_LABEL: Final = 32  # octets of a hash in base32 (RFC 5155 3.3)
RULE: Final = "dnssec-denial-broken"


class Chain(Protocol):
    """A chain that is followed while the owners of a zone go by in canonical order."""

    def add(self, owner: Name, rrsets: list[RRset], *, is_cut: bool) -> None:
        """Take the next owner that the zone has authority for, or delegates."""

    def finish(self, findings: Findings) -> None:
        """Tell what is wrong with the whole."""


def new_chain(apex: Name, at_apex: Mapping[tuple[int, int], RRset]) -> Chain:
    """Return the chain that the apex says the zone has."""
    if (NSEC, 0) in at_apex:
        return _NsecFollowed(apex)
    published = at_apex.get((NSEC3PARAM, 0))
    parameters = choose_nsec3_parameters(published.rdatas if published else ())
    if parameters is not None:
        return _Nsec3Followed(apex, parameters)
    return _Unproven(apex, unusable=published is not None)


def types_in(bitmap: bytes) -> set[int]:
    """Return the types of a bitmap (RFC 4034 4.1.2), as far as it is sound."""
    found, position = set(), 0
    while position + 2 <= len(bitmap):
        window, length = bitmap[position], bitmap[position + 1]
        for index, octet in enumerate(bitmap[position + 2 : position + 2 + length]):
            found |= {window * 256 + index * 8 + bit for bit in range(8) if octet & 0x80 >> bit}
        position += 2 + length
    return found


def _expected(rrsets: Iterable[RRset], *, is_cut: bool) -> set[int]:
    """Return the types that a proof of a name must show."""
    types = {rrset.rtype for rrset in rrsets}
    return types & {NS, DS, RRSIG, NSEC} if is_cut else types


def _named(types: set[int]) -> str:
    return ", ".join(type_text(rtype) for rtype in sorted(types)) or "none"


class _Unproven:
    """No chain at all; that the apex has none is a warning of the ordinary checks."""

    def __init__(self, apex: Name, *, unusable: bool) -> None:
        self._apex, self._unusable = apex, unusable

    def add(self, owner: Name, rrsets: list[RRset], *, is_cut: bool) -> None:
        """Pass over."""

    def finish(self, findings: Findings) -> None:
        """Tell that there is no chain."""
        what = "an NSEC3PARAM record that cannot be used" if self._unusable else "no NSEC record"
        sentence = f"{findings.zone} is signed and has {what}, so nothing proves missing names."
        findings.add(RULE, self._apex, NSEC, sentence)


class _NsecFollowed:
    """NSEC: each owner points to the next, the last one to the apex (RFC 4034 4.1.1)."""

    def __init__(self, apex: Name) -> None:
        self._apex = apex
        self._broken: list[tuple[Name, str]] = []
        self._count = 0
        self._previous: Name = apex
        self._next: Name = apex

    def _note(self, owner: Name, sentence: str) -> None:
        self._count += 1
        if len(self._broken) < 50:
            self._broken.append((owner, sentence))

    def add(self, owner: Name, rrsets: list[RRset], *, is_cut: bool) -> None:
        """Compare the owner with the one that was announced, and its types with its NSEC's."""
        nsec = next((rrset for rrset in rrsets if rrset.rtype == NSEC), None)
        if nsec is None:
            if {rrset.rtype for rrset in rrsets} - {RRSIG}:
                self._note(owner, f"{display(owner)} has no NSEC record.")
            return
        if self._next != owner:
            previous, expected = display(self._previous), display(self._next)
            sentence = (
                f"The NSEC record of {previous} points to {expected}, not to {display(owner)}."
            )
            self._note(self._previous, sentence)
        rdata = nsec.rdatas[0]
        end = _end_of_name(rdata)
        self._previous, self._next = owner, rdata[:end].lower()
        shown, there = types_in(rdata[end:]), _expected(rrsets, is_cut=is_cut)
        if shown != there:
            sentence = (
                f"The NSEC record of {display(owner)} shows the types {_named(shown)};"
                f" there are {_named(there)}."
            )
            self._note(owner, sentence)

    def finish(self, findings: Findings) -> None:
        """Close the circle."""
        if self._next != self._apex:
            previous, expected = display(self._previous), display(self._next)
            self._note(
                self._previous,
                f"The NSEC record of {previous}, the last name, points to {expected}, not to the"
                " apex.",
            )
        for owner, sentence in self._broken:
            findings.add(RULE, owner, NSEC, sentence)
        findings.add_uncounted(RULE, len(self._broken), self._count)


class _Nsec3Followed:
    """NSEC3: the hash of each name has a record, and these point to each other (RFC 5155 7.1)."""

    def __init__(self, apex: Name, parameters: Nsec3Parameters) -> None:
        self._apex, self._parameters = apex, parameters
        self._names: dict[Name, tuple[set[int], bool]] = {}  # types, and whether proof is optional
        self._records: dict[bytes, bytes] = {}  # hash -> rdata

    def add(self, owner: Name, rrsets: list[RRset], *, is_cut: bool) -> None:
        """Collect names, the empty ones above them, and NSEC3 records."""
        nsec3 = next((rrset for rrset in rrsets if rrset.rtype == NSEC3), None)
        if nsec3 is not None:
            for rdata in nsec3.rdatas:
                if read_parameters(rdata) == self._parameters and owner[0] == _HASH_LABEL:
                    with contextlib.suppress(ValueError):  # not a hashed owner name
                        self._records[b32hexdecode(owner[1:][:_HASH_LABEL].upper())] = rdata
            rrsets = [rrset for rrset in rrsets if NSEC3 not in (rrset.rtype, rrset.covers)]
        if not rrsets:
            return
        types = _expected(rrsets, is_cut=is_cut)
        insecure = is_cut and DS not in types
        for name in ancestors(owner):
            known = self._names.get(name)
            if name == owner:
                self._names[name] = types, insecure and (known is None or known[1])
            elif known is None:
                self._names[name] = set(), insecure
            elif known[1] and not insecure:
                self._names[name] = known[0], False
            else:
                break
            if name == self._apex:
                break

    def finish(self, findings: Findings) -> None:
        """Look each name up, and follow the chain."""
        if self._parameters.iterations > MAX_ITERATIONS:
            return  # validators do not look at such a chain either
        opt_out = any(rdata[1] & OPT_OUT for rdata in self._records.values())
        for name, (types, optional) in self._names.items():
            rdata = self._records.get(self._parameters.hash(name))
            if rdata is None:
                if not (optional and opt_out):
                    sentence = f"{display(name)} has no NSEC3 record."
                    findings.add(RULE, name, NSEC3, sentence)
            elif (shown := types_in(rdata[_bitmap_at(rdata) :])) != types:
                sentence = (
                    f"The NSEC3 record of {display(name)} shows the types {_named(shown)};"
                    f" there are {_named(types)}."
                )
                findings.add(RULE, name, NSEC3, sentence)
        self._follow(findings)

    def _follow(self, findings: Findings) -> None:
        hashes = sorted(self._records)
        for this, after in zip(hashes, hashes[1:] + hashes[:1], strict=True):
            rdata = self._records[this]
            start = 6 + rdata[4]
            if rdata[start : start + rdata[start - 1]] != after:
                sentence = (
                    f"The NSEC3 record {_label(this)} does not point to {_label(after)}, the next"
                    " one."
                )
                findings.add(RULE, self._apex, NSEC3, sentence)


def _label(octets: bytes) -> str:
    return b32hexencode(octets).decode().lower()


def _end_of_name(rdata: bytes) -> int:
    position = 0
    while rdata[position]:
        position += 1 + rdata[position]
    return position + 1


def _bitmap_at(rdata: bytes) -> int:
    position = 5 + rdata[4]
    return position + 1 + rdata[position]
