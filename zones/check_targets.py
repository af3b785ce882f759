"""The rules about where NS, MX, SRV and CNAME records point to, as far as that is in the zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from zones.collect import Findings
from zones.name import ROOT, WILDCARD, Name, ancestors, display, is_subdomain, labels
from zones.rdata import type_text
from zones.rrset import AAAA, CNAME, DNAME, MX, NS, SRV, A
from zones.survey import Place, types_at
from zones.syntax import problem

ADDRESSES: Final = frozenset({A, AAAA})
_PREFIX: Final = {NS: 0, CNAME: 0, MX: 2, SRV: 6}  # octets in front of the target
_IS_CNAME: Final = {
    NS: "ns-target-is-cname",
    MX: "mx-target-is-cname",
    SRV: "srv-target-is-cname",
}
_NO_ADDRESS: Final = {
    NS: "glue-missing",
    MX: "mx-target-without-address",
    SRV: "srv-target-without-address",
}
_WHAT: Final = {NS: "name server", MX: "mail server", SRV: "service"}


# What is wrong with a target is a warning: in a zone with more targets that are not plainly right,
# the others are passed over.
MOST: Final = 10_000


class Pointer(NamedTuple):
    """A record that points to a name in its own zone."""

    owner: Name
    rtype: int
    target: Name


class Targets:
    """The records of one zone that point somewhere: collected first, then looked up together."""

    def __init__(self, apex: Name) -> None:
        self._apex = apex
        self._pointers: list[Pointer] = []
        self._odd: list[tuple[str, Pointer]] = []
        self._left_out = 0  # names beyond ``MOST`` pointers

    def collect(self, place: Place) -> None:
        """Note where the records of one name point to."""
        if place.is_occluded:
            return
        if len(self._pointers) + len(self._odd) >= MOST:
            self._left_out += 1
            return
        for rrset in place.rrsets:
            prefix = _PREFIX.get(rrset.rtype)
            if prefix is None:
                continue
            for rdata in rrset.rdatas:
                if problem(rrset.rtype, rdata) is None:
                    pointer = Pointer(rrset.owner, rrset.rtype, rdata[prefix:].lower())
                    self._note(pointer)

    def _note(self, pointer: Pointer) -> None:
        if pointer.target == ROOT:
            if pointer.rtype == NS:
                self._odd.append(("ns-target-is-root", pointer))
        elif pointer.rtype in (NS, MX) and looks_like_address(pointer.target):
            rule = "ns-target-is-address" if pointer.rtype == NS else "mx-target-is-address"
            self._odd.append((rule, pointer))
        elif is_subdomain(pointer.target, self._apex):
            self._pointers.append(pointer)

    def check(self, blob: bytes, findings: Findings) -> None:
        """Look all targets up in the content and tell what is wrong with them."""
        findings.pass_over(self._left_out)
        for rule, pointer in self._odd:
            findings.add(rule, pointer.owner, pointer.rtype, f"{_record(pointer)}.")
        if not self._pointers:
            return
        wanted = {name for pointer in self._pointers for name in self._asked(pointer.target)}
        types = types_at(blob, wanted)
        for pointer in self._pointers:
            self._check_pointer(pointer, types, findings)
        aliases = {p.owner: p.target for p in self._pointers if p.rtype == CNAME}
        for alias in _loops(aliases):
            pointer = Pointer(alias, CNAME, aliases[alias])
            sentence = f"{_record(pointer)}, from where CNAME records lead back to it."
            findings.add("cname-loop", alias, CNAME, sentence)

    def _asked(self, target: Name) -> Iterator[Name]:
        """Yield the names that decide what ``target`` is: itself, what is above, wildcards."""
        for name in ancestors(target):
            yield name
            if name == self._apex:
                return
            yield WILDCARD + name[1 + name[0] :]

    def _check_pointer(
        self, pointer: Pointer, types: Mapping[Name, frozenset[int]], findings: Findings
    ) -> None:
        if self._is_answered_elsewhere(pointer, types):
            return
        there = types.get(pointer.target, frozenset[int]())
        owner, rtype = pointer.owner, pointer.rtype
        if CNAME in there and rtype in _IS_CNAME:
            sentence = f"{_record(pointer)}, which is an alias (it has a CNAME record)."
            findings.add(_IS_CNAME[rtype], owner, rtype, sentence)
        elif rtype in _NO_ADDRESS and there.isdisjoint(ADDRESSES | {CNAME}):
            sentence = (
                f"{_record(pointer)}, but this {_WHAT[rtype]} has no A or AAAA record in the zone."
            )
            findings.add(_NO_ADDRESS[rtype], owner, rtype, sentence)
        elif rtype == CNAME and not there:
            sentence = f"{_record(pointer)}, which has no records in the zone."
            findings.add("cname-target-missing", owner, rtype, sentence)

    def _is_answered_elsewhere(
        self, pointer: Pointer, types: Mapping[Name, frozenset[int]]
    ) -> bool:
        """Tell whether a delegated zone, a wildcard or a DNAME answers for the target."""
        target = pointer.target
        if self._is_delegated(target, types):
            # In-domain servers need glue all the same (RFC 9471 3.1).
            return not (pointer.rtype == NS and is_subdomain(target, pointer.owner))
        if target in types:
            return False
        above = (name for name in self._asked(target) if name in types)
        return any(name.startswith(WILDCARD) or DNAME in types[name] for name in above)

    def _is_delegated(self, target: Name, types: Mapping[Name, frozenset[int]]) -> bool:
        for name in ancestors(target):
            if name == self._apex:
                return False
            if NS in types.get(name, ()):
                return True
        return False


def looks_like_address(name: Name) -> bool:
    """Tell whether a name starts like an IPv4 address: 192.0.2.1, perhaps with the zone behind."""
    first = labels(name)[:4]
    return len(first) == 4 and all(part.isdigit() and int(part) < 256 for part in first)


def _record(pointer: Pointer) -> str:
    target = "the root, a dot alone" if pointer.target == ROOT else display(pointer.target)
    return f"The {type_text(pointer.rtype)} record of {display(pointer.owner)} points to {target}"


def _loops(aliases: Mapping[Name, Name]) -> list[Name]:
    """Return one alias, the first met, of each circle of CNAME records."""
    done: set[Name] = set()
    found = []
    for start in aliases:
        path: dict[Name, None] = {}
        name = start
        while name in aliases and name not in done and name not in path:
            path[name] = None
            name = aliases[name]
        if name in path:
            found.append(name)
        done.update(path)
    return found
