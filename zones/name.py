r"""Domain names as this system carries them: uncompressed wire format, lower case.

A ``Name`` is what stands in a packet (RFC 1035 3.1): length-prefixed labels, closed by the root's
zero octet, at most 255 octets; ASCII letters are folded to lower case (RFC 4343), so that equality
of names is equality of bytes. ``b"\x07example\x03org\x00"`` is example.org, ``b"\x00"`` the root.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import dns.exception
import dns.name

from zones.errors import ZoneError

Name: TypeAlias = bytes

ROOT: Name = b"\x00"
WILDCARD: Name = b"\x01*"  # a first label, not a whole name
MAX_LENGTH = 255
MAX_LABEL = 63

# Names that need no escapes: nearly all, and escaping takes its time.
_PLAIN = re.compile(rb"[a-z0-9_*-][a-z0-9_*.-]*\.")

# bytes.lower() folds exactly A-Z; the length octets of labels (0-63) are below "A" and stay.
fold = bytes.lower


class BadName(ZoneError):
    """A text that is not a domain name."""


def from_text(text: str, origin: Name = ROOT) -> Name:
    """Return the name written as ``text``; one without a final dot is relative to ``origin``.

    ``@`` is the origin itself. U-labels are taken as IDNA 2008 with the mapping of UTS 46.
    Raises ``BadName``.
    """
    try:
        name = dns.name.from_text(
            text, dns.name.from_wire(origin, 0)[0], idna_codec=dns.name.IDNA_2008_Practical
        )
    except (dns.exception.DNSException, UnicodeError) as error:
        raise BadName(f"{text!r} is not a domain name: {error}") from error
    return name.to_digestable()


def to_text(name: Name) -> str:
    """Return the absolute presentation form, with the final dot: ``www.example.org.``."""
    parts = labels(name)
    text = b".".join(parts) + b"."
    if _PLAIN.fullmatch(text) and text.count(b".") == len(parts):
        return text.decode()
    return dns.name.from_wire(name, 0)[0].to_text()


def display(name: Name) -> str:
    """Return the form people type: no final dot, except for the root."""
    return to_text(name).rstrip(".") or "."


def labels(name: Name) -> tuple[bytes, ...]:
    """Return the labels from the leftmost to the one below the root; the root has none."""
    found = []
    position = 0
    while length := name[position]:
        found.append(name[position + 1 : position + 1 + length])
        position += 1 + length
    return tuple(found)


def from_labels(parts: Iterable[bytes]) -> Name:
    """Return the name with these labels, leftmost first."""
    return b"".join(bytes((len(part),)) + part for part in parts) + ROOT


def label_count(name: Name) -> int:
    """Count labels as RFC 4034 3.1.3 does, without the root, a leading ``*`` included."""
    count = position = 0
    while length := name[position]:
        count += 1
        position += 1 + length
    return count


def parent(name: Name) -> Name:
    """Return the name without its first label; the root is its own parent."""
    return name[1 + name[0] :] if name[0] else name


def ancestors(name: Name) -> Iterator[Name]:
    """Yield the name itself, its parent, and so on up to the root."""
    while name[0]:
        yield name
        name = name[1 + name[0] :]
    yield ROOT


def is_subdomain(name: Name, of: Name) -> bool:
    """Tell whether ``name`` is ``of`` or below it (RFC 9499: subdomain)."""
    if not name.endswith(of):
        return False
    position, end = 0, len(name) - len(of)
    while position < end:
        position += 1 + name[position]
    return position == end


def is_wildcard(name: Name) -> bool:
    """Tell whether the first label is a lone asterisk (RFC 4592 2.1.1)."""
    return name.startswith(WILDCARD)


def below(label: bytes, name: Name) -> Name:
    """Return the name with ``label`` put in front; raises ``BadName`` where it gets too long."""
    if len(label) > MAX_LABEL or len(name) + 1 + len(label) > MAX_LENGTH:
        raise BadName("a name or label is too long (RFC 1035 2.3.4)")
    return bytes((len(label),)) + label + name


def canonical_key(name: Name) -> tuple[bytes, ...]:
    """Return what sorts names in the canonical order of RFC 4034 6.1."""
    return labels(name)[::-1]


def did_you_mean(wanted: Name, known: Iterable[Name]) -> str:
    """Return ``; did you mean example.org?`` for the likeliest of ``known``, or nothing."""
    close = difflib.get_close_matches(display(wanted), [display(name) for name in known], n=1)
    return f"; did you mean {close[0]}?" if close else ""
