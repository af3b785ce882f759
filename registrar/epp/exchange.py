"""From a command to the document that is sent, and from its response to the outcome."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from registrar import commands as ask
from registrar.commands import Command
from registrar.connector import Done, Outcome, Pending, Refused
from registrar.epp import contact, domain, host, poll
from registrar.epp.errors import EppError, NotExpressible
from registrar.epp.markup import Markup, document, element
from registrar.epp.response import PENDING, Response

R = TypeVar("R")

TRID: Final = re.compile(r"[!-~]{3,64}")  # a token of 3 to 64 characters (RFC 5730 4.1)

_PLAIN_WRITERS: Final[dict[type[Command[Any]], Callable[[Any], Markup]]] = {
    ask.CheckDomains: domain.write_check,
    ask.InfoDomain: domain.write_info,
    ask.SetAuth: domain.write_set_auth,
    ask.RenewDomain: domain.write_renew,
    ask.DeleteDomain: domain.write_delete,
    ask.RestoreDomain: domain.write_restore,
    ask.TransferDomain: domain.write_transfer,
    ask.CheckContacts: contact.write_check,
    ask.CreateContact: contact.write_create,
    ask.InfoContact: contact.write_info,
    ask.UpdateContact: contact.write_update,
    ask.DeleteContact: contact.write_delete,
    ask.CheckHosts: host.write_check,
    ask.CreateHost: host.write_create,
    ask.InfoHost: host.write_info,
    ask.UpdateHost: host.write_update,
    ask.DeleteHost: host.write_delete,
    ask.Acknowledge: poll.write_acknowledge,
}

_READERS: Final[dict[type[Command[Any]], Callable[[Response], Any]]] = {
    ask.CheckDomains: domain.read_check,
    ask.CreateDomain: domain.read_created,
    ask.InfoDomain: domain.read_info,
    ask.RenewDomain: domain.read_renewed,
    ask.TransferDomain: domain.read_transfer,
    ask.CheckContacts: contact.read_check,
    ask.CreateContact: contact.read_created,
    ask.InfoContact: contact.read_info,
    ask.CheckHosts: host.read_check,
    ask.CreateHost: host.read_created,
    ask.InfoHost: host.read_info,
    ask.Poll: poll.read_message,
    ask.Acknowledge: poll.read_queue_length,
}


NO_TRANSIT: Final = (
    "EPP has no TRANSIT: it is a command of DENIC's own protocol. Hand the domain over by the"
    " registry's own means, and then record that it is in transit."
)
NO_VALIDITY: Final = "EPP cannot say until when an authorisation is valid (RFC 5731 3.2.5)."


def write_command(command: Command[Any], trid: str, *, host_objects: bool = True) -> bytes:
    """Return the document to send; raises ``NotExpressible`` for what EPP cannot say.

    ``host_objects`` tells how the registry knows name servers (RFC 5731 1.1).
    """
    if not TRID.fullmatch(trid):
        raise EppError(f"client transaction id {trid[:80]!r} is not 3 to 64 visible characters")
    # clTRID comes last, behind any extension (RFC 5730 2.5).
    content = _write(command, host_objects=host_objects)
    return document(element("command", content, element("clTRID", trid)))


def _write(command: Command[Any], *, host_objects: bool) -> Markup:
    if isinstance(command, ask.CreateDomain):
        return domain.write_create(command, host_objects=host_objects)
    if isinstance(command, ask.UpdateDomain):
        return domain.write_update(command, host_objects=host_objects)
    if isinstance(command, ask.Poll):
        return poll.write_poll()
    if isinstance(command, ask.DeleteDomain) and command.transit:
        raise NotExpressible(NO_TRANSIT)
    if isinstance(command, ask.SetAuth) and command.valid_until is not None:
        raise NotExpressible(NO_VALIDITY)
    return _PLAIN_WRITERS[type(command)](command)


def read_outcome(command: Command[R], response: Response) -> Outcome[R]:
    """Return what the response says of the command; raises ``SyntaxFault``."""
    if response.refused:
        return Refused(response.reasons, response.server_trid)
    value = cast(R, _value(command, response))
    if response.code == PENDING:
        return Pending(value, response.server_trid)
    return Done(value, response.server_trid)


def _value(command: Command[Any], response: Response) -> Any:
    if isinstance(command, ask.RestoreDomain):
        return domain.read_restored(command, response)
    reader = _READERS.get(type(command))
    return None if reader is None else reader(response)
