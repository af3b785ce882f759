"""A zone version: the immutable content of a zone at one serial, with its lookup index."""

from __future__ import annotations

import weakref
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final

from zones import packed
from zones.apex import apex_rrsets
from zones.denial import Nsec3Chain, NsecChain, choose_nsec3_parameters
from zones.errors import ZoneError
from zones.name import Name, ancestors, canonical_key, display
from zones.patch import Op, op_size
from zones.rrset import NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, RRset
from zones.splice import ChangedLayout, Edit, Key, Layout, edit_order, patched, serial_after

LARGE: Final = 1 << 20  # octets from which on content is not copied for a few changes
MOST_CHANGED: Final = 2000  # RRsets in which a version differs from its root


@dataclass(slots=True)
class Node:
    """What stands at one name: its RRsets by type and their RRSIGs by the type covered.

    A node without RRsets is an empty non-terminal (RFC 8499): the name exists, NODATA for each
    type.
    """

    name: Name
    rrsets: dict[int, RRset] = field(default_factory=dict)
    signatures: dict[int, RRset] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Descent:
    """How the octets of a version come from those of another, which has most of them.

    ``sets`` is what differs from ``root``, a version whose octets are at hand, ``edits`` the same in
    order; ``ops`` makes the octets.
    """

    root: ZoneVersion
    sets: Mapping[Key, RRset | None]
    edits: Sequence[Edit]
    ops: Sequence[Op]


@dataclass(frozen=True, slots=True)
class Step:
    """What made a version of the one before, if that is still there.

    ``delta`` is what differs: RRsets in packed form and order, those that went without records.
    """

    parent: weakref.ref[ZoneVersion]
    delta: bytes


class ZoneVersion:
    """The content of a zone at one serial: never changes, may be read from any thread.

    ``blob`` is the packed form and ``octets`` its size; the index of names is built when it is
    first needed.
    """

    descent: ClassVar[Descent | None] = None  # most versions have none
    step: ClassVar[Step | None] = None

    def __init__(self, blob: bytes | None, descent: Descent | None = None) -> None:
        """Take the packed form, or what makes it; raises ``PackedError``."""
        self._blob = blob
        if descent is not None:
            self.__dict__["descent"] = descent
            self.octets = sum(map(op_size, descent.ops))
            start = descent.ops[0]
            assert isinstance(start, bytes)
        else:
            assert blob is not None
            start, self.octets = blob, len(blob)
        header = packed.read_header(start)
        self.apex: Name = header.apex
        self.serial: int = header.serial
        self.record_count: int = header.records

    def changed(self, changes: Mapping[Key, RRset | None]) -> ZoneVersion:
        """Return the version in which some RRsets are replaced, added, or gone (``None``).

        What this takes depends on the changes, not on the size of the zone: nothing else is
        copied. Where they have become many, all is.
        """
        root, sets, edits = self, {}, []
        if self.descent is not None and self._blob is None:
            root, sets = self.descent.root, dict(self.descent.sets)
            edits = list(self.descent.edits)
        layout = root.own_layout
        for key, rrset in changes.items():
            edit = layout.edit(key, rrset)
            index = bisect_left(edits, edit.order, key=edit_order)
            edits[index : index + (key in sets)] = [edit]
            sets[key] = rrset
        header = packed.Header(root.apex, root.serial, 0, 0, 0)
        ops = layout.ops(edits, serial_after(header, sets))
        if root.octets < LARGE:
            return ZoneVersion(patched(root.blob, ops))
        if len(sets) > MOST_CHANGED:
            made = ZoneVersion(patched(root.blob, ops))
        else:
            made = ZoneVersion(None, Descent(root, sets, edits, ops))
        made.__dict__["step"] = Step(weakref.ref(self), packed.pack_changes(changes))
        return made

    @property
    def blob(self) -> bytes:
        """The packed form; of a version that came by changes it is made when first asked for."""
        if self._blob is None:
            assert self.descent is not None
            self._blob = patched(self.descent.root.blob, self.descent.ops)
        return self._blob

    @property
    def layout(self) -> Layout | ChangedLayout:
        """Where the RRsets stand: for looking a few up without an index."""
        if self.descent is not None and self._blob is None:
            return ChangedLayout(self.descent.root.own_layout, self.descent.sets)
        return self.own_layout

    @property
    def own_layout(self) -> Layout:
        """The layout of the octets themselves; that of a large zone is remembered."""
        return self._layout if self.octets >= LARGE else Layout(self.blob)

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.blob)

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
        found = apex_rrsets(self).get((SOA, 0))
        if found is not None:
            return found
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
