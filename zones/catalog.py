"""Catalog zones (RFC 9432): a list of zones that is itself a zone, read, compared and made.

::

    catalog.example.                      NS   invalid.
    version.catalog.example.              TXT  "2"
    unique1.zones.catalog.example.        PTR  member.example.
    coo.unique1.zones.catalog.example.    PTR  other-catalog.example.
    group.unique1.zones.catalog.example.  TXT  "signed"

The label (``unique1``) stands for the state of the member: another label means that the member
begins anew. What is not known here is ignored (RFC 9432 4.4); what breaks a rule makes the whole
catalog broken, and then nothing changes (5.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zones.errors import ZoneError
from zones.name import Name, below, display, from_text, is_subdomain, labels
from zones.rrset import NS, PTR, SOA, TXT, RRset
from zones.version import ZoneVersion

SCHEMA: Final = b"2"
TTL: Final = 0  # RFC 9432 4: not meant for resolvers
INVALID: Final = from_text("invalid.")
# Refresh, retry, expire, minimum: consumers look often, and keep what they have for long.
TIMERS: Final = (3600, 600, 2_147_483_646, 0)
MOST_TOLD: Final = 10  # names that a sentence lists


@dataclass(frozen=True, slots=True)
class Member:
    """A zone of a catalog; ``label`` stands for its state, ``coo`` names the catalog to be its next."""

    apex: Name
    label: bytes
    coo: Name | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Owned:
    """A zone that came from a catalog: from which, under which label, in which groups.

    ``coo`` is the catalog that the one it came from wants to hand it over to.
    """

    catalog: Name
    label: bytes
    groups: tuple[str, ...] = ()
    coo: Name | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A member that is not taken over, and why; ``key`` tells one reason from another."""

    apex: Name
    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a catalog asks for: zones to add, to delete, to begin anew, to move here, to change.

    ``held`` is the reason not to do any of it until somebody says so.
    """

    add: tuple[Member, ...] = ()
    remove: tuple[Name, ...] = ()
    reset: tuple[Member, ...] = ()
    move: tuple[Member, ...] = ()  # from another catalog, with all they have
    change: tuple[Member, ...] = ()  # other groups
    refused: tuple[Refused, ...] = ()
    held: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self.add or self.remove or self.reset or self.move or self.change)


@dataclass(frozen=True, slots=True)
class Guard:
    """How much a catalog may do: members at most, and the share of them it may lose at once.

    Up to ``few`` members may always go.
    """

    members: int = 10_000
    share: float = 0.2
    few: int = 3


def read_catalog(version: ZoneVersion) -> tuple[Member, ...]:
    """Return the members, by apex; raises ``ZoneError`` with every reason why it is broken."""
    reader = _Reader(version.apex)
    for rrset in version:
        reader.take(rrset)
    return reader.members()


class _Reader:
    """Gathers what stands in a catalog, and what is wrong with it."""

    def __init__(self, apex: Name) -> None:
        self._apex = apex
        self._version = below(b"version", apex)
        self._zones = below(b"zones", apex)
        self._versions: list[bytes] = []
        self._targets: dict[bytes, Name] = {}
        self._coos: dict[bytes, Name] = {}
        self._groups: dict[bytes, tuple[str, ...]] = {}
        self._reasons: list[str] = []

    def take(self, rrset: RRset) -> None:
        """Take one RRset."""
        if rrset.owner == self._version:
            if rrset.rtype == TXT:
                self._versions += rrset.rdatas
            return
        if rrset.owner == self._zones or not is_subdomain(rrset.owner, self._zones):
            return
        path = labels(rrset.owner)[: -len(labels(self._zones))]
        if len(path) == 1 and rrset.rtype == PTR:
            self._one(self._targets, path[0], rrset)
        elif len(path) == 2 and path[0] == b"coo" and rrset.rtype == PTR:
            self._one(self._coos, path[1], rrset)
        elif len(path) == 2 and path[0] == b"group" and rrset.rtype == TXT:
            self._groups[path[1]] = tuple(sorted(map(text_of, rrset.rdatas)))

    def _one(self, found: dict[bytes, Name], label: bytes, rrset: RRset) -> None:
        if len(rrset.rdatas) > 1:
            self._reasons.append(
                f"{display(rrset.owner)} has {len(rrset.rdatas)} PTR records, one is allowed."
            )
        found[label] = rrset.rdatas[0].lower()

    def members(self) -> tuple[Member, ...]:
        """Return the members; raises ``ZoneError``."""
        if not self._versions:
            self._reasons.append(f"{display(self._version)} has no TXT record: no catalog zone.")
        elif [text_of(rdata).encode() for rdata in self._versions] != [SCHEMA]:
            told = ", ".join(map(text_of, self._versions))
            self._reasons.append(
                f"{display(self._version)} says version {told!r}; version 2 is what is known here."
            )
        labels_of: dict[Name, bytes] = {}
        for label, apex in self._targets.items():
            if apex in labels_of:
                self._reasons.append(f"The zone {display(apex)} is listed more than once.")
            elif apex == self._apex:
                self._reasons.append(f"The catalog lists itself, {display(apex)}.")
            labels_of[apex] = label
        if self._reasons:
            raise ZoneError(self._reasons)
        return tuple(
            Member(apex, label, self._coos.get(label), self._groups.get(label, ()))
            for apex, label in sorted(labels_of.items())
        )


def text_of(rdata: bytes) -> str:
    """Return the strings of TXT rdata, joined."""
    parts, position = [], 0
    while position < len(rdata):
        end = position + 1 + rdata[position]
        parts.append(rdata[position + 1 : end])
        position = end
    return b"".join(parts).decode("utf-8", "replace")


def plan(
    catalog: Name,
    listed: Iterable[Member],
    owned: Mapping[Name, Owned],
    present: Iterable[Name],
    guard: Guard,
) -> Plan:
    """Return what to do that the zones of ``catalog`` are those that it lists.

    ``owned`` are all zones that came from any catalog, ``present`` those of the listed names that
    are zones here, from wherever. A zone that did not come from this catalog is never touched: it
    is refused, unless the catalog it came from hands it over (``coo``, RFC 9432 4.4.1).
    """
    wanted = {member.apex: member for member in listed}
    if len(wanted) > guard.members:
        reason = f"it lists {len(wanted)} zones; {guard.members} are allowed"
        return Plan(held=reason)
    ours = {apex for apex, one in owned.items() if one.catalog == catalog}
    there = set(present)
    add: list[Member] = []
    reset: list[Member] = []
    move: list[Member] = []
    change: list[Member] = []
    refused: list[Refused] = []
    for apex, member in wanted.items():
        one = owned.get(apex)
        if one is not None and one.catalog == catalog:
            if one.label != member.label:
                reset.append(member)
            elif one.groups != member.groups or one.coo != member.coo:
                change.append(member)
        elif one is not None and one.coo == catalog:
            (move if one.label == member.label else reset).append(member)
        elif one is not None or apex in there:
            refused.append(_refused(apex, one))
        else:
            add.append(member)
    remove = tuple(sorted(ours - wanted.keys()))
    return Plan(
        tuple(add),
        remove,
        tuple(reset),
        tuple(move),
        tuple(change),
        tuple(refused),
        _held(len(ours), remove, guard),
    )


def _refused(apex: Name, one: Owned | None) -> Refused:
    name = display(apex)
    if one is None:
        sentence = f"{name} is a zone here already, which did not come from this catalog."
        return Refused(apex, "present", sentence)
    other = display(one.catalog)
    sentence = f"{name} comes from the catalog {other}, which does not hand it over (coo)."
    return Refused(apex, f"of {other}", sentence)


def _held(count: int, remove: tuple[Name, ...], guard: Guard) -> str:
    """Return why so many removals wait for approval, empty where they do not."""
    if len(remove) <= guard.few or len(remove) <= guard.share * count:
        return ""
    first = ", ".join(display(apex) for apex in remove[:MOST_TOLD])
    more = ", ..." if len(remove) > MOST_TOLD else ""
    return (
        f"it would lose {len(remove)} of {count} zones at once ({first}{more});"
        f" more than {guard.share:.0%} wait for approval"
    )


def make_catalog(apex: Name, serial: int, members: Iterable[Member]) -> ZoneVersion:
    """Return a catalog zone with these members."""
    numbers = b"".join(number.to_bytes(4, "big") for number in (serial, *TIMERS))
    return ZoneVersion.of(
        apex, [RRset.of(apex, SOA, TTL, [INVALID + INVALID + numbers]), *content(apex, members)]
    )


def content(apex: Name, members: Iterable[Member]) -> list[RRset]:
    """Return all RRsets of a catalog zone but its SOA."""
    zones = below(b"zones", apex)
    rrsets = [
        RRset.of(apex, NS, TTL, [INVALID]),
        RRset.of(below(b"version", apex), TXT, TTL, [bytes((len(SCHEMA),)) + SCHEMA]),
    ]
    for member in members:
        owner = below(member.label, zones)
        rrsets.append(RRset.of(owner, PTR, TTL, [member.apex]))
        if member.coo is not None:
            rrsets.append(RRset.of(below(b"coo", owner), PTR, TTL, [member.coo]))
        if member.groups:
            texts = [string(group) for group in member.groups]
            rrsets.append(RRset.of(below(b"group", owner), TXT, TTL, texts))
    return rrsets


def string(text: str) -> bytes:
    """Return TXT rdata of one string; what is longer than 255 octets is cut."""
    octets = text.encode()[:255]
    return bytes((len(octets),)) + octets
