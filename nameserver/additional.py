"""The additional section: addresses of the names that an answer or a referral points to.

Only data of the answering zone goes in: resolvers discard what others say of a name (RFC 5452 6).
Nothing is synthesised: an address from a wildcard could not be proven here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nameserver.answer import Answer, Entry, Section
from nameserver.lookup import Delegation, Exact, walk
from zones.name import ROOT, Name, is_subdomain
from zones.rdata import embedded_names
from zones.rrset import AAAA, HTTPS, MX, NS, SRV, SVCB, A
from zones.version import Node, ZoneVersion

ADDRESSES: Final = (A, AAAA)
# Types whose targets' addresses go along: RFC 1035 3.3.9 and 3.3.11, RFC 2782, RFC 9460 4.1.
WITH_TARGETS: Final = frozenset({NS, MX, SRV, SVCB, HTTPS})


def add_glue(answer: Answer, version: ZoneVersion, cut: Node) -> None:
    """Add the addresses of a delegation's name servers, those in the delegated domain first.

    RFC 9471 3.1: all in-domain glue goes in, or TC is set; 3.2: sibling glue where it fits.
    """
    targets = cut.rrsets[NS].rdatas  # nothing but a name each
    for target in targets:
        if is_subdomain(target, cut.name):
            _add(answer, version, target, ADDRESSES, required=True)
    for target in targets:
        _add(answer, version, target, ADDRESSES, required=False)


def add_targets(answer: Answer, version: ZoneVersion) -> None:
    """Add the addresses of what the answer and authority sections point to (RFC 1034 4.3.2, 6)."""
    for section in (Section.ANSWER, Section.AUTHORITY):
        for entry in tuple(answer.sections[section]):
            for target, rtypes in _targets(entry):
                _add(answer, version, target, rtypes, required=False)


def _targets(entry: Entry) -> Iterator[tuple[Name, tuple[int, ...]]]:
    """Yield the names that an RRset points to, with the types that are of use there."""
    rtype = entry.rrset.rtype
    if rtype not in WITH_TARGETS:
        return
    for rdata in entry.rrset.rdatas:
        _, target = next(embedded_names(rtype, rdata))
        if rtype not in (SVCB, HTTPS):
            yield target, ADDRESSES
        elif rdata[:2] == b"\0\0":  # AliasMode: the target's own SVCB records count, too
            yield target, (*ADDRESSES, rtype)
        else:  # ServiceMode: "." is the owner itself (RFC 9460 2.5.2)
            yield entry.owner if target == ROOT else target, ADDRESSES


def _add(
    answer: Answer, version: ZoneVersion, target: Name, rtypes: tuple[int, ...], *, required: bool
) -> None:
    node = _node(version, target)
    if node is None:
        return
    for rtype in rtypes:
        if rrset := node.rrsets.get(rtype):
            answer.add(Section.ADDITIONAL, answer.entry(node, rrset, required=required))


def _node(version: ZoneVersion, target: Name) -> Node | None:
    """Return what stands at a target in this zone: authoritative data, or glue."""
    if not is_subdomain(target, version.apex):
        return None
    match walk(version, target):
        case Exact(node):
            return node
        case Delegation():
            return version.node(target)
        case _:
            return None
