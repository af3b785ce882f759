"""Validating a whole zone: keys, every signature, and the chain of proofs (RFC 4035, RFC 5155).

Walks the packed content once, in canonical order, in which everything below a name directly follows
it. The cryptography is dnspython's and the ``cryptography`` library's; what is signed is put together
here, from octets that are canonical already.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import dns.dnssecalgs
import dns.dnssectypes
import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from cryptography.exceptions import InvalidSignature

from zones.apex import apex_rrsets
from zones.collect import Findings
from zones.finding import Finding, listed
from zones.keys import REVOKED, ZONE_KEY, flags_of, key_tag, matching_key
from zones.name import WILDCARD, Name, display, is_subdomain, label_count, labels
from zones.proof_chains import Chain, new_chain
from zones.rdata import type_text
from zones.rrset import DNSKEY, DS, NS, NSEC, NSEC3, RRSIG, RRset
from zones.version import ZoneVersion

# What one RRset may cost: signatures that are looked at, and keys that are tried for each of them.
MOST_SIGNATURES: Final = 8
MOST_KEYS: Final = 2
LEAST_LEFT: Final = 3 * 86_400  # seconds
AT_A_CUT: Final = frozenset({DS, NSEC, NSEC3})


class Signature(NamedTuple):
    """What an RRSIG record says (RFC 4034 3.1)."""

    algorithm: int
    labels: int
    ttl: int
    expiration: int
    inception: int
    tag: int
    signed: bytes  # the record without the signature
    signer: Name
    octets: bytes

    @classmethod
    def read(cls, rdata: bytes) -> Signature:
        """Return the fields of sound RRSIG rdata."""
        position = 18
        while rdata[position]:
            position += 1 + rdata[position]
        end = position + 1
        number = int.from_bytes
        return cls(
            rdata[2],
            rdata[3],
            number(rdata[4:8], "big"),
            number(rdata[8:12], "big"),
            number(rdata[12:16], "big"),
            number(rdata[16:18], "big"),
            rdata[:end],
            rdata[18:end],
            rdata[end:],
        )


class Validator:
    """One validation of a zone at a time; ``from_ds`` has the DS records, ``None`` for keys alone."""

    def __init__(
        self, version: ZoneVersion, now: float, from_ds: tuple[bytes, ...] | None = None
    ) -> None:
        self._version = version
        self._apex = version.apex
        self._now = now
        self._from_ds = from_ds
        self._found = Findings(version.apex)
        self._keys: dict[tuple[int, int], list[Any]] = {}  # by algorithm and tag
        self._algorithms: set[int] = set()
        self._first_lapse: tuple[float, RRset] | None = None

    def findings(self) -> list[Finding]:
        """Return what is wrong, errors first."""
        at_apex = apex_rrsets(self._version)
        keys = at_apex.get((DNSKEY, 0))
        if keys is None:
            sentence = f"{self._found.zone} is to be validated and has no DNSKEY record."
            self._found.add("dnssec-unsigned", self._apex, DNSKEY, sentence)
            return self._found.result()
        self._read_keys(keys.rdatas)
        if self._from_ds is not None:
            self._check_ds(keys, at_apex.get((RRSIG, DNSKEY)))
        chain = new_chain(self._apex, at_apex)
        for owner, rrsets, cut in self._owners():
            self._check_owner(owner, rrsets, cut, chain)
        chain.finish(self._found)
        self._check_lapse(at_apex)
        return self._found.result()

    def _read_keys(self, rdatas: Iterable[bytes]) -> None:
        for rdata in rdatas:
            if not flags_of(rdata) & ZONE_KEY or flags_of(rdata) & REVOKED or rdata[2] != 3:
                continue
            self._algorithms.add(rdata[3])
            known = self._keys.setdefault((rdata[3], key_tag(rdata)), [])
            if len(known) < MOST_KEYS:
                known.append(_public_key(rdata))

    def _check_ds(self, keys: RRset, signatures: RRset | None) -> None:
        assert self._from_ds is not None
        for ds in self._from_ds:
            key = matching_key(self._apex, ds, keys.rdatas)
            if key is None or signatures is None:
                continue
            public = _public_key(key)
            for signature in map(Signature.read, signatures.rdatas[:MOST_SIGNATURES]):
                if (signature.algorithm, signature.tag) == (key[3], key_tag(key)) and (
                    public is not None and _verifies(public, signature, keys)
                ):
                    return
        tags = listed([str(int.from_bytes(ds[:2], "big")) for ds in self._from_ds])
        there = listed([str(key_tag(key)) for key in keys.rdatas])
        sentence = (
            f"The DS record of {self._found.zone} at the parent names the key {tags}; the zone has"
            f" the keys {there}, of which none fits it and has signed them."
            if self._from_ds
            else f"No DS record of {self._found.zone} at the parent is known here."
        )
        self._found.add("dnssec-ds-mismatch", self._apex, DNSKEY, sentence)

    def _owners(self) -> Iterator[tuple[Name, list[RRset], Name | None]]:
        """Yield each owner, what stands there, and the delegation at or above it."""
        cut: Name | None = None
        for owner, group in itertools.groupby(self._version, key=lambda rrset: rrset.owner):
            rrsets = list(group)
            if cut is not None and not is_subdomain(owner, cut):
                cut = None
            if cut is None and owner != self._apex and any(one.rtype == NS for one in rrsets):
                cut = owner
            yield owner, rrsets, cut

    def _check_owner(
        self, owner: Name, rrsets: list[RRset], cut: Name | None, chain: Chain
    ) -> None:
        if cut is not None and owner != cut:
            return  # glue, and what nobody is answered
        signatures = {one.covers: one for one in rrsets if one.rtype == RRSIG}
        for rrset in rrsets:
            if rrset.rtype != RRSIG and (cut is None or rrset.rtype in AT_A_CUT):
                self._check_rrset(rrset, signatures.get(rrset.rtype))
        chain.add(owner, rrsets, is_cut=cut is not None)

    def _check_rrset(self, rrset: RRset, signatures: RRset | None) -> None:
        what = f"{display(rrset.owner)} {type_text(rrset.rtype)}"
        found = [Signature.read(one) for one in signatures.rdatas] if signatures else []
        mine = [one for one in found if one.signer == self._apex][:MOST_SIGNATURES]
        missing = self._algorithms - {one.algorithm for one in mine}
        if missing:
            numbers = listed([_algorithm_name(number) for number in sorted(missing)])
            sentence = f"The {what} records have no signature of algorithm {numbers}."
            self._found.add("dnssec-signature-missing", rrset.owner, rrset.rtype, sentence)
        problems = [self._problem(rrset, one, what) for one in mine]
        if problems and None not in problems:
            rule, sentence = next(problem for problem in problems if problem)
            self._found.add(rule, rrset.owner, rrset.rtype, sentence)

    def _problem(self, rrset: RRset, signature: Signature, what: str) -> tuple[str, str] | None:
        """Return what is wrong with one signature: the rule and a sentence."""
        now = int(self._now) & 0xFFFFFFFF
        ends = self._now + _apart(signature.expiration, now)
        if ends <= self._now:
            when = _stamp(ends)
            return "dnssec-signature-expired", f"The signature of {what} lapsed at {when}."
        if _apart(signature.inception, now) > 0:
            when = _stamp(self._now + _apart(signature.inception, now))
            return "dnssec-signature-early", f"The signature of {what} is good from {when} on."
        keys = self._keys.get((signature.algorithm, signature.tag))
        if not keys:
            sentence = (
                f"The signature of {what} is by key {signature.tag}, which is not in the zone."
            )
            return "dnssec-signature-wrong", sentence
        usable = [key for key in keys if key is not None]
        if usable and not any(_verifies(key, signature, rrset) for key in usable):
            sentence = f"The signature of {what} by key {signature.tag} does not fit the records."
            return "dnssec-signature-wrong", sentence
        if self._first_lapse is None or ends < self._first_lapse[0]:
            self._first_lapse = ends, rrset
        return None

    def _check_lapse(self, at_apex: Mapping[tuple[int, int], RRset]) -> None:
        if self._first_lapse is None:
            return
        ends, rrset = self._first_lapse
        soa = at_apex.get((6, 0))
        expire = int.from_bytes(soa.rdatas[0][-8:-4], "big") if soa else 0
        if ends - self._now >= max(LEAST_LEFT, expire):
            return
        what = f"{display(rrset.owner)} {type_text(rrset.rtype)}"
        sentence = f"The signature of {what} lapses at {_stamp(ends)}, the first of the zone."
        self._found.add("dnssec-signature-lapses", rrset.owner, rrset.rtype, sentence)


def _apart(time: int, now: int) -> int:
    """Return how far a time of 32 bits is ahead of now (RFC 4034 3.1.5, RFC 1982)."""
    ahead = (time - now) & 0xFFFFFFFF
    return ahead - 2**32 if ahead >= 2**31 else ahead


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _algorithm_name(number: int) -> str:
    return f"{number} ({dns.dnssectypes.Algorithm.to_text(number)})"


def _public_key(rdata: bytes) -> Any:
    """Return what verifies, ``None`` for an algorithm that is not known here."""
    try:
        key: Any = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.DNSKEY, rdata, 0, len(rdata)
        )
        return dns.dnssecalgs.get_algorithm_cls_from_dnskey(key).public_cls.from_dnskey(key)
    except (dns.exception.DNSException, ValueError, NotImplementedError):
        return None


def _verifies(public: Any, signature: Signature, rrset: RRset) -> bool:
    """Tell whether a key made a signature of these records (RFC 4035 5.3.3)."""
    try:
        public.verify(signature.octets, _signed_octets(signature, rrset))
    except (InvalidSignature, dns.exception.DNSException, ValueError):
        return False
    return True


def _signed_octets(signature: Signature, rrset: RRset) -> bytes:
    owner = rrset.owner
    count = label_count(owner) - owner.startswith(WILDCARD)
    if signature.labels < count:  # expanded from a wildcard: RFC 4035 5.3.2
        parts = labels(owner)
        tail = parts[len(parts) - signature.labels :]
        owner = WILDCARD + b"".join(bytes((len(part),)) + part for part in tail) + b"\0"
    head = owner + rrset.rtype.to_bytes(2, "big") + b"\0\1" + signature.ttl.to_bytes(4, "big")
    records = (head + len(rdata).to_bytes(2, "big") + rdata for rdata in rrset.rdatas)
    return signature.signed + b"".join(records)
