"""The message queue (RFC 5730 2.9.2.3), from the registrar's side."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from registrar.commands import Acknowledge
from registrar.epp.document import (
    child,
    content,
    find,
    instant,
    needed_text,
    text,
)
from registrar.epp.domain import read_info, renewed, transfer_state
from registrar.epp.errors import SyntaxFault
from registrar.epp.markup import Markup, element
from registrar.epp.response import NO_MESSAGES, Response
from registrar.objects import ActionNotice, DomainInfo, Message, QueueLength, Renewed, TransferState


def write_poll() -> Markup:
    """Return the request for the oldest message."""
    return element("poll", op="req")


def write_acknowledge(command: Acknowledge) -> Markup:
    """Return the acknowledgement of a message."""
    return element("poll", op="ack", msgID=command.message_id)


def read_message(response: Response) -> Message | None:
    """Read the oldest message; ``None`` where the queue is empty. Raises ``SyntaxFault``."""
    if response.code == NO_MESSAGES:
        return None
    queue = response.queue
    if queue is None:
        raise SyntaxFault("a message without msgQ")
    return Message(
        id=queue.id,
        count=queue.count,
        text=queue.text,
        queued_at=queue.queued_at,
        data=_data(response),
    )


def _data(response: Response) -> TransferState | ActionNotice | DomainInfo | Renewed | None:
    """Read what a message carries; data of objects that we do not know is left out."""
    if response.data is None:
        return None
    if (found := find(response.data, "domain:trnData")) is not None:
        return transfer_state(found)
    if (found := find(response.data, "domain:panData")) is not None:
        return _notice(found)
    if (found := find(response.data, "domain:renData")) is not None:
        return renewed(found)
    if find(response.data, "domain:infData") is not None:
        return read_info(response)
    return None


def _notice(found: Element) -> ActionNotice:
    name = child(found, "domain:name")
    return ActionNotice(
        name=content(name).lower(),
        approved=name.get("paResult", "").strip() in {"1", "true"},
        client_trid=text(found, "domain:paTRID/epp:clTRID"),
        server_trid=needed_text(found, "domain:paTRID/epp:svTRID"),
        at=instant(needed_text(found, "domain:paDate")),
    )


def read_queue_length(response: Response) -> QueueLength:
    """Read what is left in the queue."""
    return QueueLength(0 if response.queue is None else response.queue.count)
