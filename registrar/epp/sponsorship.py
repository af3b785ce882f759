"""What domains, hosts and contacts have in common in a response (RFC 5731-5733)."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from registrar.epp.document import (
    attribute,
    child,
    children,
    content,
    needed_text,
    optional_instant,
    text,
)
from registrar.epp.errors import SyntaxFault
from registrar.objects import Availability, Sponsorship
from registrar.statuses import Status

_STATUSES: Final = frozenset(Status)
_TRUE: Final = frozenset({"1", "true"})


def read_sponsorship(found: Element, prefix: str) -> Sponsorship:
    """Read who sponsors an object and when it was touched."""
    return Sponsorship(
        roid=needed_text(found, f"{prefix}:roid"),
        sponsor=needed_text(found, f"{prefix}:clID"),
        created_by=text(found, f"{prefix}:crID"),
        created_at=optional_instant(found, f"{prefix}:crDate"),
        updated_by=text(found, f"{prefix}:upID"),
        updated_at=optional_instant(found, f"{prefix}:upDate"),
        transferred_at=optional_instant(found, f"{prefix}:trDate"),
    )


def read_statuses(found: Element, prefix: str) -> frozenset[Status]:
    """Read the statuses; raises ``SyntaxFault`` for one that EPP does not have."""
    names = [attribute(status, "s") for status in children(found, f"{prefix}:status")]
    for name in names:
        if name not in _STATUSES:
            raise SyntaxFault(f"status {name[:40]!r}")
    return frozenset(map(Status, names))


def read_availability(found: Element, prefix: str, key: str) -> tuple[Availability, ...]:
    """Read what a check found of each object."""
    answers = []
    for entry in children(found, f"{prefix}:cd"):
        named = child(entry, f"{prefix}:{key}")
        available = attribute(named, "avail") in _TRUE
        answers.append(Availability(content(named), available, text(entry, f"{prefix}:reason")))
    return tuple(answers)
