"""Composing an answer of class IN: the algorithm of RFC 1034 4.3.2, as later RFCs refined it.

For each name, beginning with the one asked for::

    find the zone -> walk down its tree -> one of
        refer        at or below a zone cut       RFC 1034 4.2.1, RFC 4035 3.1.4
        redirect     below a DNAME                RFC 6672 3.2
        answer_from  the name exists              RFC 1034 4.3.2, 3a
        synthesise   a wildcard stands in for it  RFC 4592 3.3
        deny_name    neither                      RFC 2308 2.1

The target of a CNAME or DNAME is the next name. What comes out depends on the zones' content, the
question and nothing else; the sections are filled in a fixed order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nameserver import additional, edns
from nameserver.answer import Answer, Entry, Question, Section
from nameserver.edns import ExtendedError
from nameserver.lookup import Delegation, Exact, NoName, Redirection, Synthesis, walk
from nameserver.message import Rcode
from nameserver.proofs import Proofs, proofs_of, record_at
from nameserver.table import ServedZone, ZoneState, ZoneTable
from zones.name import MAX_LENGTH, Name, is_subdomain
from zones.rrset import ANY, CNAME, DNAME, DS, NS, NSEC, RRSIG, SOA, RRset
from zones.version import Node, ZoneVersion

# Aliases that are followed before the rest of a chain is left to the resolver.
LONGEST_CHAIN: Final = 16
# The same where a DNAME comes back: two that lead to each other can make a name longer each time.
GROWING_CHAIN: Final = 5


def compose(table: ZoneTable, question: Question, *, minimal: bool = False) -> Answer:
    """Return the answer to a question of class IN.

    The rcode is that of the end of a chain of aliases (RFC 6604 3); AA speaks for the first owner
    name of the answer (RFC 1035 4.1.1).
    """
    answer = Answer(question)
    served = _find_zone(table, question.name, question.rtype)
    answer.zone = served.apex if served else b""
    if served is None or served.content is None:
        _refuse(answer, served)
        return answer
    answer.content = served.content
    name = question.name
    for length in range(LONGEST_CHAIN):
        if served is None or served.content is None:
            break  # the chain leads to where nothing can be said
        target = _Step(answer, served.content, length, minimal=minimal).take(name)
        if target is None:
            break
        # "Change QNAME to the canonical name ... and go back to step 1" (RFC 1034 4.3.2, 3a).
        name = target
        served = _find_zone(table, name, question.rtype)
    return answer


def _find_zone(table: ZoneTable, name: Name, rtype: int) -> ServedZone | None:
    """Return the nearest enclosing zone; for DS at an apex, the parent's if it is served.

    RFC 4035 3.1.4.1: DS stands on the parent's side of a cut. Where the zone above is not the
    parent, for there is a cut in between, the child answers: it has no DS.
    """
    served = table.find(name)
    if rtype != DS or served is None or served.apex != name:
        return served
    above = table.find_above(name)
    if above is None:
        return served
    if above.content is not None:
        match walk(above.content, name):
            case Delegation(cut) if cut.name != name:
                return served
    return above


def _refuse(answer: Answer, served: ServedZone | None) -> None:
    """Say that nothing is known of the name, or why not, and in RFC 8914's words as well."""
    if served is None:
        answer.rcode = Rcode.REFUSED
        answer.error = ExtendedError(edns.NOT_AUTHORITATIVE)
    elif served.state is ZoneState.SUSPENDED:  # "refuses ... for policy reasons" (RFC 1035 4.1.1)
        answer.rcode = Rcode.REFUSED
        answer.error = ExtendedError(edns.BLOCKED, "zone suspended")
    elif served.state is ZoneState.EXPIRED:
        answer.rcode = Rcode.SERVFAIL
        answer.error = ExtendedError(edns.INVALID_DATA, "zone expired")
    else:
        answer.rcode = Rcode.SERVFAIL
        answer.error = ExtendedError(edns.NOT_READY, "zone not loaded yet")


