"""Reading XML that a stranger sent (docs/adr/0010-epp-xml.md).

expat is driven here directly: a document type declaration is refused at its first octet, so that no
entity, internal or external, can even be declared; depth and number of elements are bounded, the
size is bounded by the framing. Comments and processing instructions are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from registrar.epp.errors import SyntaxFault
from registrar.epp.namespaces import PREFIXES

MAX_DEPTH: Final = 32  # EPP goes about ten deep
MAX_ELEMENTS: Final = 20_000
ENCODINGS: Final = frozenset({"UTF-8", "UTF-16", "US-ASCII"})


def parse(octets: bytes) -> Element:
    """Return the root element; names are ``{namespace}local``. Raises ``SyntaxFault``."""
    parser = expat.ParserCreate(namespace_separator="}")
    reader = _Reader()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.XmlDeclHandler = _check_declaration
    try:
        parser.Parse(octets, True)
    except expat.ExpatError as error:
        raise SyntaxFault(f"not well-formed XML: {error}") from None
    except (LookupError, ValueError) as error:
        raise SyntaxFault(f"not XML: {error}") from None
    return reader.root()


def _refuse_doctype(*_: object) -> NoReturn:
    raise SyntaxFault("a document type declaration, which EPP does not have")


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.upper() not in ENCODINGS:
        raise SyntaxFault(f"encoding {encoding}, allowed are UTF-8 and UTF-16 (RFC 5730 5)")


class _Reader:
    """Builds the tree and counts."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._elements = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise SyntaxFault(f"elements nested more than {MAX_DEPTH} deep")
        if self._elements > MAX_ELEMENTS:
            raise SyntaxFault(f"more than {MAX_ELEMENTS} elements")
        self._builder.start(_clark(name), {_clark(key): attributes[key] for key in attributes})

    def end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_clark(name))

    def characters(self, text: str) -> None:
        self._builder.data(text)

    def root(self) -> Element:
        return self._builder.close()


def _clark(name: str) -> str:
    """Return expat's ``namespace}local`` as ``{namespace}local``."""
    return "{" + name if "}" in name else name


def named(name: str) -> str:
    """Return ``domain:name`` as ``{urn:...:domain-1.0}name``."""
    prefix, _, local = name.rpartition(":")
    return "{" + PREFIXES[prefix] + "}" + local


def find(element: Element, path: str) -> Element | None:
    """Return the first element at the path, whose names have our prefixes."""
    return element.find(path, PREFIXES)


def child(element: Element, path: str) -> Element:
    """Return the first element at the path; raises ``SyntaxFault`` where there is none."""
    found = find(element, path)
    if found is None:
        raise SyntaxFault(f"no {path} in {local_name(element)}")
    return found


def children(element: Element, path: str) -> Iterator[Element]:
    """Yield the elements at the path."""
    yield from element.iterfind(path, PREFIXES)


def content(element: Element) -> str:
    """Return the text in the element, white space collapsed as in a ``token``."""
    return " ".join((element.text or "").split())


def text(element: Element, path: str) -> str | None:
    """Return the text at the path, ``None`` where there is no such element."""
    found = find(element, path)
    return None if found is None else content(found)


def needed_text(element: Element, path: str) -> str:
    """Return the text at the path; raises ``SyntaxFault`` where there is none."""
    return content(child(element, path))


def texts(element: Element, path: str) -> tuple[str, ...]:
    """Return the texts of all elements at the path."""
    return tuple(content(found) for found in children(element, path))


def attribute(element: Element, name: str) -> str:
    """Return an attribute; raises ``SyntaxFault`` where it is missing."""
    value = element.get(name)
    if value is None:
        raise SyntaxFault(f"no {name} at {local_name(element)}")
    return value.strip()


def number(value: str) -> int:
    """Return a number of the schema's unsigned types; raises ``SyntaxFault``."""
    if not value.isascii() or not value.isdigit() or len(value) > 19:
        raise SyntaxFault(f"{value[:40]!r} is not a number")
    return int(value)


def instant(value: str) -> datetime:
    """Return an XML ``dateTime`` in UTC; one without a zone is UTC (RFC 5731 2.5)."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SyntaxFault(f"{value[:40]!r} is not a date and time") from None


def day(value: str) -> date:
    """Return an XML ``date``; raises ``SyntaxFault``."""
    try:
        return date.fromisoformat(value.rstrip("Z"))
    except ValueError:
        raise SyntaxFault(f"{value[:40]!r} is not a date") from None


def optional_instant(element: Element, path: str) -> datetime | None:
    """Return the date and time at the path, ``None`` where there is no such element."""
    found = text(element, path)
    return None if found is None else instant(found)


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
