"""An answer while it is put together: what goes into which section."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from nameserver.edns import ExtendedError
from zones.name import Name
from zones.rrset import RRset
from zones.version import Node


class Section(IntEnum):
    """The parts of a message (RFC 1035 4.1)."""

    QUESTION = 0
    ANSWER = 1
    AUTHORITY = 2
    ADDITIONAL = 3


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
    """The outcome of a query: rcode, AA, and the three sections."""

    question: Question
    rcode: int = 0
    authoritative: bool = False
    error: ExtendedError | None = None
    sections: dict[Section, list[Entry]] = field(
        default_factory=lambda: {Section.ANSWER: [], Section.AUTHORITY: [], Section.ADDITIONAL: []}
    )
    _present: set[tuple[Name, int, int]] = field(default_factory=set)

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
