"""The rules about DNSSEC: keys that go to the registry, and the zone that they have to open."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import dns.dnssec
import dns.dnssectypes
import dns.exception
import dns.flags
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

from registrar.objects import DsData, KeyData
from registrar.predelegation.request import Gathered, Issue, Reply, ServerAnswers

if TYPE_CHECKING:
    from registrar.predelegation.rules import Profile

FLAGS: Final = (256, 257)  # zone key, with or without SEP (RFC 4034 2.1.1)
PROTOCOL: Final = 3
RSA: Final = frozenset((5, 7, 8, 10))
OCTETS: Final = {13: 64, 14: 96, 15: 32, 16: 57}  # of the public key (RFC 6605 4, 8080 3)
RSA_BITS: Final = (512, 4096)
EXPONENT_BITS: Final = 128


def check(gathered: Gathered, profile: Profile, now: datetime) -> Iterator[Issue]:
    """Yield every issue of the DNSSEC data; nothing where none goes to the registry."""
    data = gathered.request.sec_dns
    if not data:
        return
    yield from _forms(list(data.keys), profile)
    asked = [answers for answers in gathered.answers if answers.soa.message is not None]
    for answers in asked:
        yield from _retrieved(gathered, answers)
    sets = {keyset for answers in asked if (keyset := _keyset(gathered, answers.keys))}
    if len(sets) > 1:
        yield Issue("keyset-differs", f"The servers have {len(sets)} different sets of keys.")
    for answers in asked:
        if keyset := _keyset(gathered, answers.keys):
            yield from _chain(gathered, answers, keyset, now)


def _forms(keys: list[KeyData], profile: Profile) -> Iterator[Issue]:
    if len(keys) > profile.max_keys:
        yield Issue("too-many-keys", f"{len(keys)} keys are named; {profile.max_keys} are taken.")
    for key, count in Counter(keys).items():
        if count > 1:
            yield Issue("key-duplicate", f"{_told(key)} is named {count} times.")
        if key.flags not in FLAGS:
            yield Issue("key-flags", f"{_told(key)} has the flags {key.flags}, not 256 or 257.")
        if key.protocol != PROTOCOL or (key.algorithm not in RSA and key.algorithm not in OCTETS):
            sentence = f"{_told(key)} has protocol {key.protocol} and algorithm {key.algorithm}."
            yield Issue("key-algorithm", sentence)
        elif problem := form_problem(key):
            yield Issue("key-form", f"{_told(key)} {problem}.")


def form_problem(key: KeyData) -> str:
    """Return what is wrong with the octets of a key, empty if nothing is."""
    try:
        octets = base64.b64decode(key.public_key, validate=True)
    except (binascii.Error, ValueError):
        return "is no base64"
    if wanted := OCTETS.get(key.algorithm):
        return "" if len(octets) == wanted else f"has {len(octets)} octets, not {wanted}"
    if len(octets) < 3:
        return "is too short for an RSA key"
    start, length = (1, octets[0]) if octets[0] else (3, int.from_bytes(octets[1:3], "big"))
    exponent = int.from_bytes(octets[start : start + length], "big")
    bits = int.from_bytes(octets[start + length :], "big").bit_length()
    if not exponent or exponent.bit_length() > EXPONENT_BITS:
        return "has an exponent out of range"
    if not RSA_BITS[0] <= bits <= RSA_BITS[1]:
        return f"has a modulus of {bits} bits, not {RSA_BITS[0]} to {RSA_BITS[1]}"
    return ""


def _retrieved(gathered: Gathered, answers: ServerAnswers) -> Iterator[Issue]:
    if answers.keys.message is None:
        sentence = f"{answers.where} gives no keys: {answers.keys.problem}."
        yield Issue("keyset-unretrievable", sentence, answers.name)
        return
    if _keyset(gathered, answers.keys) is None:
        sentence = f"{answers.where} has no DNSKEY records."
        yield Issue("no-key-visible", sentence, answers.name)
    elif _rrset(gathered, answers.keys, dns.rdatatype.RRSIG, dns.rdatatype.DNSKEY) is None:
        sentence = f"{answers.where} answers without signatures."
        yield Issue("no-do-bit", sentence, answers.name)


def _chain(
    gathered: Gathered,
    answers: ServerAnswers,
    keyset: frozenset[dns.rdata.Rdata],
    now: datetime,
) -> Iterator[Issue]:
    named = list(_named(gathered, keyset))
    for ds in gathered.request.sec_dns.ds:
        if not any(_matches(gathered, ds, key) for key in keyset):
            sentence = f"The DS record {ds.key_tag} leads to no key at {answers.where}."
            yield Issue("ds-without-key", sentence, answers.name)
    if not named:
        if gathered.request.sec_dns.keys:
            sentence = f"None of the named keys is at {answers.where}."
            yield Issue("no-key-visible", sentence, answers.name)
        return
    if problem := _signed_by(gathered, answers.keys, dns.rdatatype.DNSKEY, named, now):
        sentence = f"No named key signs the DNSKEY records of {answers.where}: {problem}."
        yield Issue("no-proof-of-possession", sentence, answers.name)
    if problem := _signed_by(gathered, answers.signed_soa, dns.rdatatype.SOA, list(keyset), now):
        sentence = f"The SOA record of {answers.where} is not validated: {problem}."
        yield Issue("soa-not-validated", sentence, answers.name)


def _named(gathered: Gathered, keyset: frozenset[dns.rdata.Rdata]) -> Iterator[dns.rdata.Rdata]:
    """Yield the keys of the zone that the request names, as keys or by their digests."""
    wanted = {_octets(key) for key in gathered.request.sec_dns.keys}
    for key in keyset:
        matched = any(_matches(gathered, ds, key) for ds in gathered.request.sec_dns.ds)
        if key.to_digestable() in wanted or matched:
            yield key


def _octets(key: KeyData) -> bytes:
    head = key.flags.to_bytes(2, "big") + bytes((key.protocol & 255, key.algorithm & 255))
    try:
        return head + base64.b64decode(key.public_key)
    except (binascii.Error, ValueError):
        return head


def _matches(gathered: Gathered, ds: DsData, key: dns.rdata.Rdata) -> bool:
    name = dns.name.from_text(gathered.request.domain)
    try:
        made = dns.dnssec.make_ds(
            name, key, dns.dnssectypes.DSDigest(ds.digest_type), validating=True
        )
    except (ValueError, dns.exception.DNSException):
        return False
    return (made.key_tag, made.algorithm, made.digest.hex().upper()) == (
        ds.key_tag,
        ds.algorithm,
        ds.digest.upper(),
    )


def _signed_by(
    gathered: Gathered,
    reply: Reply,
    kind: dns.rdatatype.RdataType,
    keys: list[dns.rdata.Rdata],
    now: datetime,
) -> str:
    """Return why none of the keys signs an RRset, empty where one does."""
    rrset = _rrset(gathered, reply, kind)
    signatures = _rrset(gathered, reply, dns.rdatatype.RRSIG, kind)
    if rrset is None:
        return "it is not there"
    if signatures is None:
        return "it has no signature"
    name = dns.name.from_text(gathered.request.domain)
    trusted = dns.rdataset.from_rdata_list(300, keys)
    try:
        dns.dnssec.validate(rrset, signatures, {name: trusted}, now=now.timestamp())
    except dns.exception.DNSException as error:
        return str(error) or type(error).__name__
    return ""


def _rrset(
    gathered: Gathered,
    reply: Reply,
    kind: dns.rdatatype.RdataType,
    covers: dns.rdatatype.RdataType = dns.rdatatype.NONE,
) -> dns.rrset.RRset | None:
    if reply.message is None:
        return None
    name = dns.name.from_text(gathered.request.domain)
    for found in reply.message.answer:
        if found.name == name and found.rdtype == kind and found.covers == covers:
            return found
    return None


def _keyset(gathered: Gathered, reply: Reply) -> frozenset[dns.rdata.Rdata] | None:
    rrset = _rrset(gathered, reply, dns.rdatatype.DNSKEY)
    return frozenset(rrset) if rrset else None


def _told(key: KeyData) -> str:
    return f"The key {key.flags} {key.protocol} {key.algorithm} {key.public_key[:12]}…"
