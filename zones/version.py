"""A zone version: the immutable content of a zone at one serial, with its lookup index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from zones import packed
from zones.denial import Nsec3Chain, NsecChain, choose_nsec3_parameters
from zones.errors import ZoneError
from zones.name import Name, ancestors, canonical_key, display
from zones.rrset import NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, RRset


@dataclass(slots=True)
class Node:
    """What stands at one name: its RRsets by type and their RRSIGs by the type covered.

    A node without RRsets is an empty non-terminal (RFC 8499): the name exists, NODATA for each
    type.
    """

    name: Name
    rrsets: dict[int, RRset] = field(default_factory=dict)
    signatures: dict[int, RRset] = field(default_factory=dict)


class ZoneVersion:
    """The content of a zone at one serial: never changes, may be read from any thread.

    ``blob`` is the packed form; the index of names is built when it is first needed.
    """

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        header = packed.read_header(blob)
        self.apex: Name = header.apex
        self.serial: int = header.serial
        self.record_count: int = header.records

    @classmethod
    def of(cls, apex: Name, rrsets: Iterable[RRset]) -> ZoneVersion:
        """Return the version made of these RRsets, in any order."""
        return cls(packed.pack(apex, rrsets))

    def __iter__(self) -> Iterator[RRset]:
        """Yield the RRsets in canonical order."""
        return packed.iter_rrsets(self.blob)

    def __repr__(self) -> str:
        return f"<ZoneVersion {display(self.apex)} serial {self.serial}>"

    @cached_property
    def content_hash(self) -> str:
        """The SHA-256 of the content, serial included, in hexadecimal."""
        return packed.content_hash(self.blob)

    @property
    def nodes(self) -> Mapping[Name, Node]:
        """Every existing name with what stands there, empty non-terminals included.

        NSEC3 records are not among it: their hashed owner names do not exist (RFC 5155 7.2.8).
        """
        return self._index[0]

    @property
    def hashed_nodes(self) -> Mapping[Name, Node]:
        """The NSEC3 records by their owner names, with their signatures."""
        return self._index[1]

    @cached_property
    def _index(self) -> tuple[dict[Name, Node], dict[Name, Node]]:
        nodes: dict[Name, Node] = {self.apex: Node(self.apex)}
        hashed: dict[Name, Node] = {}
        for rrset in self:
            if NSEC3 in (rrset.rtype, rrset.covers):
                node = hashed.setdefault(rrset.owner, Node(rrset.owner))
            elif rrset.owner in nodes:
                node = nodes[rrset.owner]
            else:
                node = _grow(nodes, rrset.owner)
            if rrset.rtype == RRSIG:
                node.signatures[rrset.covers] = rrset
            else:
                node.rrsets[rrset.rtype] = rrset
        return nodes, hashed

    def node(self, name: Name) -> Node | None:
        """Return the node at ``name``, ``None`` where the name does not exist."""
        return self.nodes.get(name)

    def rrset(self, owner: Name, rtype: int) -> RRset | None:
        """Return one RRset (not RRSIG: see ``Node.signatures``)."""
        node = self.nodes.get(owner)
        return node.rrsets.get(rtype) if node else None

    @cached_property
    def soa(self) -> RRset:
        """The apex SOA; raises ``ZoneError`` for content without one."""
        for rrset in self:
            if rrset.rtype == SOA and rrset.owner == self.apex:
                return rrset
        raise ZoneError(f"zone {display(self.apex)} has no SOA at its apex")

    @cached_property
    def is_signed(self) -> bool:
        """Tell whether the apex SOA has an RRSIG."""
        return SOA in self.nodes[self.apex].signatures

    @cached_property
    def nsec_chain(self) -> NsecChain | None:
        """The owners of NSEC records, ``None`` where there are none."""
        owners = [name for name, node in self.nodes.items() if NSEC in node.rrsets]
        return NsecChain(owners) if owners else None

    @cached_property
    def nsec3_chain(self) -> Nsec3Chain | None:
        """The NSEC3 chain that negative answers are proven with, ``None`` where there is none.

        Only NSEC3PARAM at the apex tells that a chain is complete (RFC 5155 4, 7.3).
        """
        published = self.rrset(self.apex, NSEC3PARAM)
        parameters = choose_nsec3_parameters(published.rdatas if published else ())
        if parameters is None:
            return None
        records = (
            (node.name, rdata)
            for node in self.hashed_nodes.values()
            if NSEC3 in node.rrsets
            for rdata in node.rrsets[NSEC3].rdatas
        )
        return Nsec3Chain.of(self.apex, parameters, records)

    def is_cut(self, name: Name) -> bool:
        """Tell whether a delegation stands at ``name`` (RFC 9499: zone cut, from the parent side)."""
        return name != self.apex and self.rrset(name, NS) is not None

    @cached_property
    def names_in_order(self) -> tuple[Name, ...]:
        """Every existing name in canonical order (RFC 4034 6.1)."""
        return tuple(sorted(self.nodes, key=canonical_key))


def _grow(nodes: dict[Name, Node], owner: Name) -> Node:
    """Add a node and the empty non-terminals between it and the nearest node above."""
    for name in ancestors(owner):
        if name in nodes:
            break
        nodes[name] = Node(name)
    return nodes[owner]
