"""Zone files (RFC 1035 5): text becomes packed content, or every reason why not, and back.

Files may be terse: class, TTL, owner and $ORIGIN may be missing. A record without TTL takes that of
$TTL (RFC 2308 4), else the one last stated (RFC 1035 5.1), else the SOA's MINIMUM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import dns.rdatatype
import dns.ttl

from zones import generate
from zones.errors import WireError, ZoneError
from zones.lines import LogicalLine, logical_lines
from zones.name import ROOT, Name, ancestors
from zones.packing import Packed, new_packer
from zones.presentation import BadRdata, Names, read_rdata
from zones.rdata import type_from_text
from zones.rrset import AAAA, CNAME, MX, NS, SOA, TXT, A
from zones.zonetext import write_zone_file

__all__ = ["Include", "read_zone_file", "write_zone_file"]

Include = Callable[[str], str]

MAX_REASONS: Final = 1000
MAX_GENERATED: Final = 1_000_000
MAX_INCLUDES: Final = 10  # nested
_CLASSES: Final = frozenset({"IN", "CLASS1", "CH", "CLASS3", "CS", "HS", "CLASS4"})
# The shape of nearly every line; the others are read token by token.
_USUAL: Final = re.compile(
    r"([^\s\\]*)[ \t]+(?:(\d{1,9})[ \t]+)?(?:IN[ \t]+)?([A-Z]+)[ \t]+(.+)", re.ASCII
)
_MNEMONICS: Final = {"A": A, "AAAA": AAAA, "CNAME": CNAME, "MX": MX, "NS": NS, "TXT": TXT}
_TOKEN: Final = re.compile(r"\s*((?:[^\s\\]|\\.)+)")


class LineError(Exception):
    """Why one line cannot be read."""


class Record(NamedTuple):
    """A record as a file has it; ``ttl`` is ``None`` where the SOA has to tell it."""

    where: str
    owner: Name
    rtype: int
    ttl: int | None
    rdata: bytes


def read_zone_file(
    text: str, *, filename: str, apex: Name | None = None, include: Include | None = None
) -> Packed:
    """Return the content of a zone file.

    Without ``apex``, the zone is that of the first SOA, else of the first $ORIGIN, else the closest
    common ancestor of all owners. ``include`` returns the text of the file that $INCLUDE names, or
    raises ``ZoneError``; without it $INCLUDE is refused. Raises ``ZoneError`` with every reason as
    ``file:line: reason``; what is wrong with the content as such is for ``zones.check``.
    """
    reader = _Reader(apex, include)
    reader.read(text, filename)
    if not reader.records and not reader.reasons:
        reader.refuse(filename, "there are no records in it")
    soa = next((record for record in reader.records if record.rtype == SOA), None)
    if apex is None:
        apex = soa.owner if soa else reader.first_origin or _common_ancestor(reader.records)
    # Without any SOA the zone checks refuse the content, whatever its TTLs.
    fallback = int.from_bytes(soa.rdata[-4:], "big") if soa else 0
    packed = _pack(apex, reader.records, fallback, reader.refuse)
    if reader.reasons:
        raise ZoneError(reader.told())
    return packed


def _pack(
    apex: Name, records: Iterable[Record], fallback: int, refuse: Callable[[str, str], None]
) -> Packed:
    packer = new_packer(apex)
    for where, owner, rtype, ttl, rdata in records:
        try:
            packer.add(owner, rtype, fallback if ttl is None else ttl, rdata)
        except WireError as error:
            refuse(where, str(error))
    return packer.finish()


def _common_ancestor(records: Iterable[Record]) -> Name:
    owners = {record.owner for record in records}
    shared = set.intersection(*(set(ancestors(owner)) for owner in owners)) if owners else {ROOT}
    return max(shared, key=len)


class _Reader:
    """The records so far, and the state that lines leave to the lines after them."""

    def __init__(self, apex: Name | None, include: Include | None) -> None:
        self.records: list[Record] = []
        self.reasons: list[str] = []
        self.first_origin: Name | None = None
        self._uncounted = 0
        self._include = include
        self._names = Names(apex)
        self._owner: Name | None = None
        self._default_ttl: int | None = None
        self._last_ttl: int | None = None
        self._generated = 0

    def read(self, text: str, filename: str, depth: int = 0) -> None:
        """Read a file, and what it includes."""
        for line in logical_lines(text):
            where = f"{filename}:{line.number}"
            try:
                if line.problem:
                    raise LineError(line.problem)
                if line.text[0] == "$":
                    self._read_directive(line, where, depth)
                else:
                    self._read_record(line.text, where)
            except ZoneError as error:
                for reason in error.reasons:
                    self.refuse(where, reason)
            except (LineError, BadRdata, dns.ttl.BadTTL) as error:
                self.refuse(where, str(error))

    def refuse(self, where: str, reason: str) -> None:
        """Note a reason; beyond ``MAX_REASONS`` they are only counted."""
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(f"{where}: {reason}")
        else:
            self._uncounted += 1

    def told(self) -> list[str]:
        """Return the reasons, with how many are left out."""
        return self.reasons + ([f"and {self._uncounted} more"] if self._uncounted else [])

    def _read_record(self, text: str, where: str) -> None:
        usual = _USUAL.fullmatch(text)
        if usual is not None and (rtype := _MNEMONICS.get(usual[3])):
            if usual[1]:
                self._read_owner(usual[1])
            ttl, rest = self._ttl(int(usual[2]) if usual[2] else None), usual[4]
        else:
            position = 0
            if not text[0].isspace():
                token, position = _next_token(text, 0)
                self._read_owner(token)
            ttl, rtype, position = self._read_head(text, position)
            rest = text[position:]
        if self._owner is None:
            raise LineError("the record has no name, and none stands before it")
        rdata = read_rdata(rtype, rest, self._names)
        self.records.append(Record(where, self._owner, rtype, ttl, rdata))

    def _read_owner(self, token: str) -> None:
        self._owner = self._owner or ROOT  # should this one be wrong, that is told once
        self._owner = self._names.read(token)

    def _read_head(self, text: str, position: int) -> tuple[int | None, int, int]:
        """Return TTL and type of a record, and the offset of its rdata.

        TTL and class come in either order, or not at all.
        """
        ttl = None
        while True:
            token, position = _next_token(text, position)
            if token[0].isdigit() and ttl is None:
                ttl = _read_ttl(token)
                continue
            if token.upper() in _CLASSES:
                if token.upper() not in {"IN", "CLASS1"}:
                    raise LineError(f"the class is {token}; zones here are of class IN")
                continue
            return self._ttl(ttl), _read_type(token), position

    def _ttl(self, stated: int | None) -> int | None:
        if stated is not None:
            self._last_ttl = stated
            return stated
        return self._last_ttl if self._default_ttl is None else self._default_ttl

    def _read_directive(self, line: LogicalLine, where: str, depth: int) -> None:
        directive, *words = line.text.split()
        match directive.upper(), words:
            case "$ORIGIN", [name]:
                self._names = Names(self._names.read(name))
                self.first_origin = self.first_origin or self._names.origin
            case "$TTL", [ttl]:
                self._default_ttl = _read_ttl(ttl)
            case "$INCLUDE", [name, *origin] if len(origin) < 2:
                self._read_included(name.strip('"'), origin, depth)
            case "$GENERATE", [_range, _owner, *rest] if len(rest) >= 2:
                self._read_generated(line.text.split(None, 2), where)
            case (("$ORIGIN" | "$TTL" | "$INCLUDE" | "$GENERATE"), _):
                raise LineError(f"{directive} with {len(words)} words behind it")
            case _:
                raise LineError(f"{directive} is not a directive of zone files")

    def _read_included(self, name: str, origin: list[str], depth: int) -> None:
        if self._include is None:
            raise LineError(f"$INCLUDE of {name} is not allowed here")
        if depth >= MAX_INCLUDES:
            raise LineError(f"$INCLUDE of {name} is nested too deep")
        text = self._include(name)
        saved = self._names, self._owner
        if origin:
            self._names = Names(self._names.read(origin[0]))
        self.read(text, name, depth + 1)
        self._names, self._owner = saved

    def _read_generated(self, words: list[str], where: str) -> None:
        _directive, span, template = words
        try:
            numbers = generate.read_range(span)
            self._generated += len(numbers)
            if self._generated > MAX_GENERATED:
                raise LineError(f"$GENERATE makes more than {MAX_GENERATED} records")
            for number in numbers:
                self._read_record(generate.fill(template, number), where)
        except ValueError as error:
            raise LineError(str(error)) from error


def _next_token(text: str, position: int) -> tuple[str, int]:
    match = _TOKEN.match(text, position)
    if match is None:
        raise LineError("the line ends before the type of the record")
    return match[1], match.end()


def _read_ttl(text: str) -> int:
    try:
        return dns.ttl.from_text(text)
    except dns.ttl.BadTTL:
        raise LineError(f"{text!r} is not a TTL, such as 3600 or 1h30m") from None


def _read_type(text: str) -> int:
    rtype = type_from_text(text)
    if dns.rdatatype.is_metatype(dns.rdatatype.RdataType.make(rtype)) or not rtype:
        raise LineError(f"{text} is a type for queries, not for records")
    return rtype
