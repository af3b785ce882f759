"""Records as people type them in a shell: ``[TTL] RDATA...``, quoted or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from zones import rdata
from zones.errors import ZoneError
from zones.name import ROOT, Name, display, from_text, is_subdomain
from zones.rrset import SPF, TXT

STRINGS = (TXT, SPF)
TTL_TEXT = re.compile(r"(?:\d+[wdhms]?)+", re.IGNORECASE)
UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "": 1}
MAX_TTL = 2**31 - 1  # RFC 2181 8
# What the data of a type look like, for those whose text was not understood.
FORMS = {
    "A": "an IPv4 address: 192.0.2.1",
    "AAAA": "an IPv6 address: 2001:db8::1",
    "CAA": "flags, tag and value: 0 issue letsencrypt.org",
    "CNAME": "one name: www.example.org.",
    "DNAME": "one name: example.org.",
    "DS": "key tag, algorithm, digest type and digest: 12345 13 2 3A5C...",
    "HTTPS": "priority, target and parameters: 1 . alpn=h2",
    "MX": "preference and mail server: 10 mail.example.org.",
    "NS": "one name: ns1.example.org.",
    "PTR": "one name: host.example.org.",
    "SOA": "primary, mailbox, serial, refresh, retry, expire, minimum",
    "SRV": "priority, weight, port and target: 0 5 5060 sip.example.org.",
    "SVCB": "priority, target and parameters: 1 svc.example.org. port=8053",
    "TLSA": "usage, selector, matching type and data: 3 1 1 0D6F...",
    "TXT": "text: 'v=spf1 mx -all'",
}
TYPES = (
    "A", "AAAA", "CAA", "CNAME", "DNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV",
    "SSHFP", "SVCB", "TLSA", "TXT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed: canonical rdatas, the TTL if one was given, and what deserves a note."""

    ttl: int | None
    rdatas: tuple[bytes, ...]
    notes: tuple[str, ...] = field(default=())


def parse_type(text: str) -> int:
    """Return a type's number; raises ``ZoneError`` with what may have been meant."""
    try:
        return rdata.type_from_text(text.upper())
    except ZoneError:
        import difflib

        close = difflib.get_close_matches(text.upper(), TYPES, n=1, cutoff=0.4)
        hint = f"; did you mean {close[0]}?" if close else " such as A, MX or TXT"
        raise ZoneError(f"{text!r} is not a record type{hint}") from None


def owner_name(text: str, apex: Name) -> Name:
    """Return the owner that ``text`` means within a zone; raises ``ZoneError``.

    ``www``, ``www.example.org`` and ``www.example.org.`` are one in example.org.
    """
    absolute = from_text(text, ROOT) if text != "@" else apex
    if text == "@" or is_subdomain(absolute, apex):
        return absolute
    if text.endswith("."):
        raise ZoneError(f"{text} is not in the zone {display(apex)}")
    return from_text(text, apex)


def parse_rdata(rtype: int, words: Sequence[str], apex: Name) -> Parsed:
    """Return the records in ``words``; raises ``ZoneError`` with the reasons.

    A first word that can be a TTL is one where something follows. ``10 mail`` may be typed as one
    word or as two: what reads as one record in several words is taken for that.
    """
    rest = list(words)
    ttl = None
    if len(rest) > 1 and TTL_TEXT.fullmatch(rest[0]):
        ttl = seconds(rest.pop(0))
    # As it was typed first; then without a TTL, as "10 mail" begins with a number, too.
    readings = [(ttl, rest), (ttl, [" ".join(rest)])]
    if ttl is not None:
        readings += [(None, [" ".join(words)])]
    reasons: tuple[str, ...] = ()
    for found_ttl, texts in readings:
        try:
            return read(rtype, texts, apex, found_ttl)
        except ZoneError as error:
            reasons = reasons or error.reasons
    raise ZoneError(reasons)


def read(rtype: int, texts: Sequence[str], apex: Name, ttl: int | None) -> Parsed:
    """Read each text as one record; raises ``ZoneError`` with a reason for each that is none."""
    found: list[bytes] = []
    reasons: list[str] = []
    notes: list[str] = []
    for text in texts:
        try:
            octets, doubts = read_one(rtype, text, apex)
            notes += doubts
            found.append(octets)
        except ZoneError as error:
            reasons += [explained(rtype, reason) for reason in error.reasons]
    if ttl is not None and ttl > MAX_TTL:
        reasons.append(f"TTL {ttl} is too large; at most {MAX_TTL} (RFC 2181 8)")
    if reasons:
        raise ZoneError(reasons)
    return Parsed(ttl, tuple(found), tuple(notes))


def explained(rtype: int, reason: str) -> str:
    """Return why a text is no data of a type, and what is."""
    form = FORMS.get(rdata.type_text(rtype))
    return f"{reason.rstrip('.')}; it is {form}" if form else reason


def quoted(text: str) -> str:
    """Return a text as character strings: the shell has taken the quotes away (RFC 1035 3.3.14)."""
    if text.startswith('"'):
        return text
    octets = text.encode()
    pieces = [octets[start : start + 255] for start in range(0, len(octets), 255)] or [b""]
    return " ".join(f'"{escaped(piece)}"' for piece in pieces)


def escaped(octets: bytes) -> str:
    """Return octets in the presentation form of a quoted string (RFC 1035 5.1)."""
    return "".join(
        f"\\{octet:03d}"
        if octet < 32 or octet > 126
        else f"\\{octet:c}"
        if octet in b'"\\'
        else chr(octet)
        for octet in octets
    )


def read_one(rtype: int, text: str, apex: Name) -> tuple[bytes, list[str]]:
    """Read one record, and return notes on names that look absolute but were taken as relative.

    A name that would have the zone's own twice is taken as it stands: nobody means the other.
    """
    notes = []
    octets = rdata.from_text(rtype, quoted(text) if rtype in STRINGS else text, apex)
    for _offset, name in rdata.embedded_names(rtype, octets):
        full = display(name)
        typed = full.removesuffix("." + display(apex))
        if typed == full or typed not in text.lower().split():
            continue  # absolute, or the zone itself
        if is_subdomain(from_text(typed), apex):
            absolute = re.sub(
                rf"(?<!\S){re.escape(typed)}(?!\S)", f"{typed}.", text, flags=re.IGNORECASE
            )
            return read_one(rtype, absolute, apex)
        if "." in typed:
            notes.append(f"{typed} was taken as {full}; write {typed}. to mean that very name")
    return octets, notes


def seconds(text: str) -> int:
    """Return a TTL as zone files write it: 300, 5m, 1h30m."""
    parts = re.findall(r"(\d+)([wdhms]?)", text.lower())
    return sum(int(number) * UNITS[unit] for number, unit in parts)
