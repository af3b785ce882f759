"""The same zone in Knot, NSD, BIND and here: the same answers, but for the differences listed.

Where the three agree, we agree with them. Where they do not, we answer as one of them does, and
``ACCEPTED`` has why, with the RFC. Any other difference fails the test, with both answers.

Each name is asked for some of the types, by chance; ``DIFFERENTIAL=all`` asks for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.peers import Nsctl, Peer
from tests.peers.signing import sign
from tests.peers.zonetext import ORIGIN, zone_text

pytestmark = pytest.mark.interop("knotd", "named", "nsd", "dnssec-signzone")

RECORDS = (
    "@ 300 NS ns1",
    "@ 300 A 192.0.2.1",
    "@ 300 MX 10 mail",
    "@ 300 MX 20 mail.example.net.",
    '@ 300 TXT "apex"',
    '@ 300 CAA 0 issue "ca.example.net"',
    "ns1 300 A 192.0.2.2",
    "ns1 300 AAAA 2001:db8::2",
    "mail 300 A 192.0.2.3",
    "www 300 A 192.0.2.4",
    "www 300 A 192.0.2.5",
    "www 300 AAAA 2001:db8::4",
    "alias 300 CNAME www",
    "alias2 300 CNAME alias",
    "out 300 CNAME www.example.net.",
    "gone 300 CNAME missing",
    "toent 300 CNAME ent",
    "towild 300 CNAME any.wild",
    "tosub 300 CNAME host.sub",
    "todname 300 CNAME host.dname",
    "loop1 300 CNAME loop2",
    "loop2 300 CNAME loop1",
    "*.wild 300 A 192.0.2.6",
    "*.wild 300 MX 10 mail",
    "exact.wild 300 TXT exact",
    "deep.ent.wild 300 TXT deep",
    "*.wildalias 300 CNAME www",
    "*.wildgone 300 CNAME missing",
    "a.b.c.ent 300 TXT below-empty-non-terminals",
    "sub 300 NS ns.sub",
    "sub 300 NS ns1",
    "ns.sub 300 A 192.0.2.7",
    "ns.sub 300 AAAA 2001:db8::7",
    "far 300 NS ns.far.example.net.",
    "secure 300 NS ns.secure",
    "ns.secure 300 A 192.0.2.8",
    "secure 300 DS 12345 13 2 " + "0123456789abcdef" * 4,
    "dname 300 DNAME target",
    "dname 300 TXT beside-a-dname",
    "target 300 A 192.0.2.9",
    "host.target 300 A 192.0.2.10",
    "dnameout 300 DNAME example.net.",
    "_sip._tcp 300 SRV 0 0 5060 www",
    "svc 300 HTTPS 1 www alpn=h2",
    "odd 300 TYPE65280 \\# 3 010203",
    "Mixed.CASE 300 A 192.0.2.11",
    "dot\\.ted 300 A 192.0.2.12",
)

OWNERS = sorted({"" if r.startswith("@") else r.split()[0] for r in RECORDS})
MISSING = ("missing", "a.missing", "zzz", "aaa", "ent", "b.c.ent", "c.ent", "x.c.ent", "ent.wild")
TYPES = ("A", "NS", "MX", "TXT", "CNAME", "DS", "TYPE65281")
TYPES_BELOW = ("A", "NS", "DS", "CNAME")


def questions() -> Iterator[tuple[str, str]]:
    """Yield every record, every owner with other types, names below them and missing ones."""
    for record in RECORDS:
        owner, _, rtype, _ = record.split(maxsplit=3)
        if rtype not in TYPES:
            yield (ORIGIN if owner == "@" else f"{owner}.{ORIGIN}", rtype)
    for owner in OWNERS:
        name = f"{owner}.{ORIGIN}" if owner else ORIGIN
        yield from ((name, rtype) for rtype in TYPES)
        yield from ((f"any.{name}", rtype) for rtype in TYPES_BELOW)
        yield f"x.y.{name}", "A"
    yield from ((f"{owner}.{ORIGIN}", rtype) for owner in MISSING for rtype in TYPES_BELOW)
    yield from ((ORIGIN, rtype) for rtype in ("SOA", "DNSKEY", "NSEC3PARAM", "RRSIG"))
    yield from (("www.example.net.", "A"), ("org.", "NS"), (".", "NS"), ("example.net.", "DS"))


def some_questions(rng: Random) -> list[tuple[str, str]]:
    """Return questions for every name, a third of those there are."""
    everything = list(dict.fromkeys(questions()))
    if os.environ.get("DIFFERENTIAL") == "all":
        return everything
    by_name: dict[str, list[tuple[str, str]]] = {}
    for name, rtype in everything:
        by_name.setdefault(name, []).append((name, rtype))
    return [one for own in by_name.values() for one in rng.sample(own, -(-len(own) // 3))]


Section = frozenset[str]
NONE: Section = frozenset()


@dataclass(frozen=True)
class Reply:
    """What is compared of a response: order and the additional section do not count."""

    rcode: str
    authoritative: bool
    answer: Section
    authority: Section

    @classmethod
    def of(cls, response: dns.message.Message) -> Reply:
        """Normalise a response."""
        authority = response.authority
        if response.answer and not response.rcode():
            # The zone's NS beside an answer is a courtesy (RFC 1034 4.3.2 step 3a knows it not).
            authority = [rrset for rrset in authority if not is_apex_ns(rrset)]
        return cls(
            response.rcode().name,
            bool(response.flags & dns.flags.AA),
            records(response.answer),
            records(authority),
        )

    def __str__(self) -> str:
        lines = [f"{self.rcode} {'AA' if self.authoritative else ''}"]
        lines += [f"  answer    {line}" for line in sorted(self.answer)]
        lines += [f"  authority {line}" for line in sorted(self.authority)]
        return "\n".join(lines)


def is_apex_ns(rrset: dns.rrset.RRset) -> bool:
    """Tell whether these are the zone's own NS records, or their signatures."""
    kinds = {rrset.rdtype, rrset.covers}
    return rrset.name.to_text() == ORIGIN and dns.rdatatype.NS in kinds


