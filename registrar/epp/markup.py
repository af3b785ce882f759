"""Writing XML: small functions that nest as the document does, and escape what is not markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from registrar.epp.errors import SyntaxFault
from registrar.epp.namespaces import EPP, PREFIXES

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
)


class Markup(str):
    """Text that is XML already."""

    __slots__ = ()


def escaped(value: str) -> str:
    """Return text as content or attribute value; raises ``SyntaxFault`` for what XML cannot say."""
    if unspeakable := _NOT_XML.search(value):
        raise SyntaxFault(f"character U+{ord(unspeakable[0]):04X} cannot stand in XML")
    return value.translate(_ESCAPES)


def element(name: str, *content: str | None, **attributes: str | int | None) -> Markup:
    """Return an element: ``Markup`` stands as it is, other text is escaped, ``None`` is nothing."""
    inner = "".join(
        part if isinstance(part, Markup) else escaped(part) for part in content if part is not None
    )
    told = "".join(
        f' {key}="{escaped(str(value))}"' for key, value in attributes.items() if value is not None
    )
    return Markup(f"<{name}{told}>{inner}</{name}>" if inner else f"<{name}{told}/>")


def optional(name: str, value: str | int | None) -> Markup | None:
    """Return the element, or nothing where there is no value."""
    return None if value is None else element(name, str(value))


def together(parts: list[Markup] | tuple[Markup | None, ...]) -> Markup:
    """Return the parts one after the other."""
    return Markup("".join(part for part in parts if part is not None))


def declared(name: str, *content: str | None, **attributes: str | int | None) -> Markup:
    """Return an element that declares the namespace of its own prefix."""
    prefix = name.partition(":")[0]
    attributes = {f"xmlns:{prefix}": PREFIXES[prefix], **attributes}
    return element(name, *content, **attributes)


def document(*content: str | None) -> bytes:
    """Return a whole EPP document as it is framed."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    return (head + element("epp", *content, xmlns=EPP)).encode()


def instant(moment: datetime) -> str:
    """Return an XML ``dateTime``, in UTC and in upper case (RFC 5731 2.5)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
