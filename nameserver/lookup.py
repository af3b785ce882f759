"""The walk down a zone's tree: where a name lies, before any type is looked at.

RFC 1034 4.3.2, step 3, as RFC 4592 3.3 (wildcards) and RFC 6672 3.2 (DNAME) have changed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from zones.name import Name, ancestors, below
from zones.rrset import DNAME, NS
from zones.version import Node, ZoneVersion


@dataclass(frozen=True, slots=True)
class Exact:
    """The name exists and the zone is authoritative for it; an ENT is a node without RRsets."""

    node: Node


@dataclass(frozen=True, slots=True)
class Delegation:
    """The name is at or below a zone cut, which stands at ``node``."""

    node: Node


@dataclass(frozen=True, slots=True)
class Redirection:
    """The name is below ``node``, which owns a DNAME."""

    node: Node


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The name does not exist; ``node`` is its source of synthesis (RFC 4592 3.3.1)."""

    node: Node
    encloser: Name  # the closest encloser


@dataclass(frozen=True, slots=True)
class NoName:
    """The name does not exist, and no wildcard stands in for it."""

    encloser: Name  # the closest encloser


Place: TypeAlias = Exact | Delegation | Redirection | Synthesis | NoName


def walk(version: ZoneVersion, name: Name) -> Place:
    """Return where ``name``, which is at or below the zone's apex, lies in the zone.

    What is below a cut or a DNAME is occluded: the walk ends there, whatever stands below
    (RFC 2136 7.18, RFC 6672 2.4). Where both stand at one name, the cut wins: the parent's side of
    it has no DNAME (RFC 6672 2.3).
    """
    nodes = version.nodes
    node = nodes[version.apex]
    for step in _path(version.apex, name):
        if DNAME in node.rrsets:
            return Redirection(node)
        child = nodes.get(step)
        if child is None:
            source = nodes.get(below(b"*", node.name))
            return NoName(node.name) if source is None else Synthesis(source, node.name)
        node = child
        if NS in node.rrsets:
            return Delegation(node)
    return Exact(node)


def _path(apex: Name, name: Name) -> list[Name]:
    """Return the names from just below the apex down to ``name``."""
    path = []
    for step in ancestors(name):
        if step == apex:
            break
        path.append(step)
    return path[::-1]
