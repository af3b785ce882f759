"""Responses of a registry (RFC 5730 section 2.6 and 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

from registrar.connector import RegistryReason
from registrar.epp.document import (
    attribute,
    child,
    children,
    content,
    find,
    named,
    needed_text,
    number,
    optional_instant,
    parse,
    text,
)
from registrar.epp.errors import SyntaxFault

PENDING: Final = 1001
NO_MESSAGES: Final = 1300
MESSAGE: Final = 1301
ENDED: Final = 1500  # the answer to logout
COMMAND_FAILED: Final = 2400
CLOSING: Final = frozenset({ENDED, 2500, 2501, 2502})  # the server closes after these
FIRST_ERROR: Final = 2000
# The registry speaks of a fault of its own: whether it had committed before is not said.
UNCERTAIN: Final = frozenset({COMMAND_FAILED, 2500})


@dataclass(frozen=True, slots=True)
class Queue:
    """What a response tells of the poll queue (RFC 5730 2.9.2.3)."""

    count: int
    id: str
    queued_at: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A response, its object data still as XML."""

    reasons: tuple[RegistryReason, ...]  # the results, at least one; several only of errors
    server_trid: str | None
    client_trid: str | None = None
    queue: Queue | None = None
    data: Element | None = None
    extension: Element | None = None

    @property
    def code(self) -> int:
        """Return the code of the first result."""
        return self.reasons[0].code

    @property
    def refused(self) -> bool:
        """Whether the command was not carried out."""
        return self.code >= FIRST_ERROR

    def needed_data(self, path: str) -> Element:
        """Return an element of the object data; raises ``SyntaxFault`` where it is missing."""
        if self.data is None:
            raise SyntaxFault(f"a response without {path}")
        return child(self.data, path)


def read_response(document: bytes) -> Response:
    """Read a response; raises ``SyntaxFault``."""
    root = parse(document)
    if root.tag != named("epp:epp"):
        raise SyntaxFault(f"{root.tag} where epp is expected")
    response = child(root, "epp:response")
    reasons = tuple(_reason(result) for result in children(response, "epp:result"))
    if not reasons:
        raise SyntaxFault("a response without a result")
    return Response(
        reasons=reasons,
        client_trid=text(response, "epp:trID/epp:clTRID"),
        server_trid=text(response, "epp:trID/epp:svTRID"),
        queue=_queue(find(response, "epp:msgQ")),
        data=find(response, "epp:resData"),
        extension=find(response, "epp:extension"),
    )


def _reason(result: Element) -> RegistryReason:
    """Read a result; the registry's own explanation is put behind the standard words."""
    code = number(attribute(result, "code"))
    if not 1000 <= code <= 2999:
        raise SyntaxFault(f"result code {code}")
    words = needed_text(result, "epp:msg")
    value: str | None = None
    for extended in children(result, "epp:extValue"):
        if explanation := text(extended, "epp:reason"):
            words = f"{words}: {explanation}"
        value = value or _flat(find(extended, "epp:value"))
    if value is None:
        value = _flat(find(result, "epp:value"))
    return RegistryReason(code, words, value)


def _flat(value: Element | None) -> str | None:
    """Return what stands anywhere in a value."""
    if value is None:
        return None
    return " ".join(" ".join(value.itertext()).split()) or None


def _queue(queue: Element | None) -> Queue | None:
    if queue is None:
        return None
    message = find(queue, "epp:msg")
    return Queue(
        count=number(attribute(queue, "count")),
        id=attribute(queue, "id"),
        queued_at=optional_instant(queue, "epp:qDate"),
        text="" if message is None else (_flat(message) or content(message)),
    )