class _Step:
    """One name of a chain, answered from one zone.

    The methods return the name that the chain goes on with, ``None`` where it ends.
    """

    def __init__(self, answer: Answer, version: ZoneVersion, length: int, *, minimal: bool) -> None:
        self.answer = answer
        self.version = version
        self.length = length  # of the chain so far
        self.minimal = minimal
        self.question = answer.question
        self.proofs: Proofs | None = proofs_of(version) if self.question.dnssec else None

    def take(self, name: Name) -> Name | None:
        """Answer for ``name``, which is in this zone; return the target of an alias."""
        place = walk(self.version, name)
        match place:
            # RFC 4035 3.1.4.1: the parent is authoritative for the DS at a cut, and for nothing
            # else there.
            case Delegation(cut) if self.question.rtype != DS or cut.name != name:
                self.refer(cut)
                return None
        self.answer.authoritative = True
        if isinstance(place, Redirection | Synthesis) and not self.length:
            self.answer.synthesised = True
        match place:
            case Exact(node) | Delegation(node):
                return self.answer_from(node)
            case Redirection(node):
                return self.redirect(node, name)
            case Synthesis(node, encloser):
                return self.synthesise(node, name, encloser)
            case NoName(encloser):
                self.deny_name(name, encloser)
                return None

    def refer(self, cut: Node) -> None:
        """Refer to the servers of a delegated zone (RFC 1034 4.3.2, 3b).

        With DO, and from a signed zone, either the DS RRset goes along or the proof that there is
        none (RFC 4035 3.1.4).
        """
        self.add(Section.AUTHORITY, cut, cut.rrsets[NS])
        if self.proofs:
            if DS in cut.rrsets:
                self.add(Section.AUTHORITY, cut, cut.rrsets[DS])
            else:
                self.prove(self.proofs, self.proofs.no_data(cut.name))
        additional.add_glue(self.answer, self.version, cut)

    def answer_from(self, node: Node) -> Name | None:
        """Answer from what stands at the name itself."""
        if entries := self.matching(node, node.name):
            self.finish(entries)
            return None
        if CNAME in node.rrsets:
            return self.follow(node, node.name)
        self.add_soa()
        if self.proofs:
            self.prove(self.proofs, self.proofs.no_data(node.name))
        return None

    def synthesise(self, source: Node, name: Name, encloser: Name) -> Name | None:
        """Answer from a wildcard as if it were the name (RFC 4592 3.3.1, RFC 4035 3.1.3.3)."""
        entries = self.matching(source, name)
        if not entries and CNAME not in source.rrsets:
            self.add_soa()
            if self.proofs:
                self.prove(self.proofs, self.proofs.no_wildcard_data(name, encloser))
            return None
        if self.proofs:
            self.prove(self.proofs, self.proofs.no_closer_match(name, encloser))
        if not entries:
            return self.follow(source, name)
        self.finish(entries)
        return None

    def deny_name(self, name: Name, encloser: Name) -> None:
        """Say that the name does not exist (RFC 2308 2.1)."""
        self.answer.rcode = Rcode.NXDOMAIN
        self.add_soa()
        if self.proofs:
            self.prove(self.proofs, self.proofs.no_name(name, encloser))

    def redirect(self, node: Node, name: Name) -> Name | None:
        """Replace the suffix that owns a DNAME, and tell so by a CNAME (RFC 6672 3.1, 3.2).

        The CNAME has the DNAME's TTL (RFC 6672 3.1) and no signature (5.3.1). The chain ends with
        it where a CNAME is asked for, where it was given before, or where the next name would be
        below this DNAME again and so for ever.
        """
        dname = node.rrsets[DNAME]
        comes_back = not self.add(Section.ANSWER, node, dname)
        if comes_back and self.length >= GROWING_CHAIN:
            return None
        suffix = dname.rdatas[0]
        target = name[: -len(node.name)] + suffix
        if len(target) > MAX_LENGTH:  # RFC 6672 2.2: "YXDOMAIN"
            self.answer.rcode = Rcode.YXDOMAIN
            return None
        cname = Entry(name, RRset(name, CNAME, dname.ttl, (target,)))
        is_new = self.answer.add(Section.ANSWER, cname)
        ends = self.question.rtype == CNAME or is_subdomain(suffix, node.name)
        return target if is_new and not ends else None

    def follow(self, node: Node, owner: Name) -> Name | None:
        """Give a CNAME and return its target; one given before ends the chain: it is a loop."""
        cname = node.rrsets[CNAME]
        return cname.rdatas[0] if self.add(Section.ANSWER, node, cname, owner) else None

    def finish(self, entries: list[Entry]) -> None:
        """Give what was asked for, and with it what a resolver is likely to ask next."""
        for entry in entries:
            self.answer.add(Section.ANSWER, entry)
        if not self.minimal:
            apex = self.version.nodes[self.version.apex]
            if servers := apex.rrsets.get(NS):
                entry = self.answer.entry(apex, servers, required=False)
                self.answer.add(Section.AUTHORITY, entry)
            additional.add_targets(self.answer, self.version)

    def matching(self, node: Node, owner: Name) -> list[Entry]:
        """Return the RRsets of a node that have the type asked for.

        ANY, and RRSIG which covers many types: all of them on a connection; to an address that may
        be forged just the smallest, so that nobody is flooded with the rest (RFC 8482 4.1, 4.4).
        It need not be invented as HINFO would be, and it carries its signature.
        """
        rtype = self.question.rtype
        if rtype == RRSIG:
            found = [Entry(owner, rrset) for rrset in node.signatures.values()]
        else:
            wanted = {r for r in node.rrsets if r == rtype or (rtype == ANY and r != NSEC)}
            found = [
                self.answer.entry(node, rrset, owner=owner)
                for rrset in node.rrsets.values()
                if rrset.rtype in wanted
            ]
        if self.question.datagram and len(found) > 1:
            return [min(found, key=lambda entry: entry.size)]
        return found

    def add_soa(self) -> None:
        """Put the SOA into a negative answer, with the TTL that the answer is cached for.

        RFC 2308 3: "set from the minimum of the MINIMUM field of the SOA record and the TTL of the
        SOA itself"; its signature's TTL goes with it (RFC 4034 3).
        """
        apex = self.version.nodes[self.version.apex]
        soa = apex.rrsets.get(SOA)
        if soa is None:
            return
        ttl = min(soa.ttl, int.from_bytes(soa.rdatas[0][-4:], "big"))
        entry = self.answer.entry(apex, replace(soa, ttl=ttl))
        if entry.signature is not None:
            entry = replace(entry, signature=replace(entry.signature, ttl=ttl))
        self.answer.add(Section.AUTHORITY, entry)

    def prove(self, proofs: Proofs, owners: list[Name]) -> None:
        """Put NSEC or NSEC3 records into the authority section, each once."""
        for owner in owners:
            self.add(Section.AUTHORITY, *record_at(self.version, owner, proofs.rtype))

    def add(self, section: Section, node: Node, rrset: RRset, owner: Name | None = None) -> bool:
        """Add an RRset of a node; ``False`` if the message has it already."""
        return self.answer.add(section, self.answer.entry(node, rrset, owner=owner))
