"""Random signed zones and random questions: each answer proves itself.

The zones are made of few labels, so that wildcards, cuts, aliases and empty non-terminals meet in
ways that nobody thought of. What exists is found out here by brute force.
"""

from __future__ import annotations

import random

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from nameserver.respond import Transport
from tests.answering import APEX, ask, table_of, version_of
from tests.answering.denial import Denial, assert_no_ds, assert_signed, next_closer, wildcard_at
from tests.answering.signing import Chain, sign

LABELS = ("a", "b", "c", "d", "*")
DS = "1 13 2 " + "00" * 32
ORIGIN = dns.name.from_text(APEX)
CHAINS = {
    "NSEC": Chain(),
    "NSEC3": Chain(iterations=0),
    "opt-out": Chain(iterations=1, salt=b"\1", opt_out=True),
}


def random_name(rng: random.Random, longest: int) -> str:
    """Return a name relative to the apex."""
    return ".".join(rng.choice(LABELS) for _ in range(rng.randrange(1, longest + 1)))


def random_lines(rng: random.Random) -> list[str]:
    """Return records without the clashes that the checks refuse."""
    taken: dict[str, str] = {}
    lines = ["ns1 A 192.0.2.53"]
    for _ in range(rng.randrange(2, 9)):
        owner = random_name(rng, 3)
        kind = rng.choice(("A", "TXT", "CNAME", "DNAME", "NS", "NS+DS"))
        if taken.setdefault(owner, kind) != kind or (kind[:2] == "NS" and owner[0] == "*"):
            continue
        target = random_name(rng, 3)
        if kind == "DNAME" and owner[0] != "*":
            lines.append(f"{owner} DNAME {target}")
        elif kind == "CNAME":
            lines = [line for line in lines if not line.startswith(f"{owner} CNAME ")]
            lines.append(f"{owner} CNAME {target}")
        elif kind[:2] == "NS":
            lines += [f"{owner} NS ns1", *([f"{owner} DS {DS}"] if kind == "NS+DS" else [])]
        elif kind in {"A", "TXT"}:
            lines.append(f"{owner} {kind} 192.0.2.1")
    return lines


class Truth:
    """What exists in a zone, found out from its lines."""

    def __init__(self, lines: list[str]) -> None:
        records = [line.split()[:2] for line in lines]
        occluding = {owner for owner, rtype in records if rtype in {"NS", "DNAME"}}
        self.names = {"@"}
        for owner, _ in records:
            if any(above in occluding for above in parents(owner)[1:]):
                continue
            self.names.update(parents(owner))

    def encloser(self, name: str) -> str:
        """Return the closest encloser, the name itself where it exists."""
        return next(above for above in parents(name) if above in self.names)


def parents(name: str) -> list[str]:
    """Return a name and all above it, up to the apex."""
    labels = name.split(".")
    return [*(".".join(labels[i:]) for i in range(len(labels)) if name != "@"), "@"]


def last_name(qname: str, response: dns.message.Message) -> str:
    """Return the name that a chain of aliases ends with."""
    name = dns.name.from_text(qname, ORIGIN)
    targets = {
        rrset.name: rrset[0].target
        for rrset in response.answer
        if rrset.rdtype == dns.rdatatype.CNAME
    }
    while name in targets:
        name = targets.pop(name)
    return name.relativize(ORIGIN).to_text()


def assert_expansions_proven(response: dns.message.Message, truth: Truth, denial: Denial) -> None:
    """Assert that what wildcards stood in for is proven not to exist."""
    for rrset in response.answer:
        if rrset.rdtype != dns.rdatatype.RRSIG or rrset.name.is_wild():
            continue
        if rrset[0].labels < len(rrset.name.labels) - 1:
            name = rrset.name.relativize(ORIGIN).to_text()
            assert name not in truth.names
            encloser = truth.encloser(name)
            closer = name if denial.chain.iterations is None else next_closer(name, encloser)
            assert denial.covers(closer)


def assert_negative_proven(name: str, truth: Truth, denial: Denial, *, exists: bool) -> None:
    """Assert the proof of an answer with a SOA; opt-out may hide the closest encloser."""
    encloser = truth.encloser(name)
    if denial.chain.opt_out and denial.types(encloser) is None:
        above = [up for up in parents(encloser)[1:] if denial.types(up) is not None]
        assert denial.covers(next_closer(name, above[0]), opt_out=True)
    elif not exists:
        assert name not in truth.names
        denial.assert_no_name(name, encloser)
    elif name in truth.names:
        assert denial.types(name) is not None
    else:
        denial.assert_closest_encloser(name, encloser)
        source = wildcard_at(encloser)
        # Opt-out hides a source that is just an empty non-terminal above insecure cuts.
        assert denial.types(source) is not None or denial.covers(source, opt_out=True)


def assert_proven(
    qname: str, rtype: str, response: dns.message.Message, truth: Truth, chain: Chain
) -> None:
    """Assert that a response is proven in all its parts."""
    assert_signed(response)
    denial = Denial(response, chain)
    assert_expansions_proven(response, truth, denial)
    types = [rrset.rdtype.name for rrset in response.authority]
    name = last_name(qname, response)
    if "SOA" in types:
        exists = response.rcode() == dns.rcode.NOERROR
        assert_negative_proven(name, truth, denial, exists=exists)
        told = denial.types(name)
        if exists and told is not None:
            assert not told & {rtype, "CNAME"}
    elif (cut := referred_to(response)) and "DS" not in types:
        provable = next((up for up in parents(cut)[1:] if denial.types(up) is not None), "@")
        told = denial.types(cut)
        if told is None:
            assert_no_ds(response, chain, cut, provable)
        else:
            assert not told & {"DS", "SOA"}


def referred_to(response: dns.message.Message) -> str | None:
    """Return the cut of a referral."""
    for rrset in response.authority:
        if rrset.rdtype == dns.rdatatype.NS and rrset.name != ORIGIN:
            return rrset.name.relativize(ORIGIN).to_text()
    return None


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_answer_proves_itself(rng: random.Random, chain: Chain) -> None:
    """Positive, negative, wildcard, alias and referral: signatures and denials are complete."""
    for _ in range(30):
        lines = random_lines(rng)
        table = table_of(sign(version_of(*lines), chain))
        truth = Truth(lines)
        for _ in range(12):
            qname, rtype = random_name(rng, 4), rng.choice(("A", "TXT", "DS", "NS", "CNAME"))
            response = ask(table, qname, rtype, dnssec=True, transport=Transport.TCP)
            try:
                assert_proven(qname, rtype, response, truth, chain)
            except AssertionError:
                print("\n".join([*lines, f"question: {qname} {rtype}", str(response)]))
                raise
