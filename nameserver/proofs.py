"""Proofs of what a signed zone does not have: which NSEC or NSEC3 records go into an answer.

RFC 4035 3.1.3 says which for NSEC, RFC 5155 7.2 for NSEC3. The *closest encloser* is the nearest
existing ancestor of a name; the *next closer name* is that ancestor of it, or itself, which is one
label longer (RFC 5155 1.3); the *source of synthesis* is the wildcard at the closest encloser.
"""

from __future__ import annotations

from typing import Final, Protocol

from zones.denial import Nsec3Chain, NsecChain
from zones.name import Name, ancestors, below
from zones.rrset import NSEC, NSEC3, RRset
from zones.version import Node, ZoneVersion

_ASTERISK: Final = b"*"


class Proofs(Protocol):
    """What can be proven; each method returns owners of records in order, possibly repeated."""

    @property
    def rtype(self) -> int:
        """The type of the records."""
        ...

    def no_name(self, name: Name, encloser: Name) -> list[Name]:
        """NXDOMAIN: neither the name exists nor a source of synthesis."""
        ...

    def no_data(self, name: Name) -> list[Name]:
        """NODATA, or a referral: the existing name lacks the type, or the cut DS."""
        ...

    def no_closer_match(self, name: Name, encloser: Name) -> list[Name]:
        """Wildcard answer: there is nothing closer to the name than the source of synthesis."""
        ...

    def no_wildcard_data(self, name: Name, encloser: Name) -> list[Name]:
        """Wildcard NODATA: the name does not exist, and the source of synthesis lacks the type."""
        ...


class NsecProofs:
    """Proofs of a zone with NSEC records.

    One record may serve twice, and an empty non-terminal owns none: always it is the record at the
    place of a name in canonical order, or next before it, that speaks for the name.
    """

    rtype = NSEC

    def __init__(self, chain: NsecChain) -> None:
        self._record = chain.at_or_before

    def no_name(self, name: Name, encloser: Name) -> list[Name]:
        """RFC 4035 3.1.3.2: one covers the name, one the source of synthesis."""
        return [self._record(name), self._record(below(_ASTERISK, encloser))]

    def no_data(self, name: Name) -> list[Name]:
        """RFC 4035 3.1.3.1, and 3.1.4 for referrals: the name's own types."""
        return [self._record(name)]

    def no_closer_match(self, name: Name, encloser: Name) -> list[Name]:  # noqa: ARG002 (Proofs)
        """RFC 4035 3.1.3.3: one covers the name."""
        return [self._record(name)]

    def no_wildcard_data(self, name: Name, encloser: Name) -> list[Name]:
        """RFC 4035 3.1.3.4: one covers the name, one has the types of the source of synthesis."""
        return [self._record(name), self._record(below(_ASTERISK, encloser))]


class Nsec3Proofs:
    """Proofs of a zone with NSEC3 records.

    Opt-out leaves insecure cuts, and the empty non-terminals above nothing else, without a record
    (RFC 5155 7.1); the closest *provable* encloser then stands for the closest one.
    """

    rtype = NSEC3

    def __init__(self, chain: Nsec3Chain) -> None:
        self._chain = chain

    def no_name(self, name: Name, encloser: Name) -> list[Name]:
        """RFC 5155 7.2.2: the closest encloser proof; one covers the source of synthesis."""
        provable, owners = self._closest_encloser(name, encloser)
        return [*owners, self._record(below(_ASTERISK, provable))]

    def no_data(self, name: Name) -> list[Name]:
        """RFC 5155 7.2.3, 7.2.4, 7.2.7: one matches, or a closest provable encloser proof."""
        return self._closest_encloser(name, name)[1]

    def no_closer_match(self, name: Name, encloser: Name) -> list[Name]:
        """RFC 5155 7.2.6: one covers the next closer name."""
        return [self._record(_next_closer(name, encloser))]

    def no_wildcard_data(self, name: Name, encloser: Name) -> list[Name]:
        """RFC 5155 7.2.5: the closest encloser proof; one matches the source of synthesis."""
        _, owners = self._closest_encloser(name, encloser)
        return [*owners, self._record(below(_ASTERISK, encloser))]

    def _closest_encloser(self, name: Name, encloser: Name) -> tuple[Name, list[Name]]:
        """Return the closest provable encloser, and the owners that prove it (RFC 5155 7.2.1).

        One matches the encloser; one covers the next closer name, unless the name matches itself.
        """
        closer = None if name == encloser else _next_closer(name, encloser)
        for candidate in ancestors(encloser):
            owner, matches = self._chain.find(candidate)
            if matches or candidate == self._chain.apex:
                return candidate, [owner] if closer is None else [owner, self._record(closer)]
            closer = candidate
        return encloser, []

    def _record(self, name: Name) -> Name:
        return self._chain.find(name)[0]


def proofs_of(version: ZoneVersion) -> Proofs | None:
    """Return how a zone proves, ``None`` for one that cannot: it is not signed.

    NSEC3 comes first: while a zone changes from one to the other, NSEC3PARAM is there just as long
    as the NSEC3 chain is whole (RFC 5155 10.4, 10.5).
    """
    if nsec3 := version.nsec3_chain:
        return Nsec3Proofs(nsec3)
    if nsec := version.nsec_chain:
        return NsecProofs(nsec)
    return None


def record_at(version: ZoneVersion, owner: Name, rtype: int) -> tuple[Node, RRset]:
    """Return the NSEC3 or NSEC record with this owner, and the node with its signature."""
    node = version.hashed_nodes[owner] if rtype == NSEC3 else version.nodes[owner]
    return node, node.rrsets[rtype]


def _next_closer(name: Name, encloser: Name) -> Name:
    closer = name
    for candidate in ancestors(name):
        if candidate == encloser:
            break
        closer = candidate
    return closer
