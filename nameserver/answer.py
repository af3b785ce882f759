"""An answer while it is put together: what goes into which section."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from nameserver.edns import ExtendedError
from zones.name import Name
from zones.rrset import RRset
from zones.version import Node, ZoneVersion

_NXDOMAIN: Final = 3


class Section(IntEnum):
    """The parts of a message (RFC 1035 4.1)."""

    QUESTION = 0
    ANSWER = 1
    AUTHORITY = 2
    ADDITIONAL = 3


class Kind(IntEnum):
    """What an answer is to the one who asked (RFC 2308 1, RFC 1034 4.3.1)."""

    POSITIVE = 0
    NODATA = 1
    REFERRAL = 2
    NXDOMAIN = 3
    FAILURE = 4  # any other RCODE


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered: a folded name, a type, and how the answer travels.

    ``dnssec`` is the DO bit; ``datagram`` tells that the client's address may be forged.
    """

    name: Name
    rtype: int
    dnssec: bool = False
    datagram: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """An RRset as it stands in a message.

    ``owner`` is the name asked for where the set comes from a wildcard (RFC 4592 3.3.1). Without a
    ``required`` entry a message is truncated; any other is left out in silence (RFC 2181 9).
    """

    owner: Name
    rrset: RRset
    signature: RRset | None = None
    required: bool = True

    @property
    def key(self) -> tuple[Name, int, int]:
        """Return what may stand in a message once."""
        return self.owner, self.rrset.rtype, self.rrset.covers

    @property
    def size(self) -> int:
        """Return the octets of rdata, with those of the signatures."""
        sets = (self.rrset,) if self.signature is None else (self.rrset, self.signature)
        return sum(len(rdata) for rrset in sets for rdata in rrset.rdatas)


@dataclass(slots=True)
class Answer:
    """The outcome of a query: rcode, AA, TC, and the three sections.

    ``zone`` is the apex of the zone that the name asked for is in, ``content`` what is served of
    it; the answer is ``synthesised`` where that name was covered by a wildcard or a DNAME.
    """

    question: Question
    rcode: int = 0
    authoritative: bool = False
    truncated: bool = False
    zone: Name = b""
    content: ZoneVersion | None = None
    synthesised: bool = False
    error: ExtendedError | None = None
    sections: dict[Section, list[Entry]] = field(
        default_factory=lambda: {Section.ANSWER: [], Section.AUTHORITY: [], Section.ADDITIONAL: []}
    )
    _present: set[tuple[Name, int, int]] = field(default_factory=set)

    @property
    def kind(self) -> Kind:
        """Return what the answer is, whether or not all of it finds room in a message."""
        if self.rcode:
            return Kind.NXDOMAIN if self.rcode == _NXDOMAIN else Kind.FAILURE
        if self.sections[Section.ANSWER]:
            return Kind.POSITIVE
        # RFC 2308 2.2: without AA, and with an authority section, it leads elsewhere.
        is_referral = not self.authoritative and self.sections[Section.AUTHORITY]
        return Kind.REFERRAL if is_referral else Kind.NODATA

    @property
    def subject(self) -> Name:
        """Return what the answer is about: the name, or the zone where the name may be any.

        Names that do not exist, and those that a wildcard or a DNAME stands in for, can be made up
        without end; a failure is about nothing.
        """
        match self.kind:
            case Kind.FAILURE:
                return b""
            case Kind.POSITIVE if not self.synthesised:
                return self.question.name
        return self.zone

    def add(self, section: Section, entry: Entry) -> bool:
        """Put an RRset into a section; ``False`` if the message has it already."""
        if entry.key in self._present:
            return False
        self._present.add(entry.key)
        self.sections[section].append(entry)
        return True

    def entry(
        self, node: Node, rrset: RRset, *, owner: Name | None = None, required: bool = True
    ) -> Entry:
        """Return an RRset of a node as an entry, with its signatures if the client wants them."""
        signature = node.signatures.get(rrset.rtype) if self.question.dnssec else None
        return Entry(owner or node.name, rrset, signature, required)
