"""A small signer of zones: NSEC or NSEC3, with or without opt-out, one Ed25519 key.

It shares no code with the product but the lookup: what it makes is checked by dnspython.
"""

from __future__ import annotations

import functools
from base64 import b32hexdecode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dns.rdtypes.util import Bitmap

from nameserver.lookup import Delegation, Exact, walk
from zones.name import Name, ancestors, below
from zones.rrset import DNSKEY, DS, NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, RRset
from zones.version import ZoneVersion

INCEPTION = datetime(2024, 1, 1, tzinfo=UTC)
EXPIRATION = datetime(2100, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Chain:
    """How a zone denies: ``iterations`` is ``None`` for NSEC."""

    iterations: int | None = None
    salt: bytes = b""
    opt_out: bool = False

    @property
    def parameters(self) -> bytes:
        """The rdata of NSEC3PARAM, flags clear."""
        assert self.iterations is not None
        return b"\1\0" + self.iterations.to_bytes(2, "big") + bytes((len(self.salt),)) + self.salt

    def hash(self, name: Name) -> bytes:
        """Return a name's hash as the label that an NSEC3 record stands at."""
        text = dns.dnssec.nsec3_hash(
            dns.name.from_wire(name, 0)[0], self.salt.hex() or None, self.iterations or 0, "SHA1"
        )
        return text.lower().encode()


@functools.cache
def key() -> tuple[Ed25519PrivateKey, dns.rdata.Rdata]:
    """The one key of all tests."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return private, dns.dnssec.make_dnskey(private.public_key(), dns.dnssectypes.Algorithm.ED25519)


def to_dnspython(rrset: RRset) -> dns.rrset.RRset:
    """Return an RRset as dnspython has it."""
    rtype = dns.rdatatype.RdataType.make(rrset.rtype)
    rdatas = [
        dns.rdata.from_wire(dns.rdataclass.IN, rtype, rdata, 0, len(rdata))
        for rdata in rrset.rdatas
    ]
    return dns.rrset.from_rdata_list(dns.name.from_wire(rrset.owner, 0)[0], rrset.ttl, rdatas)


def sign(version: ZoneVersion, chain: Chain) -> ZoneVersion:
    """Return the zone with a DNSKEY, a chain, and a signature over all it is authoritative for."""
    _, dnskey = key()
    extra = [RRset(version.apex, DNSKEY, 3600, (dnskey.to_wire() or b"",))]
    if chain.iterations is not None:
        extra.append(RRset(version.apex, NSEC3PARAM, 0, (chain.parameters,)))
    version = ZoneVersion.of(version.apex, [*version, *extra])
    denying = list(nsec(version) if chain.iterations is None else nsec3(version, chain))
    signed = [rrset for rrset in (*version, *denying) if is_signed(version, rrset)]
    signatures = [signature(version.apex, rrset) for rrset in signed]
    return ZoneVersion.of(version.apex, [*version, *denying, *signatures])


def is_signed(version: ZoneVersion, rrset: RRset) -> bool:
    """Tell whether a set is the zone's own: not a cut's NS, not glue, not occluded."""
    if rrset.rtype == NSEC3:
        return True
    match walk(version, rrset.owner):
        case Exact():
            return True
        case Delegation(cut):
            return rrset.owner == cut.name and rrset.rtype in (DS, NSEC)
        case _:
            return False


def signature(apex: Name, rrset: RRset) -> RRset:
    """Return the RRSIG set over a set."""
    private, dnskey = key()
    rrsig = dns.dnssec.sign(
        to_dnspython(rrset),
        private,
        dns.name.from_wire(apex, 0)[0],
        dnskey,  # type: ignore[arg-type]
        inception=INCEPTION,
        expiration=EXPIRATION,
    )
    return RRset(rrset.owner, RRSIG, rrset.ttl, (rrsig.to_wire() or b"",))


def own_names(version: ZoneVersion) -> Iterator[tuple[Name, list[int]]]:
    """Yield the names not occluded, in canonical order, with the types that are told of them."""
    for name in version.names_in_order:
        node = version.nodes[name]
        match walk(version, name):
            case Exact():
                yield name, list(node.rrsets)
            case Delegation(cut) if cut.name == name:
                yield name, [rtype for rtype in node.rrsets if rtype in (NS, DS)]


def bitmap(types: list[int]) -> bytes:
    """Return a type bit map (RFC 4034 4.1.2)."""
    windows = Bitmap.from_rdtypes([dns.rdatatype.RdataType.make(rtype) for rtype in types]).windows
    return b"".join(bytes((window, len(bits))) + bits for window, bits in windows)


def nsec(version: ZoneVersion) -> Iterator[RRset]:
    """Yield the NSEC records; an empty non-terminal has none."""
    names = [(name, types) for name, types in own_names(version) if types]
    for (name, types), (following, _) in zip(names, [*names[1:], names[0]], strict=True):
        told = bitmap([*types, NSEC, RRSIG])
        yield RRset(name, NSEC, 300, (following + told,))


def nsec3(version: ZoneVersion, chain: Chain) -> Iterator[RRset]:
    """Yield the NSEC3 records (RFC 5155 7.1)."""
    hashed = sorted((chain.hash(name), types) for name, types in _hashed_names(version, chain))
    for (label, types), (following, _) in zip(hashed, [*hashed[1:], hashed[0]], strict=True):
        insecure_cut = NS in types and DS not in types and SOA not in types
        told = bitmap(types if insecure_cut or not types else [*types, RRSIG])
        head = bytearray(chain.parameters)
        head[1] = chain.opt_out
        rdata = bytes(head) + b"\x14" + b32hexdecode(following.upper()) + told
        yield RRset(below(label, version.apex), NSEC3, 300, (rdata,))


def _hashed_names(version: ZoneVersion, chain: Chain) -> Iterator[tuple[Name, list[int]]]:
    """Yield the names with NSEC3 records: opt-out spares insecure cuts and what is above only them."""
    names = dict(own_names(version))
    if not chain.opt_out:
        yield from names.items()
        return
    kept: set[Name] = set()
    for name, types in names.items():
        if types and not (NS in types and DS not in types and SOA not in types):
            kept.update(ancestors(name))
    yield from ((name, types) for name, types in names.items() if name in kept)
