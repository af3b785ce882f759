"""Presentation form to wire, fast for what zone files are full of; the rest is dnspython's.

Plain names are split by hand and remembered, addresses go straight to their octets: importing a
hundred thousand zones would else spend its time in a general tokenizer.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

import dns.exception
import dns.ipv4
import dns.ipv6
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones.errors import WireError
from zones.name import MAX_LABEL, MAX_LENGTH, ROOT, BadName, Name, from_text
from zones.rdata import canonical, type_text
from zones.rrset import AAAA, CNAME, DNAME, MX, NS, PTR, SOA, TXT, A

# Several labels of letters, digits, hyphens, underscores, or one asterisk; all ASCII.
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9_-]+|\*)(?:\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
_PLAIN_STRING: Final = re.compile(r'"([^"\\]*)"', re.ASCII)
_MX: Final = re.compile(r"(\d{1,5})\s+(\S+)", re.ASCII)
_SOA: Final = re.compile(r"(\S+)\s+(\S+)((?:\s+\d{1,10})+)", re.ASCII)
_REMEMBERED: Final = 100_000


class BadRdata(Exception):
    """Text that is not rdata of the type; the message says why."""


class Names:
    """Reads names relative to one origin, ``None`` where only absolute ones make sense."""

    def __init__(self, origin: Name | None) -> None:
        self.origin = origin
        self._known: dict[str, Name] = {}

    def read(self, text: str) -> Name:
        """Return the folded name; raises ``BadName``."""
        name = self._known.get(text)
        if name is None:
            name = self._plain(text) if _PLAIN.fullmatch(text) else self._other(text)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = name
        return name

    def _plain(self, text: str) -> Name:
        absolute = text[-1] == "."
        labels = (text[:-1] if absolute else text).encode().lower().split(b".")
        behind = ROOT if absolute else self._base(text)
        name = b"".join([bytes((len(label),)) + label for label in labels if len(label) < 64])
        name += behind
        if len(name) > MAX_LENGTH:
            raise BadName(f"the name {text!r} is longer than {MAX_LENGTH} octets")
        if max(map(len, labels)) > MAX_LABEL:
            raise BadName(f"the name {text!r} has a label longer than {MAX_LABEL} octets")
        return name

    def _other(self, text: str) -> Name:
        if text == "@":
            return self._base(text)
        if not text.endswith("."):
            self._base(text)
        return from_text(text, self.origin or ROOT)

    def _base(self, text: str) -> Name:
        if self.origin is None:
            raise BadName(f"the name {text!r} is relative, and no $ORIGIN says to what")
        return self.origin


def read_rdata(rtype: int, text: str, names: Names) -> bytes:
    """Return the canonical wire octets of rdata; raises ``BadRdata`` or ``BadName``."""
    reader = _READERS.get(rtype)
    if reader is not None:
        rdata = reader(text.strip(), names)
        if rdata is not None:
            return rdata
    if text.lstrip().startswith("\\#"):
        return _read_generic(rtype, text)
    origin = None if names.origin is None else dns.name.from_wire(names.origin, 0)[0]
    try:
        parsed = dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.RdataType.make(rtype),
            text,
            origin,
            relativize=False,
            idna_codec=dns.name.IDNA_2008_Practical,
        )
        return canonical(rtype, parsed.to_wire() or b"")
    except dns.name.NeedAbsoluteNameOrOrigin:
        raise BadName(
            f"{text.strip()!r} has a relative name, and no $ORIGIN says to what"
        ) from None
    except (dns.exception.DNSException, ValueError, OverflowError) as error:
        shown = text.strip() or "nothing"
        raise BadRdata(f"{shown!r} is not {type_text(rtype)} data: {error}") from error


def _read_generic(rtype: int, text: str) -> bytes:
    """Return the octets of the generic form (RFC 3597 5), whether or not they fit the type."""
    _mark, size, *digits = text.split() if len(text.split()) > 1 else ("", "", "")
    try:
        rdata = bytes.fromhex("".join(digits))
        if len(rdata) != int(size):
            raise BadRdata(f"{text.strip()!r} has {len(rdata)} octets and not {size}")
        return canonical(rtype, rdata)
    except ValueError:
        raise BadRdata(f"{text.strip()!r} is not a length and hexadecimal digits") from None
    except WireError as error:
        raise BadRdata(f"{text.strip()!r} is not {type_text(rtype)} data: {error}") from None


def _read_a(text: str, _names: Names) -> bytes | None:
    try:
        return dns.ipv4.inet_aton(text)
    except dns.exception.SyntaxError:
        return None


def _read_aaaa(text: str, _names: Names) -> bytes | None:
    try:
        return dns.ipv6.inet_aton(text)
    except dns.exception.SyntaxError:
        return None


def _read_name(text: str, names: Names) -> bytes | None:
    return names.read(text) if _PLAIN.fullmatch(text) else None


def _read_mx(text: str, names: Names) -> bytes | None:
    match = _MX.fullmatch(text)
    if match is None or not _PLAIN.fullmatch(match[2]) or int(match[1]) > 0xFFFF:
        return None
    return int(match[1]).to_bytes(2, "big") + names.read(match[2])


def _read_txt(text: str, _names: Names) -> bytes | None:
    match = _PLAIN_STRING.fullmatch(text)
    if match is None or not text.isascii() or len(match[1]) > 255:
        return None
    return bytes((len(match[1]),)) + match[1].encode()


def _read_soa(text: str, names: Names) -> bytes | None:
    match = _SOA.fullmatch(text)
    numbers = [int(number) for number in match[3].split()] if match else []
    if match is None or len(numbers) != 5 or max(numbers) >= 1 << 32:
        return None
    if not _PLAIN.fullmatch(match[1]) or not _PLAIN.fullmatch(match[2]):
        return None
    return names.read(match[1]) + names.read(match[2]) + struct.pack("!5I", *numbers)


# Each returns None for what it leaves to dnspython, errors included.
_READERS: Final[dict[int, Callable[[str, Names], bytes | None]]] = {
    A: _read_a,
    AAAA: _read_aaaa,
    NS: _read_name,
    CNAME: _read_name,
    PTR: _read_name,
    DNAME: _read_name,
    SOA: _read_soa,
    MX: _read_mx,
    TXT: _read_txt,
}