def records(section: Iterable[dns.rrset.RRset]) -> Section:
    """Return the records of a section as lines, names folded."""
    return frozenset(line for rrset in section for line in rrset.to_text().lower().split("\n"))


@dataclass(frozen=True)
class Difference:
    """A kind of difference that is right on our side, and why."""

    why: str
    allows: Callable[[str, Reply, Reply], bool]


def same_but(*, authority: bool = False, rcode: bool = False) -> Callable[[Reply, Reply], bool]:
    """Return what tells whether two replies are the same but for these parts."""

    def compare(ours: Reply, theirs: Reply) -> bool:
        if authority:
            ours, theirs = replace(ours, authority=NONE), replace(theirs, authority=NONE)
        if rcode:
            ours, theirs = replace(ours, rcode=""), replace(theirs, rcode="")
        return ours == theirs

    return compare


ACCEPTED: tuple[Difference, ...] = (
    Difference(
        "RRSIG is asked for as ANY is, for records of many types at once; in a datagram a subset"
        " will do (RFC 8482 4.1 and 4.4), as Knot has it too",
        lambda peer, ours, theirs: (
            peer in {"nsd", "named"}
            and ours.answer < theirs.answer
            and all(" in rrsig " in line for line in theirs.answer)
        ),
    ),
    Difference(
        "A CNAME loop is an error of the zone, to be signalled (RFC 1034 3.6.2), and BIND answers"
        " SERVFAIL; the chain itself is the answer of the algorithm in 4.3.2, ours and the others'",
        lambda peer, ours, theirs: (
            peer == "named"
            and any("loop1" in line for line in ours.answer)
            and theirs.rcode == "SERVFAIL"
            and same_but(rcode=True)(ours, theirs)
        ),
    ),
    Difference(
        "RFC 4035 3.1.3.2 wants the NSEC that covers the name and the one that covers the wildcard;"
        " NSD leaves out the first for a name that a DNAME led to",
        lambda peer, ours, theirs: (
            peer == "nsd"
            and any(" dname " in line for line in ours.answer)
            and theirs.authority < ours.authority
            and same_but(authority=True)(ours, theirs)
        ),
    ),
    Difference(
        "RFC 5155 7.2.3 asks for the NSEC3 that matches the name, here the wildcard's own name;"
        " NSD adds one, as if the name had been synthesised",
        lambda peer, ours, theirs: (
            peer == "nsd"
            and not ours.answer
            and theirs.authority > ours.authority
            and all(" nsec3 " in line for line in theirs.authority - ours.authority)
            and same_but(authority=True)(ours, theirs)
        ),
    ),
)


def accepted(peer: str, ours: Reply, theirs: Reply) -> bool:
    """Tell whether a listed difference explains this one."""
    return any(difference.allows(peer, ours, theirs) for difference in ACCEPTED)


@pytest.fixture
def peers(knot: Peer, nsd: Peer, bind: Peer) -> tuple[Peer, ...]:
    """The three, not started."""
    return knot, nsd, bind


@pytest.mark.cell("beside: answers", "Knot DNS", "BIND", "NSD")
@pytest.mark.parametrize("chain", ["unsigned", "nsec", "nsec3"])
def test_same_answers(
    place: Path, rng: Random, peers: tuple[Peer, ...], nsctl: Nsctl, chain: str
) -> None:
    """Every question gets from us what it gets from the three, or a difference that is listed."""
    text = zone_text(1, *RECORDS, minimum=120)
    if chain != "unsigned":
        text = sign(place, ORIGIN, text, nsec3=chain == "nsec3").text
    nsctl.serve(ORIGIN, text)
    for peer in peers:
        peer.serve(ORIGIN, text)
        peer.start()
    nsctl.wait_serial(ORIGIN, 1)
    found = [
        line
        for dnssec in ((True, False) if chain == "nsec" else (True,))
        for name, rtype in some_questions(rng)
        for line in differences(nsctl, peers, name, rtype, dnssec=dnssec)
    ]
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20])


def differences(
    nsctl: Nsctl, peers: Iterable[Peer], name: str, rtype: str, *, dnssec: bool
) -> Iterator[str]:
    """Ask all of them; yield what is answered otherwise and is not listed."""
    ours = Reply.of(nsctl.query(name, rtype, dnssec=dnssec))
    theirs = {peer.binary: Reply.of(peer.query(name, rtype, dnssec=dnssec)) for peer in peers}
    alone = ours not in theirs.values()
    for binary, reply in theirs.items():
        if ours != reply and (alone or not accepted(binary, ours, reply)):
            yield f"{name} {rtype} DO={dnssec}\nnsctl: {ours}\n{binary}: {reply}\n"
